//! Pipes: `notify_fifo`, `vrrp_notify_fifo` and the programs that read them.

use vipd_tests::Pair;
use vipd_tests::guide::Conf;

use crate::{SOON, VIPD, conf, follow, wait_for_counts};

#[test]
fn a_pipe_gets_a_line_for_each_change_and_is_gone_with_the_agent() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let global = "notify_fifo /run/events nobody\nvrrp_notify_priority_changes on";
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), global, "", "")).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let shape = pair.lb1.host.command("stat -c %A-%U /run/events").expect("stat");

    // Act: what was written before somebody read is there all the same.
    let reader = pair.lb1.host.spawn("cat", &["/run/events"]).expect("cat");
    reader.wait_for_line("INSTANCE \"VI_1\" MASTER 110", SOON).expect("MASTER");
    wait_for_counts(&lb1, "fifo /run/events", [2, 0, 0]);
    lb1.process().stop().expect("SIGTERM");

    // Assert
    reader.wait(SOON).expect("it finds the end");
    let lines: Vec<_> = reader.lines().into_iter().map(|line| line.text).collect();
    assert_eq!(lines, ["BACKUP", "MASTER", "STOP"].map(|state| format!("INSTANCE \"VI_1\" {state} 110")));
    assert_eq!(shape, "prw-------nobody\n".replace("nobody", "-nobody"));
    lb1.process().wait(SOON).expect("it ends");
    assert!(pair.lb1.host.command("stat /run/events").is_err(), "the pipe stays");
}

/// As keepalived 2.2.7 writes it.
#[test]
fn a_pipe_is_told_of_new_priorities_where_that_is_wanted() {
    let pair = Pair::new().expect("lab");
    pair.lb1.host.write_file("/run/points", "0\n", 0o644).expect("write");
    let tracked = "notify_priority_changes on\ntrack_file {\npoints weight 1\n}";
    let conf = conf(Conf::lb1(), "notify_fifo /run/events", tracked, "");
    let conf = conf.replace("vrrp_instance", "track_file points {\nfile /run/points\n}\nvrrp_instance");
    let _lb1 = pair.lb1.start(VIPD, &conf).expect("vipd");
    let reader = follow(&pair.lb1.host, "/run/lines");
    let copy = "until test -p /run/events; do :; done; cat /run/events >> /run/lines";
    let _copy = pair.lb1.host.spawn("sh", &["-c", copy]).expect("sh");
    reader.wait_for_line("INSTANCE \"VI_1\" MASTER 110", SOON).expect("MASTER");

    pair.lb1.host.write_file("/run/points", "5\n", 0o644).expect("write");

    reader.wait_for_line("INSTANCE \"VI_1\" MASTER_PRIORITY 115", SOON).expect("told");
}

/// keepalived 2.2.7 kills the reader before STOP is written (measured); here it reads STOP and finds the end of the pipe.
#[test]
fn the_reader_is_started_with_the_path_started_again_when_it_dies_and_told_of_the_end() {
    // Arrange: a program that writes what it reads, and dies on MASTER the first time.
    let reader = "#!/bin/sh\necho \"begins $*\" >> /run/read\nwhile read -r line; do echo \"$line\" >> /run/read\n\
        case $line in *MASTER*) test -e /run/died || { touch /run/died; exit 1; } ;; esac\ndone < \"$2\"\n\
        echo ends >> /run/read\n";
    let pair = Pair::new().expect("lab");
    pair.lb1.host.write_file("/etc/lab/reader", reader, 0o755).expect("write");
    let read = follow(&pair.lb1.host, "/run/read");
    let global = "vrrp_notify_fifo /run/events\nvrrp_notify_fifo_script \"/etc/lab/reader word\"";

    // Act
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), global, "", "")).expect("vipd");
    read.wait_for_line("MASTER", SOON).expect("read");
    lb1.process().wait_for_line("ended with exit code 1; it is started again", SOON).expect("said");
    read.wait_for_line("begins", SOON).expect("started again");
    pair.lb1.port.link_down().expect("cable pulled");
    read.wait_for_line("FAULT", SOON).expect("read");
    lb1.process().stop().expect("SIGTERM");
    lb1.process().wait(SOON).expect("it ends");

    // Assert
    let text = pair.lb1.host.read_file("/run/read").expect("read");
    let expected = [
        "begins word /run/events",
        "INSTANCE \"VI_1\" BACKUP 110",
        "INSTANCE \"VI_1\" MASTER 110",
        "begins word /run/events",
        "INSTANCE \"VI_1\" FAULT 110",
        "INSTANCE \"VI_1\" STOP 110",
        "ends",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

/// A reader that does not end by itself is killed with its children.
#[test]
fn promise_4_no_reader_stays() {
    let hold =
        "#!/bin/sh\ntrap '' TERM\nexec 3<> \"$1\"\necho begins >> /run/read\nsleep 4713 &\nsleep 4714\n";
    let pair = Pair::new().expect("lab");
    pair.lb1.host.write_file("/etc/lab/hold", hold, 0o755).expect("write");
    let read = follow(&pair.lb1.host, "/run/read");
    let global = "notify_fifo /run/events\nnotify_fifo_script \"/etc/lab/hold\"";
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), global, "", "")).expect("vipd");
    read.wait_for_line("begins", SOON).expect("started");

    lb1.process().stop().expect("SIGTERM");
    lb1.process().wait(SOON).expect("it ends");

    let left = pair.lb1.host.command("ps -A -o args=").expect("ps");
    assert!(!left.contains("471"), "{left}");
}
