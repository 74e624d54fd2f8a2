//! What is known of tracked things, on its way to the election.

use vipd_core::{Cause, Effect, Input, InstanceId, Tracked, TrackerId, Trackers};

use super::clock;
use super::run::Election;
use crate::config::Config;
use crate::link::Links;
use crate::track::{Kind, Known};

/// The priority arithmetic, with what it is fed from.
pub(super) struct Arithmetic {
    pub(super) known: Known,
    trackers: Trackers,
    /// Virtual routers that take no part yet: something that they track without a weight has no result.
    pub(super) waiting: Vec<InstanceId>,
}

impl Arithmetic {
    pub(super) fn new(config: &Config, known: Known) -> Self {
        let count = u16::try_from(known.plan.things().len()).unwrap_or(u16::MAX);
        let trackers = Trackers::new(count, known.plan.sums(config));
        Self { known, trackers, waiting: Vec::new() }
    }

    /// Goes on from what the election was told by the arithmetic of another configuration, and by the priority that it goes
    /// by now. Who waits goes on waiting.
    pub(super) fn resume(&mut self, before: &Self, id: InstanceId, priority: u8) {
        self.trackers.resume(id, priority, &before.trackers);
        self.waiting.extend(before.waiting.iter().filter(|waiting| **waiting == id));
    }

    /// Takes over what interfaces are like: rtnetlink tells this thread anyway.
    fn look_at(&self, links: &Links) {
        for (id, thing) in self.known.plan.numbered().filter(|(_, thing)| thing.kind == Kind::Interface) {
            let is_up = links.by_name(&thing.name).is_some_and(|link| link.up);
            self.known.readings.set(id, if is_up { Tracked::Up } else { Tracked::Down }, None);
        }
    }

    /// Takes over what things are like, and tells which of them have changed.
    fn read(&mut self) -> Vec<TrackerId> {
        let Self { known, trackers, .. } = self;
        let states = known.plan.numbered().map(|(id, _)| (id, known.readings.state(id)));
        let changed: Vec<_> = states.filter(|(id, state)| trackers.state(*id) != *state).collect();
        for (id, state) in &changed {
            trackers.set(*id, *state);
        }
        changed.into_iter().map(|(id, _)| id).collect()
    }

    /// The first thing without a result that keeps a virtual router from taking part.
    fn awaited(&self, id: InstanceId) -> Option<TrackerId> {
        let unknown = self.known.plan.of(id).iter().find(|tracking| {
            self.trackers.state(tracking.tracker) == Tracked::Unknown
                && tracking.effect(Tracked::Unknown) == Effect::Fault
        });
        unknown.map(|tracking| tracking.tracker)
    }

    /// What a virtual router makes of those things that it tracks, told in one line.
    fn tell(&self, id: InstanceId, things: &[TrackerId]) -> String {
        let tracks =
            |thing: &&TrackerId| self.known.plan.of(id).iter().any(|tracking| tracking.tracker == **thing);
        let told: Vec<String> = things.iter().filter(tracks).map(|thing| self.known.tell(*thing)).collect();
        told.join(", ")
    }
}

impl Election {
    /// Has a virtual router take part, unless something that it tracks without a weight has no result yet, or nobody is to take
    /// part so soon after the start: then it waits, in state INIT.
    pub(super) fn start_up(&mut self, id: InstanceId) {
        let planned = self.planned(id);
        if planned.ifindex == 0 {
            let (name, interface) = (&planned.config.name, &planned.config.interface);
            let there = self.monitor.links().names().join(", ");
            tracing::warn!(
                "({name}) interface {interface} does not exist yet; there is {there}. It is used when it comes"
            );
        }
        let awaited = self.arithmetic.awaited(id);
        if let Some(thing) = awaited {
            let waits = &self.arithmetic.known.plan.thing(thing).name;
            tracing::info!("({}) waits for the first result of {waits}", self.name(id));
        }
        if awaited.is_some() || self.delayed_until.is_some() {
            self.arithmetic.waiting.push(id);
        } else {
            self.router.handle(id, Input::Startup, clock::now());
        }
        self.publish(id);
    }

    /// Tells the election what has become of tracked things.
    pub(super) fn weigh(&mut self) {
        self.arithmetic.look_at(self.monitor.links());
        let changed = self.arithmetic.read();
        let mut told = Vec::new();
        self.arithmetic.trackers.changes(|id, input| told.push((id, input)));
        let now = clock::now();
        for (id, input) in told {
            if let Input::PriorityChanged(priority) = input {
                let before = self.router.status(id).priority;
                let why = match self.arithmetic.tell(id, &changed) {
                    why if why.is_empty() => "another configuration".to_owned(),
                    why => why,
                };
                tracing::info!(
                    "({}) Changing effective priority from {before} to {priority}: {why}",
                    self.name(id)
                );
            }
            self.tell(id, input, now);
        }
        let waiting = std::mem::take(&mut self.arithmetic.waiting);
        for id in waiting {
            if self.delayed_until.is_some() || self.arithmetic.awaited(id).is_some() {
                self.arithmetic.waiting.push(id);
            } else {
                self.tell(id, Input::Startup, now);
            }
        }
    }

    /// Why a virtual router changed its state.
    pub(super) fn why(&self, id: InstanceId, cause: Cause) -> String {
        self.arithmetic.known.why(id, cause, &self.planned(id).config, |id| self.name(id))
    }
}
