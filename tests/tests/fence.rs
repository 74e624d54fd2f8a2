//! Fences: whether this node is the isolated one, by real frames, in splits of a real network.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Balancer, Datapath, Frame, Host, Pair, Port, Running, Settings, Tap, facts};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);
const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

/// Two load balancers that ask gateway, each other, and a host beyond the gateway; two of three are enough. `lb1` is master.
struct Site {
    lb1: Running,
    lb2: Running,
    gateway: Port,
    _beyond: Host,
    pair: Pair,
}

fn conf(settings: Settings, peer: &Balancer) -> Conf {
    let fence = format!(
        "fence {{\ngateway {GATEWAY}\npeers {}\nanchors 8.8.8.8\nquorum 2\ninterval 0.2\ntimeout 0.2\n}}",
        peer.ip
    );
    settings.line(&fence).keepalived(Pair::vip(), &[])
}

fn site() -> Site {
    let pair = Pair::new().expect("lab");
    let beyond = pair.lab.host("beyond").expect("host");
    let gateway = pair.lab.connect(&beyond, "eth0", &format!("{GATEWAY}/24"), &pair.switch).expect("cable");
    beyond.command("ip address add 8.8.8.8/32 dev lo").expect("ip");
    for balancer in [&pair.lb1, &pair.lb2] {
        balancer.host.command(&format!("ip route add default via {GATEWAY}")).expect("ip");
    }
    let lb1 = pair.lb1.start(VIPD, &conf(Settings::v3(110), &pair.lb2)).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("it is connected, and nobody else is there");
    let lb2 = pair.lb2.start(VIPD, &conf(Settings::v3(100), &pair.lb1)).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 alone holds the address");
    Site { lb1, lb2, gateway, _beyond: beyond, pair }
}

/// How often an agent has changed its state.
fn changes(node: &Running) -> usize {
    node.process().lines().iter().filter(|line| line.text.contains("Entering ")).count()
}

/// A node goes to FAULT, because so few hosts answered.
fn expect_isolated(node: &Running, answered: usize) {
    let fault = node.wait_for_state("FAULT", SOON).expect("it is isolated");
    let why = format!("this node is cut off from the network ({answered} of 3 hosts answered, 2 are needed)");
    assert!(fault.text.ends_with(&why), "{}", fault.text);
}

/// The other half has a gateway of the same address, but nothing beyond it: one of three answers there.
#[test]
fn in_a_split_where_each_half_has_a_gateway_only_one_is_master() {
    let site = site();
    let other = site.pair.lab.host("other").expect("host");
    let gateway = site.pair.lab.connect(&other, "eth0", "10.0.0.1/24", &site.pair.switch).expect("cable");
    site.pair.switch.split(&[&gateway]).expect("split");
    other.command(&format!("ip address add {GATEWAY}/24 dev eth0")).expect("ip");
    let before = changes(&site.lb1);

    site.pair.switch.split(&[&site.pair.lb2.port]).expect("split");

    expect_isolated(&site.lb2, 1);
    assert_eq!(changes(&site.lb1), before, "lb1 goes on");
    site.pair.wait_for_holder(&site.pair.lb1, SOON).expect("lb1 alone holds the address");
    let took = site.lb2.process().lines().iter().any(|line| line.text.contains("Entering MASTER"));
    assert!(!took, "lb2 was Master for a while");

    site.pair.switch.join(&[&site.pair.lb2.port]).expect("join");
    site.lb2.wait_for_state("BACKUP", SOON).expect("it is connected again");
    assert_eq!(changes(&site.lb1), before, "lb1 goes on");
}

#[test]
fn in_a_split_where_neither_half_has_a_gateway_nobody_is_master() {
    let site = site();
    let Site { pair, .. } = &site;

    pair.switch.split(&[&pair.lb2.port]).expect("split");
    site.gateway.cut().expect("cut");

    expect_isolated(&site.lb1, 0);
    expect_isolated(&site.lb2, 0);
    for balancer in [&pair.lb1, &pair.lb2] {
        facts::wait_for_no_address(&balancer.host, Pair::vip(), SOON).expect("nobody holds the address");
    }

    site.gateway.heal().expect("heal");
    pair.switch.join(&[&pair.lb2.port]).expect("join");
    site.lb1.wait_for_state("MASTER", SOON).expect("the higher priority wins");
    pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 alone holds the address");
}

/// The carrier stays: without a fence it would be Master for ever.
#[test]
fn a_master_that_is_cut_off_steps_down_and_the_other_takes_over() {
    let site = site();

    site.pair.lb1.port.cut().expect("cut");

    expect_isolated(&site.lb1, 0);
    site.lb2.wait_for_state("MASTER", SOON).expect("gateway and the host beyond answer");
    site.pair.wait_for_holder(&site.pair.lb2, SOON).expect("lb2 alone holds the address");
    let tracking = &site.lb1.status().expect("status")["instances"][0]["tracking"][0];
    assert_eq!((&tracking["kind"], &tracking["effect"]), (&"fence".into(), &"FAULT".into()), "{tracking}");

    site.pair.lb1.port.heal().expect("heal");
    site.lb1.wait_for_state("MASTER", SOON).expect("the higher priority returns");
    site.pair.wait_for_holder(&site.pair.lb1, SOON).expect("lb1 alone holds the address");
}

/// One question to each, and the first advert with the answer: no waiting, no second question.
#[test]
fn a_takeover_with_a_fence_costs_the_round_trip_of_one_question() {
    let site = site();
    let tap = Tap::open(site.pair.switch.host()).expect("tap");

    site.lb1.process().stop().expect("SIGTERM");

    let port = &site.pair.lb2.port;
    let event = |frame: &Frame| {
        let arp = arp(frame).filter(|arp| arp.about(GATEWAY, site.pair.lb2.ip));
        match arp {
            Some(arp) if arp.operation == 1 && frame.came_from(port) => Some("question"),
            Some(arp) if arp.operation == 2 && frame.went_to(port) => Some("answer"),
            _ => frame.advert().filter(|_| frame.came_from(port)).map(|_| "advert"),
        }
    };
    let seen: Vec<&str> =
        std::iter::repeat_with(|| tap.wait_for(SOON, event).expect("a frame")).take(3).collect();
    assert_eq!(seen, ["question", "answer", "advert"]);
}

/// An ARP message.
struct Arp {
    operation: u8,
    sender: Ipv4Addr,
    target: Ipv4Addr,
}

impl Arp {
    fn about(&self, one: Ipv4Addr, other: IpAddr) -> bool {
        let both = [IpAddr::V4(self.sender), IpAddr::V4(self.target)];
        both.contains(&IpAddr::V4(one)) && both.contains(&other)
    }
}

fn arp(frame: &Frame) -> Option<Arp> {
    let bytes = &frame.bytes;
    let address = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok()?));
    (bytes.get(12..14)? == [0x08, 0x06]).then_some(())?;
    Some(Arp { operation: *bytes.get(21)?, sender: address(28)?, target: address(38)? })
}
