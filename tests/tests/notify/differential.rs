//! The guide's files and its `notify.sh`, byte for byte, with keepalived 2.2.7 and with vipd: the same faults, the same
//! sequence of states in `/var/log/keepalived-state.log`.

use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::receivers::webhook_server;
use vipd_tests::{Agent, Datapath, Pair, start_vipd_by, vipd_binary};

use crate::{VIPD, follow};

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
