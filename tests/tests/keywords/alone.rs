//! A node that is alone, or hears a single advert: how it speaks, and how often it announces.

use std::net::Ipv4Addr;
use std::time::Duration;

use vipd_tests::Make::Vipd;
use vipd_tests::forge::Forged;
use vipd_tests::guide::{self, Conf};
use vipd_tests::{Agent, Family, Flood, Frame, Lan, Running, Settings, Tap, frame};

use crate::{SOON, each, with};

/// Adverts every two seconds: what is done at once is told apart from what the interval asks for.
const SLOW: Duration = Duration::from_secs(2);

/// A node at work, and all that it has sent.
struct Node {
    running: Running,
    tap: Tap,
    lan: Lan,
}

impl Node {
    fn start(agent: Agent, family: Family, conf: &Conf) -> Self {
        let lan = Lan::of(family, &[Vipd, Vipd]).expect("lab");
        let tap = lan.tap().expect("tap");
        let running = agent.start(&lan.node(0).host, conf).expect("an agent");
        Self { running, tap, lan }
    }

    /// The next that it sends: `A` for an advert, `G` for an announcement of its address.
    fn next(&self) -> (char, Frame) {
        let kind = |frame: &Frame| {
            let announces = || frame.gratuitous_arp().is_some() || frame.neighbour_advertisement().is_some();
            let kind = match frame.advert() {
                Some(_) => 'A',
                None if announces() => 'G',
                None => return None,
            };
            (self.lan.sender(frame) == Some(0)).then(|| (kind, frame.clone()))
        };
        self.tap.wait_for(SOON, kind).expect("it speaks")
    }

    /// What it sends, until that ends as `last` says.
    fn sent(&self, last: impl Fn(&str) -> bool) -> String {
        let mut sent = String::new();
        while !last(&sent) {
            sent.push(self.next().0);
        }
        sent
    }

    /// The other node says this once, just after an advert of this one, which has announced its address before.
    fn hear(&self, priority: u8) {
        while self.next().0 != 'G' {}
        while self.next().0 != 'A' {}
        let forged = Forged {
            mac: frame::read_mac(&self.lan.node(1).mac).expect("a MAC address"),
            source: Ipv4Addr::new(192, 168, 1, 20),
            ttl: 255,
            version: 3,
            vrid: guide::VRID,
            priority,
            interval: 200,
            vip: Ipv4Addr::new(192, 168, 1, 100),
            password: "",
        };
        let _once =
            Flood::start(&self.lan.node(1).host, "eth0", vec![forged.frame()], SOON, 1).expect("flood");
        let heard = |frame: &Frame| frame.advert().filter(|_| frame.went_to(&self.lan.node(0).port));
        assert_eq!(self.tap.wait_for(SOON, heard).expect("it passes").priority, priority);
    }
}

fn v3(interval: Duration, lines: &str) -> Conf {
    let lan_ip = Ipv4Addr::new(192, 168, 1, 10).into();
    Settings::v3(100).interval(interval).line(lines).keepalived(lan_ip, &[])
}

/// `garp_master_repeat`, `garp_master_delay`, `garp_master_refresh`, `garp_master_refresh_repeat`, `vrrp_min_garp`,
/// `vrrp_garp_interval`, `garp_group`: how many announcements come between two adverts.
#[test]
fn announcements_come_in_the_sets_that_the_file_asks_for() {
    let quick = Duration::from_millis(200);
    let cases = [
        ("", "", "garp_master_repeat 3\ngarp_master_delay 0", vec![3], false),
        ("", "vrrp_garp_master_repeat 2\nvrrp_garp_master_delay 0", "", vec![2], false),
        ("", "", "garp_master_repeat 2\ngarp_master_delay 1", vec![2, 2], false),
        (
            "",
            "",
            "garp_master_repeat 3\ngarp_master_delay 0\ngarp_master_refresh 1\ngarp_master_refresh_repeat 2",
            vec![3, 2, 2],
            true,
        ),
        (
            "",
            "vrrp_garp_master_refresh 1\nvrrp_garp_master_refresh_repeat 3\nvrrp_garp_master_delay 0",
            "garp_master_repeat 2",
            vec![2, 3, 3],
            true,
        ),
        ("", "vrrp_min_garp", "", vec![1], false),
        ("", "vrrp_garp_interval 0.5", "garp_master_repeat 3\ngarp_master_delay 0", vec![1, 1, 1], false),
        (
            "garp_group {\ngarp_interval 0.5\ninterface eth0\n}",
            "",
            "garp_master_repeat 3\ngarp_master_delay 0",
            vec![1, 1, 1],
            false,
        ),
    ];
    each(&cases, |agent, (blocks, global, lines, expected, goes_on)| {
        let node = Node::start(agent, Family::V4, &with(&v3(quick, lines), global, blocks));

        let sent = node.sent(|sent| sent.matches('A').count() == 14);

        let mut sets: Vec<usize> = sent.split('A').map(str::len).filter(|length| *length > 0).collect();
        if *goes_on {
            sets.truncate(expected.len());
        }
        assert_eq!(sets, kept(agent, expected), "{agent}: {global} {lines}: {sent}");
    });
}

/// Of announcements that have to wait for their interval Keepalived 2.2.7 keeps one, whatever their number.
fn kept(agent: Agent, expected: &[usize]) -> &[usize] {
    let one_by_one = expected.len() == 3 && expected.iter().all(|length| *length == 1);
    if agent == Agent::Keepalived && one_by_one { &expected[..2] } else { expected }
}

/// `vrrp_gna_interval`, `gna_interval` of a `garp_group`: the same over IPv6, for which `garp_interval` says nothing.
#[test]
fn announcements_over_ipv6_keep_an_interval_of_their_own() {
    let address = "fe80::5:1".parse().expect("an address");
    let lines = "garp_master_repeat 3\ngarp_master_delay 0";
    let quick = Settings::ipv6(100).addresses_are(vec![address]).line(lines);
    let conf = quick.keepalived("fe80::a".parse().expect("an address"), &[]);
    let cases = [
        ("", "vrrp_garp_interval 0.5", vec![3]),
        ("", "vrrp_gna_interval 0.5", vec![1, 1, 1]),
        ("garp_group {\ngna_interval 0.5\ninterface eth0\n}", "", vec![1, 1, 1]),
    ];
    each(&cases, |agent, (blocks, global, expected)| {
        let node = Node::start(agent, Family::V6, &with(&conf, global, blocks));

        let sent = node.sent(|sent| sent.matches('A').count() == 14);

        let sets: Vec<usize> = sent.split('A').map(str::len).filter(|length| *length > 0).collect();
        assert_eq!(sets, kept(agent, expected), "{agent}: {global} {blocks}: {sent}");
    });
}

/// A node that is MASTER, with these lines in `global_defs` and in its instance; it announces once and then when it is made to.
fn master(agent: Agent, global: &str, lines: &str) -> Node {
    let lines = format!("garp_master_delay 0\n{lines}");
    let node = Node::start(agent, Family::V4, &with(&v3(SLOW, &lines), global, ""));
    node.running.wait_for_state("MASTER", SOON).expect("nobody else is there");
    node
}

/// `garp_lower_prio_repeat`, `garp_lower_prio_delay`, `lower_prio_no_advert`, `vrrp_strict`: an advert of lower priority is
/// answered by an advert, and by announcements.
#[test]
fn a_losing_advert_is_answered_as_the_file_says() {
    let cases = [
        ("", "garp_lower_prio_repeat 3\ngarp_lower_prio_delay 0", "AGGGA"),
        ("vrrp_garp_lower_prio_repeat 2\nvrrp_garp_lower_prio_delay 0", "", "AGGA"),
        ("", "garp_lower_prio_repeat 2\ngarp_lower_prio_delay 1", "AGGGGA"),
        ("", "garp_lower_prio_repeat 0", "AA"),
        ("", "lower_prio_no_advert\ngarp_lower_prio_repeat 3\ngarp_lower_prio_delay 0", "GGGAA"),
        ("vrrp_lower_prio_no_advert", "garp_lower_prio_repeat 3\ngarp_lower_prio_delay 0", "GGGAA"),
        ("vrrp_strict", "garp_lower_prio_repeat 3\ngarp_lower_prio_delay 0", "AA"),
        ("", "strict_mode\ngarp_lower_prio_repeat 3\ngarp_lower_prio_delay 0", "AA"),
    ];
    each(&cases, |agent, (global, lines, expected)| {
        let node = master(agent, global, lines);

        node.hear(90);

        let sent = node.sent(|sent| sent.matches('A').count() == 2);
        assert_eq!(sent, *expected, "{agent}: {global} {lines}");
    });
}

/// `higher_prio_send_advert`, and the want of it in strict mode: whether a Master that has lost says a last word before it
/// makes way. Whoever displaced it here is gone at once, so that it takes over again.
#[test]
fn a_master_that_has_lost_says_one_last_word_where_the_file_asks_for_it() {
    let cases = [
        ("", "higher_prio_send_advert true", "AAG"),
        ("", "higher_prio_send_advert false", "AG"),
        ("vrrp_higher_prio_send_advert true", "", "AAG"),
        ("vrrp_higher_prio_send_advert false", "", "AG"),
        ("vrrp_strict", "", "AG"),
    ];
    each(&cases, |agent, (global, lines, expected)| {
        let node = master(agent, global, lines);

        node.hear(200);

        assert_eq!(node.sent(|sent| sent.ends_with('G')), *expected, "{agent}: {global} {lines}");
    });
}

/// `vrrp_version`, `vrrp_mcast_group4`, `vrrp_mcast_group6`, `mcast_dst_ip`: how and where it speaks.
#[test]
fn version_and_group_are_those_of_the_file() {
    let v4 = || v3(Duration::from_secs(1), "").replace("version 3\n", "");
    let v6 = || Settings::ipv6(100).keepalived("fe80::a".parse().expect("an address"), &[]);
    let cases = [
        (Family::V4, with(&v4(), "", ""), 2, "224.0.0.18"),
        (Family::V4, with(&v4(), "vrrp_version 3", ""), 3, "224.0.0.18"),
        (Family::V4, with(&v4(), "vrrp_mcast_group4 224.0.0.99", ""), 2, "224.0.0.99"),
        (
            Family::V4,
            with(&v3(Duration::from_secs(1), "mcast_dst_ip 224.0.0.98"), "vrrp_mcast_group4 224.0.0.99", ""),
            3,
            "224.0.0.98",
        ),
        (Family::V6, with(&v6(), "", ""), 3, "ff02::12"),
        (Family::V6, with(&v6(), "vrrp_mcast_group6 ff02::99", ""), 3, "ff02::99"),
    ];
    each(&cases, |agent, (family, conf, version, group)| {
        let node = Node::start(agent, *family, conf);

        let (_, sent) = node.next();

        let advert = sent.advert().expect("an advert comes first");
        assert_eq!(
            (advert.version, advert.destination.to_string().as_str()),
            (*version, *group),
            "{agent}: {}",
            conf.text()
        );
    });
}
