//! What is tracked, and by whom, with which weight.

use vipd_core::{Effect, InstanceId, Tracked, TrackerId, Tracking};

use crate::config::{self, Config, Weight};

/// Priority of the owner of the addresses, which no weight moves.
const OWNER: u8 = 255;

/// What kind of thing is tracked, with its place in the configuration's list of such things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A health check.
    Check(usize),
    /// A file with a number.
    File(usize),
    /// Processes.
    Process(usize),
    /// An interface.
    Interface,
    /// The fence of a virtual router: not tracked, but told of like the others.
    Fence(usize),
}

/// A tracked thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Thing {
    /// What it is.
    pub(crate) kind: Kind,
    /// Its name in the configuration; of an interface its own.
    pub(crate) name: String,
}

impl Thing {
    fn interface(name: &str) -> Self {
        Self { kind: Kind::Interface, name: name.to_owned() }
    }

    /// What the thing does at the moment, as a clause for people. `detail` says more of its last result.
    pub(crate) fn tell(&self, state: Tracked, detail: Option<&str>) -> String {
        let name = &self.name;
        let text = match (self.kind, state) {
            (_, Tracked::Unknown) => format!("{name} has no result yet"),
            (Kind::Check(_), Tracked::Up) => format!("{name} succeeded"),
            (Kind::Check(_), _) => format!("{name} failed"),
            (Kind::File(_), Tracked::Value(value)) => format!("file {name} says {value}"),
            (Kind::Interface, Tracked::Up) => format!("interface {name} is up"),
            (Kind::Interface, _) => format!("interface {name} is down"),
            (Kind::Fence(_), Tracked::Up) => "this node is connected".to_owned(),
            (Kind::Fence(_), _) => "this node is cut off from the network".to_owned(),
            (Kind::File(_) | Kind::Process(_), Tracked::Up) => format!("{name} is up"),
            (Kind::File(_) | Kind::Process(_), _) => format!("{name} is down"),
        };
        match detail {
            Some(detail) if state != Tracked::Unknown => format!("{text} ({detail})"),
            _ => text,
        }
    }

    /// The kind in one word.
    pub(crate) fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Check(_) => "check",
            Kind::File(_) => "file",
            Kind::Process(_) => "process",
            Kind::Interface => "interface",
            Kind::Fence(_) => "fence",
        }
    }
}

/// Everything that is tracked by somebody, and by whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    things: Vec<Thing>,
    /// Of each virtual router in turn.
    of: Vec<Vec<Tracking>>,
}

impl Plan {
    /// Reads it from a configuration. Checks for which `runs` says no are tracked by nobody: they cannot be made here.
    pub(crate) fn new(config: &Config, runs: impl Fn(usize) -> bool) -> Self {
        let mut plan = Self::default();
        for instance in &config.instances {
            let group = config.group_of(instance).map(|(_, group)| group);
            let may_weigh = instance.priority != OWNER;
            // What a member has of its own would move it alone.
            let own_weigh = may_weigh && group.is_none_or(|group| group.tracking_weight);
            let mut tracking = Vec::new();
            plan.add(config, &instance.track, own_weigh, &runs, &mut tracking);
            if let Some(group) = group {
                plan.add(config, &group.track, may_weigh, &runs, &mut tracking);
            }
            // Its own interface is a matter of its own (`dont_track_primary`), as in Keepalived.
            tracking.retain(|tracked| *plan.thing(tracked.tracker) != Thing::interface(&instance.interface));
            plan.of.push(tracking);
        }
        for (place, instance) in
            config.instances.iter().enumerate().filter(|(_, instance)| instance.fence.is_some())
        {
            plan.number(Kind::Fence(place), &instance.name);
        }
        plan
    }

    /// Adds what somebody tracks. Where weights do not count (`weighs`), what has one is tracked without it, and checks not
    /// at all, as in Keepalived.
    fn add(
        &mut self,
        config: &Config,
        trackers: &config::Trackers,
        weighs: bool,
        runs: &impl Fn(usize) -> bool,
        tracking: &mut Vec<Tracking>,
    ) {
        let check = |name: &str| config.checks.iter().position(|check| check.name == name);
        let file = |name: &str| config.files.iter().position(|file| file.name == name);
        let process = |name: &str| config.processes.iter().position(|process| process.name == name);
        let counts = |tracked: &&config::Tracked| weighs || tracked.weight.value == 0;
        let checks = trackers.checks.iter().filter(counts);
        let checks = checks.filter_map(|tracked| Some((check(&tracked.name)?, tracked)));
        let checks =
            checks.filter(|(place, _)| runs(*place)).map(|(place, tracked)| (Kind::Check(place), tracked));
        let files = trackers.files.iter();
        let files = files.filter_map(|tracked| Some((Kind::File(file(&tracked.name)?), tracked)));
        let processes = trackers.processes.iter();
        let processes =
            processes.filter_map(|tracked| Some((Kind::Process(process(&tracked.name)?), tracked)));
        let interfaces = trackers.interfaces.iter().map(|tracked| (Kind::Interface, tracked));
        for (kind, tracked) in checks.chain(files).chain(processes).chain(interfaces) {
            let tracker = self.number(kind, &tracked.name);
            // What an instance says of a thing counts before what its group says.
            if tracking.iter().all(|known| known.tracker != tracker) {
                let Weight { value, reverse } = tracked.weight;
                tracking.push(Tracking { tracker, weight: if weighs { value } else { 0 }, reverse });
            }
        }
    }

    fn number(&mut self, kind: Kind, name: &str) -> TrackerId {
        let known = self.things.iter().position(|thing| thing.kind == kind && thing.name == name);
        let place = known.unwrap_or_else(|| {
            self.things.push(Thing { kind, name: name.to_owned() });
            self.things.len() - 1
        });
        TrackerId(u16::try_from(place).unwrap_or(u16::MAX))
    }

    /// The things, `TrackerId(n)` in place `n`.
    pub(crate) fn things(&self) -> &[Thing] {
        &self.things
    }

    /// The things with their numbers.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (TrackerId, &Thing)> {
        (0..).map(TrackerId).zip(&self.things)
    }

    /// A thing, which is one of this plan's.
    pub(crate) fn thing(&self, id: TrackerId) -> &Thing {
        &self.things[usize::from(id.0)]
    }

    /// Whether anybody tracks a thing without a weight.
    pub(crate) fn decides(&self, id: TrackerId) -> Option<&Tracking> {
        self.of.iter().flatten().find(|tracking| tracking.tracker == id && tracking.weight == 0)
    }

    /// What a virtual router tracks, its group's included.
    pub(crate) fn of(&self, id: InstanceId) -> &[Tracking] {
        self.of.get(usize::from(id.0)).map_or(&[], Vec::as_slice)
    }

    /// The fence of a virtual router.
    pub(crate) fn fence(&self, id: InstanceId) -> Option<TrackerId> {
        let kind = Kind::Fence(id.0.into());
        self.numbered().find(|(_, thing)| thing.kind == kind).map(|(id, _)| id)
    }

    /// What each virtual router tracks, with its configured priority.
    pub(crate) fn sums<'a>(&'a self, config: &'a Config) -> impl Iterator<Item = (u8, Vec<Tracking>)> + 'a {
        config.instances.iter().map(|instance| instance.priority).zip(self.of.iter().cloned())
    }
}

/// What a tracked thing does to a virtual router, for people.
pub(crate) fn tell_effect(effect: Effect) -> String {
    match effect {
        Effect::Points(points) => format!("{points:+}"),
        Effect::Fault => "FAULT".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::SyncGroup;
    use crate::config::{
        Check, Command, FileTracker, Instance, Notify, Parameters, Probe, ProcessTracker, Trackers,
    };

    fn weight(value: i16) -> Weight {
        Weight { value, reverse: false }
    }

    fn tracked(name: &str, value: i16) -> config::Tracked {
        config::Tracked { name: name.to_owned(), weight: weight(value) }
    }

    fn check(name: &str) -> Check {
        let command = Command { argv: vec!["/bin/true".to_owned()], account: None };
        Check {
            name: name.to_owned(),
            probe: Probe::Script(command),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            rise: 1,
            fall: 1,
            weight: weight(0),
            init_fail: false,
        }
    }

    /// Two instances, the second one in a group, that track everything there is.
    fn config(tracking_weight: bool, priority: u8) -> Config {
        let track = Trackers {
            interfaces: vec![tracked("own", -50), tracked("eth0", -50)],
            checks: vec![tracked("weighted", -20), tracked("plain", 0)],
            files: vec![tracked("file", 1)],
            processes: vec![tracked("process", -254)],
        };
        let instance = |name: &str, vrid| Instance {
            priority,
            track: track.clone(),
            ..Instance::new(name.to_owned(), "own".to_owned(), vrid)
        };
        let group = SyncGroup {
            name: "G".to_owned(),
            line: 0,
            members: vec!["B".to_owned()],
            track: Trackers {
                interfaces: vec![tracked("eth0", -1), tracked("eth1", -30)],
                ..Trackers::default()
            },
            tracking_weight,
            notify: Notify::default(),
        };
        let file = FileTracker { name: "file".to_owned(), path: "/f".into(), weight: weight(1), init: None };
        let process = ProcessTracker {
            name: "process".to_owned(),
            process: "p".to_owned(),
            parameters: Parameters::Any,
            full_command: false,
            weight: weight(0),
            quorum: 1,
            quorum_max: None,
            fork_delay: Duration::ZERO,
            terminate_delay: Duration::ZERO,
        };
        Config {
            checks: vec![check("unused"), check("weighted"), check("plain")],
            files: vec![file],
            processes: vec![process],
            sync_groups: vec![group],
            instances: vec![instance("A", 1), instance("B", 2)],
            ..Config::default()
        }
    }

    fn weights(plan: &Plan, id: u16) -> Vec<(&str, i16)> {
        plan.of(InstanceId(id))
            .iter()
            .map(|tracking| (plan.thing(tracking.tracker).name.as_str(), tracking.weight))
            .collect()
    }

    #[test]
    fn every_weight_counts_outside_of_groups() {
        let plan = Plan::new(&config(false, 100), |_| true);

        let expected = [("weighted", -20), ("plain", 0), ("file", 1), ("process", -254), ("eth0", -50)];
        assert_eq!(weights(&plan, 0), expected);
    }

    #[test]
    fn sync_group_without_tracking_weight_counts_its_members_own_weights_as_0_and_drops_weighted_scripts() {
        let plan = Plan::new(&config(false, 100), |_| true);

        let expected = [("plain", 0), ("file", 0), ("process", 0), ("eth0", 0), ("eth1", -30)];
        assert_eq!(weights(&plan, 1), expected);
    }

    #[test]
    fn sync_group_tracking_weight_counts_members_and_group_weights_the_members_first() {
        let plan = Plan::new(&config(true, 100), |_| true);

        let expected =
            [("weighted", -20), ("plain", 0), ("file", 1), ("process", -254), ("eth0", -50), ("eth1", -30)];
        assert_eq!(weights(&plan, 1), expected);
    }

    #[test]
    fn the_owner_has_no_weights() {
        let plan = Plan::new(&config(true, OWNER), |_| true);

        assert_eq!(weights(&plan, 0), [("plain", 0), ("file", 0), ("process", 0), ("eth0", 0)]);
    }

    #[test]
    fn a_check_that_cannot_run_is_tracked_by_nobody_and_one_that_nobody_tracks_is_not_run() {
        let plan = Plan::new(&config(false, 100), |place| place != 1);

        assert_eq!(weights(&plan, 0)[0], ("plain", 0));
        let names: Vec<_> = plan.things().iter().map(|thing| thing.name.as_str()).collect();
        assert_eq!(names, ["plain", "file", "process", "own", "eth0", "eth1"]);
    }

    #[test]
    fn a_thing_is_named_in_a_clause() {
        let thing = |kind| Thing { kind, name: "x".to_owned() };
        let cases = [
            (Kind::Check(0), Tracked::Down, Some("exit code 1"), "x failed (exit code 1)"),
            (Kind::Check(0), Tracked::Unknown, Some("?"), "x has no result yet"),
            (Kind::File(0), Tracked::Value(-7), None, "file x says -7"),
            (Kind::Process(0), Tracked::Down, Some("0 running"), "x is down (0 running)"),
            (Kind::Interface, Tracked::Down, None, "interface x is down"),
            (
                Kind::Fence(0),
                Tracked::Down,
                Some("1 of 3 hosts answers"),
                "this node is cut off from the network (1 of 3 hosts answers)",
            ),
        ];
        for (kind, state, detail, text) in cases {
            assert_eq!(thing(kind).tell(state, detail), text);
        }
    }
}
