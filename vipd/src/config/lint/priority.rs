//! What becomes of an instance's priority when something that it tracks goes down.

use super::super::model::{Config, Instance, Probe, SyncGroup, Trackers, Weight};

/// Priority of the owner, which nothing moves.
const OWNER: u8 = 255;

/// Something that an instance tracks, itself or by its group.
pub(super) struct Factor {
    /// What it is called in a sentence: "check `chk_haproxy`".
    pub(super) what: String,
    /// Where it is tracked, as [`Places`](super::super::places::Places) has it.
    pub(super) path: String,
    pub(super) effect: Effect,
}

/// What it does to the priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// FAULT while it is down.
    Fault,
    /// FAULT while it is up.
    FaultWhileUp,
    /// Added while up and while down.
    Weight { up: i16, down: i16 },
    /// Nothing: a group counts no weights, unless it is told to.
    Nothing,
}

/// What an instance can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Taking part, with this priority.
    Priority(u8),
    /// In FAULT.
    Fault,
}

impl Effect {
    fn of(weight: Weight) -> Self {
        let Weight { value, reverse } = weight;
        match (value, reverse) {
            (0, false) => Self::Fault,
            (0, true) => Self::FaultWhileUp,
            (value, false) => Self::Weight { up: value.max(0), down: value.min(0) },
            (value, true) => Self::Weight { up: -value.max(0), down: -value.min(0) },
        }
    }

    /// A file counts with the number in it: 0 is up, 1 is what an operator writes to move the priority.
    fn of_file(weight: Weight) -> Self {
        match weight.value {
            0 => Self::Fault,
            value => Self::Weight { up: 0, down: if weight.reverse { -value } else { value } },
        }
    }
}

/// The group that an instance is in, with its index.
pub(super) fn group_of<'c>(config: &'c Config, instance: &Instance) -> Option<(usize, &'c SyncGroup)> {
    let mut groups = config.sync_groups.iter().enumerate();
    groups.find(|(_, group)| group.members.contains(&instance.name))
}

/// Everything that moves the priority of the instance at `index`.
pub(super) fn factors(config: &Config, index: usize) -> Vec<Factor> {
    let instance = &config.instances[index];
    let group = group_of(config, instance);
    let own = instance.interface.as_str();
    let counts = group.is_none_or(|(_, group)| group.tracking_weight);
    let mut factors = gather(&instance.track, own, &format!("instance[{index}]"), counts);
    if let Some((index, group)) = group {
        // What the group tracks moves all of its members alike.
        factors.extend(gather(&group.track, own, &format!("sync_group[{index}]"), true));
    }
    factors
}

/// `own` is the instance's own interface, whose state is FAULT by itself, whatever weight it is tracked with.
fn gather(track: &Trackers, own: &str, path: &str, counts: bool) -> Vec<Factor> {
    let lists = [
        ("interface", "track_interface", &track.interfaces),
        ("check", "track_check", &track.checks),
        ("file", "track_file", &track.files),
        ("process", "track_process", &track.processes),
    ];
    let mut factors = Vec::new();
    for (what, key, list) in lists {
        for (at, tracked) in list.iter().enumerate() {
            let effect = match (what, tracked.weight.value) {
                ("interface", _) if tracked.name == own => Effect::Fault,
                // In a group that counts no weights, interfaces and files are FAULT, and checks with weights nothing.
                ("interface" | "file", _) if !counts => Effect::Fault,
                (_, value) if !counts && value != 0 => Effect::Nothing,
                ("file", _) => Effect::of_file(tracked.weight),
                _ => Effect::of(tracked.weight),
            };
            let what = format!("{what} `{}`", tracked.name);
            factors.push(Factor { what, path: format!("{path}.{key}[{at}]"), effect });
        }
    }
    factors
}

/// The standing of an instance with this base priority while the factors for which `is_down` are down.
pub(super) fn standing(base: u8, factors: &[Factor], is_down: impl Fn(usize) -> bool) -> Standing {
    let mut sum = i32::from(base);
    for (index, factor) in factors.iter().enumerate() {
        match (factor.effect, is_down(index)) {
            (Effect::Fault, true) | (Effect::FaultWhileUp, false) => return Standing::Fault,
            (Effect::Weight { down, .. }, true) => sum += i32::from(down),
            (Effect::Weight { up, .. }, false) => sum += i32::from(up),
            _ => {}
        }
    }
    if base == OWNER {
        return Standing::Priority(OWNER);
    }
    Standing::Priority(u8::try_from(sum.clamp(1, 254)).unwrap_or(1))
}

/// Whether a check runs a program.
pub(super) fn is_script(probe: &Probe) -> bool {
    matches!(probe, Probe::Script(_))
}
