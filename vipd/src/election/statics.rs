//! Addresses, routes and rules that are there while the agent runs, whatever the election says (`static_ipaddress`,
//! `static_routes`, `static_rules`).

use std::sync::Arc;

use vipd_core::InstanceId;

use super::plan;
use super::run::Election;
use crate::config::Config;
use crate::effects::{Applied, Holder, Order, Thing};
use crate::link::{Change, Links};

/// They are held in the name of a virtual router that the election does not have.
const ID: InstanceId = InstanceId(u16::MAX);

/// Those whose interfaces are there.
#[derive(Default)]
pub(super) struct Statics {
    config: Arc<Config>,
    things: Vec<Thing>,
    /// Orders to the holder that have no result yet.
    orders: u32,
}

impl Statics {
    /// Has them put in place.
    pub(super) fn hold(config: Arc<Config>, links: &Links, holder: &Holder) -> Self {
        let mut statics = Self { config, things: Vec::new(), orders: 0 };
        statics.order(Order::Hold, holder);
        statics.follow(links, holder);
        statics
    }

    /// Holds those of another configuration from now on.
    pub(super) fn reload(&mut self, config: Arc<Config>, links: &Links, holder: &Holder) {
        self.config = config;
        self.follow(links, holder);
    }

    /// Has this written into the agent's record.
    pub(super) fn record(&mut self, lines: String, holder: &Holder) {
        self.order(Order::Record(lines), holder);
    }

    /// Has them taken away.
    pub(super) fn release(&mut self, holder: &Holder) {
        self.order(Order::Release, holder);
    }

    /// Whether the holder is still at work on them.
    pub(super) fn are_moving(&self) -> bool {
        self.orders > 0
    }

    pub(super) fn applied(&mut self, applied: &Applied) {
        self.orders = self.orders.saturating_sub(1);
        applied.tell("static");
    }

    fn order(&mut self, order: Order, holder: &Holder) {
        self.orders += 1;
        holder.order(ID, order);
    }

    /// Goes to where the interfaces are now; tells whether that is elsewhere.
    fn follow(&mut self, links: &Links, holder: &Holder) -> bool {
        let things = plan::statics(&self.config, links);
        let moved = things != self.things;
        if moved {
            self.things.clone_from(&things);
            self.order(Order::Replace(things), holder);
        }
        moved
    }

    /// Whether a change may have taken one away.
    fn may_lack(&self, change: Change, links: &Links) -> bool {
        match change {
            Change::AddressGone(index) => self.things.iter().any(|thing| {
                let Thing::Address(address) = thing else { return false };
                let link = links.by_index(index).filter(|_| address.ifindex == index);
                address.tracked && link.is_some_and(|link| !link.carries(address.ip))
            }),
            Change::Address(_) => false,
            // The kernel removes routes by an interface that goes down, and does not say so.
            Change::Link(index) => links.by_index(index).is_some_and(|link| link.up),
            Change::RouteGone | Change::Everything => !self.things.is_empty(),
        }
    }
}

impl Election {
    /// Has put back what somebody else took off, and follows interfaces.
    pub(super) fn statics_changed(&mut self, change: Change) {
        let Self { statics, holder, monitor, .. } = self;
        let links = monitor.links();
        let moved = matches!(change, Change::Link(_) | Change::Everything) && statics.follow(links, holder);
        if !moved && !statics.are_moving() && statics.may_lack(change, links) {
            statics.order(Order::Restore, holder);
        }
    }
}
