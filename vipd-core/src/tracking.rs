//! Priority arithmetic: what tracked things make of the priority of the virtual routers that track them.
//!
//! Keepalived's rules: the effective priority is the configured one and what every tracked thing adds, kept within 1 and
//! 254; the owner's 255 never moves; a thing of weight 0 is a fault of the virtual router while it is down.

use crate::instance::OWNER;
use crate::{Fault, Input, InstanceId, TrackerId};

/// A sum that is this low is a fault (Keepalived's rule for files and processes).
const FAULT: i32 = -254;

/// What is known of a tracked thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tracked {
    /// Nothing yet: without a weight it counts as down, with one not at all.
    #[default]
    Unknown,
    /// It works.
    Up,
    /// It does not.
    Down,
    /// A number, such as a tracked file has; 0 is up where there is no weight.
    Value(i32),
}

/// How a virtual router tracks a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// The thing.
    pub tracker: TrackerId,
    /// Points: a positive weight counts while the thing is up, a negative one while it is down, and a number is
    /// multiplied by it. Zero: being down is a fault.
    pub weight: i16,
    /// The points count with the other sign; without a weight, being up is a fault instead of being down.
    pub reverse: bool,
}

/// What a tracked thing does to a virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It adds these points to the priority.
    Points(i32),
    /// It is a fault.
    Fault,
}

impl Tracking {
    /// What the thing does while it is like this.
    #[must_use]
    pub fn effect(&self, tracked: Tracked) -> Effect {
        let weight = i32::from(self.weight);
        let is_up = match tracked {
            Tracked::Up => Some(true),
            Tracked::Down => Some(false),
            Tracked::Value(value) if weight == 0 => Some(value == 0),
            Tracked::Unknown | Tracked::Value(_) => None,
        };
        if weight == 0 {
            return if is_up == Some(!self.reverse) { Effect::Points(0) } else { Effect::Fault };
        }
        let points = match (tracked, is_up) {
            (Tracked::Value(value), _) => value.saturating_mul(weight).clamp(FAULT, -FAULT),
            (_, Some(true)) => weight.max(0),
            (_, Some(false)) => weight.min(0),
            (_, None) => 0,
        };
        let points = if self.reverse { -points } else { points };
        // More than this cannot be added to any priority.
        let points = points.min(-FAULT - 1);
        if points <= FAULT { Effect::Fault } else { Effect::Points(points) }
    }
}

/// One virtual router in the arithmetic.
#[derive(Debug)]
struct Sum {
    base: u8,
    tracking: Vec<Tracking>,
    /// What the election was told last.
    told: (u8, Option<TrackerId>),
}

impl Sum {
    fn now(&self, states: &[Tracked]) -> (u8, Option<TrackerId>) {
        let effects = self.tracking.iter().map(|tracking| {
            let state = states.get(usize::from(tracking.tracker.0)).copied().unwrap_or_default();
            (tracking.tracker, tracking.effect(state))
        });
        let (mut points, mut fault) = (0_i32, None);
        for (tracker, effect) in effects {
            match effect {
                Effect::Points(more) => points = points.saturating_add(more),
                Effect::Fault => fault = fault.or(Some(tracker)),
            }
        }
        let sum = i32::from(self.base).saturating_add(points).clamp(1, 254);
        let priority = if self.base == OWNER { OWNER } else { u8::try_from(sum).unwrap_or(self.base) };
        (priority, fault)
    }
}

/// What is known of every tracked thing, and what follows for the virtual routers.
#[derive(Debug)]
pub struct Trackers {
    states: Vec<Tracked>,
    sums: Vec<Sum>,
}

impl Trackers {
    /// `count` things of which nothing is known; for each virtual router, in the order of their ids, its configured
    /// priority and what it tracks.
    #[must_use]
    pub fn new(count: u16, routers: impl IntoIterator<Item = (u8, Vec<Tracking>)>) -> Self {
        let sum = |(base, tracking)| Sum { base, tracking, told: (base, None) };
        Self {
            states: vec![Tracked::Unknown; usize::from(count)],
            sums: routers.into_iter().map(sum).collect(),
        }
    }

    /// Goes on from what was told of a virtual router `before`, by an arithmetic of another configuration: the fault that it
    /// has by the numbers of then, and the priority that the election goes by.
    pub fn resume(&mut self, id: InstanceId, priority: u8, before: &Self) {
        let fault = before.sums.get(usize::from(id.0)).and_then(|sum| sum.told.1);
        if let Some(sum) = self.sums.get_mut(usize::from(id.0)) {
            sum.told = (priority, fault);
        }
    }

    /// What is known of a thing.
    #[must_use]
    pub fn state(&self, tracker: TrackerId) -> Tracked {
        self.states.get(usize::from(tracker.0)).copied().unwrap_or_default()
    }

    /// Takes note of what a thing is like now.
    pub fn set(&mut self, tracker: TrackerId, now: Tracked) {
        if let Some(state) = self.states.get_mut(usize::from(tracker.0)) {
            *state = now;
        }
    }

    /// Tells what is different for the virtual routers since this was asked last; the first time, what is different from
    /// a virtual router that tracks nothing.
    pub fn changes(&mut self, mut tell: impl FnMut(InstanceId, Input)) {
        for (id, sum) in (0..).map(InstanceId).zip(&mut self.sums) {
            let now = sum.now(&self.states);
            let before = core::mem::replace(&mut sum.told, now);
            if now.0 != before.0 {
                tell(id, Input::PriorityChanged(now.0));
            }
            match (before.1, now.1) {
                (before, Some(fault)) if before != Some(fault) => {
                    tell(id, Input::FaultRaised(Fault::Tracked(fault)));
                }
                (Some(fault), None) => tell(id, Input::FaultCleared(Fault::Tracked(fault))),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Effect::{Fault as Faulty, Points};
    use Tracked::{Down, Unknown, Up, Value};

    #[test]
    fn a_weight_counts_as_keepalived_has_it() {
        #[rustfmt::skip]
        let cases = [
            // weight, reverse, unknown, up, down
            (0, false, Faulty, Points(0), Faulty),
            (0, true, Faulty, Faulty, Points(0)),
            (20, false, Points(0), Points(20), Points(0)),
            (20, true, Points(0), Points(-20), Points(0)),
            (-20, false, Points(0), Points(0), Points(-20)),
            (-20, true, Points(0), Points(0), Points(20)),
            (-254, false, Points(0), Points(0), Faulty),
        ];
        for (weight, reverse, unknown, up, down) in cases {
            let tracking = Tracking { tracker: TrackerId(0), weight, reverse };

            let effects = [Unknown, Up, Down].map(|state| tracking.effect(state));

            assert_eq!(effects, [unknown, up, down], "weight {weight}, reverse {reverse}");
        }
    }

    #[test]
    fn a_number_is_multiplied_by_the_weight() {
        let cases = [
            (1, false, 10, Points(10)),
            (-2, false, 10, Points(-20)),
            (1, true, 10, Points(-10)),
            (1, false, -254, Faulty),
            (1, false, i32::MIN, Faulty),
            (1, false, i32::MAX, Points(253)),
            (0, false, 0, Points(0)),
            (0, false, 7, Faulty),
            (0, true, 0, Faulty),
            (0, true, 7, Points(0)),
        ];
        for (weight, reverse, value, expected) in cases {
            let tracking = Tracking { tracker: TrackerId(0), weight, reverse };

            assert_eq!(tracking.effect(Value(value)), expected, "{value} x {weight}, reverse {reverse}");
        }
    }

    fn weights(weights: &[i16]) -> Vec<Tracking> {
        let tracking =
            |(n, weight): (u16, &i16)| Tracking { tracker: TrackerId(n), weight: *weight, reverse: false };
        (0..).zip(weights).map(tracking).collect()
    }

    fn told(trackers: &mut Trackers) -> Vec<(u16, Input)> {
        let mut inputs = Vec::new();
        trackers.changes(|id, input| inputs.push((id.0, input)));
        inputs
    }

    /// The guide's weight table: 110 against 100, checks of -20 and -30, an interface of -50.
    #[test]
    fn the_guides_weight_table() {
        let cases = [
            ("all healthy", [Up, Up, Up], 110),
            ("HAProxy down", [Down, Up, Up], 90),
            ("HTTP failing", [Up, Down, Up], 80),
            ("both", [Down, Down, Up], 60),
            ("interface down", [Up, Up, Down], 60),
            ("everything", [Down, Down, Down], 10),
        ];
        for (name, states, expected) in cases {
            let mut trackers = Trackers::new(3, [(110, weights(&[-20, -30, -50]))]);
            for (n, state) in (0..).zip(states) {
                trackers.set(TrackerId(n), state);
            }

            let inputs = told(&mut trackers);

            let changed = (expected != 110).then_some((0, Input::PriorityChanged(expected)));
            assert_eq!(inputs, Vec::from_iter(changed), "{name}");
        }
    }

    /// C-FSM-17
    #[test]
    fn the_sum_stays_within_1_and_254_and_the_owner_where_it_is() {
        for (base, weight, state, expected) in
            [(100, -200, Down, Some(1)), (200, 100, Up, Some(254)), (255, -100, Down, None)]
        {
            let mut trackers = Trackers::new(1, [(base, weights(&[weight]))]);
            trackers.set(TrackerId(0), state);

            let inputs = told(&mut trackers);

            assert_eq!(
                inputs,
                Vec::from_iter(expected.map(|priority| (0, Input::PriorityChanged(priority))))
            );
        }
    }

    #[test]
    fn only_what_is_different_is_told() {
        let mut trackers = Trackers::new(2, [(100, weights(&[0, -10])), (100, weights(&[-5]))]);
        let raised = |n| Input::FaultRaised(Fault::Tracked(TrackerId(n)));
        assert_eq!(told(&mut trackers), [(0, raised(0))], "unknown");

        trackers.set(TrackerId(0), Up);
        assert_eq!(told(&mut trackers), [(0, Input::FaultCleared(Fault::Tracked(TrackerId(0))))]);

        trackers.set(TrackerId(1), Down);
        assert_eq!(told(&mut trackers), [(0, Input::PriorityChanged(90))]);

        trackers.set(TrackerId(0), Down);
        assert_eq!(told(&mut trackers), [(0, raised(0)), (1, Input::PriorityChanged(95))]);
        assert_eq!(told(&mut trackers), []);
    }

    /// The second thing of before is the first one now; what it makes of the virtual router is no news.
    #[test]
    fn another_arithmetic_tells_what_is_different_from_the_one_before() {
        let mut before = Trackers::new(2, [(100, weights(&[-10, 0]))]);
        before.set(TrackerId(0), Down);
        before.set(TrackerId(1), Up);
        told(&mut before);
        let of = |base, list: &[i16], states: &[Tracked]| {
            let mut trackers = Trackers::new(2, [(base, weights(list))]);
            (0..).zip(states).for_each(|(n, state)| trackers.set(TrackerId(n), *state));
            trackers.resume(InstanceId(0), 90, &before);
            told(&mut trackers)
        };

        assert_eq!(of(100, &[0, -10], &[Up, Down]), []);
        assert_eq!(of(120, &[0, -10], &[Up, Down]), [(0, Input::PriorityChanged(110))]);
        assert_eq!(of(90, &[], &[]), []);
        before.set(TrackerId(1), Down);
        told(&mut before);
        let mut trackers = Trackers::new(0, [(90, vec![])]);
        trackers.resume(InstanceId(0), 90, &before);
        let cleared = Input::FaultCleared(Fault::Tracked(TrackerId(1)));
        assert_eq!(told(&mut trackers), [(0, cleared)]);
    }
}
