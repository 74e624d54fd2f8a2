//! The loop.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::mpsc;
use vipd_core::{Fault, Input, InstanceId, Instant, Router};

use super::announcer::Announcer;
use super::board::{Board, Snapshot};
use super::clock::{self, Alarm};
use super::defence::Defence;
use super::forms::Forms;
use super::frames::Frames;
use super::operate::{Done, HandOver};
use super::plan::Planned;
use super::reload::{Reload, Reloading};
use super::remarks::Remarks;
use super::statics::Statics;
use super::tracked::Arithmetic;
use crate::config::Config;
use crate::control::{Operation, Target};
use crate::datapath::{Datapath, Heard, Standing};
use crate::effects::{Ground, Holder, Neighbours, Order, Transmitter};
use crate::fence::{Fences, Verdict};
use crate::link::Monitor;
use crate::notify::Publisher;
use crate::track::Known;
use crate::warden::Will;

/// Records handled before timers are looked at again, so that a flood delays no own advert.
const HEARD_AT_ONCE: usize = 64;

/// What the election thread can be told.
#[derive(Debug)]
pub enum Command {
    /// Resign, release everything, end.
    Stop,
    /// Do what an operator wants, and tell to whom it was done, or why not.
    Operate(Operation, Target, Done),
    /// Go on by another configuration.
    Reload(Box<Reload>),
}

/// One virtual router as the loop knows it, beside the core.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and they go together in any way"
)]
pub(super) struct Member {
    pub(super) planned: Planned,
    pub(super) frames: Frames,
    /// The checksum forms that its peers send.
    pub(super) forms: Forms,
    /// What the kernel knows of where it stands.
    pub(super) told: Option<Standing>,
    /// How long it may answer for its addresses after an advert.
    pub(super) lease: Duration,
    /// One of its addresses was on its interface before this agent came; so may be that of an owner, before it is known.
    pub(super) found: bool,
    /// Orders to the holder that have no result yet.
    pub(super) orders: u32,
    /// The addresses are on their interfaces, but for those that are missing.
    pub(super) in_place: bool,
    /// Addresses that could not be put in place, or that have gone and are not to be put back.
    pub(super) missing: Arc<[IpAddr]>,
    /// Those of them that have gone and are not to be put back, until all are put in place anew.
    pub(super) lost: Vec<IpAddr>,
    /// Announcements that wait until the addresses are in place (C-ARP-05).
    pub(super) announcements: u32,
    /// The announcements of addresses that a reload has added; they wait too.
    pub(super) fresh: Vec<usize>,
    /// A reload takes it away.
    pub(super) leaving: bool,
    /// What is done about other nodes that claim its addresses.
    pub(super) defence: Defence,
    /// What was said of other nodes.
    pub(super) remarks: Remarks,
    /// The last send failed; said once.
    pub(super) mute: bool,
}

impl Member {
    /// One that has said and done nothing yet.
    pub(super) fn new(planned: Planned, frames: Frames) -> Self {
        Self {
            frames,
            forms: Forms::default(),
            told: None,
            lease: planned.spec().lease(),
            found: planned.config.priority == 255,
            orders: 0,
            in_place: false,
            missing: Arc::default(),
            lost: Vec::new(),
            announcements: 0,
            fresh: Vec::new(),
            leaving: false,
            defence: Defence::default(),
            remarks: Remarks::default(),
            mute: false,
            planned,
        }
    }
}

/// What a queued frame is.
#[derive(Clone, Copy)]
pub(super) enum Frame {
    /// An advert of this priority.
    Advert(InstanceId, u8),
    /// An announcement of an address.
    Announcement(InstanceId),
}

/// Everything that the election thread owns.
pub struct Election {
    pub(super) router: Router,
    pub(super) members: Vec<Member>,
    pub(super) statics: Statics,
    pub(super) neighbours: Neighbours,
    pub(super) datapath: Datapath,
    pub(super) monitor: Monitor,
    pub(super) holder: Holder,
    /// Orders that wait until the queued frames have left: an advert goes before the addresses (C-FSM-04).
    pub(super) orders: Vec<(InstanceId, Order)>,
    pub(super) transmitter: Transmitter<Frame>,
    /// What has left since the last look, or not.
    pub(super) sent: Vec<(Frame, io::Result<()>)>,
    pub(super) announcer: Announcer,
    /// Virtual routers that have claims to answer.
    pub(super) defending: Vec<InstanceId>,
    pub(super) alarm: Alarm,
    pub(super) board: Arc<Board>,
    pub(super) publisher: Publisher,
    pub(super) will: Will,
    pub(super) hand_overs: Vec<HandOver>,
    pub(super) arithmetic: Arithmetic,
    pub(super) fences: Fences,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) reloading: Option<Reloading>,
    /// Until then nobody takes part (`vrrp_startup_delay`).
    pub(super) delayed_until: Option<Instant>,
    /// Last, so that it goes last: nothing stands on it any more.
    pub(super) ground: Ground,
}

impl Election {
    /// Puts the parts together. Nothing is sent or held yet.
    ///
    /// # Errors
    /// When the kernel refuses a socket or a timer, or an advert cannot carry what is configured.
    #[expect(clippy::too_many_arguments, reason = "each is a part that the loop owns from then on")]
    pub(crate) fn new(
        config: &Arc<Config>,
        known: Known,
        planned: Vec<Planned>,
        ground: Ground,
        datapath: Datapath,
        monitor: Monitor,
        board: Arc<Board>,
        publisher: Publisher,
        will: Will,
        record: PathBuf,
    ) -> anyhow::Result<Self> {
        let holder = Holder::start(will.clone(), record)?;
        let fences = Fences::open(&planned).context("cannot open a socket to ask other hosts")?;
        let router = Router::new(planned.iter().map(Planned::spec).collect());
        let mut members = Vec::new();
        for planned in planned {
            let frames = Frames::new(&planned, &Forms::default())?;
            members.push(Member::new(planned, frames));
        }
        for (id, member) in (0..).map(InstanceId).zip(&mut members) {
            will.set_resignations(id, member.frames.resignations());
            holder.order(id, Order::Replace(member.planned.things()));
            member.orders += 1;
        }
        let statics = Statics::hold(Arc::clone(config), monitor.links(), &holder);
        let mut neighbours = Neighbours::default();
        neighbours.look_after(members.iter().flat_map(|member| member.planned.peers()))?;
        let transmitter = Transmitter::open()?;
        let alarm = Alarm::new()?;
        Ok(Self {
            router,
            members,
            statics,
            neighbours,
            datapath,
            monitor,
            holder,
            orders: Vec::new(),
            transmitter,
            sent: Vec::new(),
            announcer: Announcer::default(),
            defending: Vec::new(),
            alarm,
            board,
            publisher,
            will,
            hand_overs: Vec::new(),
            arithmetic: Arithmetic::new(config, known),
            fences,
            verdicts: Vec::new(),
            reloading: None,
            delayed_until: delay_of(config),
            ground,
        })
    }

    /// Runs until told to stop; then resigns and releases every address before it returns.
    ///
    /// # Errors
    /// When the kernel's timer, events or netlink fail. What is held then is for the caller to remove.
    pub async fn run(mut self, mut commands: mpsc::Receiver<Command>) -> anyhow::Result<()> {
        self.start();
        let readings = Arc::clone(&self.arithmetic.known.readings);
        loop {
            self.perform();
            let deadlines = [
                self.router.next_deadline(),
                self.announcer.deadline(),
                self.defence_deadline(),
                self.fences.deadline(),
                self.delayed_until,
            ];
            self.alarm.set(deadlines.into_iter().flatten().min())?;
            // In this order: own timers first, then what was heard.
            tokio::select! {
                biased;
                rung = self.alarm.rings() => {
                    self.board.delay().note(clock::now().since(rung?));
                    self.judge_silence();
                    self.hear_answers();
                    self.end_delay();
                }
                ready = self.datapath.readable() => {
                    ready?;
                    self.hear(HEARD_AT_ONCE);
                }
                heard = self.fences.readable() => {
                    heard?;
                    self.hear_answers();
                }
                // Before the holder's results: what its work changed is then known when its result is looked at.
                changed = self.monitor.changed() => {
                    let change = changed?;
                    self.host_changed(change);
                }
                Some(applied) = self.holder.applied() => self.applied(&applied),
                () = readings.changed() => self.weigh(),
                // A sender that is gone without a word means that the agent is ending.
                command = commands.recv() => match command {
                    Some(Command::Operate(operation, target, done)) => {
                        self.operate(operation, &target, done);
                    }
                    Some(Command::Reload(reload)) => self.reload(*reload),
                    Some(Command::Stop) | None => break,
                },
            }
            if self.reload_is_due() {
                self.finish_reload().await?;
            }
        }
        self.stop().await;
        Ok(())
    }

    fn start(&mut self) {
        self.weigh();
        let ids: Vec<InstanceId> = self.ids().collect();
        for id in ids {
            self.begin(id);
        }
    }

    /// Has everybody take part who waited only for the end of the delay after the start, when that has come.
    fn end_delay(&mut self) {
        if self.delayed_until.take_if(|until| *until <= clock::now()).is_some() {
            self.weigh();
        }
    }

    /// Has a virtual router take part that is new.
    pub(super) fn begin(&mut self, id: InstanceId) {
        let planned = self.planned(id);
        let (cut, source) = (planned.is_cut(), planned.source);
        let now = clock::now();
        if cut {
            self.router.handle(id, Input::FaultRaised(Fault::Link), now);
        }
        if source.is_none() {
            self.router.handle(id, Input::FaultRaised(Fault::Source), now);
        }
        self.start_up(id);
    }

    /// Before silence is acted on, everything that the kernel has seen is read: a deadline that passed while adverts
    /// waited to be read is no silence (C-TMR-09, promise 2).
    fn judge_silence(&mut self) {
        self.hear(usize::MAX);
        self.expire(clock::now());
    }

    /// Lets time pass, by what the kernel has seen until now.
    fn expire(&mut self, now: Instant) {
        let Self { router, datapath, .. } = self;
        router.expire_by(now, |id| datapath.seen(id).unwrap_or_default());
    }

    fn hear(&mut self, most: usize) {
        // One moment for all: what is due together then stays together, and leaves in one system call.
        let now = clock::now();
        let mut silent = false;
        for _ in 0..most {
            match self.datapath.take() {
                Some(Heard::Advert { instance: id, advert, form, watched }) => {
                    tracing::trace!(instance = id.0, ?advert, ?form, watched, "advert");
                    if let Some(form) = form {
                        self.learn_form(id, advert.source, form);
                    }
                    self.remark(id, &advert);
                    self.fences.seen(id, advert.source, advert.at);
                    self.router.handle(id, Input::AdvertSeen(advert), now);
                    if watched {
                        self.router.handle(id, Input::Watched, now);
                    }
                    self.publish(id);
                }
                Some(Heard::Silent(id, silence)) => {
                    tracing::debug!(instance = id.0, ?silence, "silence");
                    self.router.handle(id, Input::Silent, now);
                    silent = true;
                }
                Some(Heard::Claim(claim)) => self.claimed(claim),
                None => break,
            }
        }
        if silent {
            self.expire(now);
        }
    }

    pub(super) fn publish(&mut self, id: InstanceId) {
        let Member { in_place, missing, forms, .. } = &self.members[usize::from(id.0)];
        let (addresses_held, missing) = (*in_place && missing.is_empty(), Arc::clone(missing));
        let status = self.router.status(id);
        self.publisher.priority(id, &status);
        self.board.publish(id, Snapshot { status, addresses_held, missing, forms: *forms });
    }

    /// Tells the election of something, and everybody else of what came of it.
    pub(super) fn tell(&mut self, id: InstanceId, input: Input, now: Instant) {
        self.router.handle(id, input, now);
        self.publish(id);
    }

    pub(super) fn planned(&self, id: InstanceId) -> &Planned {
        &self.members[usize::from(id.0)].planned
    }

    pub(super) fn name(&self, id: InstanceId) -> &str {
        &self.planned(id).config.name
    }

    /// All places, also those that are vacant.
    pub(super) fn places(&self) -> impl Iterator<Item = InstanceId> + use<> {
        (0..u16::try_from(self.members.len()).unwrap_or(u16::MAX)).map(InstanceId)
    }

    /// The virtual routers.
    pub(super) fn ids(&self) -> impl Iterator<Item = InstanceId> {
        self.places().filter(|id| !self.planned(*id).config.is_vacant())
    }
}

/// Until when nobody takes part in the election of an agent that starts now.
fn delay_of(config: &Config) -> Option<Instant> {
    let delay = config.startup_delay;
    if delay.is_zero() {
        return None;
    }
    tracing::info!("takes part in {delay:?} (vrrp_startup_delay)");
    Some(clock::now() + delay)
}
