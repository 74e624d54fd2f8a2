//! The dead-man timer: which adverts it waits after, how long, and what it tells (promises 2 and 3).

use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use vipd::datapath::{Events, Kernel};
use vipd_common::abi::{Event, Rules, kind};
use vipd_common::wait;

use crate::corpus::{Receiver, named};
use crate::emit::advert;
use crate::programs::{INSTANCE, OTHER, Road, kernel, publish, send};

/// Far beyond any silence in these tests, in milliseconds.
const SOON: u16 = 60_000;
/// Centiseconds: an interval after which a test may wait for silence, and one whose silence no test lives to see.
const SHORT: u16 = 2;
const LONG: u16 = 4095;

fn receiver(change: impl FnOnce(&mut Rules)) -> Receiver {
    let mut receiver = named("v3_ipv4_1addr_msgonly").receiver;
    change(&mut receiver.rules);
    receiver
}

/// Waits for the next record.
fn next(events: &mut Events) -> Event {
    loop {
        if let Some(event) = events.take() {
            return event;
        }
        let mut ready = [PollFd::new(events.as_fd(), PollFlags::POLLIN)];
        assert_ne!(poll(&mut ready, PollTimeout::from(SOON)).expect("poll"), 0, "no record came");
    }
}

/// Waits for a silence, past records of adverts.
fn silence(events: &mut Events) -> Event {
    loop {
        let event = next(events);
        if event.kind == kind::SILENT {
            return event;
        }
    }
}

struct Watched {
    kernel: Kernel,
    receiver: Receiver,
    events: Events,
    road: Road,
}

impl Watched {
    fn new(road: Road, change: impl FnOnce(&mut Rules)) -> Self {
        let receiver = receiver(change);
        let mut kernel = kernel(&receiver);
        let events = kernel.events().expect("the ring");
        Self { kernel, receiver, events, road }
    }

    fn hear(&mut self, frame: &[u8]) {
        let outcome = send(&mut self.kernel, &self.receiver, self.road, frame);
        assert!(outcome.pass, "{outcome:?}");
    }

    /// Adds a second virtual router, and lets it hear one advert: its silence is the clock of tests that show that something
    /// else does not come.
    fn add_clock(&mut self) {
        let mut other = self.receiver.clone();
        other.key.vrid = 52;
        self.kernel
            .publish(OTHER, other.key, &Rules { master: 0, ..other.rules }, &[], &[])
            .expect("publish");
        self.hear(&advert(52, 11, 200, SHORT));
    }

    fn seen(&self) -> vipd_common::abi::Seen {
        self.kernel.seen(INSTANCE).expect("an advert came")
    }
}

#[test]
fn c_fsm_05_06_08_09_signs_of_life_are_stamped_and_waited_after_and_others_are_not() {
    type Case<'a> = (&'a str, fn(&mut Rules), &'a [(u8, u8)], Option<(u8, u8)>);
    let cases: [Case<'_>; 11] = [
        ("backup: higher", |_| (), &[(11, 200)], Some((11, 200))),
        ("backup: equal", |_| (), &[(11, 100)], Some((11, 100))),
        ("backup: lower", |_| (), &[(11, 99)], None),
        ("backup that does not preempt: lower", |rules| rules.alive_from = 1, &[(11, 1)], Some((11, 1))),
        ("backup: lower after higher", |_| (), &[(11, 200), (13, 99)], Some((11, 200))),
        ("backup: resigned", |_| (), &[(11, 200), (11, 0)], Some((11, 0))),
        ("backup: another after a resignation", |_| (), &[(11, 0), (13, 150)], Some((13, 150))),
        ("master: higher", |rules| rules.master = 1, &[(11, 101)], Some((11, 101))),
        ("master: equal, greater address", |rules| rules.master = 1, &[(13, 100)], Some((13, 100))),
        ("master: equal, smaller address", |rules| rules.master = 1, &[(11, 100)], None),
        ("master: resigned", |rules| rules.master = 1, &[(13, 0)], None),
    ];
    for road in Road::KERNEL {
        for (name, state, adverts, expected) in cases {
            let mut router = Watched::new(road, state);

            for (host, priority) in adverts {
                router.hear(&advert(51, *host, *priority, LONG));
            }

            let seen = router.seen();
            let sign = (seen.sign.at != 0).then_some((seen.sign.source[15], seen.sign.priority));
            assert_eq!(sign, expected, "{name} on {road:?}");
            assert_eq!(seen.watched, u8::from(expected.is_some()), "{name} on {road:?}");
            let records: Vec<Event> = std::iter::from_fn(|| router.events.take()).collect();
            assert_eq!(records.len(), adverts.len(), "{name} on {road:?}");
            assert_eq!(records[records.len() - 1].watched, seen.watched, "{name} on {road:?}: told");
        }
    }
}

/// Promise 3: on time, which is never early.
#[test]
fn c_tmr_02_silence_is_told_once_with_its_evidence_and_not_before_the_deadline() {
    for road in Road::KERNEL {
        let mut router = Watched::new(road, |_| ());
        router.hear(&advert(51, 11, 200, SHORT));
        router.hear(&advert(51, 11, 200, SHORT));
        let sign = router.seen().sign;

        let event = silence(&mut router.events);

        assert_eq!((event.instance, event.since), (INSTANCE, sign.at), "{road:?}");
        assert_eq!((event.addr, event.priority, event.interval_cs), (sign.source, 200, SHORT));
        assert!(event.at >= wait::deadline(&router.receiver.rules, &sign), "{road:?}: {event:?} {sign:?}");
        assert_eq!((router.seen().watched, event.watched), (0, 0), "nothing is waited for");
        router.add_clock();
        assert_eq!(silence(&mut router.events).instance, OTHER, "told once");
    }
}

/// Promise 3: on time.
#[test]
fn what_would_bring_silence_forward_does() {
    let resigned: fn(&mut Watched) = |router| router.hear(&advert(51, 11, 0, LONG));
    let faster: fn(&mut Watched) = |router| router.hear(&advert(51, 11, 200, SHORT));
    // Its timer waits for 122 seconds unless it is moved.
    let cases = [("a resignation", SHORT, resigned, 0), ("a shorter interval", LONG, faster, 200)];
    for road in Road::KERNEL {
        for (name, interval, act, priority) in cases {
            let mut router = Watched::new(road, |_| ());
            router.hear(&advert(51, 11, 200, interval));

            act(&mut router);

            let sign = router.seen().sign;
            let event = silence(&mut router.events);
            assert_eq!((event.since, event.priority), (sign.at, priority), "{name} on {road:?}");
            assert_eq!(event.interval_cs, SHORT, "{name} on {road:?}: that of the advert followed");
            assert!(event.at >= wait::deadline(&router.receiver.rules, &sign), "{name} on {road:?}");
        }
    }
}

/// Promise 2: no false alarm.
#[test]
fn silence_counts_from_the_last_sign_of_life_and_by_the_priority_of_the_moment() {
    for road in Road::KERNEL {
        let mut router = Watched::new(road, |rules| rules.priority = 254);
        router.hear(&advert(51, 11, 254, SHORT));
        router.kernel.update(INSTANCE, |rules| rules.priority = 1).expect("known");
        router.hear(&advert(51, 13, 254, SHORT));
        let sign = router.seen().sign;

        let event = silence(&mut router.events);

        let rules = Rules { priority: 1, ..router.receiver.rules };
        assert_eq!((event.since, event.addr[15]), (sign.at, 13), "{road:?}");
        assert!(event.at >= wait::deadline(&rules, &sign), "{road:?}: {event:?} {sign:?}");
    }
}

/// Promise 2: no false alarm.
#[test]
fn who_waits_for_nobody_is_told_of_no_silence() {
    let promoted: fn(&mut Watched) = |router| {
        router.kernel.update(INSTANCE, |rules| rules.master = 1).expect("known");
    };
    let withdrawn: fn(&mut Watched) = |router| router.kernel.withdraw(INSTANCE).expect("withdraw");
    for road in Road::KERNEL {
        for (name, act) in [("a Master", promoted), ("one that is gone", withdrawn)] {
            let mut router = Watched::new(road, |_| ());
            router.hear(&advert(51, 11, 200, SHORT));

            act(&mut router);

            router.add_clock();
            assert_eq!(silence(&mut router.events).instance, OTHER, "{name} on {road:?}");
            let seen = router.kernel.seen(INSTANCE).unwrap_or_default();
            assert_eq!(seen.watched, 0, "{name} on {road:?}");
        }
    }
}

/// Promise 3: on time, even when the daemon gets no CPU to step down before.
#[test]
fn a_master_that_was_told_to_make_way_hears_of_the_silence_that_follows() {
    for road in Road::KERNEL {
        let mut router = Watched::new(road, |rules| rules.master = 1);

        router.hear(&advert(51, 11, 200, SHORT));

        assert_eq!(silence(&mut router.events).priority, 200, "{road:?}");
    }
}

#[test]
fn after_a_silence_the_next_sign_of_life_is_told_and_waited_after_again() {
    for road in Road::KERNEL {
        let mut router = Watched::new(road, |_| ());
        for _ in 0..2 {
            router.hear(&advert(51, 11, 200, SHORT));

            let event = next(&mut router.events);
            assert_eq!((event.kind, event.watched), (kind::ADVERT, 1), "{road:?}");
            assert_eq!(next(&mut router.events).kind, kind::SILENT, "{road:?}");
        }
    }
}

#[test]
fn without_timers_in_the_kernel_everything_but_the_waiting_is_the_same() {
    let receiver = receiver(|_| ());
    for road in Road::KERNEL {
        let mut kernel = Kernel::load_with(false).expect("it loads");
        publish(&mut kernel, &receiver);
        let mut events = kernel.events().expect("the ring");

        send(&mut kernel, &receiver, road, &advert(51, 11, 200, SHORT));

        let seen = kernel.seen(INSTANCE).expect("an advert came");
        assert_eq!((seen.sign, seen.watched), (seen.last, 0), "{road:?}");
        assert_eq!(events.take().map(|event| event.watched), Some(0), "{road:?}");
    }
}
