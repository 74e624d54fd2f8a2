//! What changes on interfaces, and what that is to the virtual routers on them.

use std::net::IpAddr;

use vipd_core::{Fault, Input, InstanceId};

use super::clock;
use super::frames::Frames;
use super::run::Election;
use crate::effects::Order;
use crate::link::Change;

impl Election {
    /// Takes over what has changed.
    pub(super) fn host_changed(&mut self, change: Change) {
        for id in self.ids() {
            match change {
                Change::Link(index) => {
                    self.link_changed(id, Some(index));
                    // The kernel removes routes by an interface that goes down, and does not say so.
                    let is_up = self.monitor.links().by_index(index).is_some_and(|link| link.up);
                    if is_up && self.planned(id).leads_by(index) {
                        self.put_back(id);
                    }
                }
                Change::Address(index) => self.link_changed(id, Some(index)),
                Change::Everything => {
                    self.link_changed(id, None);
                    self.put_back(id);
                }
                Change::Route if self.planned(id).has_routes() => self.put_back(id),
                Change::Route => {}
            }
        }
        self.statics_changed(change);
    }

    /// `None`: any interface may have changed.
    fn link_changed(&mut self, id: InstanceId, index: Option<u32>) {
        let member = &mut self.members[usize::from(id.0)];
        let before = (member.planned.up, member.planned.source);
        if index.is_none_or(|index| member.planned.stands_on(index))
            && member.planned.refresh(self.monitor.links())
        {
            let after = (member.planned.up, member.planned.source);
            match Frames::new(&member.planned) {
                Ok(frames) => {
                    member.frames = frames;
                    self.will.set_resignations(id, member.frames.resignations());
                }
                Err(error) => {
                    tracing::error!("({}) cannot build adverts: {error}", member.planned.config.name);
                }
            }
            self.tell_of_link(id, before, after);
            self.tell_kernel(id);
            self.publish(id);
        }
        let member = &self.members[usize::from(id.0)];
        if member.in_place && !member.planned.carried(self.monitor.links()) {
            self.put_back(id);
            self.members[usize::from(id.0)].announcements = 1;
        }
    }

    fn tell_of_link(
        &mut self,
        id: InstanceId,
        before: (bool, Option<IpAddr>),
        after: (bool, Option<IpAddr>),
    ) {
        let now = clock::now();
        let missing = |fault, missing| {
            if missing { Input::FaultRaised(fault) } else { Input::FaultCleared(fault) }
        };
        if before.1 != after.1 {
            if let Some(source) = after.1 {
                self.router.handle(id, Input::SourceChanged(source), now);
            }
            self.router.handle(id, missing(Fault::Source, after.1.is_none()), now);
        }
        if before.0 != after.0 {
            self.router.handle(id, missing(Fault::Link, !after.0), now);
        }
    }

    /// Has put back what somebody else took off, if it is held.
    fn put_back(&mut self, id: InstanceId) {
        let member = &mut self.members[usize::from(id.0)];
        if member.in_place {
            // Announcements wait meanwhile.
            member.in_place = false;
            member.orders += 1;
            self.orders.push((id, Order::Restore));
        }
    }
}
