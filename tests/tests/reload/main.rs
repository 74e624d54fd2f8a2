//! A reload by SIGHUP or by `vipd reload`: what is different in the file is changed, and nothing else; a wrong file changes
//! nothing.

#[path = "../common/mod.rs"]
mod common;
mod same;
mod settings;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use nix::sys::signal::Signal;
use vipd_tests::guide::{self, Conf, VRID};
use vipd_tests::{Agent, Balancer, Change, Datapath, Frame, Pair, Process, Rtnl, Running, Tap, facts};

use self::common::Traces;

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);
/// What stands at the address in the guide's files.
const VIP_LINE: &str = "192.168.1.100/24 dev eth0 label eth0:vip\n";

/// Two nodes at 100 ms, `lb1` being master.
struct Nodes {
    lb1: Running,
    lb2: Running,
    pair: Pair,
}

fn quick(conf: Conf) -> Conf {
    conf.without_scripts().version_3().advert("0.1")
}

/// Nodes with these configurations, made of the guide's.
fn nodes_with(vary: impl Fn(Conf) -> Conf) -> Nodes {
    let pair = Pair::new().expect("lab");
    let lb1 = pair.lb1.start(VIPD, &vary(quick(Conf::lb1()))).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(VIPD, &vary(quick(Conf::lb2()))).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    pair.wait_for_holder(&pair.lb1, SOON).expect("the master holds the address");
    Nodes { lb1, lb2, pair }
}

fn nodes() -> Nodes {
    nodes_with(|conf| conf)
}

/// Has a node go on by another file.
fn reload(balancer: &Balancer, agent: &Running, conf: &Conf) {
    conf.install(&balancer.host).expect("write");
    agent.reload().expect("reloaded");
}

/// A second virtual router.
fn second(priority: u8, address: u8, more: &str) -> String {
    format!(
        "vrrp_instance VI_2 {{\nstate BACKUP\ninterface eth0\nvirtual_router_id 52\nversion 3\npriority {priority}\n\
         advert_int 0.1\n{more}\nvirtual_ipaddress {{\n192.168.1.{address}/24\n}}\n}}"
    )
}

fn address(last_octet: u8) -> IpAddr {
    Ipv4Addr::new(192, 168, 1, last_octet).into()
}

/// The next advert of a virtual router from a node.
fn next_advert(tap: &Tap, balancer: &Balancer, vrid: u8) -> vipd_tests::frame::Advert {
    let pick = |frame: &Frame| {
        frame.advert().filter(|advert| advert.vrid == vrid && frame.came_from(&balancer.port))
    };
    tap.wait_for(SOON, pick).expect("an advert")
}

/// Addresses that have come and gone, in turn.
fn moved(changes: &Rtnl) -> Vec<Change> {
    let batches = std::iter::from_fn(|| changes.next(Duration::ZERO).ok().filter(|batch| !batch.is_empty()));
    let changes = batches.flatten().map(|(_, change)| change);
    changes.filter(|change| matches!(change, Change::AddressAdded(_) | Change::AddressRemoved(_))).collect()
}

/// Changes of state that a node has told of.
fn states(agent: &Process, name: &str) -> usize {
    let needle = format!("({name}) Entering");
    agent.lines().iter().filter(|line| line.text.contains(&needle)).count()
}

/// The names of the virtual routers of a node.
fn names(agent: &Running) -> Vec<String> {
    let status = agent.status().expect("status");
    let instances = status["instances"].as_array().expect("a list");
    instances.iter().map(|instance| instance["name"].as_str().expect("text").to_owned()).collect()
}

/// What is beside it may come, change and go: it keeps its role and its address, and says nothing but adverts.
#[test]
fn who_did_not_change_goes_on() {
    type Way = fn(&Running);
    let ways: [(&str, Way); 2] = [
        ("SIGHUP", |agent| {
            agent.process().signal(Signal::SIGHUP).expect("signal");
            agent.process().wait_for_line("goes on by /etc/keepalived/keepalived.conf", SOON).expect("done");
        }),
        ("vipd reload", |agent| assert_eq!(agent.reload().expect("reloaded").trim(), "reloaded")),
    ];
    for (name, ask) in ways {
        // Arrange
        let nodes = nodes();
        let (host, before) =
            (&nodes.pair.lb1.host, [&nodes.lb1, &nodes.lb2].map(|agent| states(agent.process(), "VI_1")));
        let tap = Tap::open(nodes.pair.switch.host()).expect("tap");
        let changes = Rtnl::open(host).expect("changes");
        let first = quick(Conf::lb1());
        let steps = [
            (first.clone().with_block(&second(200, 110, "")), Some(110)),
            (first.clone().with_block(&second(200, 111, "advert_int 0.2")), Some(111)),
            (
                first.clone().replace("# Smtp", "# No smtp").with_block(&second(200, 111, "advert_int 0.2")),
                Some(111),
            ),
            (first.clone(), None),
        ];

        // Act
        for (conf, other) in steps {
            conf.install(host).expect("write");
            ask(&nodes.lb1);
            match other {
                Some(other) => {
                    drop(facts::wait_for_address(host, address(other), SOON).expect("VI_2 is MASTER"));
                }
                None => facts::wait_for_no_address(host, address(111), SOON).expect("VI_2 is gone"),
            }
        }

        // Assert
        for _ in 0..3 {
            next_advert(&tap, &nodes.pair.lb1, VRID);
        }
        let after = [&nodes.lb1, &nodes.lb2].map(|agent| states(agent.process(), "VI_1"));
        assert_eq!(after, before, "{name}: a change of role");
        let others = [110, 111].map(address);
        let (added, removed) = (Change::AddressAdded, Change::AddressRemoved);
        let expected = [added(others[0]), removed(others[0]), added(others[1]), removed(others[1])];
        assert_eq!(moved(&changes), expected, "{name}");
        assert_eq!(names(&nodes.lb1), ["VI_1"], "{name}");
    }
}

/// Nothing passes the switch but adverts at the priority that was there before.
#[test]
fn a_reload_of_the_same_file_is_not_seen_on_the_wire() {
    let nodes = nodes();
    let tap = Tap::open(nodes.pair.switch.host()).expect("tap");
    let changes = Rtnl::open(&nodes.pair.lb1.host).expect("changes");

    for _ in 0..3 {
        next_advert(&tap, &nodes.pair.lb1, VRID);
        nodes.lb1.reload().expect("reloaded");
        nodes.lb2.reload().expect("reloaded");
    }

    let end = next_advert(&tap, &nodes.pair.lb1, VRID);
    assert_eq!(end.priority, 110);
    let frames = tap.drain().expect("frames");
    let wrong = |frame: &&Frame| frame.advert().is_none_or(|advert| advert.priority != 110);
    assert_eq!(frames.iter().filter(wrong).count(), 0);
    assert_eq!(moved(&changes), []);
}

/// What stays is not touched, and only what is new is announced.
#[test]
fn another_list_of_addresses_moves_only_what_is_different() {
    let with = |conf: Conf, more: &str| conf.replace(VIP_LINE, &format!("{VIP_LINE}{more}\n"));
    let nodes = nodes_with(|conf| with(conf, "192.168.1.101/24"));
    let host = &nodes.pair.lb1.host;
    facts::wait_for_address(host, address(101), SOON).expect("held");
    // It repeats what it announces for five seconds.
    let tap = Tap::open(nodes.pair.switch.host()).expect("tap");
    let announced = |ip: u8| {
        let pick =
            move |frame: &Frame| frame.gratuitous_arp().filter(|claim| IpAddr::V4(claim.ip) == address(ip));
        tap.wait_for(SOON, pick).expect("an announcement");
    };
    announced(101);
    let before = states(nodes.lb2.process(), "VI_1");
    let changes = Rtnl::open(host).expect("changes");

    reload(&nodes.pair.lb2, &nodes.lb2, &with(quick(Conf::lb2()), "192.168.1.102/24"));
    reload(&nodes.pair.lb1, &nodes.lb1, &with(quick(Conf::lb1()), "192.168.1.102/24"));

    announced(102);
    let advert = next_advert(&tap, &nodes.pair.lb1, VRID);
    assert_eq!(advert.addresses, [100, 102].map(address));
    facts::wait_for_no_address(host, address(101), SOON).expect("given away");
    assert_eq!(states(nodes.lb2.process(), "VI_1"), before, "the peer saw no reason to change");
    assert_eq!(moved(&changes), [Change::AddressRemoved(address(101)), Change::AddressAdded(address(102))]);
}

/// Of the Master and of the Backup.
#[test]
fn another_priority_takes_effect() {
    let nodes = nodes();

    reload(&nodes.pair.lb2, &nodes.lb2, &quick(Conf::lb2()).replace("priority 100", "priority 120"));
    nodes.lb2.wait_for_state("MASTER", SOON).expect("the higher priority preempts");
    nodes.pair.wait_for_holder(&nodes.pair.lb2, SOON).expect("lb2 alone holds the address");

    reload(&nodes.pair.lb2, &nodes.lb2, &quick(Conf::lb2()).replace("priority 100", "priority 90"));
    nodes.lb1.wait_for_state("MASTER", SOON).expect("the higher priority preempts");
    nodes.pair.wait_for_holder(&nodes.pair.lb1, SOON).expect("lb1 alone holds the address");
}

/// Keepalived's `state` is for a start.
#[test]
fn the_state_of_the_file_is_not_applied_again() {
    let nodes = nodes();
    let tap = Tap::open(nodes.pair.switch.host()).expect("tap");

    reload(&nodes.pair.lb2, &nodes.lb2, &quick(Conf::lb2()).replace("state BACKUP", "state MASTER"));
    reload(&nodes.pair.lb1, &nodes.lb1, &quick(Conf::lb1()).replace("state MASTER", "state BACKUP"));

    for _ in 0..5 {
        next_advert(&tap, &nodes.pair.lb1, VRID);
    }
    assert_eq!([states(nodes.lb1.process(), "VI_1"), states(nodes.lb2.process(), "VI_1")], [2, 1]);
}

/// It resigns, its address goes, who is to be told of that is told (`notify_deleted`), and the peer takes over.
#[test]
fn an_instance_that_is_added_takes_part_and_one_that_is_removed_resigns() {
    // Arrange
    let nodes = nodes();
    let [lb1, lb2] = [&nodes.pair.lb1, &nodes.pair.lb2];
    let record = "#!/bin/sh\necho \"$*\" >> /run/told\n";
    lb1.host.write_file("/etc/lab/record", record, 0o755).expect("write");
    let told =
        lb1.host.spawn("tail", &["-n", "+1", "--sleep-interval=0.05", "-F", "/run/told"]).expect("tail");
    let notify = "notify_master \"/etc/lab/record master\"\nnotify_deleted \"/etc/lab/record deleted\"";

    // Act: added.
    reload(lb1, &nodes.lb1, &quick(Conf::lb1()).with_block(&second(200, 110, notify)));

    // Assert
    told.wait_for_line("master", SOON).expect("told");
    facts::wait_for_address(&lb1.host, address(110), SOON).expect("VI_2 is MASTER");
    assert_eq!(names(&nodes.lb1), ["VI_1", "VI_2"]);
    reload(lb2, &nodes.lb2, &quick(Conf::lb2()).with_block(&second(100, 110, "")));
    nodes.lb2.process().wait_for_line("(VI_2) Entering BACKUP", SOON).expect("it listens");

    // Act: removed.
    let tap = Tap::open(nodes.pair.switch.host()).expect("tap");
    reload(lb1, &nodes.lb1, &quick(Conf::lb1()));

    // Assert
    while next_advert(&tap, lb1, 52).priority != 0 {}
    told.wait_for_line("deleted", SOON).expect("told");
    let takeover = nodes.lb2.process().wait_for_line("(VI_2) Entering MASTER", SOON).expect("takeover");
    assert!(takeover.text.contains("resigned with priority 0"), "{}", takeover.text);
    facts::wait_for_address(&lb2.host, address(110), SOON).expect("lb2 holds it");
    facts::wait_for_no_address(&lb1.host, address(110), SOON).expect("lb1 does not");
    assert_eq!(names(&nodes.lb1), ["VI_1"]);
    assert_eq!(lb1.host.read_file("/run/told").expect("told").lines().count(), 2, "nothing else was told");
}

/// Its interface, its VRID, its version are what it is: with another one it is another virtual router.
#[test]
fn another_vrid_is_another_virtual_router() {
    let nodes = nodes();
    let tap = Tap::open(nodes.pair.switch.host()).expect("tap");

    reload(
        &nodes.pair.lb1,
        &nodes.lb1,
        &quick(Conf::lb1()).replace("_id 51", "_id 61").replace("1.100/24", "1.120/24"),
    );

    while next_advert(&tap, &nodes.pair.lb1, 51).priority != 0 {}
    next_advert(&tap, &nodes.pair.lb1, 61);
    nodes.pair.wait_for_holder(&nodes.pair.lb2, SOON).expect("lb2 holds what is left");
    facts::wait_for_address(&nodes.pair.lb1.host, address(120), SOON).expect("lb1 holds what is new");
}

/// Promise 5: nothing changes, and it is said where it is wrong, or why it cannot be done.
#[test]
fn a_file_that_cannot_be_used_changes_nothing() {
    let cases = [
        ("a wrong line", quick(Conf::lb1()).replace("priority 110", "priority 999"), "priority"),
        ("no file", Conf::from("include /nowhere\n".to_owned()), "vrrp_instance"),
        (
            "a loopback",
            quick(Conf::lb1()).with_block(&second(200, 110, "").replace("eth0", "lo")),
            "Ethernet",
        ),
        ("net_namespace", quick(Conf::lb1()).with_global_line("net_namespace blue"), "restart"),
        (
            "too many",
            (1..200).fold(quick(Conf::lb1()).replace("_id 51", "_id 250"), |conf, n| {
                let other =
                    second(200, n, "").replace("VI_2", &format!("VI_2_{n}")).replace("192.168.1", "10.0.0");
                conf.with_block(&other.replace("_id 52", &format!("_id {n}")))
            }),
            "restart",
        ),
    ];
    let nodes = nodes();
    let host = &nodes.pair.lb1.host;
    let (before, states_before) = (Traces::of(host).expect("facts"), states(nodes.lb1.process(), "VI_1"));
    for (name, conf, word) in cases {
        conf.install(host).expect("write");
        nodes.lb1.process().skip_lines();

        let refused = nodes.lb1.reload().expect_err(name).to_string();
        assert!(refused.contains("exit status: 2") && refused.contains(word), "{name}: {refused}");
        if name == "a wrong line" {
            let line = 1 + conf.text().lines().position(|line| line.contains("999")).expect("a line");
            assert!(refused.contains(&format!("{}:{line}", guide::PATH)), "{name}: {refused}");
        }
        nodes.lb1.process().wait_for_line("was refused", SOON).expect("said");
        nodes.lb1.process().signal(Signal::SIGHUP).expect("signal");
        nodes.lb1.process().wait_for_line(word, SOON).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        nodes.lb1.process().wait_for_line("was refused", SOON).expect("said");

        assert_eq!(Traces::of(host).expect("facts"), before, "{name}");
        assert_eq!(names(&nodes.lb1), ["VI_1"], "{name}");
    }
    assert_eq!(states(nodes.lb1.process(), "VI_1"), states_before);
    nodes.pair.wait_for_holder(&nodes.pair.lb1, SOON).expect("lb1 holds the address");
    reload(&nodes.pair.lb1, &nodes.lb1, &quick(Conf::lb1()).replace("priority 110", "priority 111"));
    let tap = Tap::open(nodes.pair.switch.host()).expect("tap");
    while next_advert(&tap, &nodes.pair.lb1, VRID).priority != 111 {}
}

fn check(name: &str, path: &str, more: &str) -> String {
    format!(
        "vrrp_script {name} {{\nscript \"/usr/bin/test -e {path}\"\ninterval 0.1\nrise 1\nfall 1\n{more}\n}}\n"
    )
}

fn checked(conf: Conf, checks: &str, tracked: &str) -> Conf {
    let conf = conf.with_line(&format!("track_script {{\n{tracked}\n}}"));
    conf.replace("vrrp_instance VI_1", &format!("{checks}\nvrrp_instance VI_1"))
}

/// Another command, a new one, none any more.
#[test]
fn other_checks_take_effect_and_what_is_known_of_those_that_stay_is_kept() {
    // Arrange
    let nodes = nodes();
    let host = &nodes.pair.lb1.host;
    host.write_file("/run/there", "", 0o644).expect("write");
    let with = |checks: &str, tracked: &str| checked(quick(Conf::lb1()), checks, tracked);
    let before = states(nodes.lb1.process(), "VI_1");

    // A new one counts as in order until it has a result; so nothing happens, and then it fails.
    reload(&nodes.pair.lb1, &nodes.lb1, &with(&check("first", "/run/there", ""), "first"));
    reload(&nodes.pair.lb1, &nodes.lb1, &with(&check("first", "/run/elsewhere", ""), "first"));
    nodes.lb1.wait_for_state("FAULT", SOON).expect("the other command fails");
    assert_eq!(states(nodes.lb1.process(), "VI_1"), before + 1);

    // It stays as it is when something else is added, and its interval is another one.
    let slow = check("first", "/run/elsewhere", "").replace("interval 0.1", "interval 60");
    reload(&nodes.pair.lb1, &nodes.lb1, &with(&(slow + &check("second", "/run/there", "")), "first\nsecond"));
    let status = nodes.lb1.status().expect("status");
    assert_eq!(status["instances"][0]["state"], "FAULT", "{status:#}");
    assert_eq!(states(nodes.lb1.process(), "VI_1"), before + 1);

    // Nobody asks for it any more.
    reload(&nodes.pair.lb1, &nodes.lb1, &with(&check("second", "/run/there", "weight 7"), "second"));
    nodes.lb1.wait_for_state("MASTER", SOON).expect("nothing fails");
    assert_eq!(nodes.lb1.status().expect("status")["instances"][0]["priority"], 117, "the weight counts");
}

/// Promise 4: the warden's will, and the record for the case that both are killed, are those of what is configured now.
#[test]
fn a_kill_after_a_reload_leaves_nothing() {
    for both in [false, true] {
        // Arrange
        let pair = Pair::new().expect("lab");
        let host = &pair.lb1.host;
        let before = Traces::of(host).expect("facts");
        let conf = quick(Conf::lb1());
        let lb1 = pair.lb1.start(VIPD, &conf).expect("vipd");
        lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
        let routes =
            "virtual_routes {\nblackhole 10.6.0.0/16\n}\nvirtual_rules {\nfrom 10.6.0.1 table 100\n}";
        let vmac = second(200, 111, "use_vmac vrrp.53").replace("_id 52", "_id 53").replace("VI_2", "VI_3");
        let after = conf.replace(VIP_LINE, &format!("{VIP_LINE}192.168.1.101/24\n"));
        let after = after.with_block(&second(200, 110, if both { "" } else { routes })).with_block(&vmac);

        // Act
        reload(&pair.lb1, &lb1, &after);
        for octet in [101, 110, 111] {
            facts::wait_for_address(host, address(octet), SOON).expect("held");
        }
        if !both {
            let there = || Ok(host.command("ip rule show")?.contains("10.6.0.1").then_some(()));
            facts::wait_until(host, SOON, there).expect("a rule");
        }
        let tap = Tap::open(pair.switch.host()).expect("tap");
        if both {
            assert!(lb1.process().kill_child("vipd-warden").expect("it runs"));
        }
        lb1.process().kill_alone().expect("SIGKILL");
        lb1.process().wait_for_whole_end(SOON).expect("dead");

        // Assert
        if both {
            let left = Traces::of(host).expect("facts");
            assert_ne!(left, before, "the test shows nothing");
            let next = pair.lb1.start(VIPD, &quick(Conf::lb1())).expect("vipd");
            next.wait_for_state("MASTER", SOON).expect("nobody else is there");
            for octet in [101, 110, 111] {
                facts::wait_for_no_address(host, address(octet), SOON).expect("removed");
            }
            next.process().stop().expect("SIGTERM");
            next.process().wait_for_whole_end(SOON).expect("it ends");
        } else {
            let mut resigned = std::collections::BTreeSet::new();
            let pick = |frame: &Frame| {
                resigned
                    .extend(frame.advert().filter(|advert| advert.priority == 0).map(|advert| advert.vrid));
                (resigned.len() == 3).then_some(())
            };
            tap.wait_for(SOON, pick).expect("all three have resigned");
        }
        assert_eq!(Traces::of(host).expect("facts"), before, "both: {both}");
    }
}
