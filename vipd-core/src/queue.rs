//! The commands that wait to be done.

use std::collections::VecDeque;

use crate::{Action, InstanceId};

/// A first-in, first-out queue of actions.
#[derive(Debug, Default)]
pub(crate) struct Queue(VecDeque<Action>);

impl Queue {
    /// Makes room: the queue takes `count` more actions before it allocates.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.0.reserve(count);
    }

    pub(crate) fn push(&mut self, action: Action) {
        self.0.push_back(action);
    }

    pub(crate) fn push_announcements(&mut self, id: InstanceId, copies: u8) {
        self.0.extend((0..copies).map(|_| Action::Announce(id)));
    }

    pub(crate) fn pop(&mut self) -> Option<Action> {
        self.0.pop_front()
    }

    /// Takes back what `id` has not yet sent as Master: a Backup sends no advert (C-TX-09) and announces nothing
    /// (C-ARP-08).
    pub(crate) fn cancel_sends(&mut self, id: InstanceId) {
        self.0.retain(|action| match action {
            Action::Announce(of) | Action::SendAdvert(of, 1..) => *of != id,
            Action::SendAdvert(_, 0)
            | Action::Report(..)
            | Action::HoldAddresses(..)
            | Action::ReportLoser(..)
            | Action::ProveConnected(..) => true,
        });
    }
}
