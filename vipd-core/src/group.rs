//! Sync groups: virtual routers that become MASTER, BACKUP and FAULT together (Keepalived's `vrrp_sync_group`).
//!
//! A member alone goes the same way: as if it were a group of one.

use crate::instance::Instance;
use crate::queue::Queue;
use crate::{Fault, Input, InstanceId, Instant, State};

/// The members of every group.
#[derive(Debug)]
pub(crate) struct Groups {
    /// `of[n]` is the group of `InstanceId(n)`.
    of: Vec<usize>,
    members: Vec<Vec<InstanceId>>,
}

impl Groups {
    /// Groups by what each virtual router names as its own.
    pub(crate) fn new(instances: &[Instance]) -> Self {
        let mut groups = Self { of: Vec::new(), members: Vec::new() };
        let mut known: Vec<(u16, usize)> = Vec::new();
        for instance in instances {
            let group = instance.group();
            let found = group.and_then(|group| known.iter().find(|(number, _)| *number == group));
            let place = found.map_or(groups.members.len(), |(_, place)| *place);
            if place == groups.members.len() {
                groups.members.push(Vec::new());
                known.extend(group.map(|group| (group, place)));
            }
            groups.members[place].push(instance.id());
            groups.of.push(place);
        }
        groups
    }

    /// The members of the group of `id`, itself included.
    pub(crate) fn with(&self, id: InstanceId) -> &[InstanceId] {
        &self.members[self.of[usize::from(id.0)]]
    }
}

/// Brings the other members of a group to where `id` is, which was in state `before` a moment ago.
pub(crate) fn settle(
    instances: &mut [Instance],
    members: &[InstanceId],
    id: InstanceId,
    before: State,
    now: Instant,
    queue: &mut Queue,
) {
    if members.len() > 1 {
        share_faults(instances, members, now, queue);
        if before == State::Master && of(instances, id).state() == State::Backup {
            for member in members.iter().filter(|member| **member != id) {
                of(instances, *member).make_way(id, now, queue);
            }
        }
    }
    let wants = |member: &InstanceId| {
        let instance = &instances[usize::from(member.0)];
        instance.wants() || instance.state() == State::Master
    };
    if members.iter().all(wants) {
        // Everybody asks at once, so that the answers come together.
        let unproven = members.iter().filter(|member| !of(instances, **member).is_proven(queue)).count();
        if unproven == 0 {
            for member in members {
                of(instances, *member).promote(now, queue);
            }
        }
    }
}

/// A fault of one is a fault of all.
fn share_faults(instances: &mut [Instance], members: &[InstanceId], now: Instant, queue: &mut Queue) {
    for member in members {
        let faulty = members
            .iter()
            .find(|other| *other != member && instances[usize::from(other.0)].own_fault().is_some());
        let input = match faulty {
            Some(other) => Input::FaultRaised(Fault::Group(*other)),
            None => Input::FaultCleared(Fault::Group(*member)),
        };
        of(instances, *member).handle(input, now, queue);
    }
}

fn of(instances: &mut [Instance], id: InstanceId) -> &mut Instance {
    &mut instances[usize::from(id.0)]
}
