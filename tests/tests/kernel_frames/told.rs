//! What user space is told, and how much of it at most.

use std::time::{Duration, Instant};

use vipd::datapath::{Events, Kernel};
use vipd_common::abi::{Event, Rules, kind};
use vipd_common::wire::Reason;
use vipd_common::wire::arp::Operation::Reply;

use crate::corpus::{Receiver, named};
use crate::emit::{VIP, VIP6, advert, advertisement, arp};
use crate::programs::{INSTANCE, Road, kernel, run, send};

/// Far beyond what anything here takes.
const SOON: Duration = Duration::from_mins(1);
/// Until the test is over, in centiseconds.
const LONG: u16 = 4095;
/// Records of one kind that may go up at once, and then a second.
const RESIGNATIONS: (u64, u64) = (16, 20);
const RULING: (u64, u64) = (32, 100);
const LOSING: (u64, u64) = (16, 20);
const CLAIMS: (u64, u64) = (8, 10);

fn receiver(change: impl FnOnce(&mut Rules)) -> Receiver {
    let mut receiver = named("v3_ipv4_1addr_msgonly").receiver;
    change(&mut receiver.rules);
    receiver
}

fn records(events: &mut Events) -> Vec<Event> {
    std::iter::from_fn(|| events.take()).collect()
}

fn counted(kernel: &Kernel, reason: Reason) -> u64 {
    kernel.stats().read(Some(INSTANCE)).expect("counters")[reason.index()]
}

#[test]
fn an_event_tells_of_changes_only() {
    let receiver = named("v3_ipv4_1addr_msgonly").receiver;
    let pseudo = named("v3_ipv4_1addr_pseudo").octets;
    let faster = named("v3_ipv4_interval_10cs").octets;
    let wrong = named("neg_v3_ipv4_bad_checksum").octets;
    let steps: [(&str, Vec<u8>, bool); 12] = [
        ("the first", advert(51, 11, 100, 100), true),
        ("the same again", advert(51, 11, 100, 100), false),
        ("another priority", advert(51, 11, 101, 100), true),
        ("the same again", advert(51, 11, 101, 100), false),
        ("a resignation", advert(51, 11, 0, 100), true),
        ("a resignation repeated", advert(51, 11, 0, 100), true),
        ("one that fails a check", wrong, false),
        ("another checksum form", pseudo.clone(), true),
        ("the same again", pseudo, false),
        ("the first form again, as of one that sends both", advert(51, 11, 100, 100), false),
        ("another interval", faster.clone(), true),
        ("the same again", faster, false),
    ];
    for road in Road::KERNEL {
        let mut kernel = kernel(&receiver);
        let mut events = kernel.events().expect("the ring");
        for (name, frame, told) in &steps {
            send(&mut kernel, &receiver, road, frame);

            let event = events.take();
            assert_eq!(event.is_some(), *told, "{name} on {road:?}: {event:?}");
            assert!(events.take().is_none(), "{name} on {road:?}: one record");
        }
        kernel.update(INSTANCE, |rules| rules.master = 1).expect("known");
        for _ in 0..2 {
            send(&mut kernel, &receiver, road, &advert(51, 11, 90, 100));

            assert_eq!(events.take().map(|event| event.priority), Some(90), "a Master hears every advert");
        }
    }
}

#[test]
fn c_sec_04_no_flood_of_one_kind_goes_past_its_budget_and_the_frames_count_all_the_same() {
    type Case<'a> = (&'a str, u8, Vec<Vec<u8>>, (u64, u64));
    let changing = |from: u8| (0..2).map(|step| advert(51, 11, from + step, LONG)).collect::<Vec<_>>();
    let cases: [Case<'_>; 7] = [
        ("master: losing adverts", 1, vec![advert(51, 11, 90, LONG)], LOSING),
        ("master: adverts that go before ours", 1, changing(200), RULING),
        ("master: resignations", 1, vec![advert(51, 11, 0, LONG)], RESIGNATIONS),
        ("backup: losing adverts that change", 0, changing(90), LOSING),
        ("backup: ruling adverts that change", 0, changing(200), RULING),
        ("claims", 0, vec![arp(Reply, VIP, VIP)], CLAIMS),
        ("claims over IPv6", 0, vec![advertisement(VIP6)], CLAIMS),
    ];
    let sent = 2000;
    let usual = receiver(|_| ());
    let over_ipv6 = named("v3_ipv6_2addrs").receiver;
    for road in Road::KERNEL {
        for (name, master, frames, (burst, rate)) in &cases {
            let mut receiver = if frames[0][12] == 8 { usual.clone() } else { over_ipv6.clone() };
            receiver.rules.master = *master;
            let mut kernel = kernel(&receiver);
            let mut events = kernel.events().expect("the ring");
            let start = Instant::now();

            for (_, frame) in (0..sent).zip(frames.iter().cycle()) {
                run(&mut kernel, road, frame, &mut vec![0; frame.len()]).expect("the program runs");
            }

            let whole_seconds = start.elapsed().as_secs() + 1;
            let told = records(&mut events).len() as u64;
            let held = counted(&kernel, Reason::EventHeld);
            let case = format!("{name} on {road:?}: {told} told, {held} held back");
            assert!((*burst..=burst + rate * whole_seconds).contains(&told), "{case}");
            assert!(held > 0, "{case}");
            let frames = counted(&kernel, Reason::Accepted) + counted(&kernel, Reason::Claim);
            assert_eq!(frames, sent, "{case}");
        }
    }
}

/// Promise 3: on time, whatever the LAN sends.
#[test]
fn c_sec_04_a_flood_of_one_kind_holds_no_other_back() {
    let flood = advert(51, 13, 90, LONG);
    let others = [
        ("a resignation", advert(51, 11, 0, LONG), kind::ADVERT),
        ("an advert that goes before ours", advert(51, 11, 200, LONG), kind::ADVERT),
        ("a claim", arp(Reply, VIP, VIP), kind::CLAIM),
    ];
    let receiver = receiver(|rules| rules.master = 1);
    for road in Road::KERNEL {
        let mut kernel = kernel(&receiver);
        let mut events = kernel.events().expect("the ring");
        while counted(&kernel, Reason::EventHeld) == 0 {
            send(&mut kernel, &receiver, road, &flood);
        }
        records(&mut events);
        for (name, frame, kind) in &others {
            send(&mut kernel, &receiver, road, frame);

            let told = records(&mut events);
            assert_eq!(told.iter().filter(|event| event.kind == *kind).count(), 1, "{name} on {road:?}");
        }
    }
}

#[test]
fn a_change_that_was_held_back_is_told_by_the_next_advert_that_may() {
    let receiver = receiver(|_| ());
    for road in Road::KERNEL {
        let mut kernel = kernel(&receiver);
        let mut events = kernel.events().expect("the ring");
        for priority in (90..99).cycle() {
            send(&mut kernel, &receiver, road, &advert(51, 11, priority, LONG));
            if counted(&kernel, Reason::EventHeld) > 0 {
                break;
            }
        }
        let told = records(&mut events).pop().expect("some were told");
        let change = if told.priority == 80 { 81 } else { 80 };
        let start = Instant::now();

        let event = loop {
            send(&mut kernel, &receiver, road, &advert(51, 11, change, LONG));
            if let Some(event) = events.take() {
                break event;
            }
            assert!(start.elapsed() < SOON, "{road:?}: never told");
        };

        assert_eq!(event.priority, change, "{road:?}");
        send(&mut kernel, &receiver, road, &advert(51, 11, change, LONG));
        assert_eq!(events.take(), None, "{road:?}: told once");
    }
}

/// What is held back is in SEEN all the same, and silence is timed.
#[test]
fn a_flood_that_is_held_back_is_still_stamped() {
    let receiver = receiver(|_| ());
    for road in Road::KERNEL {
        let mut kernel = kernel(&receiver);
        for priority in (200..250).cycle() {
            send(&mut kernel, &receiver, road, &advert(51, 11, priority, LONG));
            if counted(&kernel, Reason::EventHeld) > 0 {
                let seen = kernel.seen(INSTANCE).expect("adverts came");
                assert_eq!(
                    (seen.last.priority, seen.sign, seen.watched),
                    (priority, seen.last, 1),
                    "{road:?}"
                );
                break;
            }
        }
    }
}

#[test]
fn a_full_ring_is_counted_and_what_was_lost_is_told_later() {
    let mut receiver = receiver(|_| ());
    let mut kernel = kernel(&receiver);
    let mut events = kernel.events().expect("the ring");
    // More than one virtual router may tell: each has a budget.
    let routers = 1..=250_u8;
    for vrid in routers.clone() {
        receiver.key.vrid = vrid;
        kernel.publish(vrid.into(), receiver.key, &receiver.rules, &[], &[]).expect("publish");
    }
    let lost = |kernel: &Kernel| -> u64 {
        let stats = kernel.stats();
        let lost = |vrid: u8| stats.read(Some(vrid.into())).expect("counters")[Reason::EventLost.index()];
        routers.clone().map(lost).sum()
    };
    let mut priority = 200;
    while lost(&kernel) == 0 {
        priority = if priority == 200 { 201 } else { 200 };
        for vrid in routers.clone() {
            let frame = advert(vrid, 11, priority, LONG);
            run(&mut kernel, Road::Xdp, &frame, &mut vec![0; frame.len()]).expect("the program runs");
        }
    }
    records(&mut events);
    let repeated = advert(250, 11, priority, LONG);

    run(&mut kernel, Road::Xdp, &repeated, &mut vec![0; repeated.len()]).expect("the program runs");

    let told = events.take().map(|event| (event.instance, event.priority));
    assert_eq!(told, Some((250, priority)), "that of the last router was lost");
}
