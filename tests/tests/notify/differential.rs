//! The guide's files and its `notify.sh`, byte for byte, with keepalived 2.2.7 and with vipd: the same faults, the same
//! sequence of states in `/var/log/keepalived-state.log`.

use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::receivers::webhook_server;
use vipd_tests::{Agent, Datapath, Pair, start_vipd_by, vipd_binary};

use crate::{VIPD, conf, follow};

/// The guide's adverts come every second, and its script rests for two in FAULT.
const SOON: Duration = Duration::from_mins(2);
const LOG: &str = "/var/log/keepalived-state.log";

/// What the guide's script writes on both nodes while the cable of lb1 is pulled and plugged in again, and lb1 and then lb2
/// are stopped: `lb1 MASTER` and so on.
fn states(agent: Agent) -> [Vec<String>; 2] {
    // Arrange
    let pair = Pair::new().expect("lab");
    let _services = pair.start_services().expect("nginx and haproxy");
    let nodes = [&pair.lb1, &pair.lb2];
    let [log1, log2] = nodes.map(|node| follow(&node.host, LOG));
    let told = |log: &vipd_tests::Process, state: &str| {
        log.wait_for_line(&format!("transitioning to {state} for VI_1"), SOON).expect("told");
    };

    // Act
    let lb1 = pair.lb1.start(agent, &Conf::lb1()).expect("lb1");
    told(&log1, "MASTER");
    let lb2 = pair.lb2.start(agent, &Conf::lb2()).expect("lb2");
    told(&log2, "BACKUP");
    pair.lb1.port.link_down().expect("cable pulled");
    told(&log1, "FAULT");
    told(&log2, "MASTER");
    pair.lb1.port.link_up().expect("cable back");
    told(&log1, "MASTER");
    told(&log2, "BACKUP");
    lb1.process().stop().expect("SIGTERM");
    told(&log1, "STOP");
    told(&log2, "MASTER");
    lb2.process().stop().expect("SIGTERM");
    told(&log2, "STOP");
    for node in [lb1, lb2] {
        node.process().wait(SOON).expect("it ends");
    }

    nodes.map(|node| {
        let log = node.host.read_file(LOG).expect("the log");
        // Behind the time: `lb1 transitioning to MASTER for VI_1`.
        let line = |line: &str| {
            line.split_once(" - ").map(|(_, text)| text.replace("transitioning to ", "")).expect("a line")
        };
        log.lines().map(line).collect()
    })
}

#[test]
fn the_guides_script_is_told_the_same_by_vipd_and_by_keepalived() {
    let keepalived = states(Agent::Keepalived);
    let vipd = states(VIPD);

    assert_eq!(vipd, keepalived);
    let seen = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP"];
    assert_eq!(vipd[0], seen.map(|state| format!("lb1 {state} for VI_1")));
}

/// While a check has no result nothing is told; then BACKUP, or FAULT if it fails. Of the other members keepalived 2.2.7
/// forgets the FAULT, though it tells that of their group.
#[test]
fn the_first_result_of_a_check_decides_what_is_told_first() {
    let all = |state: &str| {
        ["GROUP VG", "INSTANCE VI_1", "INSTANCE VI_2"]
            .map(|who| format!("{who} {state} {}", if who.starts_with('G') { 0 } else { 110 }))
            .to_vec()
    };
    let cases = [
        (Agent::Keepalived, "/bin/true", all("BACKUP")),
        (VIPD, "/bin/true", all("BACKUP")),
        (Agent::Keepalived, "/bin/false", all("FAULT")[..2].to_vec()),
        (VIPD, "/bin/false", all("FAULT")),
    ];
    for (agent, script, expected) in cases {
        // Arrange
        let pair = Pair::new().expect("lab");
        let host = &pair.lb1.host;
        host.write_file("/etc/lab/record", "#!/bin/sh\necho \"$*\" >> /run/told\n", 0o755).expect("write");
        pair.lab.connect(host, "eth1", "192.168.2.10/24", &pair.switch).expect("eth1");
        let check = format!("vrrp_script first {{\nscript \"{script}\"\ninterval 1\n}}\nvrrp_instance");
        let others = "vrrp_instance VI_2 {\nstate BACKUP\ninterface eth1\nvirtual_router_id 52\npriority 110\nversion 3\n\
            advert_int 1\nvirtual_ipaddress {\n192.168.2.100/24\n}\nnotify \"/etc/lab/record\"\n}\n\
            vrrp_sync_group VG {\ngroup {\nVI_1\nVI_2\n}\nnotify \"/etc/lab/record\"\n}";
        let instance = "notify \"/etc/lab/record\"\ntrack_script {\nfirst\n}";
        let conf = conf(Conf::lb1(), "", instance, others).replace("advert_int 0.1", "advert_int 1");
        let conf = conf.replace("vrrp_instance VI_1", &format!("{check} VI_1"));
        let told = follow(host, "/run/told");

        // Act
        let _lb1 = pair.lb1.start(agent, &conf).expect("lb1");
        let lines = || {
            let lines = told.lines().into_iter().map(|line| line.text);
            lines.filter(|line| !line.starts_with("tail:")).collect::<Vec<_>>()
        };
        while lines().len() < expected.len() {
            told.wait_for_line("", SOON).expect("told");
        }

        // Assert: Keepalived's commands run in any order.
        let mut first = lines();
        first.truncate(expected.len());
        first.sort();
        assert_eq!(first, expected, "{agent}, {script}");
    }
}

/// The guide has its script post to Slack when the agent's environment names an address.
#[test]
fn the_guides_script_posts_to_slack_by_the_agents_environment() {
    let pair = Pair::new().expect("lab");
    let slack = webhook_server(&pair.client, 8080, &[]).expect("server");
    let vipd = vipd_binary().expect("built");
    let command = ["env", "SLACK_WEBHOOK_URL=http://192.168.1.50:8080/slack", &vipd.to_string_lossy()];

    let _lb1 = start_vipd_by(&command, &pair.lb1.host, &Conf::lb1(), Datapath::Auto).expect("vipd");

    let posted = slack.next("MASTER", SOON).expect("posted");
    assert_eq!(posted["path"], "/slack");
    assert_eq!(posted["body"]["text"], "lb1 is now MASTER for VI_1 (VIP 192.168.1.100)");
}
