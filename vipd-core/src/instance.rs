//! One virtual router: its state, and what each input does in it (RFC 9568 §6.4, RFC 3768 §6.4).

use core::time::Duration;

use crate::backup::{Backup, Fence};
use crate::faults::Faults;
use crate::master::{Master, Task};
use crate::queue::Queue;
use crate::skew::{down_interval, skew_time};
use crate::{
    Action, Advert, Announcing, Cause, Fault, Input, InstanceId, Instant, Interval, Seen, Spec, State,
    Status, Transition, Version,
};

/// A Backup that is watched for looks itself after so many intervals of the Master at the latest, in case the watch
/// fails: rarely enough to cost nothing.
const BACKSTOP: u32 = 64;
/// But not later than this, so that a slow Master's silence is not missed for a minute.
const BACKSTOP_MAX: Duration = Duration::from_secs(10);

/// Priority of the owner of the addresses (C-FSM-17).
pub(crate) const OWNER: u8 = 255;
/// Priority of an advert whose sender resigns.
const RESIGN: u8 = 0;

/// A virtual router.
#[derive(Debug)]
pub(crate) struct Instance {
    id: InstanceId,
    /// As configured, but for priority and source, which are those of the moment.
    spec: Spec,
    faults: Faults,
    /// Active_Adver_Interval.
    active_interval: Interval,
    /// Arrival of the last advert that counted, or when listening began. The down timer runs from here; what arrived
    /// earlier has been overtaken.
    last_sign: Instant,
    last_advert: Option<Advert>,
    last_transition: Option<Transition>,
    role: Role,
}

/// The state, with what only matters in it.
#[derive(Clone, Copy, Debug)]
enum Role {
    Initialize,
    Backup(Backup),
    Master(Master),
    Fault,
}

impl Instance {
    /// A virtual router in state Initialize.
    pub(crate) fn new(id: InstanceId, spec: Spec) -> Self {
        Self {
            id,
            active_interval: spec.interval,
            spec,
            faults: Faults::default(),
            last_sign: Instant::default(),
            last_advert: None,
            last_transition: None,
            role: Role::Initialize,
        }
    }

    /// Goes on by another configuration.
    pub(crate) fn reconfigure(&mut self, spec: Spec, now: Instant) {
        if self.spec == spec {
            return;
        }
        let before = core::mem::replace(&mut self.spec, spec);
        match &mut self.role {
            Role::Master(master) => master.reconfigure(&before, &self.spec, now),
            // Nothing has been learned that would outweigh what is configured.
            _ if self.active_interval == before.interval => self.active_interval = self.spec.interval,
            _ => {}
        }
        self.reconsider();
    }

    /// The most that one call of `expire` asks of it: report, advert and addresses with the first set of announcements, or
    /// as a late Master an advert with both later sets.
    pub(crate) fn most_actions(&self) -> usize {
        let Announcing { repeat, losing_repeat, refresh_repeat, .. } = self.spec.announcing;
        4 + usize::from(repeat.max(losing_repeat)) + usize::from(refresh_repeat)
    }

    /// Judges an input. Before Startup and after Shutdown, facts about this node (faults, source, priority) are kept
    /// and everything else is ignored.
    pub(crate) fn handle(&mut self, input: Input, now: Instant, queue: &mut Queue) {
        match input {
            Input::Startup => self.start_up(now, queue),
            Input::Shutdown => self.shut_down(now, queue),
            Input::AdvertSeen(advert) => self.see(advert, now, queue),
            Input::Watched => self.watch(true),
            Input::Silent => self.watch(false),
            Input::FaultRaised(fault) => self.raise(fault, now, queue),
            Input::FaultCleared(fault) => self.clear(fault, now, queue),
            Input::SourceChanged(source) => self.spec.source = source,
            Input::PriorityChanged(priority) => self.change_priority(priority),
            Input::Connected(connected) => self.judge_connection(connected, now, queue),
            Input::HandOver => self.hand_over(now, queue),
        }
    }

    /// Judges what was seen of adverts in the meantime.
    pub(crate) fn catch_up(&mut self, seen: Seen, now: Instant, queue: &mut Queue) {
        for advert in [seen.sign, seen.last].into_iter().flatten() {
            if advert.at > self.last_sign {
                self.see(advert, now, queue);
            }
        }
        if seen.watched {
            self.watch(true);
        }
    }

    /// Fires the timer that is due next.
    pub(crate) fn fire(&mut self, now: Instant, queue: &mut Queue) {
        let waited = self.down_interval();
        match &mut self.role {
            Role::Backup(backup) => {
                if backup.end_delay(&self.spec, now) {
                    return;
                }
                let cause = match *backup {
                    Backup { rival: Some(Advert { source, priority, .. }), .. } => {
                        Cause::Preempted { source, priority }
                    }
                    Backup { resigned: Some(source), .. } => Cause::Resigned { source },
                    _ => Cause::Silence { since: self.last_sign, waited },
                };
                backup.wants = Some(cause);
            }
            Role::Master(master) => match master.fire(&self.spec, now) {
                Task::Advert => queue.push(Action::SendAdvert(self.id, self.spec.priority)),
                Task::Announce(copies) => queue.push_announcements(self.id, copies),
            },
            Role::Initialize | Role::Fault => {}
        }
    }

    /// When the next timer is due.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match &self.role {
            Role::Master(master) => Some(master.deadline()),
            Role::Backup(Backup { wants: Some(_), .. }) => None,
            Role::Backup(backup) if backup.watched => {
                let backstop = (BACKSTOP * self.active_interval.as_duration()).min(BACKSTOP_MAX);
                let silence = self.silence_deadline()? + backstop;
                Some(backup.delay_end(&self.spec).map_or(silence, |end| end.min(silence)))
            }
            _ => self.silence_deadline(),
        }
    }

    /// Whether the timer that is due next has anything to do at `now`. Where a Backup is watched, the back-stop only looks
    /// whether the silence was missed.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let is_over = |end: Option<Instant>| end.is_some_and(|end| end <= now);
        match &self.role {
            Role::Backup(Backup { wants: Some(_), .. }) => false,
            Role::Backup(backup) => is_over(backup.delay_end(&self.spec)) || is_over(self.silence_deadline()),
            _ => is_over(self.deadline()),
        }
    }

    /// The least priority of an advert that a Backup takes for a sign of life (C-FSM-06).
    pub(crate) fn alive_from(&self) -> u8 {
        match &self.role {
            Role::Backup(backup) => backup.alive_from(&self.spec),
            _ => Backup::default().alive_from(&self.spec),
        }
    }

    /// When this Backup takes over unless a sign of life comes.
    pub(crate) fn silence_deadline(&self) -> Option<Instant> {
        match &self.role {
            Role::Backup(Backup { resigned: Some(_), .. }) => Some(self.last_sign + self.skew_time()),
            Role::Backup(_) => Some(self.last_sign + self.down_interval()),
            _ => None,
        }
    }

    /// Whether it would be MASTER if its sync group and its fence let it.
    pub(crate) fn wants(&self) -> bool {
        matches!(self.role, Role::Backup(Backup { wants: Some(_), .. }))
    }

    /// Whether it has no need to prove that it is connected, or has done so. Asks if it has not asked yet.
    pub(crate) fn is_proven(&mut self, queue: &mut Queue) -> bool {
        let Role::Backup(backup) = &mut self.role else { return true };
        if self.spec.fenced && backup.fence == Fence::Unasked {
            backup.fence = Fence::Asked;
            queue.push(Action::ProveConnected(self.id));
        }
        !self.spec.fenced || backup.fence == Fence::Connected
    }

    /// Becomes what it wants to be.
    pub(crate) fn promote(&mut self, now: Instant, queue: &mut Queue) {
        if let Role::Backup(Backup { wants: Some(cause), .. }) = self.role {
            self.become_master(cause, now, queue);
        }
    }

    /// A Master makes way because `member` of its group has; it resigns, so that the others need not wait.
    pub(crate) fn make_way(&mut self, member: InstanceId, now: Instant, queue: &mut Queue) {
        if matches!(self.role, Role::Master(_)) {
            self.last_sign = now;
            self.withdraw(Role::Backup(Backup::default()), Cause::Group(member), now, queue);
        }
    }

    /// The weightiest fault that is its own.
    pub(crate) fn own_fault(&self) -> Option<Fault> {
        self.faults.own()
    }

    pub(crate) fn id(&self) -> InstanceId {
        self.id
    }

    pub(crate) fn group(&self) -> Option<u16> {
        self.spec.group
    }

    pub(crate) fn state(&self) -> State {
        self.role.state()
    }

    pub(crate) fn status(&self) -> Status {
        Status {
            state: self.state(),
            priority: self.spec.priority,
            source: self.spec.source,
            active_interval: self.active_interval,
            skew: self.skew_time(),
            down_interval: self.down_interval(),
            last_transition: self.last_transition,
            fault: self.faults.first(),
            last_advert: self.last_advert,
        }
    }

    fn start_up(&mut self, now: Instant, queue: &mut Queue) {
        if !matches!(self.role, Role::Initialize) {
            return;
        }
        if let Some(fault) = self.faults.first() {
            self.enter(Role::Fault, Cause::Faulted(fault), now, queue);
        } else {
            let cause = if self.spec.priority == OWNER { Cause::Owner } else { Cause::Started };
            self.take_part(cause, now, queue);
        }
    }

    fn shut_down(&mut self, now: Instant, queue: &mut Queue) {
        if !matches!(self.role, Role::Initialize) {
            self.withdraw(Role::Initialize, Cause::Stopped, now, queue);
        }
    }

    fn raise(&mut self, fault: Fault, now: Instant, queue: &mut Queue) {
        self.faults.raise(fault);
        if matches!(self.role, Role::Backup(_) | Role::Master(_)) {
            self.withdraw(Role::Fault, Cause::Faulted(fault), now, queue);
        }
    }

    fn judge_connection(&mut self, connected: bool, now: Instant, queue: &mut Queue) {
        if !connected {
            self.raise(Fault::Isolated, now, queue);
            return;
        }
        self.clear(Fault::Isolated, now, queue);
        if let Role::Backup(backup) = &mut self.role
            && backup.fence == Fence::Asked
        {
            backup.fence = Fence::Connected;
        }
    }

    fn hand_over(&mut self, now: Instant, queue: &mut Queue) {
        let patience = self.spec.lease();
        if let Role::Master(master) = &mut self.role {
            master.hand_over(now, patience);
            queue.push(Action::SendAdvert(self.id, RESIGN));
        }
    }

    fn clear(&mut self, fault: Fault, now: Instant, queue: &mut Queue) {
        self.faults.clear(fault);
        if matches!(self.role, Role::Fault) && self.faults.first().is_none() {
            self.take_part(Cause::Recovered, now, queue);
        }
    }

    /// 0 is no priority of a virtual router (C-FSM-17) and is ignored.
    fn change_priority(&mut self, priority: u8) {
        if priority == RESIGN {
            return;
        }
        self.spec.priority = priority;
        self.reconsider();
    }

    /// Judges anew by what is configured now. A Master that was about to be displaced may be let be now; then its advert was
    /// a sign of life.
    fn reconsider(&mut self) {
        self.watch(false);
        if let Role::Backup(backup) = &mut self.role
            && let Some(rival) = backup.rival.take()
        {
            self.judge_as_backup(rival);
        }
    }

    /// The Skew_Time after a resignation is over before a watch would pay.
    fn watch(&mut self, watched: bool) {
        if let Role::Backup(backup) = &mut self.role {
            backup.watched = watched && backup.resigned.is_none();
        }
    }

    /// An advert that was told before or that is older than the last sign of life changes nothing.
    fn see(&mut self, advert: Advert, now: Instant, queue: &mut Queue) {
        // A Master that has displaced somebody may be shown again whom it followed before.
        let was_followed = matches!(self.role, Role::Master(_)) && advert.at == self.last_sign;
        let is_old = advert.at < self.last_sign || was_followed || self.last_advert == Some(advert);
        if is_old || self.is_deaf() {
            return;
        }
        match self.role {
            Role::Backup(_) => self.judge_as_backup(advert),
            Role::Master(_) => self.judge_as_master(advert, now, queue),
            Role::Initialize | Role::Fault => return,
        }
        self.last_advert = Some(advert);
    }

    /// The owner discards every advert in version 2; in version 3 two owners settle it by address (C-RX-12).
    fn is_deaf(&self) -> bool {
        self.spec.version == Version::V2 && self.spec.priority == OWNER
    }

    fn judge_as_backup(&mut self, advert: Advert) {
        let Role::Backup(backup) = &mut self.role else { return };
        if advert.priority == RESIGN {
            backup.rearm(Some(advert.source));
            self.last_sign = advert.at;
        } else if backup.displaces(&self.spec, &advert) {
            backup.rival = Some(advert);
        } else {
            backup.rearm(None);
            self.follow(&advert);
        }
    }

    fn judge_as_master(&mut self, advert: Advert, now: Instant, queue: &mut Queue) {
        let Role::Master(master) = &mut self.role else { return };
        if let Some(cause) = beaten(&self.spec, master, &advert, now) {
            self.step_down(&advert, cause, now, queue);
        } else if advert.priority != RESIGN {
            if master.may_reply(&self.spec, now) {
                queue.push(Action::ReportLoser(self.id));
                if !self.spec.mute_to_losers {
                    queue.push(Action::SendAdvert(self.id, self.spec.priority));
                }
                queue.push_announcements(self.id, self.spec.announcing.losing_repeat);
            }
        } else if !master.hands_over {
            master.restart_advert(&self.spec, now);
            queue.push(Action::SendAdvert(self.id, self.spec.priority));
        }
    }

    /// Takes an advert as the Master's sign of life and, in version 3, learns its interval (C-TMR-05, C-TMR-06).
    fn follow(&mut self, advert: &Advert) {
        self.last_sign = advert.at;
        if self.spec.version == Version::V3 {
            self.active_interval = advert.interval;
        }
    }

    fn take_part(&mut self, cause: Cause, now: Instant, queue: &mut Queue) {
        self.active_interval = self.spec.interval;
        self.last_sign = now;
        let is_owner = self.spec.priority == OWNER;
        if is_owner && !self.spec.fenced {
            self.become_master(cause, now, queue);
        } else {
            let wants = is_owner.then_some(cause);
            self.enter(Role::Backup(Backup::wanting(wants)), cause, now, queue);
        }
    }

    fn become_master(&mut self, cause: Cause, now: Instant, queue: &mut Queue) {
        self.enter(Role::Master(Master::new(&self.spec, now)), cause, now, queue);
        queue.push(Action::SendAdvert(self.id, self.spec.priority));
        queue.push(Action::HoldAddresses(self.id, true));
        queue.push_announcements(self.id, self.spec.announcing.repeat);
    }

    /// Makes way for a better Master: no advert, its sender knows that it is there (C-FSM-09), unless a last word is
    /// configured.
    fn step_down(&mut self, advert: &Advert, cause: Cause, now: Instant, queue: &mut Queue) {
        self.follow(advert);
        queue.cancel_sends(self.id);
        if self.spec.last_word && matches!(cause, Cause::HigherPriority { .. } | Cause::GreaterAddress { .. })
        {
            queue.push(Action::SendAdvert(self.id, self.spec.priority));
        }
        let yields = matches!(cause, Cause::HandedOver { .. });
        self.enter(Role::Backup(Backup::yielding(yields)), cause, now, queue);
        queue.push(Action::HoldAddresses(self.id, false));
    }

    /// Stops taking part; a Master resigns, so that the others need not wait for its silence (C-FSM-11, C-FSM-14).
    fn withdraw(&mut self, to: Role, cause: Cause, now: Instant, queue: &mut Queue) {
        let was_master = matches!(self.role, Role::Master(_));
        if was_master {
            queue.cancel_sends(self.id);
        }
        self.enter(to, cause, now, queue);
        if was_master {
            queue.push(Action::SendAdvert(self.id, RESIGN));
            queue.push(Action::HoldAddresses(self.id, false));
        }
    }

    fn enter(&mut self, role: Role, cause: Cause, now: Instant, queue: &mut Queue) {
        let transition = Transition { from: self.role.state(), to: role.state(), cause, at: now };
        self.role = role;
        self.last_transition = Some(transition);
        queue.push(Action::Report(self.id, transition));
    }

    fn skew_time(&self) -> Duration {
        skew_time(&self.spec, self.active_interval)
    }

    fn down_interval(&self) -> Duration {
        down_interval(&self.spec, self.active_interval)
    }
}

/// Why a Master makes way for the sender of an advert; `None` if it does not.
fn beaten(spec: &Spec, master: &Master, advert: &Advert, now: Instant) -> Option<Cause> {
    let Advert { source, priority, .. } = *advert;
    if priority == RESIGN {
        None
    } else if master.hands_over {
        Some(Cause::HandedOver { to: source })
    } else if priority > spec.priority {
        Some(Cause::HigherPriority { source, priority })
    } else if priority == spec.priority && source > spec.source {
        Some(Cause::GreaterAddress { source })
    } else {
        master.overdue(spec, now).map(|silent| Cause::Late { source, silent })
    }
}

impl Role {
    fn state(&self) -> State {
        match self {
            Self::Initialize => State::Initialize,
            Self::Backup(_) => State::Backup,
            Self::Master(_) => State::Master,
            Self::Fault => State::Fault,
        }
    }
}
