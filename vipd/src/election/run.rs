//! The loop.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use vipd_core::{Action, Fault, Input, InstanceId, Instant, Router, State, Transition};

use super::announcer::{Announcer, Waiting};
use super::board::{Board, Sent, Snapshot};
use super::clock::{self, Alarm};
use super::frames::{Advert, Frames};
use super::plan::Planned;
use crate::datapath::{Claim, Datapath, Heard, Standing};
use crate::effects::{Applied, Holder, Transmitter};
use crate::link::Monitor;
use crate::warden::Will;

/// Records handled before timers are looked at again, so that a flood delays no own advert.
const HEARD_AT_ONCE: usize = 64;

/// What the election thread can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Resign, release everything, end.
    Stop,
}

/// One virtual router as the loop knows it, beside the core.
struct Member {
    planned: Planned,
    frames: Frames,
    /// Orders to the holder that have no result yet.
    orders: u32,
    /// The addresses are on their interfaces.
    in_place: bool,
    /// Announcements that wait until the addresses are in place (C-ARP-05).
    announcements: u32,
    /// The last send failed; said once.
    mute: bool,
}

/// What a queued frame is.
#[derive(Clone, Copy)]
enum Frame {
    /// An advert of this priority.
    Advert(InstanceId, u8),
    /// An announcement of an address.
    Announcement(InstanceId),
}

/// Everything that the election thread owns.
pub struct Election {
    router: Router,
    members: Vec<Member>,
    datapath: Datapath,
    monitor: Monitor,
    holder: Holder,
    /// Orders that wait until the queued frames have left: an advert goes before the addresses (C-FSM-04).
    orders: Vec<(InstanceId, bool)>,
    transmitter: Transmitter<Frame>,
    announcer: Announcer,
    alarm: Alarm,
    board: Arc<Board>,
    will: Will,
}

impl Election {
    /// Puts the parts together. Nothing is sent or held yet.
    ///
    /// # Errors
    /// When the kernel refuses a socket or a timer, or an advert cannot carry what is configured.
    pub fn new(
        planned: Vec<Planned>,
        datapath: Datapath,
        monitor: Monitor,
        board: Arc<Board>,
        will: Will,
    ) -> anyhow::Result<Self> {
        let addresses = planned
            .iter()
            .map(|planned| planned.vips.iter().map(|vip| vip.address.clone()).collect())
            .collect();
        let holder = Holder::start(addresses, will.clone())?;
        let router = Router::new(planned.iter().map(Planned::spec).collect());
        let member = |planned| -> anyhow::Result<Member> {
            let frames = Frames::new(&planned)?;
            Ok(Member { planned, frames, orders: 0, in_place: false, announcements: 0, mute: false })
        };
        let mut members: Vec<Member> = planned.into_iter().map(member).collect::<Result<_, _>>()?;
        for (id, member) in (0..).map(InstanceId).zip(&mut members) {
            will.set_resignations(id, member.frames.resignations());
        }
        let transmitter = Transmitter::open()?;
        let alarm = Alarm::new()?;
        Ok(Self {
            router,
            members,
            datapath,
            monitor,
            holder,
            orders: Vec::new(),
            transmitter,
            announcer: Announcer::default(),
            alarm,
            board,
            will,
        })
    }

    /// Runs until told to stop; then resigns and releases every address before it returns.
    ///
    /// # Errors
    /// When the kernel's timer, events or netlink fail. What is held then is for the caller to remove.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) -> anyhow::Result<()> {
        self.start();
        loop {
            self.perform();
            let deadlines = [self.router.next_deadline(), self.announcer.deadline()];
            self.alarm.set(deadlines.into_iter().flatten().min())?;
            // In this order: own timers first, then what was heard.
            tokio::select! {
                biased;
                rung = self.alarm.rings() => {
                    self.board.delay().note(clock::now().since(rung?));
                    self.judge_silence();
                }
                ready = self.datapath.readable() => {
                    ready?;
                    self.hear(HEARD_AT_ONCE);
                }
                // Before the holder's results: what its work changed is then known when its result is looked at.
                changed = self.monitor.changed() => {
                    let index = changed?;
                    self.links_changed(index);
                }
                Some(applied) = self.holder.applied() => self.applied(&applied),
                // A sender that is gone without a word means that the agent is ending.
                command = commands.recv() => match command {
                    Some(Command::Stop) | None => break,
                },
            }
        }
        self.stop().await;
        Ok(())
    }

    fn start(&mut self) {
        for id in self.ids() {
            let planned = &self.members[usize::from(id.0)].planned;
            let (up, source) = (planned.up, planned.source);
            let now = clock::now();
            if !up {
                self.router.handle(id, Input::FaultRaised(Fault::Link), now);
            }
            if source.is_none() {
                self.router.handle(id, Input::FaultRaised(Fault::Source), now);
            }
            self.router.handle(id, Input::Startup, now);
            self.publish(id);
        }
    }

    async fn stop(&mut self) {
        for id in self.ids() {
            self.router.handle(id, Input::Shutdown, clock::now());
        }
        self.perform();
        while self.members.iter().any(|member| member.orders > 0) {
            let Some(applied) = self.holder.applied().await else { return };
            self.applied(&applied);
        }
    }

    /// Before silence is acted on, everything that the kernel has seen is read: a deadline that passed while adverts
    /// waited to be read is no silence (C-TMR-09, promise 2).
    fn judge_silence(&mut self) {
        self.hear(usize::MAX);
        self.expire(clock::now());
    }

    fn expire(&mut self, now: Instant) {
        let Self { router, datapath, .. } = self;
        router.expire_by(now, |id| datapath.seen(id).map(|seen| seen.last));
    }

    fn hear(&mut self, most: usize) {
        // One moment for all: what is due together then stays together, and leaves in one system call.
        let now = clock::now();
        for _ in 0..most {
            match self.datapath.take() {
                Some(Heard::Advert(id, advert, _)) => {
                    tracing::trace!(instance = id.0, ?advert, "advert");
                    self.router.handle(id, Input::AdvertSeen(advert), now);
                    self.publish(id);
                }
                Some(Heard::Claim(claim)) => self.claimed(claim),
                Some(Heard::Silent(..)) => {}
                None => return,
            }
        }
    }

    fn claimed(&mut self, claim: Claim) {
        if self.router.state(claim.instance) != State::Master {
            return;
        }
        Sent::count(&self.board.sent(claim.instance).claims);
        let member = &self.members[usize::from(claim.instance.0)];
        tracing::warn!(
            "({}) another node, {}, claims our address {}",
            member.planned.config.name,
            Mac(claim.mac),
            claim.ip
        );
    }

    fn perform(&mut self) {
        self.queue_actions();
        let now = clock::now();
        while let Some(Waiting { id, number, .. }) = self.announcer.take(now) {
            // The frames may be others by now.
            if let Some(announcement) = self.members[usize::from(id.0)].frames.announcements().get(number) {
                self.transmitter.queue(announcement.ifindex, announcement.frame(), Frame::Announcement(id));
            }
        }
        self.flush();
        for (id, held) in self.orders.drain(..) {
            self.holder.order(id, held);
        }
    }

    fn queue_actions(&mut self) {
        while let Some(action) = self.router.poll_action() {
            match action {
                Action::Report(id, transition) => self.report(id, transition),
                Action::SendAdvert(id, priority) => self.queue_advert(id, priority),
                Action::HoldAddresses(id, held) => self.order(id, held),
                // Nobody is fenced yet.
                Action::ProveConnected(_) | Action::ReportLoser(_) => {}
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
        let name = &self.members[usize::from(id.0)].planned.config.name;
        let Transition { to, cause, .. } = transition;
        if to == State::Fault {
            tracing::warn!("({name}) Entering {to} STATE: {cause}");
        } else {
            tracing::info!("({name}) Entering {to} STATE: {cause}");
        }
        self.will.set_master(id, to == State::Master);
        if to == State::Master {
            Sent::count(&self.board.sent(id).master_transitions);
        }
        self.tell_kernel(id);
        self.publish(id);
    }

    fn queue_advert(&mut self, id: InstanceId, priority: u8) {
        let Self { members, transmitter, board, .. } = self;
        let member = &mut members[usize::from(id.0)];
        for advert in member.frames.adverts(priority) {
            match advert {
                Advert::Group { ifindex, frame } => {
                    transmitter.queue(*ifindex, frame, Frame::Advert(id, priority));
                }
                Advert::Peer { ifindex, peer, packet } => {
                    let outcome = transmitter.packet(*peer, *ifindex, packet);
                    advert_left(board, &member.planned, &mut member.mute, id, priority, &outcome);
                }
            }
        }
    }

    fn queue_announcement(&mut self, id: InstanceId) {
        let Member { planned, frames, .. } = &self.members[usize::from(id.0)];
        let garp = planned.config.garp;
        for (number, announcement) in frames.announcements().iter().enumerate() {
            let spacing = if announcement.is_v6 { garp.gna_interval } else { garp.interval };
            if spacing.is_zero() {
                self.transmitter.queue(announcement.ifindex, announcement.frame(), Frame::Announcement(id));
            } else {
                self.announcer.push(announcement.ifindex, id, number, spacing);
            }
        }
    }

    /// Sends what is queued.
    fn flush(&mut self) {
        let Self { members, transmitter, board, .. } = self;
        transmitter.flush(|frame, outcome| match frame {
            Frame::Advert(id, priority) => {
                let member = &mut members[usize::from(id.0)];
                advert_left(board, &member.planned, &mut member.mute, id, priority, &outcome);
            }
            Frame::Announcement(id) => match outcome {
                Ok(()) => Sent::count(&board.sent(id).garps),
                Err(error) => {
                    Sent::count(&board.sent(id).failures);
                    let name = &members[usize::from(id.0)].planned.config.name;
                    tracing::debug!("({name}) cannot announce an address: {error}");
                }
            },
        });
    }

    fn order(&mut self, id: InstanceId, held: bool) {
        let member = &mut self.members[usize::from(id.0)];
        member.in_place = false;
        member.announcements = 0;
        self.announcer.cancel(id);
        member.orders += 1;
        self.orders.push((id, held));
    }

    fn applied(&mut self, applied: &Applied) {
        let id = applied.instance;
        let member = &mut self.members[usize::from(id.0)];
        for failure in &applied.failures {
            tracing::error!("({}) {failure}", member.planned.config.name);
        }
        member.orders -= 1;
        member.in_place = applied.held && member.orders == 0;
        if member.in_place {
            for _ in 0..std::mem::take(&mut member.announcements) {
                self.queue_announcement(id);
            }
        }
        self.publish(id);
    }

    /// `None`: any interface may have changed.
    fn links_changed(&mut self, index: Option<u32>) {
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

    fn tell_kernel(&mut self, id: InstanceId) {
        let status = self.router.status(id);
        let planned = &self.members[usize::from(id.0)].planned;
        let (priority, master) = (status.priority, status.state == State::Master);
        let standing = Standing { priority, alive_from: priority, master };
        if let Err(error) = self.datapath.publish(id, planned, standing) {
            tracing::error!("({}) cannot tell the kernel what to watch: {error}", planned.config.name);
        }
    }

    fn publish(&self, id: InstanceId) {
        let addresses_held = self.members[usize::from(id.0)].in_place;
        self.board.publish(id, Snapshot { status: self.router.status(id), addresses_held });
    }

    fn ids(&self) -> impl Iterator<Item = InstanceId> + use<> {
        (0..u16::try_from(self.members.len()).unwrap_or(u16::MAX)).map(InstanceId)
    }
}

/// Counts an advert that has left, or says once that none leaves.
fn advert_left(
    board: &Board,
    planned: &Planned,
    mute: &mut bool,
    id: InstanceId,
    priority: u8,
    outcome: &io::Result<()>,
) {
    let sent = board.sent(id);
    match outcome {
        Ok(()) => {
            Sent::count(&sent.adverts);
            if priority == 0 {
                Sent::count(&sent.priority_zero);
            }
        }
        Err(error) => {
            Sent::count(&sent.failures);
            if !*mute {
                let (name, interface) = (&planned.config.name, &planned.config.interface);
                tracing::warn!("({name}) cannot send adverts on {interface}: {error}");
            }
        }
    }
    *mute = outcome.is_err();
}

/// A hardware address for people.
struct Mac([u8; 6]);

impl std::fmt::Display for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let octets = self.0.map(|octet| format!("{octet:02x}"));
        f.write_str(&octets.join(":"))
    }
}
