//! BACKUP: what is known of the Master that is listened to (RFC 9568 §6.4.2).

use core::net::IpAddr;

use crate::instance::OWNER;
use crate::{Advert, Cause, Instant, Spec};

/// What a Backup remembers besides its last sign of life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backup {
    /// Who resigned, when the Skew_Time after a priority 0 runs instead of the down interval (C-FSM-08).
    pub(crate) resigned: Option<IpAddr>,
    /// The last advert that was discarded since the timer was armed: a Master about to be displaced (C-FSM-06).
    pub(crate) rival: Option<Advert>,
    /// Arrival of the first advert of lower priority, from which the preempt delay counts (C-FSM-16).
    lower_since: Option<Instant>,
    /// The preempt delay has run out: the Master of lower priority is let be no longer.
    delay_over: bool,
    /// Somebody else times the silence; see [`Input::Watched`](crate::Input::Watched).
    pub(crate) watched: bool,
    /// It would be Master but for its sync group or its fence, and why.
    pub(crate) wants: Option<Cause>,
    /// Whether this node is connected has been asked, and what the answer was.
    pub(crate) fence: Fence,
    /// It has handed its addresses over, and displaces nobody.
    pub(crate) yields: bool,
}

/// The question that a fenced virtual router asks before it becomes Master.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fence {
    #[default]
    Unasked,
    Asked,
    Connected,
}

impl Backup {
    /// A Backup that would be Master already, if there is a cause.
    pub(crate) fn wanting(wants: Option<Cause>) -> Self {
        Self { wants, ..Self::default() }
    }

    /// A Backup that may have handed its addresses over.
    pub(crate) fn yielding(yields: bool) -> Self {
        Self { yields, ..Self::default() }
    }

    /// Whether this node means to displace the sender of `advert`, so that the advert is no sign of life (C-FSM-06).
    /// The owner preempts always (C-FSM-13); others wait out the preempt delay, which an advert of equal or higher
    /// priority restarts (C-FSM-16).
    pub(crate) fn displaces(&mut self, spec: &Spec, advert: &Advert) -> bool {
        if advert.priority >= spec.priority {
            self.lower_since = None;
            self.delay_over = false;
            return false;
        }
        if spec.priority == OWNER && !self.yields {
            return true;
        }
        let first = *self.lower_since.get_or_insert(advert.at);
        self.delay_over |= advert.at.since(first) >= spec.preempt_delay;
        spec.preempt && self.delay_over && !self.yields
    }

    /// The least priority of an advert that is a sign of life: 1 while even the lowest is let be.
    pub(crate) fn alive_from(&self, spec: &Spec) -> u8 {
        let displaces = spec.preempt && !self.yields && (self.delay_over || spec.preempt_delay.is_zero());
        if displaces || spec.priority == OWNER && !self.yields { spec.priority } else { 1 }
    }

    /// When the preempt delay runs out. Only of interest while somebody else watches, who must be told then.
    pub(crate) fn delay_end(&self, spec: &Spec) -> Option<Instant> {
        let waits = self.watched && spec.preempt && !self.delay_over && spec.priority != OWNER;
        self.lower_since.filter(|_| waits).map(|first| first + spec.preempt_delay)
    }

    /// Takes note that the preempt delay has run out; `false` if it has not.
    pub(crate) fn end_delay(&mut self, spec: &Spec, now: Instant) -> bool {
        let over = self.delay_end(spec).is_some_and(|end| end <= now);
        self.delay_over |= over;
        over
    }

    /// The timer starts anew, because of this resignation or because of a sign of life.
    pub(crate) fn rearm(&mut self, resigned: Option<IpAddr>) {
        self.resigned = resigned;
        self.rival = None;
        self.wants = None;
        self.fence = Fence::Unasked;
        self.watched &= resigned.is_none();
    }
}
