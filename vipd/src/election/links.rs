//! What changes on interfaces, and what that is to the virtual routers on them.

use std::net::IpAddr;

use vipd_core::{Fault, Input, InstanceId};

use super::clock;
use super::frames::Frames;
use super::run::Election;

impl Election {
    /// `None`: any interface may have changed.
    pub(super) fn links_changed(&mut self, index: Option<u32>) {
        for id in self.ids() {
            let member = &mut self.members[usize::from(id.0)];
            let before = (member.planned.up, member.planned.source);
            if index.is_none_or(|index| index == member.planned.ifindex)
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
                self.link_changed(id, before, after);
                self.tell_kernel(id);
                self.publish(id);
            }
            self.restore(id);
        }
    }

    fn link_changed(
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

    /// Puts back what somebody else took off.
    fn restore(&mut self, id: InstanceId) {
        let member = &self.members[usize::from(id.0)];
        if member.in_place && !member.planned.carried(self.monitor.links()) {
            tracing::warn!(
                "({}) an address was removed by somebody else; it is put back",
                member.planned.config.name
            );
            self.order(id, true);
            self.members[usize::from(id.0)].announcements = 1;
        }
    }
}
