//! Frames through the kernel half: the XDP program, the tcx program and the parser of user space are of one mind
//! (C-XDP-01), and of the right one.

mod corpus;
mod emit;
mod lease;
mod order;
mod programs;
mod shuffled;
mod told;
mod watch;

use corpus::{Receiver, adverts, frames, named};
use emit::advert;
use programs::{INSTANCE, Road, kernel, publish, send};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use vipd_common::abi::{Event, kind};
use vipd_common::wire::{Reason, checksum, eth, ip};

/// Frames that fail a check, yet are not for a virtual router of ours as far as anybody can tell.
const NOT_OURS: [&str; 19] = [
    "neg_v2_inside_ah",
    "neg_v3_ipv4_empty_payload",
    "neg_v3_ipv4_vrid_unknown",
    "neg_v3_ipv4_vrid_0",
    "neg_v3_ipv4_dst_allhosts",
    "neg_ipv4_options_nop",
    "neg_ipv4_options_lsrr",
    "neg_ipv4_ihl_4",
    "neg_ipv4_ihl_15_beyond_total",
    "neg_ipv4_header_checksum",
    "neg_ipv4_total_length_below_header",
    "neg_ipv4_first_fragment",
    "neg_ipv4_later_fragment",
    "neg_ipv4_version_nibble_6",
    "neg_ipv4_wrong_vlan",
    "neg_ipv4_tagged_on_untagged",
    "neg_v3_ipv6_vrid_unknown",
    "neg_ipv6_hop_by_hop",
    "neg_ipv6_fragment_header",
];

fn usual() -> Receiver {
    named("v3_ipv4_1addr_msgonly").receiver
}

/// C-XDP-05: also with 255 addresses.
#[test]
fn c_xdp_01_every_advert_of_the_corpus_gets_its_verdict_on_every_road() {
    let mut kernel = kernel(&usual());
    for frame in adverts() {
        let receiver = &frame.receiver;
        publish(&mut kernel, receiver);
        for road in Road::ALL {
            let outcome = send(&mut kernel, receiver, road, &frame.octets);

            let name = format!("{} on {road:?}: {outcome:?}", frame.name);
            let reasons = outcome.reasons();
            assert_eq!(reasons.contains(&Reason::Accepted), frame.accepted, "{name}");
            assert!(frame.accepted || reasons.len() == 1, "{name}: one frame raises one counter");
            match &frame.counter {
                Some(counter) => {
                    assert!(reasons.iter().any(|reason| reason.name() == counter), "{name}: {counter}");
                }
                None => assert!(
                    frame.accepted || reasons[0].rfc8347().is_none(),
                    "{name}: no name of an RFC fits"
                ),
            }
            let pass = frame.accepted || NOT_OURS.contains(&frame.name.as_str());
            assert_eq!(outcome.pass, pass, "{name}");
        }
    }
}

#[test]
fn c_xdp_04_frames_that_are_not_ours_pass_untouched_and_uncounted() {
    let receiver = usual();
    let mut kernel = kernel(&receiver);
    // Neighbour advertisements for addresses of which none is ours.
    let neighbours = frames().into_iter().filter(|frame| matches!(frame.kind.as_str(), "una" | "na"));
    let mut others: Vec<(String, Vec<u8>)> = neighbours.map(|frame| (frame.name, frame.octets)).collect();
    let changed = |name: &str, place: usize, octet: u8| {
        let mut frame = named(name).octets;
        frame[place] = octet;
        frame
    };
    others.push(("TCP".into(), changed("v3_ipv4_1addr_msgonly", 23, 6)));
    others.push(("TCP over IPv6".into(), changed("v3_ipv6_2addrs", 20, 6)));
    others.push(("router advertisement".into(), changed("una_global", 54, 134)));
    others.push(("neighbour solicitation".into(), changed("una_global", 54, 135)));
    others.push(("nothing but a header".into(), vec![0; 14]));
    for ethertype in [[0x81, 0x00], [0x88, 0xa8], [0x08, 0x00], [0x08, 0x06], [0x86, 0xdd]] {
        let mut short = vec![0; 15];
        short[12..14].copy_from_slice(&ethertype);
        others.push((format!("cut short after {ethertype:02x?}"), short));
    }
    for (name, frame) in others {
        for road in Road::ALL.into_iter().filter(|road| road.takes(&frame)) {
            let outcome = send(&mut kernel, &receiver, road, &frame);

            assert!(outcome.pass && outcome.raised.is_empty(), "{name} on {road:?}: {outcome:?}");
        }
    }
}

/// C-L2-06
#[test]
fn c_xdp_02_adverts_with_no_one_and_two_tags_belong_to_their_vlan_only() {
    let plain = named("v3_ipv4_1addr_msgonly").octets;
    let tagged = |tags: &[u16]| {
        let mut frame = plain[..12].to_vec();
        frame.extend(tags.iter().flat_map(|tag| [[0x81, 0x00], tag.to_be_bytes()]).flatten());
        frame.extend(&plain[12..]);
        frame
    };
    let on = |vlan| usual().on_vlan(vlan);
    let cases: [(u16, &[u16], Reason); 9] = [
        (0, &[], Reason::Accepted),
        (0, &[100], Reason::Vlan),
        (0, &[0xe000], Reason::Accepted),
        (100, &[100], Reason::Accepted),
        (100, &[0xe064], Reason::Accepted),
        (100, &[200], Reason::Vlan),
        (100, &[], Reason::Vlan),
        (100, &[0xe000, 100], Reason::Accepted),
        (100, &[100, 100], Reason::Vlan),
    ];
    let mut kernel = kernel(&usual());
    for (vlan, tags, reason) in cases {
        publish(&mut kernel, &on(vlan));
        for road in Road::ALL {
            let outcome = send(&mut kernel, &on(vlan), road, &tagged(tags));

            assert_eq!(outcome.reasons(), [reason], "tags {tags:04x?} on VLAN {vlan}, {road:?}");
            assert!(outcome.pass);
        }
    }
}

#[test]
fn an_advert_that_is_routed_through_this_host_passes_whatever_it_says() {
    let receiver = usual();
    let mut kernel = kernel(&receiver);
    let mut frame = named("neg_v3_ipv4_dst_unicast_in_multicast_mode").octets;
    frame[22] = 64;
    frame[33] ^= 1;
    let sum = fresh_header_sum(&frame);
    frame[24..26].copy_from_slice(&sum);
    for road in Road::ALL {
        let outcome = send(&mut kernel, &receiver, road, &frame);

        assert_eq!((outcome.pass, outcome.reasons()), (true, vec![Reason::Destination]), "{road:?}");
    }
}

/// C-ARP-02
#[test]
fn c_nd_02_of_the_corpus_announcements_that_hosts_believe_are_claims() {
    for frame in frames().iter().filter(|frame| frame.kind != "advert") {
        let receiver = &frame.receiver;
        let mut kernel = kernel(receiver);
        let mut events = kernel.events().expect("the ring");
        for road in Road::ALL {
            let outcome = send(&mut kernel, receiver, road, &frame.octets);

            let raised = match frame.kind.as_str() {
                "garp" | "una" if frame.accepted => vec![(true, Reason::Claim)],
                "una" => vec![(true, Reason::Neighbour)],
                // Answers to one host.
                _ => Vec::new(),
            };
            let claim = raised.contains(&(true, Reason::Claim));
            assert_eq!((outcome.pass, outcome.raised), (true, raised), "{} on {road:?}", frame.name);
            if Road::KERNEL.contains(&road) && claim {
                let event = events.take().expect("a claim is told");
                assert_eq!((event.kind, event.instance), (kind::CLAIM, INSTANCE));
                assert!(receiver.vips.contains(&event.addr), "{}", frame.name);
                assert_eq!(event.mac, eth::virtual_mac(receiver.key.family, 51), "{}", frame.name);
            }
        }
        assert!(events.take().is_none(), "{}", frame.name);
    }
}

#[test]
fn seen_and_the_event_say_what_the_advert_says_and_when_it_came() {
    let receiver = usual();
    for road in Road::KERNEL {
        let mut kernel = kernel(&receiver);
        let mut events = kernel.events().expect("the ring");
        assert_eq!(kernel.seen(INSTANCE), None);
        let before = monotonic();

        send(&mut kernel, &receiver, road, &advert(51, 11, 42, 100));
        send(&mut kernel, &receiver, road, &advert(51, 11, 42, 100));

        let seen = kernel.seen(INSTANCE).expect("an advert came");
        assert!((before..monotonic()).contains(&seen.last.at), "stamped by CLOCK_MONOTONIC");
        assert_eq!((seen.count, seen.last.priority, seen.last.interval_cs), (2, 42, 100));
        let source = vipd_common::wire::from_ipv4([192, 0, 2, 11].into());
        assert_eq!(seen.last.source, source);
        let Some(event) = events.take() else { panic!("the first advert is told") };
        let expected = Event {
            at: event.at,
            since: 0,
            instance: INSTANCE,
            kind: kind::ADVERT,
            priority: 42,
            interval_cs: 100,
            addr: source,
            mac: [0x00, 0x00, 0x5e, 0x00, 0x01, 51],
            checksum: vipd_common::abi::checksum::MESSAGE,
            watched: 0,
        };
        assert_eq!(event, expected);
        assert!((before..seen.last.at).contains(&event.at));
    }
}

/// C-SEC-05
#[test]
fn c_rx_21_a_frame_that_fails_a_check_leaves_seen_alone() {
    let mut kernel = kernel(&usual());
    for frame in adverts().iter().filter(|frame| !frame.accepted) {
        let receiver = &frame.receiver;
        publish(&mut kernel, receiver);
        for road in Road::KERNEL {
            send(&mut kernel, receiver, road, &frame.octets);

            assert_eq!(kernel.seen(INSTANCE), None, "{} on {road:?}", frame.name);
        }
    }
}

#[test]
fn a_withdrawn_router_hears_nothing_and_leaves_nothing() {
    let receiver = usual();
    let mut kernel = kernel(&receiver);
    send(&mut kernel, &receiver, Road::Xdp, &advert(51, 11, 100, 100));

    kernel.withdraw(INSTANCE).expect("withdraw");

    let outcome = send(&mut kernel, &receiver, Road::Xdp, &advert(51, 11, 100, 100));
    assert_eq!(outcome.raised, [(false, Reason::Vlan)]);
    let claim = send(&mut kernel, &receiver, Road::Xdp, &named("garp_request_tha_vmac").octets);
    assert_eq!(claim.raised, []);
    assert_eq!(kernel.seen(INSTANCE), None);
}

/// A frame of the corpus with some octets changed, cut or lengthened; and, so that more than the first check is met, with its
/// checksums made right again.
#[derive(Clone, Debug)]
struct Mutation {
    frame: prop::sample::Index,
    changes: Vec<(prop::sample::Index, u8)>,
    length: i8,
    mend_header: bool,
    mend_message: bool,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let length = prop_oneof![4 => Just(0), 1 => -20..20_i8];
    (any::<prop::sample::Index>(), changes, length, prop::bool::weighted(0.8), prop::bool::weighted(0.8))
        .prop_map(|(frame, changes, length, mend_header, mend_message)| Mutation {
            frame,
            changes,
            length,
            mend_header,
            mend_message,
        })
}

impl Mutation {
    fn apply(&self, frame: &[u8]) -> Vec<u8> {
        let mut frame = frame.to_vec();
        let length = frame.len().saturating_add_signed(self.length.into()).max(14);
        frame.resize(length, 0x5a);
        for (place, octet) in &self.changes {
            let place = place.index(frame.len());
            frame[place] = *octet;
        }
        match frame.get(12..14) {
            Some([0x86, 0xdd]) if self.mend_message => mend_ipv6(&mut frame),
            Some([0x08, 0x00]) => {
                if self.mend_message && frame.len() >= 42 {
                    frame[40..42].fill(0);
                    let sum = checksum::field(checksum::octets(&frame[34..]));
                    frame[40..42].copy_from_slice(&sum);
                }
                if self.mend_header && frame.len() >= 34 {
                    let sum = fresh_header_sum(&frame);
                    frame[24..26].copy_from_slice(&sum);
                }
            }
            _ => {}
        }
        frame
    }
}

/// Makes the checksum of what an untagged IPv6 frame carries right: VRRP, or ICMPv6.
fn mend_ipv6(frame: &mut [u8]) {
    let Some(message) = frame.get(54..).filter(|message| message.len() >= 8) else { return };
    let length = u16::try_from(message.len()).expect("a frame");
    let next = frame[20];
    let at = if next == ip::VRRP { 60 } else { 56 };
    frame[at..at + 2].fill(0);
    let sum = checksum::octets(&frame[22..]) + checksum::pseudo_header(next, length);
    frame[at..at + 2].copy_from_slice(&checksum::field(sum));
}

/// The IPv4 header checksum of an untagged frame.
fn fresh_header_sum(frame: &[u8]) -> [u8; 2] {
    let mut header: [u8; 20] = frame[14..34].try_into().expect("20 octets");
    header[10..12].fill(0);
    checksum::field(checksum::octets(&header))
}

/// C-SEC-02
#[test]
fn c_xdp_01_kernel_and_user_space_agree_on_10_000_mutated_frames() {
    let frames = frames();
    let kernel = std::cell::RefCell::new(kernel(&usual()));
    let config = ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() };
    let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());

    let result = TestRunner::new(config).run(&mutation(), |mutation| {
        let chosen = mutation.frame.get(&frames);
        let receiver = &chosen.receiver;
        let frame = mutation.apply(&chosen.octets);
        let mut kernel = kernel.borrow_mut();
        publish(&mut kernel, receiver);
        let user = send(&mut kernel, receiver, Road::User, &frame);
        seen.borrow_mut().extend(user.reasons());
        for road in Road::KERNEL.into_iter().filter(|road| road.takes(&frame)) {
            prop_assert_eq!(
                &send(&mut kernel, receiver, road, &frame),
                &user,
                "{:?} of {}",
                road,
                chosen.name
            );
        }
        Ok(())
    });

    assert!(result.is_ok(), "{}", result.unwrap_err());
    let met = seen.into_inner();
    assert!(met.len() > 15, "the frames met most checks: {met:?}");
}

pub(crate) fn monotonic() -> u64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).expect("a clock");
    u64::try_from(std::time::Duration::from(now).as_nanos()).expect("584 years")
}
