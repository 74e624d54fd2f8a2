//! The same files given to keepalived 2.2.7 and to vipd one after the other: the same is told of them.

use nix::sys::signal::Signal;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Pair};

use super::{SOON, VIPD, quick, second};

const RECORD: &str = "notify \"/etc/lab/record\"";

/// What is told of the virtual routers of `lb1`, step by step.
fn told(agent: Agent) -> Vec<String> {
    // Arrange
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    host.write_file("/etc/lab/record", "#!/bin/sh\necho \"$*\" >> /run/told\n", 0o755).expect("write");
    let told = host.spawn("tail", &["-n", "+1", "--sleep-interval=0.05", "-F", "/run/told"]).expect("tail");
    let first = || quick(Conf::lb1()).replace("advert_int 0.1", "advert_int 0.2").with_line(RECORD);
    let other = |address, more: &str| {
        let lines = format!("{RECORD}\n{more}");
        first().with_block(&second(200, address, &lines).replace("advert_int 0.1", "advert_int 0.2"))
    };
    let steps = [
        ("the same file", first(), vec![]),
        ("another state", first().replace("state MASTER", "state BACKUP"), vec![]),
        ("a lower priority", first().replace("priority 110", "priority 90"), vec!["VI_1 BACKUP 90"]),
        ("a higher priority", first().replace("priority 110", "priority 120"), vec!["VI_1 MASTER 120"]),
        ("another instance", other(110, ""), vec!["VI_2 BACKUP 200", "VI_2 MASTER 200"]),
        ("another address", other(111, "notify_deleted"), vec![]),
        ("that instance removed", first(), vec!["VI_2 DELETED 200"]),
    ];
    let lb2 = quick(Conf::lb2()).replace("advert_int 0.1", "advert_int 0.2");
    let lb1 = pair.lb1.start(agent, &first()).expect("lb1");
    told.wait_for_line("VI_1 MASTER 110", SOON).expect("nobody else is there");
    let peer = pair.lb2.start(VIPD, &lb2).expect("lb2");
    peer.wait_for_state("BACKUP", SOON).expect("it listens");

    // Act
    for (name, conf, follows) in steps {
        conf.install(host).expect("write");
        lb1.process().skip_lines();
        lb1.process().signal(Signal::SIGHUP).expect("signal");
        let done = if agent == VIPD { "goes on by" } else { "Reload complete" };
        lb1.process().wait_for_line(done, SOON).unwrap_or_else(|error| panic!("{agent}, {name}: {error:#}"));
        for line in follows {
            told.wait_for_line(line, SOON).unwrap_or_else(|error| panic!("{agent}, {name}: {error:#}"));
        }
    }
    lb1.process().stop().expect("SIGTERM");
    lb1.process().wait(SOON).expect("it ends");

    let all = host.read_file("/run/told").expect("told");
    all.lines().map(str::to_owned).collect()
}

#[test]
fn vipd_tells_of_a_row_of_reloads_what_keepalived_does() {
    let [keepalived, vipd] = [Agent::Keepalived, VIPD].map(told);

    assert_eq!(vipd, keepalived);
}
