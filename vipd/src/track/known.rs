//! What is known of tracked things, in words.

use std::sync::Arc;

use nix::net::if_::if_nametoindex;
use vipd_core::{Cause, Fault, InstanceId, TrackerId};

use super::plan::Plan;
use super::readings::Readings;
use crate::config::Instance;

/// What is tracked, by whom, and what is known of it: for the election, and for who tells of it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// What is tracked, and by whom.
    pub(crate) plan: Arc<Plan>,
    /// What is known of it.
    pub(crate) readings: Arc<Readings>,
}

impl Known {
    /// What a thing is like now, as a clause.
    pub(crate) fn tell(&self, id: TrackerId) -> String {
        let detail = self.readings.detail(id);
        self.plan.thing(id).tell(self.readings.state(id), detail.as_deref().map(String::as_str))
    }

    /// Why a virtual router changed its state: what the election says, with the names of what it knows by number.
    pub(crate) fn why<'a>(
        &self,
        id: InstanceId,
        cause: Cause,
        instance: &Instance,
        name: impl FnOnce(InstanceId) -> &'a str,
    ) -> String {
        let interface = &instance.interface;
        match cause {
            Cause::Faulted(Fault::Isolated) => match self.plan.fence(id) {
                Some(fence) => self.tell(fence),
                None => cause.to_string(),
            },
            Cause::Faulted(Fault::Tracked(thing)) => self.tell(thing),
            // Asked now: what it is like may have changed since, and then the state will.
            Cause::Faulted(Fault::Link) => {
                let needed = [Some(interface), instance.vmac.as_ref().map(|vmac| &vmac.name)];
                match needed.into_iter().flatten().find(|name| if_nametoindex(name.as_str()).is_err()) {
                    Some(missing) => format!("interface {missing} does not exist (yet)"),
                    None => format!("interface {interface} is down"),
                }
            }
            Cause::Faulted(Fault::Source) => match instance.source {
                Some(source) => format!("no interface carries {source}, the source of its adverts"),
                None => format!("interface {interface} has no address to send from"),
            },
            Cause::Faulted(Fault::Group(member)) => {
                format!("{} of its sync group has a fault", name(member))
            }
            Cause::Group(member) => format!("{} of its sync group made way", name(member)),
            _ => cause.to_string(),
        }
    }
}
