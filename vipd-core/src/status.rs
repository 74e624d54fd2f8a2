//! What a virtual router tells of itself, for status, metrics and the kernel's watch.

use core::net::IpAddr;
use core::time::Duration;

use crate::{Advert, Fault, Interval, State, Transition};

/// A virtual router at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Its state.
    pub state: State,
    /// Effective priority: as configured, or as tracking changed it last.
    pub priority: u8,
    /// Own primary address, this node's side of the tie-break (C-FSM-12).
    pub source: IpAddr,
    /// Active_Adver_Interval: the interval learned from the last Master that was followed, or the own one since
    /// Startup (C-TMR-04, C-TMR-05). Version 2 never learns (C-TMR-06).
    pub active_interval: Interval,
    /// Skew_Time for `priority` and `active_interval` (C-TMR-01, C-TMR-02).
    pub skew: Duration,
    /// Active_Down_Interval for `priority` and `active_interval`.
    pub down_interval: Duration,
    /// The last change of state; `None` before Startup.
    pub last_transition: Option<Transition>,
    /// What it misses at the moment, the weightiest thing if there are several.
    pub fault: Option<Fault>,
    /// The last advert that was judged in BACKUP or MASTER, whatever the verdict.
    pub last_advert: Option<Advert>,
}
