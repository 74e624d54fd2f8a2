//! Commands: `notify`, `notify_master` and the like.

use std::net::Ipv4Addr;

use vipd_tests::forge::Forged;
use vipd_tests::guide::{self, Conf};
use vipd_tests::{Flood, Moment, Pair, frame};

use crate::{SOON, VIPD, conf, counted, follow, logged, master, wait_for_counts};

const LOG: &str = "/run/told";
/// Writes down its arguments, and who it is.
const RECORD: &str = "#!/bin/sh\necho \"$* as $(id -un)\" >> /run/told\n";
const NOTIFY: &str = "notify \"/etc/lab/record any\"\nnotify_master \"/etc/lab/record master\"\n\
    notify_backup \"/etc/lab/record backup\"\nnotify_fault \"/etc/lab/record fault\"\nnotify_stop \"/etc/lab/record stop\"";

fn pair_with_record() -> Pair {
    let pair = Pair::new().expect("lab");
    for host in [&pair.lb1.host, &pair.lb2.host] {
        host.write_file("/etc/lab/record", RECORD, 0o755).expect("write");
    }
    pair
}

/// Keepalived starts them at once, in any order (#1055); here each waits for the one before. What each gets is the same.
#[test]
fn commands_run_in_the_order_of_events_the_specific_one_first_with_the_arguments_of_keepalived() {
    // Arrange
    let pair = pair_with_record();
    let told = follow(&pair.lb1.host, LOG);

    // Act
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), "", NOTIFY, "")).expect("vipd");
    told.wait_for_line("any INSTANCE VI_1 MASTER 110", SOON).expect("MASTER");
    pair.lb1.port.link_down().expect("cable pulled");
    told.wait_for_line("any INSTANCE VI_1 FAULT 110", SOON).expect("FAULT");
    pair.lb1.port.link_up().expect("cable back");
    told.wait_for_line("any INSTANCE VI_1 MASTER 110", SOON).expect("MASTER");
    assert_eq!(counted(&lb1, "scripts")[1..], [0, 0], "none failed");
    lb1.process().stop().expect("SIGTERM");
    lb1.process().wait(SOON).expect("it ends");

    // Assert
    let expected = [
        "backup as root",
        "any INSTANCE VI_1 BACKUP 110 as root",
        "master as root",
        "any INSTANCE VI_1 MASTER 110 as root",
        "fault as root",
        "any INSTANCE VI_1 FAULT 110 as root",
        "backup as root",
        "any INSTANCE VI_1 BACKUP 110 as root",
        "master as root",
        "any INSTANCE VI_1 MASTER 110 as root",
        "stop as root",
        "any INSTANCE VI_1 STOP 110 as root",
    ];
    assert_eq!(pair.lb1.host.read_file(LOG).expect("told").lines().collect::<Vec<_>>(), expected);
}

/// As in Keepalived: who becomes MASTER finds the addresses in place, and who is no more finds them gone. There are many, and
/// another machine keeps the kernel's one lock for addresses and links busy, so that they take longer than a command.
#[test]
fn commands_find_the_addresses_as_the_state_wants_them() {
    // Arrange: 200, and the guide's.
    let count = "#!/bin/sh\necho \"$1 $(ip -4 -o address show dev eth0 | wc -l)\" >> /run/told\n";
    let pair = Pair::new().expect("lab");
    pair.lb1.host.write_file("/etc/lab/count", count, 0o755).expect("write");
    let addresses: Vec<String> = (0..200).map(|n| format!("10.0.{n}.100/32")).collect();
    let addresses = addresses.join("\n") + "\n";
    let many = conf(Conf::lb1(), "", &NOTIFY.replace("record", "count"), "")
        .replace("virtual_ipaddress {\n", &format!("virtual_ipaddress {{\n{addresses}"));
    let told = follow(&pair.lb1.host, LOG);
    let busy = |n: u8| {
        format!("while ip link add busy{n} type veth peer peer{n} && ip link del busy{n}; do :; done")
    };
    let _busy: Vec<_> = (0..4).map(|n| pair.client.spawn("sh", &["-c", &busy(n)]).expect("sh")).collect();

    // Act
    let lb1 = pair.lb1.start(VIPD, &many).expect("vipd");
    told.wait_for_line("any", SOON).expect("BACKUP");
    told.wait_for_line("any", SOON).expect("MASTER");
    pair.lb1.port.link_down().expect("cable pulled");
    told.wait_for_line("any", SOON).expect("FAULT");
    pair.lb1.port.link_up().expect("cable back");
    told.wait_for_line("any", SOON).expect("BACKUP");
    told.wait_for_line("any", SOON).expect("MASTER");
    lb1.process().stop().expect("SIGTERM");
    lb1.process().wait(SOON).expect("it ends");

    // Assert
    let told = pair.lb1.host.read_file(LOG).expect("told");
    let [none, all] = [1, 202];
    let expected = [
        ("backup", none),
        ("master", all),
        ("fault", none),
        ("backup", none),
        ("master", all),
        ("stop", none),
    ];
    let lines: Vec<_> = told.lines().filter(|line| !line.starts_with("any")).collect();
    assert_eq!(lines, expected.map(|(state, count)| format!("{state} {count}")));
}

/// As keepalived 2.2.7 writes them, and at the end the group after its last member.
#[test]
fn a_sync_group_has_commands_of_its_own_and_follows_its_last_member() {
    // Arrange
    let pair = pair_with_record();
    pair.lab.connect(&pair.lb1.host, "eth1", "192.168.2.10/24", &pair.switch).expect("eth1");
    let second = "vrrp_instance VI_2 {\nstate BACKUP\ninterface eth1\nvirtual_router_id 52\npriority 110\nversion 3\n\
        advert_int 0.1\nvirtual_ipaddress {\n192.168.2.100/24\n}\n}\n\
        vrrp_sync_group VG {\ngroup {\nVI_1\nVI_2\n}\nnotify \"/etc/lab/record group\"\n\
        notify_master \"/etc/lab/record group-master\"\nnotify_stop \"/etc/lab/record group-stop\"\n}";
    let told = follow(&pair.lb1.host, LOG);

    // Act
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), "", "", second)).expect("vipd");
    told.wait_for_line("group GROUP VG MASTER 0", SOON).expect("MASTER");
    pair.lb1.host.command("ip link set eth1 down").expect("one member's interface");
    told.wait_for_line("group GROUP VG FAULT 0", SOON).expect("FAULT");
    lb1.process().stop().expect("SIGTERM");
    lb1.process().wait(SOON).expect("it ends");

    // Assert
    let expected = [
        "group GROUP VG BACKUP 0 as root",
        "group-master as root",
        "group GROUP VG MASTER 0 as root",
        "group GROUP VG FAULT 0 as root",
        "group-stop as root",
        "group GROUP VG STOP 0 as root",
    ];
    assert_eq!(pair.lb1.host.read_file(LOG).expect("told").lines().collect::<Vec<_>>(), expected);
}

/// Promise 6: scripts run as the user they name, never through a writable path.
#[test]
fn promise_6_commands_run_as_the_user_they_name_and_never_through_a_writable_path() {
    // Arrange: the first is somebody else's, the second can be written by all.
    let pair = pair_with_record();
    pair.lb1.host.write_file("/etc/lab/open", RECORD, 0o757).expect("write");
    pair.lb1.host.write_file(LOG, "", 0o666).expect("write");
    let notify = "notify_backup \"/etc/lab/record backup\" nobody\nnotify_master \"/etc/lab/open\" root\n\
        notify \"/etc/lab/record any\" nobody";
    let told = follow(&pair.lb1.host, LOG);

    // Act
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), "", notify, "")).expect("vipd");
    told.wait_for_line("any INSTANCE VI_1 MASTER 110", SOON).expect("MASTER");

    // Assert: it was said at the start, and not again when it was to be run.
    let expected = [
        "backup as nobody",
        "any INSTANCE VI_1 BACKUP 110 as nobody",
        "any INSTANCE VI_1 MASTER 110 as nobody",
    ];
    assert_eq!(pair.lb1.host.read_file(LOG).expect("told").lines().collect::<Vec<_>>(), expected);
    assert_eq!(logged(&lb1, &["(VI_1) notify_master", "/etc/lab/open", "enable_script_security"]), 1);
    let status = lb1.status().expect("status");
    assert_eq!(status["notify"]["channels"][0]["failed"], 1);
}

/// Promise 4: nothing left behind. The addresses go before anybody is told, and what hangs is killed with its children.
#[test]
fn promise_4_a_command_that_hangs_delays_neither_the_resignation_nor_the_end_for_long() {
    // Arrange: a command that hangs with a child, and ignores SIGTERM.
    let hang = "#!/bin/sh\ntrap '' TERM\necho hangs >> /run/told\nsleep 4711 &\nsleep 4712\n";
    let pair = pair_with_record();
    pair.lb1.host.write_file("/etc/lab/hang", hang, 0o755).expect("write");
    let notify = "notify_master \"/etc/lab/hang\"\nnotify_stop \"/etc/lab/record stop\"";
    let told = follow(&pair.lb1.host, LOG);
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), "", notify, "")).expect("vipd");
    let lb2 = pair.lb2.start(VIPD, &conf(Conf::lb2(), "", "", "")).expect("vipd");
    told.wait_for_line("hangs", SOON).expect("it runs");
    pair.wait_for_holder(&pair.lb1, SOON).expect("MASTER");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");

    // Act
    let stopped = Moment::now();
    lb1.process().stop().expect("SIGTERM");

    // Assert: the other node is there while the command still hangs; then STOP is told, and nothing is left.
    pair.wait_for_holder(&pair.lb2, SOON).expect("lb2 takes over");
    assert!(lb1.process().is_running(), "took {:?}", Moment::now().since(stopped));
    told.wait_for_line("stop as root", SOON).expect("STOP");
    lb1.process().wait(SOON).expect("it ends");
    let left = pair.lb1.host.command("ps -A -o args=").expect("ps");
    assert!(!left.contains("471"), "{left}");
    assert_eq!(logged(&lb1, &["(VI_1) notify_master", "killed"]), 1);
}

/// `notify_master_rx_lower_pri` is for the Master of a cloud that has to take its address back after a split. Promise 6: no
/// packet from the LAN can bloat the agent, or push out what else is to be told.
#[test]
fn promise_6_losing_adverts_are_told_and_a_flood_of_them_costs_no_other_event() {
    // Arrange
    let pair = pair_with_record();
    let notify = "notify_master_rx_lower_pri \"/etc/lab/record loser\"\nnotify \"/etc/lab/record any\"";
    let told = follow(&pair.lb1.host, LOG);
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), "notify_fifo /run/events", notify, "")).expect("vipd");
    told.wait_for_line("any INSTANCE VI_1 MASTER 110", SOON).expect("MASTER");
    let loser = Forged {
        mac: frame::read_mac(&pair.lb2.mac).expect("a MAC address"),
        source: Ipv4Addr::new(192, 168, 1, 20),
        ttl: 255,
        version: 3,
        vrid: guide::VRID,
        priority: 100,
        interval: 10,
        vip: Ipv4Addr::new(192, 168, 1, 100),
        password: "",
    };

    // Act: at least a second of them, while commands run for some and nobody reads the pipe.
    let flood = Flood::start(&pair.lb2.host, "eth0", vec![loser.frame()], SOON, u64::MAX).expect("flood");
    for _ in 0..10 {
        told.wait_for_line("loser as root", SOON).expect("told");
    }
    pair.lb1.host.command("ip link set eth0 down").expect("the interface");
    told.wait_for_line("any INSTANCE VI_1 FAULT 110", SOON).expect("FAULT");
    assert!(flood.is_running(), "after {} adverts", flood.sent());
    drop(flood);

    // Assert
    let status = lb1.status().expect("status");
    assert_eq!(status["notify"]["lost-events"], 0);
    assert_eq!(counted(&lb1, "scripts")[1..], [0, 0]);
    let pipe = pair.lb1.host.spawn("cat", &["/run/events"]).expect("cat");
    pipe.wait_for_line("INSTANCE \"VI_1\" MASTER_RX_LOWER_PRI 110", SOON).expect("a line");
    pipe.wait_for_line("INSTANCE \"VI_1\" FAULT 110", SOON).expect("a line");
}

/// Promise 7 and the operator's sleep: a command that fails is said once, and its recovery once.
#[test]
fn a_command_that_fails_is_said_once_an_outage() {
    // Arrange
    let pair = pair_with_record();
    let fail = "#!/bin/sh\necho \"tried $1\" >> /run/told\ntest -e /run/works\n";
    pair.lb1.host.write_file("/etc/lab/fail", fail, 0o755).expect("write");
    let told = follow(&pair.lb1.host, LOG);
    let conf = conf(Conf::lb1(), "", "notify \"/etc/lab/fail\"", "");
    let lb1 = pair.lb1.start(VIPD, &conf).expect("vipd");
    for _ in ["BACKUP", "MASTER"] {
        told.wait_for_line("tried INSTANCE", SOON).expect("tried");
    }

    // Act
    pair.lb1.host.write_file("/run/works", "", 0o644).expect("write");
    pair.lb1.port.link_down().expect("cable pulled");

    // Assert
    lb1.process().wait_for_line("(VI_1) notify: works again, after 2 failures", SOON).expect("said");
    assert_eq!(logged(&lb1, &["(VI_1) notify: ended with exit code 1"]), 1);
    wait_for_counts(&lb1, "scripts", [1, 2, 0]);
}

#[test]
fn without_commands_there_is_no_channel() {
    let (_pair, lb1) = master("", "", "");

    assert_eq!(lb1.status().expect("status")["notify"]["channels"].as_array().map(Vec::len), Some(0));
}
