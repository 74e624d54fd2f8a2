//! The guide's own tests of a pair, with the guide's own files and scripts, HAProxy, nginx and curl: what `notify.sh` writes
//! down is the same with Keepalived 2.2.7 and with vipd. Then the other ways in which the guide lays out addresses.
//!
//! `docs/guide.md` tells for each block, script, table and line of the checklist which test shows it.

mod addresses;
mod scripts;
mod secrets;
mod six;

use std::process::Command;
use std::time::Duration;

use vipd_tests::frame::Advert;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Balancer, Datapath, Host, Pair, Process, Running, Services, Tap, facts, services};

/// The guide's intervals are seconds, and its scripts want three results and more.
const SOON: Duration = Duration::from_mins(2);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);
/// Where the guide's `notify.sh` writes down every change.
const LOG: &str = "/var/log/keepalived-state.log";

/// The nodes of a pair.
#[derive(Clone, Copy)]
enum Node {
    Lb1,
    Lb2,
}
use Node::{Lb1, Lb2};

/// The guide's site at work: HAProxy on both nodes, and an agent on each.
struct Site {
    running: [Option<Running>; 2],
    /// What `notify.sh` writes on each node.
    logs: [Process; 2],
    agent: Agent,
    confs: [Conf; 2],
    services: Services,
    pair: Pair,
}

impl Site {
    /// Starts everything; `lb1` is MASTER then.
    fn open(agent: Agent, vary: impl Fn(Conf) -> Conf) -> Self {
        let pair = Pair::new().expect("lab");
        let services = pair.start_services().expect("nginx and haproxy");
        let confs = [Conf::lb1(), Conf::lb2()].map(vary);
        let logs = [&pair.lb1, &pair.lb2].map(|node| follow(&node.host, 1));
        let mut site = Self { running: [None, None], logs, agent, confs, services, pair };
        site.start(Lb1);
        site.expect(Lb1, "MASTER");
        site.start(Lb2);
        site.expect(Lb2, "BACKUP");
        site.expect_holder(Lb1);
        site
    }

    fn balancer(&self, node: Node) -> &Balancer {
        match node {
            Lb1 => &self.pair.lb1,
            Lb2 => &self.pair.lb2,
        }
    }

    fn host(&self, node: Node) -> &Host {
        &self.balancer(node).host
    }

    fn agent(&self, node: Node) -> &Running {
        self.running[node as usize].as_ref().expect("started")
    }

    fn start(&mut self, node: Node) {
        let conf = &self.confs[node as usize];
        let started = self.balancer(node).start(self.agent, conf).expect("an agent");
        self.running[node as usize] = Some(started);
    }

    /// `systemctl stop keepalived`.
    fn stop(&self, node: Node) {
        let process = self.agent(node).process();
        process.stop().expect("SIGTERM");
        process.wait(SOON).expect("it ends");
        self.expect_told(node, "STOP");
    }

    /// Awaits the next change to this state, and that `notify.sh` has written it down: Keepalived runs its scripts beside each
    /// other, so that the next one may be first.
    fn expect(&self, node: Node, state: &str) {
        self.agent(node).wait_for_state(state, SOON).expect(state);
        self.expect_told(node, state);
    }

    fn expect_told(&self, node: Node, state: &str) {
        let line = format!("transitioning to {state} for VI_1");
        self.logs[node as usize].wait_for_line(&line, SOON).expect("the script runs");
    }

    /// Awaits that this node alone holds the address.
    fn expect_holder(&self, node: Node) {
        self.pair.wait_for_holder(self.balancer(node), SOON).expect("one holder");
    }

    /// `systemctl stop haproxy` on the first node.
    fn stop_haproxy(&self) {
        self.services.lb1.stop().expect("SIGTERM");
        self.services.lb1.wait(SOON).expect("it ends");
    }

    /// `systemctl start haproxy` on the first node.
    fn start_haproxy(&mut self) {
        self.services.lb1 = services::haproxy(&self.pair.lb1.host, &self.services.servers).expect("haproxy");
    }

    /// The next advert of either node, as it enters the switch.
    fn next_advert(&self, tap: &Tap) -> Advert {
        let ports = [&self.pair.lb1.port, &self.pair.lb2.port];
        tap.wait_for(SOON, |frame| frame.advert().filter(|_| ports.iter().any(|port| frame.came_from(port))))
            .expect("an advert")
    }

    /// Stops both agents, the Backup first, which would take over otherwise, and returns what `notify.sh` was told on each node:
    /// `MASTER`, and so on.
    fn finish(self) -> [Vec<String>; 2] {
        let held = facts::address(self.host(Lb1), Pair::vip()).expect("ip").is_some();
        for node in if held { [Lb2, Lb1] } else { [Lb1, Lb2] } {
            self.stop(node);
        }
        [Lb1, Lb2].map(|node| {
            let text = self.host(node).read_file(LOG).expect("the log");
            let line = |line: &str| {
                let (_, told) = line.split_once(" transitioning to ").expect("a line of the guide's script");
                told.strip_suffix(" for VI_1").expect("the instance").to_owned()
            };
            text.lines().map(line).collect()
        })
    }
}

/// What `notify.sh` writes on a host, from this line on.
fn follow(host: &Host, first: usize) -> Process {
    host.spawn("tail", &["-n", &format!("+{first}"), "--sleep-interval=0.05", "-F", LOG]).expect("tail")
}

/// Runs a line of the guide's on a host, as in a terminal, and returns what it says.
fn shell(host: &Host, line: &str) -> String {
    let line = line.to_owned();
    let output = host.run(move || Command::new("bash").args(["-c", &line]).output()).expect("bash");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Plays a story with Keepalived and with vipd, and expects these states on both nodes, told by the guide's script.
fn expect_the_same(vary: impl Fn(Conf) -> Conf, story: impl Fn(&mut Site), lb1: &[&str], lb2: &[&str]) {
    for agent in [Agent::Keepalived, VIPD] {
        let mut site = Site::open(agent, &vary);
        story(&mut site);
        assert_eq!(site.finish(), [lb1, lb2], "{agent}");
    }
}

/// As printed.
fn printed(conf: Conf) -> Conf {
    conf
}
