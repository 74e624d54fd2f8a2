//! Two nodes: who takes over, and when it waits before it does.

use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Frame, Moment, Pair, Running, Settings, Tap};

use crate::{BOTH, SOON, each, with};

/// One pair of nodes with the same agent.
struct Site {
    agent: Agent,
    tap: Tap,
    pair: Pair,
}

impl Site {
    fn new(agent: Agent) -> Self {
        let pair = Pair::new().expect("lab");
        let tap = Tap::open(pair.switch.host()).expect("tap");
        Self { agent, tap, pair }
    }

    /// Starts the node of this priority: 110 is `lb1`.
    fn start(&self, priority: u8, global: &str, lines: &str) -> Running {
        let balancer = if priority == 110 { &self.pair.lb1 } else { &self.pair.lb2 };
        let conf = Settings::v3(priority).line(lines).keepalived(balancer.ip, &[]);
        balancer.start(self.agent, &with(&conf, global, "")).expect("an agent")
    }

    /// The priority of the next advert of either node, and when it came.
    fn next(&self) -> (u8, Moment) {
        let ports = [&self.pair.lb1.port, &self.pair.lb2.port];
        let sent = |frame: &Frame| {
            Some((frame.advert()?.priority, frame.at))
                .filter(|_| ports.iter().any(|port| frame.came_from(port)))
        };
        self.tap.wait_for(SOON, sent).expect("an advert")
    }
}

/// `preempt`, which is the default, `nopreempt` and `preempt_delay`: a node of higher priority that comes to a Master of lower
/// priority displaces it, lets it be, or waits so long.
#[test]
fn a_master_of_lower_priority_is_displaced_as_the_file_says() {
    let cases = [
        ("", true),
        ("preempt", true),
        ("nopreempt", false),
        ("preempt_delay 3", true),
        ("nopreempt\npreempt_delay 1", false),
    ];
    each(&cases, |agent, (lines, displaces)| {
        let site = Site::new(agent);
        let lower = site.start(100, "", "");
        lower.wait_for_state("MASTER", SOON).expect("nobody else is there");
        let higher = site.start(110, "", lines);
        higher.wait_for_state("BACKUP", SOON).expect("it listens");
        site.tap.drain().expect("tap");
        let came = Moment::now();

        if *displaces {
            let taken = loop {
                if let (110, at) = site.next() {
                    break at;
                }
            };
            lower.wait_for_state("BACKUP", SOON).expect("it yields");
            site.pair.wait_for_holder(&site.pair.lb1, SOON).expect("one holder");
            let waited = taken.since(came);
            // Without a delay it is a down interval of 600 ms and some.
            assert!(
                !lines.contains("delay") || waited > Duration::from_secs(2),
                "{agent} {lines}: {waited:?}"
            );
        } else {
            for _ in 0..15 {
                assert_eq!(site.next().0, 100, "{agent} {lines}");
            }
            site.pair.wait_for_holder(&site.pair.lb2, SOON).expect("one holder");
        }
    });
}

/// `preempt_delay` is for a Master that is there: where there is none, nobody waits for it.
#[test]
fn preempt_delay_does_not_delay_a_node_that_hears_nobody() {
    for agent in BOTH {
        let site = Site::new(agent);
        let node = site.start(110, "", "preempt_delay 1000");
        node.wait_for_state("MASTER", SOON).expect("nobody else is there");
    }
}

/// `down_timer_adverts`, `vrrp_down_timer_adverts`: how many adverts must be missed. Three of them, and the skew time, are
/// 720 ms here.
#[test]
fn silence_is_so_many_adverts_long() {
    let cases = [("", "down_timer_adverts 6"), ("vrrp_down_timer_adverts 6", "")];
    each(&cases, |agent, (global, lines)| {
        let site = Site::new(agent);
        let lb1 = site.start(110, global, lines);
        lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
        let lb2 = site.start(100, global, lines);
        lb2.wait_for_state("BACKUP", SOON).expect("it listens");
        let (lb1, lb2) = (&site.pair.lb1.port, &site.pair.lb2.port);
        let heard = |frame: &Frame| frame.advert().filter(|_| frame.went_to(lb2)).map(|_| frame.at);
        let mut last = site.tap.wait_for(SOON, heard).expect("it hears the Master");

        lb1.cut().expect("cut");

        let taken = site.tap.wait_for(SOON, |frame| {
            last = heard(frame).unwrap_or(last);
            frame.advert().filter(|_| frame.came_from(lb2)).map(|_| frame.at)
        });
        let waited = taken.expect("takeover").since(last);
        assert!(waited >= Duration::from_millis(1200), "{agent} {global}{lines}: {waited:?}");
    });
}

/// Two virtual routers on two networks, in one group.
fn grouped(priority: u8, blocks: &str, group: &str) -> Conf {
    let first = Settings::v3(priority).keepalived(Pair::vip(), &[]);
    let second = first.text().replace("VI_1", "VI_2").replace("eth0", "eth1");
    let second =
        second.replace("virtual_router_id 51", "virtual_router_id 52").replace("192.168.1.", "192.168.2.");
    let group = format!("vrrp_sync_group G {{\ngroup {{\nVI_1\nVI_2\n}}\n{group}\n}}\n");
    Conf::from(format!(
        "global_defs {{\nscript_user root\nenable_script_security\n}}\n{blocks}{}{second}{group}",
        first.text()
    ))
}

/// `vrrp_sync_group`: what one member lacks moves both, and both come back together; what the group tracks with a weight moves
/// both with `sync_group_tracking_weight`, and without.
#[test]
fn the_members_of_a_sync_group_move_together() {
    let check = "vrrp_script chk {\nscript \"/usr/bin/test -e /run/good\"\ninterval 1\nweight -20\n}\n";
    let cases = ["", "track_script {\nchk\n}", "sync_group_tracking_weight\ntrack_script {\nchk\n}"];
    each(&cases, |agent, group| {
        // Arrange
        let site = Site::new(agent);
        let Pair { lab, switch, lb1, lb2, .. } = &site.pair;
        let other = [(lb1, "192.168.2.10/24"), (lb2, "192.168.2.20/24")]
            .map(|(node, ip)| lab.connect(&node.host, "eth1", ip, switch).expect("cable"));
        let all = ["192.168.1.100", "192.168.2.100"].map(|ip| ip.parse().expect("an address"));
        let expect_at = |holder: &vipd_tests::Balancer, other: &vipd_tests::Balancer| {
            for ip in all {
                vipd_tests::facts::wait_for_address(&holder.host, ip, SOON).expect("held");
                vipd_tests::facts::wait_for_no_address(&other.host, ip, SOON).expect("held by one alone");
            }
        };
        lb1.host.write_file("/run/good", "", 0o644).expect("writable");
        lb2.host.write_file("/run/good", "", 0o644).expect("writable");
        let blocks = if group.is_empty() { "" } else { check };
        let _first = lb1.start(agent, &grouped(110, blocks, group)).expect("lb1");
        expect_at(lb1, lb2);
        let _second = lb2.start(agent, &grouped(100, blocks, group)).expect("lb2");

        // Act, assert
        other[0].link_down().expect("cable pulled");
        expect_at(lb2, lb1);
        other[0].link_up().expect("cable back");
        expect_at(lb1, lb2);
        if !group.is_empty() {
            lb1.host.command("rm /run/good").expect("there");
            expect_at(lb2, lb1);
            lb1.host.write_file("/run/good", "", 0o644).expect("writable");
            expect_at(lb1, lb2);
        }
    });
}
