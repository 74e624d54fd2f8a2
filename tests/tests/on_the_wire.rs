//! What leaves vipd, octet by octet, as the switch sees it: through start, takeover, resignation and the next takeover.

use std::net::IpAddr;
use std::time::Duration;

use vipd_tests::Make::Vipd;
use vipd_tests::{Frame, Lan, Pair, Router, Settings, frame};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const GROUP: [u8; 4] = [224, 0, 0, 18];
const GROUP_MAC: &str = "01:00:5e:00:00:12";
const BROADCAST: &str = "ff:ff:ff:ff:ff:ff";

type Vary = fn(u8) -> Settings;

/// What one node has sent.
struct Sent {
    adverts: Vec<Frame>,
    announcements: Vec<Frame>,
}

/// A pair of which the better node has resigned and the other has taken over.
struct Run {
    frames: Vec<Frame>,
    _master: Router,
    lan: Lan,
}

fn run(settings: impl Fn(u8) -> Settings) -> Run {
    let lan = Lan::new(&[Vipd, Vipd]).expect("lab");
    let tap = lan.tap().expect("tap");
    let better = lan.start(0, &settings(110)).expect("vipd");
    better.wait_for_state("MASTER").expect("nobody else is there");
    let worse = lan.start(1, &settings(100)).expect("vipd");
    lan.wait_for_master(0).expect("the better node is alone, and alone answers for the address");
    better.process().stop().expect("SIGTERM");
    worse.wait_for_state("MASTER").expect("takeover after resignation");
    lan.wait_for_master(1).expect("the worse node is alone, and alone answers for the address");
    better.process().wait(SOON).expect("it ends");
    Run { frames: tap.drain().expect("tap"), _master: worse, lan }
}

fn sent_by(lan: &Lan, frames: &[Frame], node: usize) -> Sent {
    let from = |frame: &&Frame| lan.sender(frame) == Some(node);
    let adverts = frames.iter().filter(from).filter(|frame| frame.advert().is_some());
    let announcements = frames.iter().filter(from).filter(|frame| frame.gratuitous_arp().is_some());
    Sent { adverts: adverts.cloned().collect(), announcements: announcements.cloned().collect() }
}

fn macs(frame: &Frame) -> [String; 2] {
    [0, 6].map(|at| frame::show_mac(frame.bytes[at..at + 6].try_into().expect("6 octets")))
}

/// C-TX-01, C-TX-02, C-TX-03, C-TX-04, C-TX-08, C-L2-08: the source is the interface's own address also while the
/// virtual one is on it, and its own MAC.
#[test]
fn every_advert_has_the_header_that_the_rfcs_ask_for() {
    let cases: [(&str, Vary, bool); 3] = [
        ("version 2", Settings::v2, false),
        ("version 3", Settings::v3, false),
        ("unicast", |priority| Settings::v3(priority).unicast(), true),
    ];
    for (name, settings, unicast) in cases {
        let Run { frames, _master, lan } = run(settings);
        for node in [0, 1] {
            let (own, other) = (lan.node(node), lan.node(1 - node));
            let adverts = sent_by(&lan, &frames, node).adverts;
            assert!(adverts.len() > 3, "{name}: node {node} speaks");
            for advert in adverts {
                let context = format!("{name}, node {node}: {advert:02x?}");
                let to = if unicast { other.mac.as_str() } else { GROUP_MAC };
                assert_eq!(macs(&advert), [to, &own.mac], "{context}");
                let ip = &advert.bytes[14..34];
                assert_eq!((ip[0], ip[1]), (0x45, 0xc0), "no options, internetwork control: {context}");
                assert_eq!(u16::from_be_bytes([ip[6], ip[7]]) & 0x3fff, 0, "no fragment: {context}");
                assert_eq!((ip[8], ip[9]), (255, 112), "TTL, protocol: {context}");
                let message = advert.advert().expect("an advert");
                let destination = if unicast { other.ip } else { IpAddr::from(GROUP) };
                assert_eq!((message.source, message.destination), (own.ip, destination), "{context}");
                assert_eq!(message.addresses, [Pair::vip()], "{context}");
            }
        }
        if !unicast {
            let groups = lan.node(1).host.command("ip maddress show dev eth0").expect("ip");
            assert!(groups.contains("224.0.0.18"), "{groups}");
        }
    }
}

/// C-TX-09, C-ARP-04, C-FSM-02, C-FSM-03, C-FSM-11: a Backup is silent until the Master has resigned, and the last word of an agent
/// that is stopped is priority 0.
#[test]
fn only_the_master_speaks_and_its_last_word_is_priority_0() {
    let slow = |priority| Settings::v3(priority).interval(Duration::from_secs(1));
    let Run { frames, lan, .. } = run(slow);

    let adverts = frames.iter().filter_map(|frame| Some((lan.sender(frame)?, frame.advert()?.priority)));
    let adverts: Vec<(usize, u8)> = adverts.collect();

    let resigned = adverts.iter().position(|advert| *advert == (0, 0)).expect("a resignation");
    assert!(adverts[..resigned].iter().all(|advert| *advert == (0, 110)), "{adverts:?}");
    assert!(adverts[resigned + 1..].iter().all(|advert| *advert == (1, 100)), "{adverts:?}");
}

/// C-ARP-01, C-ARP-02, C-FSM-04: a request in the form of RFC 9568, behind the first advert.
#[test]
fn a_new_master_sends_an_advert_and_then_announces_its_address() {
    let Run { frames, lan, .. } = run(Settings::v3);
    for node in [0, 1] {
        let Sent { adverts, announcements } = sent_by(&lan, &frames, node);
        assert!(adverts[0].at <= announcements[0].at, "node {node}: an advert comes first");
        for announcement in announcements {
            let context = format!("node {node}: {announcement:02x?}");
            let own = &lan.node(node).mac;
            assert_eq!(macs(&announcement), [BROADCAST, own], "{context}");
            let arp = &announcement.bytes[14..42];
            assert_eq!(arp[..8], [0, 1, 8, 0, 6, 4, 0, 1], "a request for IPv4 over Ethernet: {context}");
            let claim = announcement.gratuitous_arp().expect("gratuitous");
            assert_eq!((IpAddr::V4(claim.ip), &frame::show_mac(claim.mac)), (Pair::vip(), own), "{context}");
            assert_eq!(arp[8..14], arp[18..24], "the target's hardware address is the sender's: {context}");
        }
    }
}
