//! What changes on interfaces, and what that is to the virtual routers on them.

use std::net::IpAddr;

use vipd_core::{Fault, Input, InstanceId, State};

use super::clock;
use super::frames::Frames;
use super::plan::Planned;
use super::run::Election;
use crate::effects::{Order, Thing};
use crate::link::{Change, Links};

/// What of a virtual router's interface matters to the election: whether it is cut off, and its source.
pub(super) type Reach = (bool, Option<IpAddr>);

impl Election {
    /// Takes over what has changed.
    pub(super) fn host_changed(&mut self, change: Change) {
        match change {
            Change::Link(index) => self.links_changed(Some(index)),
            Change::Everything => self.links_changed(None),
            Change::Address(_) => self.sources_changed(),
            Change::AddressGone(index) => {
                self.sources_changed();
                self.addresses_gone(index);
                self.put_back(|planned, links| planned.has_addresses_on(index) && !planned.carried(links));
            }
            Change::RouteGone => self.put_back(|planned, _| planned.has_routes()),
        }
        self.statics_changed(change);
    }

    /// `None`: any interface may have changed.
    fn links_changed(&mut self, index: Option<u32>) {
        self.weigh();
        self.prepare_interfaces();
        let mut changed = Vec::new();
        for id in self.places() {
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
            self.rebuild(id, before);
        }
        self.put_back(|planned, links| {
            // The kernel removes routes by an interface that goes down, and does not say so.
            let came_up =
                |index| links.by_index(index).is_some_and(|link| link.up) && planned.leads_by(index);
            index.is_none_or(came_up) || !planned.carried(links)
        });
    }

    fn sources_changed(&mut self) {
        for id in self.places() {
            let planned = &mut self.members[usize::from(id.0)].planned;
            let before = reach(planned);
            if planned.refresh_source(self.monitor.links()) {
                self.rebuild(id, before);
            }
        }
    }

    /// Prepares interfaces that have come, or were made again.
    fn prepare_interfaces(&mut self) {
        let Self { members, ground, monitor, .. } = self;
        for (number, member) in members.iter().enumerate() {
            let config = &member.planned.config;
            if let Err(error) = ground.prepare(number, config, monitor.links()) {
                tracing::error!("({}) {error:#}", config.name);
            }
        }
    }

    /// Goes with virtual routers to where their interfaces are now.
    fn follow(&mut self, moved: impl Iterator<Item = InstanceId>) {
        self.listen();
        for id in moved {
            self.replace(id);
        }
    }

    /// Listens where virtual routers are now. One that cannot be heard there is left out until it can.
    pub(super) fn listen(&mut self) {
        if let Err(error) = self.datapath.follow(self.members.iter().map(|member| &member.planned)) {
            tracing::error!("{error}");
        }
        for planned in self.members.iter_mut().map(|member| &mut member.planned) {
            if !self.datapath.hears(planned.ifindex) {
                planned.ifindex = 0;
            }
        }
        if let Err(error) =
            self.fences.follow(self.members.iter().map(|member| &member.planned), clock::now())
        {
            tracing::error!("cannot open a socket to ask other hosts: {error}");
        }
        let peers = self.members.iter().flat_map(|member| member.planned.peers());
        if let Err(error) = self.neighbours.look_after(peers) {
            tracing::error!("cannot keep the neighbour entries of peers: {error}");
        }
        self.board.set_interfaces(self.datapath.interfaces());
    }

    /// Has everybody know of a virtual router what is so now.
    pub(super) fn rebuild(&mut self, id: InstanceId, before: Reach) {
        self.fences.set_source(id, self.planned(id).source);
        self.build_frames(id);
        self.tell_of_link(id, before, reach(self.planned(id)));
        self.tell_kernel(id);
        self.publish(id);
    }

    /// Builds adverts and announcements anew.
    pub(super) fn build_frames(&mut self, id: InstanceId) {
        let member = &mut self.members[usize::from(id.0)];
        match Frames::new(&member.planned, &member.forms) {
            Ok(frames) => {
                member.frames = frames;
                self.will.set_resignations(id, member.frames.resignations());
            }
            Err(error) => tracing::error!("({}) cannot build adverts: {error}", member.planned.config.name),
        }
    }

    fn tell_of_link(&mut self, id: InstanceId, before: Reach, after: Reach) {
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

    /// Has put back what somebody else took off those virtual routers that may lack something.
    fn put_back(&mut self, may_lack: impl Fn(&Planned, &Links) -> bool) {
        let Self { members, orders, monitor, .. } = self;
        for (id, member) in (0..).map(InstanceId).zip(members) {
            if member.in_place && may_lack(&member.planned, monitor.links()) {
                // Announcements wait meanwhile.
                member.in_place = false;
                member.announcements = u32::from(!member.planned.carried(monitor.links()));
                member.orders += 1;
                orders.push((id, Order::Restore));
            }
        }
    }

    /// Has the addresses of a virtual router be where its interfaces are now.
    fn replace(&mut self, id: InstanceId) {
        let is_master = self.router.state(id) == State::Master;
        let member = &mut self.members[usize::from(id.0)];
        member.in_place = false;
        member.lost.clear();
        member.announcements = is_master.into();
        member.orders += 1;
        self.orders.push((id, Order::Replace(member.planned.things())));
    }
}

pub(super) fn reach(planned: &Planned) -> Reach {
    (planned.is_cut(), planned.source)
}

/// The interface that it is on, and all that it holds with the interfaces that this belongs to.
fn places(planned: &Planned) -> (u32, Vec<Thing>) {
    (planned.ifindex, planned.things())
}
