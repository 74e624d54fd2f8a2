//! Addresses, routes and rules that are there while the agent runs, whatever the election says (`static_ipaddress`,
//! `static_routes`, `static_rules`).

use vipd_core::InstanceId;

use super::run::Election;
use crate::effects::{Applied, Holder, Order, Thing};
use crate::link::{Change, Links};

/// They are held in the name of an instance that the election does not have.
pub(super) struct Statics {
    id: InstanceId,
    things: Vec<Thing>,
    /// Orders to the holder that have no result yet.
    orders: u32,
}

impl Statics {
    /// Has them put in place.
    pub(super) fn hold(id: InstanceId, things: Vec<Thing>, holder: &Holder) -> Self {
        let mut statics = Self { id, things, orders: 0 };
        if !statics.things.is_empty() {
            statics.order(Order::Replace(statics.things.clone()), holder);
            statics.order(Order::Hold, holder);
        }
        statics
    }

    /// Has them taken away.
    pub(super) fn release(&mut self, holder: &Holder) {
        if !self.things.is_empty() {
            self.order(Order::Release, holder);
        }
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
        holder.order(self.id, order);
    }

    /// Whether a change may have taken one away.
    fn concerns(&self, change: Change, links: &Links) -> bool {
        match change {
            Change::Address(index) => self.things.iter().any(|thing| {
                let Thing::Address(address) = thing else { return false };
                let link = links.by_index(index).filter(|_| address.ifindex == index);
                address.tracked && link.is_some_and(|link| !link.carries(address.ip))
            }),
            Change::Link(index) => links.by_index(index).is_some_and(|link| link.up),
            Change::Route | Change::Everything => true,
        }
    }
}

impl Election {
    /// Has put back what somebody else took off.
    pub(super) fn statics_changed(&mut self, change: Change) {
        let Self { statics, holder, monitor, .. } = self;
        if !statics.things.is_empty() && !statics.are_moving() && statics.concerns(change, monitor.links()) {
            statics.order(Order::Restore, holder);
        }
    }
}
