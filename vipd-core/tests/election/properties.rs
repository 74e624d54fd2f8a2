//! What holds after any inputs in any order.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use vipd_core::{
    Action, Advert, Announcing, Fault, Input, InstanceId, Instant, Interval, Router, Spec, State, Version,
};

use crate::support::{OWN, us, v4};

/// Virtual routers of the router under test.
const COUNT: u16 = 3;

/// One call.
#[derive(Clone, Copy, Debug)]
enum Call {
    /// An input; an advert arrived this long before it is told.
    Handle(InstanceId, Input, Duration),
    Expire,
    /// Expire exactly when it is asked for.
    ExpireOnTime,
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    let span = || prop_oneof![Just(Duration::ZERO), (1_u64..6_000).prop_map(Duration::from_millis)];
    let announcing =
        (1_u8..4, span(), span(), 0_u8..3).prop_map(|(repeat, delay, refresh, refresh_repeat)| Announcing {
            repeat,
            delay,
            refresh,
            refresh_repeat,
            losing_repeat: 1,
            losing_delay: Duration::ZERO,
        });
    let version = prop_oneof![Just(Version::V2), Just(Version::V3)];
    let spec = (version, priority(), interval(), any::<bool>(), span(), announcing).prop_map(
        |(version, priority, interval, preempt, preempt_delay, announcing)| Spec {
            version,
            priority,
            interval,
            preempt,
            preempt_delay,
            down_adverts: 3,
            mute_to_losers: false,
            last_word: false,
            group: None,
            fenced: false,
            source: OWN,
            announcing,
        },
    );
    vec(spec, usize::from(COUNT))
}

fn priority() -> impl Strategy<Value = u8> {
    prop_oneof![Just(1_u8), Just(100), Just(254), Just(255), 1_u8..]
}

fn interval() -> impl Strategy<Value = Interval> {
    (1_u16..500).prop_map(|cs| Interval::from_centis(cs).expect("above zero"))
}

fn input() -> impl Strategy<Value = Input> {
    let source = (10_u8..15).prop_map(|host| v4(192, 0, 2, host));
    let fault = || prop_oneof![Just(Fault::Link), Just(Fault::Source)];
    let heard = prop_oneof![1 => Just(0_u8), 4 => priority()];
    let advert = (source.clone(), heard, interval()).prop_map(|(source, priority, interval)| {
        Input::AdvertSeen(Advert { source, priority, interval, at: us(0) })
    });
    prop_oneof![
        3 => Just(Input::Startup),
        1 => Just(Input::Shutdown),
        8 => advert,
        2 => Just(Input::Watched),
        1 => Just(Input::Silent),
        1 => any::<bool>().prop_map(Input::Connected),
        1 => Just(Input::HandOver),
        1 => fault().prop_map(Input::FaultRaised),
        2 => fault().prop_map(Input::FaultCleared),
        1 => source.prop_map(Input::SourceChanged),
        1 => priority().prop_map(Input::PriorityChanged),
    ]
}

/// Calls, each with the time since the one before.
fn calls() -> impl Strategy<Value = Vec<(Duration, Call)>> {
    let read_after = prop_oneof![3 => Just(0_u64), 1 => 0_u64..2_000_000_000].prop_map(Duration::from_nanos);
    let call = prop_oneof![
        3 => (0..COUNT, input(), read_after).prop_map(|(id, input, late)| Call::Handle(InstanceId(id), input, late)),
        1 => Just(Call::Expire),
        4 => Just(Call::ExpireOnTime),
    ];
    let pause =
        prop_oneof![Just(0_u64), 0_u64..50_000_000, 0_u64..5_000_000_000].prop_map(Duration::from_nanos);
    vec((pause, call), 1..150)
}

/// Gives the calls their moments: time never goes back.
fn play(router: &mut Router, calls: &[(Duration, Call)], mut after: impl FnMut(&mut Router, Call, Instant)) {
    let mut now = us(0);
    for (pause, call) in calls {
        match *call {
            Call::Handle(id, input, late) => {
                now = now + *pause;
                router.handle(id, arrived(input, now, late), now);
            }
            Call::Expire => {
                now = now + *pause;
                router.expire(now);
            }
            Call::ExpireOnTime => {
                now = router.next_deadline().map_or(now, |due| due.max(now));
                router.expire(now);
            }
        }
        after(router, *call, now);
    }
}

/// The input, its advert stamped `late` before `now`.
fn arrived(input: Input, now: Instant, late: Duration) -> Input {
    let at = Instant::from_nanos(0) + now.since(Instant::from_nanos(0) + late);
    match input {
        Input::AdvertSeen(advert) => Input::AdvertSeen(Advert { at, ..advert }),
        other => other,
    }
}

fn drain(router: &mut Router) -> Vec<Action> {
    std::iter::from_fn(|| router.poll_action()).collect()
}

/// What an onlooker knows of a virtual router from its actions alone.
#[derive(Clone, Copy, Debug)]
struct Seen {
    state: State,
    holds: bool,
    /// The action before was the report of leaving MASTER for good, so that priority 0 is in order.
    may_resign: bool,
}

impl Seen {
    const NEW: Self = Self { state: State::Initialize, holds: false, may_resign: false };

    /// Takes in one action, which must fit what was seen before.
    fn take(&mut self, action: &Action, now: Instant) {
        let may_resign = std::mem::take(&mut self.may_resign);
        match *action {
            Action::Report(_, transition) => {
                assert_eq!(transition.from, self.state, "the chain of reports breaks");
                assert_ne!(transition.to, self.state, "a report of no change");
                assert_eq!(transition.at, now);
                self.state = transition.to;
                self.may_resign = transition.from == State::Master && transition.to != State::Backup;
            }
            Action::SendAdvert(_, 0) => {
                assert!(may_resign || self.state == State::Master, "priority 0 without resigning");
            }
            Action::SendAdvert(..) => assert_eq!(self.state, State::Master, "C-TX-09"),
            Action::Announce(_) => assert_eq!(self.state, State::Master, "C-ARP-08"),
            Action::ProveConnected(_) => assert_eq!(self.state, State::Backup),
            Action::ReportLoser(_) => assert_eq!(self.state, State::Master),
            Action::HoldAddresses(_, holds) => {
                assert_ne!(holds, self.holds, "told what was told before");
                self.holds = holds;
            }
        }
    }
}

fn whose(action: &Action) -> InstanceId {
    match *action {
        Action::Report(id, _)
        | Action::SendAdvert(id, _)
        | Action::HoldAddresses(id, _)
        | Action::ReportLoser(id)
        | Action::ProveConnected(id)
        | Action::Announce(id) => id,
    }
}

proptest! {
    #[test]
    fn actions_tell_one_consistent_story(specs in specs(), calls in calls()) {
        let mut seen = [Seen::NEW; COUNT as usize];
        play(&mut Router::new(specs), &calls, |router, _, now| {
            for action in drain(router) {
                seen[usize::from(whose(&action).0)].take(&action, now);
            }
            for (id, seen) in (0..COUNT).map(InstanceId).zip(&seen) {
                assert_eq!(router.state(id), seen.state, "a change without a report");
                assert_eq!(seen.holds, seen.state == State::Master, "addresses are held exactly in MASTER");
            }
        });
    }

    #[test]
    fn no_deadline_is_left_behind_by_expire(specs in specs(), calls in calls()) {
        play(&mut Router::new(specs), &calls, |router, call, now| {
            if !matches!(call, Call::Handle(..)) {
                assert!(router.next_deadline().is_none_or(|due| due > now), "{call:?} at {now}");
            }
        });
    }

    #[test]
    fn a_backup_has_a_silence_deadline_and_only_a_backup(specs in specs(), calls in calls()) {
        play(&mut Router::new(specs), &calls, |router, _, _| {
            for id in (0..COUNT).map(InstanceId) {
                let is_backup = router.state(id) == State::Backup;
                assert_eq!(router.silence_deadline(id).is_some(), is_backup);
            }
        });
    }

    #[test]
    fn an_advert_read_late_never_brings_a_takeover_forward(
        specs in specs(),
        calls in calls(),
        id in (0..COUNT).prop_map(InstanceId),
        advert in input().prop_filter("an advert", |input| matches!(input, Input::AdvertSeen(_))),
        age in (1_u64..5_000_000_000).prop_map(Duration::from_nanos),
    ) {
        let mut router = Router::new(specs);
        let mut last = us(0);
        play(&mut router, &calls, |_, _, now| last = now);
        let newest = last + Duration::from_secs(10);
        let interval = router.status(id).active_interval;
        let sign = Advert { source: v4(192, 0, 2, 14), priority: 255, interval, at: newest };
        router.handle(id, Input::AdvertSeen(sign), newest);
        let before = router.silence_deadline(id);

        router.handle(id, arrived(advert, newest, age), newest);

        prop_assert!(router.silence_deadline(id) >= before);
    }

    #[test]
    fn c_fsm_15_virtual_routers_do_not_touch_each_other(specs in specs(), calls in calls()) {
        let mut together = vec![];
        let mut moments = vec![];
        play(&mut Router::new(specs.clone()), &calls, |router, call, now| {
            together.extend(drain(router));
            moments.push((call, now));
        });

        for id in (0..COUNT).map(InstanceId) {
            let mut router = Router::new(vec![specs[usize::from(id.0)].clone()]);
            let mut alone = vec![];
            for (call, now) in &moments {
                match *call {
                    Call::Handle(to, input, late) if to == id => {
                        router.handle(InstanceId(0), arrived(input, *now, late), *now);
                    }
                    Call::Handle(..) => {}
                    Call::Expire | Call::ExpireOnTime => router.expire(*now),
                }
                alone.extend(drain(&mut router).iter().map(|action| renamed(action, id)));
            }
            let of_id: Vec<_> = together.iter().filter(|action| whose(action) == id).cloned().collect();
            prop_assert_eq!(of_id, alone);
        }
    }

    /// A reload is no cause for anything: what follows from it follows with the next timer or input.
    #[test]
    fn another_configuration_does_nothing_by_itself_and_the_story_goes_on(
        specs in specs(),
        before in calls(),
        others in specs(),
        after in calls(),
    ) {
        let mut router = Router::new(specs);
        let mut seen = [Seen::NEW; COUNT as usize];
        let mut begin = us(0);
        play(&mut router, &before, |router, _, now| {
            begin = now;
            for action in &drain(router) {
                seen[usize::from(whose(action).0)].take(action, now);
            }
        });
        let states = [0, 1, 2].map(|id| router.state(InstanceId(id)));

        router.reconfigure((0..COUNT).map(InstanceId).zip(others), begin);

        prop_assert_eq!(drain(&mut router), []);
        prop_assert_eq!([0, 1, 2].map(|id| router.state(InstanceId(id))), states);
        let later = begin.since(us(0));
        let after: Vec<_> = std::iter::once((later, Call::Expire)).chain(after).collect();
        play(&mut router, &after, |router, call, now| {
            for action in &drain(router) {
                seen[usize::from(whose(action).0)].take(action, now);
            }
            if !matches!(call, Call::Handle(..)) {
                assert!(router.next_deadline().is_none_or(|due| due > now), "{call:?} at {now}");
            }
        });
    }

    #[test]
    fn same_inputs_give_same_actions(specs in specs(), calls in calls()) {
        let run = || {
            let mut actions = vec![];
            play(&mut Router::new(specs.clone()), &calls, |router, _, _| actions.extend(drain(router)));
            actions
        };
        prop_assert_eq!(run(), run());
    }
}

/// The action as one of `id`.
fn renamed(action: &Action, id: InstanceId) -> Action {
    match *action {
        Action::Report(_, transition) => Action::Report(id, transition),
        Action::SendAdvert(_, priority) => Action::SendAdvert(id, priority),
        Action::HoldAddresses(_, holds) => Action::HoldAddresses(id, holds),
        Action::Announce(_) => Action::Announce(id),
        Action::ReportLoser(_) => Action::ReportLoser(id),
        Action::ProveConnected(_) => Action::ProveConnected(id),
    }
}

#[test]
fn of_equal_deadlines_the_smaller_id_fires_first() {
    let mut router = Router::new(vec![crate::support::v3(100); usize::from(COUNT)]);
    for id in [2, 0, 1].map(InstanceId) {
        router.handle(id, Input::Startup, us(0));
    }
    drain(&mut router);

    router.expire(us(3_609_375));

    let order: Vec<_> = drain(&mut router).iter().map(whose).collect();
    assert!(order.is_sorted(), "{order:?}");
    assert_eq!(order.len(), 12);
}

#[test]
fn the_earlier_deadline_fires_first_whatever_its_id() {
    let mut router = Router::new([100, 101, 102].map(crate::support::v3).into());
    for id in (0..COUNT).map(InstanceId) {
        router.handle(id, Input::Startup, us(0));
    }
    drain(&mut router);

    router.expire(us(9_000_000));

    let order: Vec<_> = drain(&mut router).iter().map(whose).collect();
    assert!(order.is_sorted_by(|earlier, later| earlier >= later), "{order:?}");
}
