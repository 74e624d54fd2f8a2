//! BACKUP: what is known of the Master that is listened to (RFC 9568 §6.4.2).

use core::net::IpAddr;

use crate::instance::OWNER;
use crate::{Advert, Instant, Spec};

/// What a Backup remembers besides its last sign of life.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backup {
    /// Who resigned, when the Skew_Time after a priority 0 runs instead of the down interval (C-FSM-08).
    pub(crate) resigned: Option<IpAddr>,
    /// The last advert that was discarded since the timer was armed: a Master about to be displaced (C-FSM-06).
    pub(crate) rival: Option<Advert>,
    /// Arrival of the first advert of lower priority, from which the preempt delay counts (C-FSM-16).
    lower_since: Option<Instant>,
}

impl Backup {
    /// Whether this node means to displace the sender of `advert`, so that the advert is no sign of life (C-FSM-06).
    /// The owner preempts always (C-FSM-13); others wait out the preempt delay, which an advert of equal or higher
    /// priority restarts (C-FSM-16).
    pub(crate) fn displaces(&mut self, spec: &Spec, advert: &Advert) -> bool {
        if advert.priority >= spec.priority {
            self.lower_since = None;
            return false;
        }
        if spec.priority == OWNER {
            return true;
        }
        let first = *self.lower_since.get_or_insert(advert.at);
        spec.preempt && advert.at.since(first) >= spec.preempt_delay
    }

    /// The timer starts anew, because of this resignation or because of a sign of life.
    pub(crate) fn rearm(&mut self, resigned: Option<IpAddr>) {
        self.resigned = resigned;
        self.rival = None;
    }
}
