//! What changes on interfaces, and what that is to the virtual routers on them.

use std::net::IpAddr;

use vipd_core::{Fault, Input, InstanceId};

use super::clock;
use super::frames::Frames;
use super::plan::Planned;
use super::run::Election;

/// What of a virtual router's interface matters to the election: whether it is cut off, and its source.
type Reach = (bool, Option<IpAddr>);

impl Election {
    /// Takes over what interfaces look like now.
    pub(super) fn links_changed(&mut self) {
        self.weigh();
        let mut changed = Vec::new();
        for id in self.ids() {
            let planned = &mut self.members[usize::from(id.0)].planned;
            let (before, places) = (reach(planned), places(planned));
            if planned.refresh(self.monitor.links()) {
                changed.push((id, before, places != self::places(planned)));
            }
        }
        if changed.iter().any(|(.., moved)| *moved) {
            self.follow(changed.iter().filter(|(.., moved)| *moved).map(|(id, ..)| *id));
        }
        for (id, before, _) in changed {
            self.rebuild(id);
            self.link_changed(id, before, reach(self.planned(id)));
            self.tell_kernel(id);
            self.publish(id);
        }
        for id in self.ids() {
            self.restore(id);
        }
    }

    /// Goes with virtual routers to where their interfaces are now. One that cannot be heard there is left out until it can.
    fn follow(&mut self, moved: impl Iterator<Item = InstanceId>) {
        if let Err(error) = self.datapath.follow(self.members.iter().map(|member| &member.planned)) {
            tracing::error!("{error}");
        }
        for planned in self.members.iter_mut().map(|member| &mut member.planned) {
            if !self.datapath.hears(planned.ifindex) {
                planned.ifindex = 0;
            }
        }
        if let Err(error) = self.fences.follow(self.members.iter().map(|member| &member.planned)) {
            tracing::error!("cannot open a socket to ask other hosts: {error}");
        }
        self.board.set_interfaces(self.datapath.interfaces());
        for id in moved {
            self.replace(id);
        }
    }

    /// Has the frames of a virtual router say what is so now.
    fn rebuild(&mut self, id: InstanceId) {
        let member = &mut self.members[usize::from(id.0)];
        self.fences.set_source(id, member.planned.source);
        match Frames::new(&member.planned) {
            Ok(frames) => {
                member.frames = frames;
                self.will.set_resignations(id, member.frames.resignations());
            }
            Err(error) => tracing::error!("({}) cannot build adverts: {error}", member.planned.config.name),
        }
    }

    fn link_changed(&mut self, id: InstanceId, before: Reach, after: Reach) {
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
            self.router.handle(id, missing(Fault::Link, after.0), now);
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

fn reach(planned: &Planned) -> Reach {
    (planned.is_cut(), planned.source)
}

/// The interfaces that it is on, and where its addresses belong.
fn places(planned: &Planned) -> (u32, Vec<u32>) {
    (planned.ifindex, planned.vips.iter().map(|vip| vip.on).collect())
}
