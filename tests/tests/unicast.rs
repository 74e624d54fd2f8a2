//! Adverts by unicast: from whom they are taken, with which TTL they come and go, and that the first of a takeover waits for
//! nobody. How it gets on with Keepalived is played in `interop`.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;
use vipd_tests::Make::Vipd;
use vipd_tests::{Agent, Datapath, Family, Frame, Lan, Running, Settings, facts};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
/// What makes settings of a priority.
type Make = fn(u8) -> Settings;

const FAMILIES: [(Family, Make); 2] = [(Family::V4, Settings::v3), (Family::V6, Settings::ipv6)];

/// Where adverts of a node come from.
fn own(lan: &Lan, family: Family, node: usize) -> IpAddr {
    match family {
        Family::V4 => lan.node(node).ip,
        Family::V6 => ["2001:db8:1::a", "2001:db8:1::14"][node].parse().expect("an address"),
    }
}

fn start(lan: &Lan, node: usize, datapath: Datapath, settings: &Settings, ips: [IpAddr; 2]) -> Running {
    let conf = settings.clone().unicast().keepalived(ips[node], &[ips[1 - node]]);
    Agent::Vipd(datapath).start(&lan.node(node).host, &conf).expect("vipd")
}

/// The TTL or hop limit of an advert from a node.
fn ttl(lan: &Lan, frame: &Frame, node: usize) -> Option<u8> {
    let advert = frame.advert().filter(|_| lan.sender(frame) == Some(node))?;
    Some(frame.bytes[14 + if advert.source.is_ipv4() { 8 } else { 7 }])
}

fn statistics(agent: &Running) -> Value {
    agent.status().expect("status")["instances"][0]["statistics"].take()
}

/// C-UNI-03: in the kernel and behind a packet socket, of either family: what leaves with `unicast_ttl` is heard between
/// `min_ttl` and `max_ttl` only.
#[test]
fn adverts_are_heard_within_the_ttl_that_a_peer_may_have() {
    for (family, settings) in FAMILIES {
        for datapath in [Datapath::Auto, Datapath::Tcx, Datapath::Socket] {
            for (bounds, heard) in
                [("", false), ("min_ttl 64 max_ttl 64", true), ("min_ttl 1 max_ttl 63", false)]
            {
                let lan = Lan::of(family, &[Vipd, Vipd]).expect("lab");
                let tap = lan.tap().expect("tap");
                let ips = [0, 1].map(|node| own(&lan, family, node));
                let better = start(&lan, 0, datapath, &settings(110).line("unicast_ttl 64"), ips);
                better.wait_for_state("MASTER", SOON).expect("nobody else is there");
                assert_eq!(tap.wait_for(SOON, |frame| ttl(&lan, frame, 0)).expect("an advert"), 64);
                let peer = format!("{}", ips[0]);
                let conf = settings(100).unicast().keepalived(ips[1], &[ips[0]]);
                let conf = conf.replace(
                    &format!("unicast_peer {{\n{peer}"),
                    &format!("unicast_peer {{\n{peer} {bounds}"),
                );

                let worse = Agent::Vipd(datapath).start(&lan.node(1).host, &conf).expect("vipd");

                worse.wait_for_state(if heard { "BACKUP" } else { "MASTER" }, SOON).expect("as it hears");
                let context = format!("{family:?} {datapath:?} {bounds:?}");
                // A counter is read some time after the frame was.
                facts::wait_until(&lan.node(1).host, SOON, || {
                    let counter = if heard { "advertisement-rcvd" } else { "ip-ttl-errors" };
                    Ok((statistics(&worse)[counter].as_u64() > Some(0)).then_some(()))
                })
                .unwrap_or_else(|error| panic!("{context}: {error}: {:#}", statistics(&worse)));
                if heard {
                    assert_eq!(statistics(&worse)["ip-ttl-errors"], 0, "{context}");
                }
            }
        }
    }
}

/// C-UNI-02: a node that is not listed is not heard, whatever its priority.
#[test]
fn adverts_of_strangers_are_not_heard() {
    for (family, settings) in FAMILIES {
        for datapath in [Datapath::Auto, Datapath::Tcx, Datapath::Socket] {
            let lan = Lan::of(family, &[Vipd, Vipd]).expect("lab");
            let ips = [0, 1].map(|node| own(&lan, family, node));
            let stranger = if family == Family::V4 { "192.168.1.99" } else { "2001:db8:1::99" };
            let conf = settings(100).unicast().keepalived(ips[1], &[stranger.parse().expect("an address")]);
            let worse = Agent::Vipd(datapath).start(&lan.node(1).host, &conf).expect("vipd");
            worse.wait_for_state("MASTER", SOON).expect("nobody else is there");

            let better = start(&lan, 0, datapath, &settings(110), ips);
            better.wait_for_state("MASTER", SOON).expect("the other speaks to somebody else");

            facts::wait_until(&lan.node(1).host, SOON, || {
                Ok((statistics(&worse)["unknown-peer-errors"].as_u64() > Some(3)).then_some(()))
            })
            .unwrap_or_else(|error| panic!("{family:?} {datapath:?}: {error}: {:#}", statistics(&worse)));
            assert_eq!(worse.status().expect("status")["instances"][0]["state"], "MASTER");
        }
    }
}

/// C-UNI-05: a Backup, which says nothing, knows where its peers are, and asks again when it forgets; so the first advert of
/// a takeover is not preceded by a question.
#[test]
fn peers_are_known_before_they_are_needed() {
    for (family, settings) in FAMILIES {
        let lan = Lan::of(family, &[Vipd, Vipd]).expect("lab");
        let ips = [0, 1].map(|node| own(&lan, family, node));
        let better = start(&lan, 0, Datapath::Auto, &settings(110), ips);
        better.wait_for_state("MASTER", SOON).expect("nobody else is there");
        let worse = start(&lan, 1, Datapath::Auto, &settings(100), ips);
        worse.wait_for_state("BACKUP", SOON).expect("it listens");
        let host = &lan.node(1).host;
        let known = || {
            let neighbour = facts::neighbour(host, ips[0])?;
            Ok((neighbour.as_ref() == Some(&lan.node(0).mac)).then_some(()))
        };
        facts::wait_until(host, SOON, known).expect("known at the start");

        host.command("ip neighbour flush dev eth0").expect("ip");
        facts::wait_until(host, SOON, known).expect("known again");

        let tap = lan.tap().expect("tap");
        lan.node(0).port.cut().expect("cut");
        worse.wait_for_state("MASTER", SOON).expect("takeover after silence");
        // The kernel may ask a neighbour that it knows whether it is still there, which delays nothing.
        let word = |frame: &Frame| frame.advert().is_some() || frame.bytes[0] & 1 != 0;
        let first =
            tap.wait_for(SOON, |frame| (lan.sender(frame) == Some(1) && word(frame)).then(|| frame.clone()));
        assert!(first.expect("it speaks").advert().is_some(), "{family:?}: its first word is an advert");
    }
}

/// C-UNI-01, C-TX-04: link-local peers are behind the instance's interface.
#[test]
fn peers_can_be_link_local() {
    let lan = Lan::of(Family::V6, &[Vipd, Vipd]).expect("lab");
    let ips = [0, 1].map(|node| lan.node(node).ip);
    let better = start(&lan, 0, Datapath::Auto, &Settings::ipv6(110), ips);
    let worse = start(&lan, 1, Datapath::Auto, &Settings::ipv6(100), ips);
    better.wait_for_state("MASTER", SOON).expect("the higher priority wins");
    lan.wait_for_master(0).expect("it is alone");
    worse.process().skip_lines();

    better.process().stop().expect("SIGTERM");

    let taken = worse.wait_for_state("MASTER", SOON).expect("takeover");
    assert!(taken.text.contains("resigned"), "{}", taken.text);
}
