//! What configuration says of one virtual router, in the election's own terms.

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

/// Which virtual router of the set: its place in the list given to [`Router::new`](crate::Router::new).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceId(pub u16);

/// Which of the tracked things (scripts, files, processes, interfaces): its place in a list that the caller keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackerId(pub u16);

/// Protocol version on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// RFC 3768 (and the passwords of RFC 2338).
    V2,
    /// RFC 9568 and RFC 5798.
    V3,
}

/// An advertisement interval in centiseconds. Version 2 carries whole seconds (1 to 255), version 3 1 to 4095
/// centiseconds (C-PKT-07); which of them fit a version is checked where configuration is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval(u16);

impl Interval {
    /// An interval of `cs` centiseconds; `None` for zero, which no advert may carry (C-RX-16).
    #[must_use]
    pub const fn from_centis(cs: u16) -> Option<Self> {
        if cs == 0 { None } else { Some(Self(cs)) }
    }

    /// The interval in centiseconds.
    #[must_use]
    pub const fn as_centis(self) -> u16 {
        self.0
    }

    /// The interval as a span of time.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.0 as u64 * 10)
    }
}

/// The states people know. RFC 9568 says Active for Master.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not started, or shut down.
    Initialize,
    /// Listening; another node holds the addresses.
    Backup,
    /// This node holds the addresses.
    Master,
    /// Something that the node needs is missing; it takes no part (RFC: Initialize).
    Fault,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Initialize => "INIT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
        })
    }
}

/// When a Master announces its addresses by gratuitous ARP or unsolicited NA (C-ARP-01, C-ARP-07).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announcing {
    /// Announcements of every address in one set; at least 1 (`garp_master_repeat`).
    pub repeat: u8,
    /// From becoming Master to a second set; zero for none (`garp_master_delay`).
    pub delay: Duration,
    /// Between later sets while Master; zero for none (`garp_master_refresh`).
    pub refresh: Duration,
    /// Announcements in each of these later sets (`garp_master_refresh_repeat`).
    pub refresh_repeat: u8,
    /// Announcements in each set that a losing advert causes (`garp_lower_prio_repeat`).
    pub losing_repeat: u8,
    /// From a losing advert to a second set (`garp_lower_prio_delay`); zero for none.
    pub losing_delay: Duration,
}

/// One virtual router as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own in the configuration")]
pub struct Spec {
    /// Version of its adverts; decides the unit of skew and whether intervals are learned.
    pub version: Version,
    /// 1 to 254, or 255 for the owner of the addresses.
    pub priority: u8,
    /// Own Advertisement_Interval.
    pub interval: Interval,
    /// Preempt_Mode: a Backup of higher priority displaces a Master of lower priority.
    pub preempt: bool,
    /// How long a Backup lets a Master of lower priority be before it displaces it (C-FSM-16).
    pub preempt_delay: Duration,
    /// As Master, leave losing adverts unanswered (`lower_prio_no_advert`); they cause announcements all the same.
    pub mute_to_losers: bool,
    /// As Master, send a last advert before making way for a better one (`higher_prio_send_advert`), which may have been
    /// Master all the time and not know that hosts were told to look elsewhere (C-L2-09).
    pub last_word: bool,
    /// Intervals of silence that a Backup waits beside the skew, at least 1; 3 by the RFCs (`down_timer_adverts`).
    pub down_adverts: u8,
    /// The sync group that it belongs to, by number: its members become MASTER, BACKUP and FAULT together.
    pub group: Option<u16>,
    /// Before it becomes MASTER it must be proven that this node is not the one that is cut off; see
    /// [`Action::ProveConnected`](crate::Action::ProveConnected).
    pub fenced: bool,
    /// Own primary address: the source of own adverts and this node's side of the tie-break (C-FSM-12).
    pub source: IpAddr,
    /// When to announce the addresses.
    pub announcing: Announcing,
}

impl Spec {
    /// How long after an advert has left this node may go on as Master without another one: until the fastest Backup may
    /// take over. A Backup waits some skew longer, counted from the arrival.
    #[must_use]
    pub fn lease(&self) -> Duration {
        u32::from(self.down_adverts) * self.interval.as_duration()
    }
}
