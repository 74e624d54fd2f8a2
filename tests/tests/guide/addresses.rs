//! "Virtual IP Addresses", "Active-Active", "Unicast Mode": the fragments as printed, in files that are complete.

use std::net::IpAddr;
use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Balancer, Frame, Moment, Pair, Running, Tap, facts};

use crate::{SOON, VIPD};

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| ip(text)).collect()
}

/// Awaits that a node holds these addresses, and the other none of them.
fn expect_held(holder: &Balancer, other: &Balancer, expected: &[IpAddr]) {
    for address in expected {
        facts::wait_for_address(&holder.host, *address, SOON).expect("held");
        facts::wait_for_no_address(&other.host, *address, SOON).expect("held by one alone");
    }
}

/// Interface and label of an address.
fn place(node: &Balancer, address: &str) -> (String, String) {
    let held = facts::address(&node.host, ip(address)).expect("ip").expect("held");
    (held.interface, held.label.expect("IPv4 has labels"))
}

/// A node of the guide, quick and without checks, with a fragment in place of its address.
fn quick(node: Conf, fragment: &str) -> Conf {
    let printed = include_str!("../../fixtures/guide/single_vip.conf");
    node.without_scripts().version_3().advert("0.2").replace(printed, fragment)
}

/// Starts the pair; the first node is Master.
fn start(pair: &Pair, fragment: &str) -> [Running; 2] {
    let lb1 = pair.lb1.start(VIPD, &quick(Conf::lb1(), fragment)).expect("lb1");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(VIPD, &quick(Conf::lb2(), fragment)).expect("lb2");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    [lb1, lb2]
}

#[test]
fn multiple_vips_move_together_with_their_labels() {
    let pair = Pair::new().expect("lab");
    let [lb1, _lb2] = start(&pair, include_str!("../../fixtures/guide/multi_vip.conf"));
    let all = ["192.168.1.100", "192.168.1.101", "192.168.1.102"];
    let labels = ["eth0:web", "eth0:api", "eth0:admin"];
    expect_held(&pair.lb1, &pair.lb2, &addresses(&all));
    let tap = Tap::open(pair.switch.host()).expect("tap");

    lb1.process().stop().expect("SIGTERM");

    expect_held(&pair.lb2, &pair.lb1, &addresses(&all));
    for (address, label) in all.into_iter().zip(labels) {
        assert_eq!(place(&pair.lb2, address), ("eth0".to_owned(), label.to_owned()));
    }
    // One advert names them all, and each is announced.
    let advert = |frame: &Frame| frame.advert().filter(|_| frame.came_from(&pair.lb2.port));
    assert_eq!(tap.wait_for(SOON, advert).expect("an advert").addresses, addresses(&all));
    let mut announced: Vec<IpAddr> = Vec::new();
    tap.wait_for(SOON, |frame| {
        let claim = frame.gratuitous_arp().filter(|_| frame.came_from(&pair.lb2.port))?;
        announced.push(claim.ip.into());
        addresses(&all).iter().all(|address| announced.contains(address)).then_some(())
    })
    .expect("all are announced");
}

#[test]
fn multi_interface_vips_move_together_and_are_announced_on_both_networks() {
    // Arrange: a second network, which the guide's `track_interface` weighs with -30.
    let pair = Pair::new().expect("lab");
    let back = pair.lab.switch("back").expect("switch");
    let ports = [(&pair.lb1, "10.0.0.10/24"), (&pair.lb2, "10.0.0.20/24")]
        .map(|(node, own)| pair.lab.connect(&node.host, "eth1", own, &back).expect("cable"));
    let tracked = include_str!("../../fixtures/guide/track_interface.conf");
    let (_, tracked) = tracked.split_once("{\n").expect("an instance");
    let (tracked, _) = tracked.rsplit_once('}').expect("it is closed");
    let fragment = include_str!("../../fixtures/guide/multi_interface.conf");
    let conf = |node: Conf| quick(node, fragment).replace("track_interface {\neth0 weight -50\n}\n", tracked);
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1())).expect("lb1");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(VIPD, &conf(Conf::lb2())).expect("lb2");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    let all = addresses(&["192.168.1.100", "10.0.0.100"]);
    expect_held(&pair.lb1, &pair.lb2, &all);

    // Act: the cable of the second network.
    ports[0].link_down().expect("cable pulled");

    // Assert
    lb1.process().wait_for_line("from 110 to 80: interface eth1 is down", SOON).expect("its weight counts");
    expect_held(&pair.lb2, &pair.lb1, &all);
    assert_eq!(place(&pair.lb2, "192.168.1.100"), ("eth0".to_owned(), "eth0:vip".to_owned()));
    assert_eq!(place(&pair.lb2, "10.0.0.100"), ("eth1".to_owned(), "eth1:internal".to_owned()));
    for (switch, interface, port) in
        [(&pair.switch, "eth0", pair.lb2.port.name()), (&back, "eth1", ports[1].name())]
    {
        let mac = facts::mac(&pair.lb2.host, interface).expect("a MAC address");
        facts::wait_for_learned(switch, &mac, port, SOON).expect("announced there");
    }

    ports[0].link_up().expect("cable back");
    expect_held(&pair.lb1, &pair.lb2, &all);
}

/// "Each node is MASTER for one VIP and BACKUP for the other", and "either can absorb the other's load during a failure".
#[test]
fn active_active_pair_serves_both_addresses_and_each_node_takes_the_others() {
    // Arrange: the fragments lack nothing but their interfaces.
    let pair = Pair::new().expect("lab");
    let _services = pair.start_services().expect("nginx and haproxy");
    let complete = |text: &str| {
        Conf::from(text.to_owned()).replace("virtual_router_id", "interface eth0\nvirtual_router_id")
    };
    let confs = [
        complete(include_str!("../../fixtures/guide/active_active_lb1.conf")),
        complete(include_str!("../../fixtures/guide/active_active_lb2.conf")),
    ];
    let (web, api) = ([ip("192.168.1.100")], [ip("192.168.1.101")]);

    // Act, assert
    let lb1 = pair.lb1.start(VIPD, &confs[0]).expect("lb1");
    let lb2 = pair.lb2.start(VIPD, &confs[1]).expect("lb2");
    expect_held(&pair.lb1, &pair.lb2, &web);
    expect_held(&pair.lb2, &pair.lb1, &api);
    expect_served(&pair, &[("192.168.1.100", "lb1"), ("192.168.1.101", "lb2")]);

    lb2.process().stop().expect("SIGTERM");
    expect_held(&pair.lb1, &pair.lb2, &[web, api].concat());
    expect_served(&pair, &[("192.168.1.100", "lb1"), ("192.168.1.101", "lb1")]);
    lb2.process().wait(SOON).expect("it ends");

    let _lb2 = pair.lb2.start(VIPD, &confs[1]).expect("lb2");
    expect_held(&pair.lb2, &pair.lb1, &api);
    lb1.process().stop().expect("SIGTERM");
    expect_held(&pair.lb2, &pair.lb1, &[web, api].concat());
    expect_served(&pair, &[("192.168.1.100", "lb2"), ("192.168.1.101", "lb2")]);
}

/// Awaits that requests to these addresses are answered by these nodes.
fn expect_served(pair: &Pair, expected: &[(&str, &str)]) {
    for (address, node) in expected {
        let plan = vipd_tests::http::Plan {
            server: (ip(address), 80).into(),
            every: Duration::from_millis(20),
            patience: Duration::from_millis(500),
        };
        let client = vipd_tests::http::Client::start(&pair.client, plan).expect("client");
        let by = |since| client.wait_for_answer(since, SOON).expect("an answer").outcome.expect("good");
        let deadline = Moment::now() + SOON;
        while by(Moment::now()) != *node {
            assert!(!deadline.remaining().is_zero(), "{node} does not serve {address}");
        }
    }
}

/// The files as printed, with Keepalived and with vipd: adverts go to the peer and to nobody else, and LB1 stays BACKUP when it
/// returns.
#[test]
fn unicast_pair_as_printed() {
    let printed = [
        include_str!("../../fixtures/guide/unicast_lb1.conf"),
        include_str!("../../fixtures/guide/unicast_lb2.conf"),
    ];
    for agent in [Agent::Keepalived, VIPD] {
        let pair = Pair::new().expect("lab");
        let [first, second] = printed.map(|text| Conf::from(text.to_owned()));
        let lb1 = pair.lb1.start(agent, &first).expect("lb1");
        lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
        let lb2 = pair.lb2.start(agent, &second).expect("lb2");
        lb2.wait_for_state("BACKUP", SOON).expect("it listens");
        let tap = Tap::open(pair.switch.host()).expect("tap");

        lb1.process().stop().expect("SIGTERM");
        lb2.wait_for_state("MASTER", SOON).expect("LB2 takes over");
        pair.wait_for_holder(&pair.lb2, SOON).expect("one holder");
        lb1.process().wait(SOON).expect("it ends");
        let lb1 = pair.lb1.start(agent, &first).expect("lb1");
        lb1.wait_for_state("BACKUP", SOON).expect("it listens");

        // Two down intervals, and all that was sent before.
        let mut since_then = 0;
        let began = Moment::now();
        while since_then < 8 {
            let sent = |frame: &Frame| {
                Some((frame.at, frame.advert()?))
                    .filter(|_| !frame.went_to(&pair.lb1.port) && !frame.went_to(&pair.lb2.port))
            };
            let (at, advert) = tap.wait_for(SOON, sent).expect("an advert");
            let peers = [pair.lb1.ip, pair.lb2.ip];
            assert!(
                peers.contains(&advert.source) && peers.contains(&advert.destination),
                "{agent}: {advert:?}"
            );
            if at > began {
                assert_eq!(advert.source, pair.lb2.ip, "{agent}: LB1 stays BACKUP");
                since_then += 1;
            }
        }
        pair.wait_for_holder(&pair.lb2, SOON).expect("one holder");
    }
}
