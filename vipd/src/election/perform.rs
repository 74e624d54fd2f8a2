//! Does what the election commands: frames, addresses, words.

use std::io;

use vipd_core::{Action, InstanceId, State, Transition};

use super::announcer::Waiting;
use super::board::Sent;
use super::clock;
use super::frames::Advert;
use super::run::{Election, Frame, Member};
use crate::effects::{Applied, Order};

impl Election {
    /// Does what the election commands.
    pub(super) fn perform(&mut self) {
        self.act();
        // After what was commanded: a question must not delay an advert.
        self.judge_fences();
        self.act();
        self.notify();
    }

    fn act(&mut self) {
        self.queue_actions();
        self.tell_standings();
        self.queue_actions();
        let now = clock::now();
        self.defend(now);
        while let Some(Waiting { id, number, .. }) = self.announcer.take(now) {
            // The frames may be others by now.
            if let Some(announcement) = self.members[usize::from(id.0)].frames.announcements().get(number) {
                self.transmitter.queue(announcement.ifindex, announcement.frame(), Frame::Announcement(id));
            }
        }
        self.flush();
        for (id, order) in self.orders.drain(..) {
            self.holder.order(id, order);
        }
    }

    /// Has people and programs told of what is done.
    pub(super) fn notify(&mut self) {
        self.publisher.publish(|id| self.members[usize::from(id.0)].orders == 0);
    }

    fn queue_actions(&mut self) {
        while let Some(action) = self.router.poll_action() {
            match action {
                Action::Report(id, transition) => self.report(id, transition),
                Action::SendAdvert(id, priority) => self.queue_advert(id, priority),
                Action::HoldAddresses(id, held) => {
                    self.order(id, if held { Order::Hold } else { Order::Release });
                }
                Action::ProveConnected(id) => self.fences.prove(id, clock::now()),
                Action::ReportLoser(id) => self.publisher.loser(id, self.router.status(id).priority),
                Action::Announce(id) => {
                    if self.members[usize::from(id.0)].in_place {
                        self.queue_announcement(id);
                    } else {
                        self.members[usize::from(id.0)].announcements += 1;
                    }
                }
            }
        }
    }

    fn report(&mut self, id: InstanceId, transition: Transition) {
        let Transition { to, cause, .. } = transition;
        let (name, why) = (self.name(id), self.why(id, cause));
        if to == State::Fault {
            tracing::warn!("({name}) Entering {to} STATE: {why}");
        } else {
            tracing::info!("({name}) Entering {to} STATE: {why}");
        }
        self.remark_change(id, &transition);
        self.guard(id, &transition);
        self.will.set_master(id, to == State::Master);
        // Of one that a reload takes away, that is told instead.
        if !self.members[usize::from(id.0)].leaving {
            self.publisher.changed(id, transition, self.router.status(id).priority);
        }
        let moves = [transition.from, to].contains(&State::Master);
        if moves && !self.members[usize::from(id.0)].found {
            // A new Master answers when its first advert has left, an old one no more.
            self.datapath.close_gate(id);
        }
        if transition.from == State::Master {
            self.handed_over(id, Ok(()));
        }
        if to == State::Master {
            Sent::count(&self.board.sent(id).master_transitions);
        }
        self.publish(id);
    }

    fn queue_advert(&mut self, id: InstanceId, priority: u8) {
        if priority != 0 && !self.hand_overs.is_empty() {
            self.handed_over(id, Err(()));
        }
        let Self { members, transmitter, sent, .. } = self;
        for advert in members[usize::from(id.0)].frames.adverts(priority) {
            let what = Frame::Advert(id, priority);
            match advert {
                Advert::Group { ifindex, frame } => transmitter.queue(*ifindex, frame, what),
                Advert::Peer { ifindex, peer, packet } => {
                    sent.push((what, transmitter.packet(*peer, *ifindex, packet)));
                }
            }
        }
    }

    /// Announces every address of a virtual router once, but for those that this node could not put in place.
    pub(super) fn queue_announcement(&mut self, id: InstanceId) {
        self.queue_announcements(id, true, |_| true);
    }

    /// Announces those of its addresses, for the first time or again.
    fn queue_announcements(&mut self, id: InstanceId, is_first: bool, which: impl Fn(usize) -> bool) {
        let Member { planned, frames, missing, .. } = &self.members[usize::from(id.0)];
        let garp = planned.config.garp;
        for (number, announcement) in frames.announcements().iter().enumerate() {
            if !which(number) || missing.contains(&announcement.ip) {
                continue;
            }
            let spacing = if announcement.ip.is_ipv6() { garp.gna_interval } else { garp.interval };
            self.announcer.push(announcement.ifindex, id, number, spacing, is_first);
        }
    }

    /// Sends what is queued.
    fn flush(&mut self) {
        let now = clock::now();
        let mut sent = std::mem::take(&mut self.sent);
        self.transmitter.flush(|frame, outcome| sent.push((frame, outcome)));
        for (frame, outcome) in sent.drain(..) {
            match frame {
                Frame::Advert(id, priority) => {
                    if outcome.is_ok() && priority != 0 {
                        self.prolong_lease(id, now);
                    }
                    self.advert_left(id, priority, outcome);
                }
                Frame::Announcement(id) => self.announcement_left(id, outcome),
            }
        }
        self.sent = sent;
    }

    /// Counts an advert that has left, or says once that none leaves.
    fn advert_left(&mut self, id: InstanceId, priority: u8, outcome: io::Result<()>) {
        let Member { planned, mute, .. } = &mut self.members[usize::from(id.0)];
        let sent = self.board.sent(id);
        match outcome {
            Ok(()) => {
                Sent::count(&sent.adverts);
                if priority == 0 {
                    Sent::count(&sent.priority_zero);
                }
                *mute = false;
            }
            Err(error) => {
                Sent::count(&sent.failures);
                // That a node which loses its link cannot resign goes without saying.
                if priority != 0 && !std::mem::replace(mute, true) {
                    let (name, interface) = (&planned.config.name, &planned.config.interface);
                    tracing::warn!("({name}) cannot send adverts on {interface}: {error}");
                }
            }
        }
    }

    fn announcement_left(&self, id: InstanceId, outcome: io::Result<()>) {
        let sent = self.board.sent(id);
        match outcome {
            Ok(()) => Sent::count(&sent.garps),
            Err(error) => {
                Sent::count(&sent.failures);
                tracing::debug!("({}) cannot announce an address: {error}", self.name(id));
            }
        }
    }

    /// Has what a virtual router holds as Master put in place or taken away.
    pub(super) fn order(&mut self, id: InstanceId, order: Order) {
        let member = &mut self.members[usize::from(id.0)];
        member.in_place = false;
        member.lost.clear();
        member.announcements = 0;
        member.fresh.clear();
        self.announcer.cancel(id);
        member.orders += 1;
        self.orders.push((id, order));
    }

    /// Takes note of what became of an order.
    pub(super) fn applied(&mut self, applied: &Applied) {
        let id = applied.instance;
        let Some(member) = self.members.get_mut(usize::from(id.0)) else {
            self.statics.applied(applied);
            return;
        };
        applied.tell(&member.planned.config.name);
        member.orders -= 1;
        member.in_place = applied.held && member.orders == 0;
        if applied.held {
            member.found = applied.found;
        }
        member.lack(if applied.held { &applied.missing } else { &[] });
        if applied.found || member.orders == 0 && !applied.held {
            // Nothing is left to withhold.
            self.datapath.release_gate(id);
        }
        if member.in_place {
            let (all, fresh) = (std::mem::take(&mut member.announcements), std::mem::take(&mut member.fresh));
            let repeat = if fresh.is_empty() { 0 } else { member.planned.config.garp.repeat };
            for set in 0..all {
                self.queue_announcements(id, set == 0, |_| true);
            }
            for set in 0..repeat {
                self.queue_announcements(id, set == 0, |number| fresh.contains(&number));
            }
        }
        self.publish(id);
    }
}
