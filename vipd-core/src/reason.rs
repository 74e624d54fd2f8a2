//! Why: the one value from which log, status, history, metrics and tests tell of a transition (promise 7).

use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

use crate::{Fault, InstanceId, Instant, State};

/// A change of state, with its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state from now on.
    pub to: State,
    /// What caused it.
    pub cause: Cause,
    /// When it was decided.
    pub at: Instant,
}

/// The input behind a transition and what it was judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Startup of a non-owner: listen first (RFC 9568 §6.4.1, C-FSM-02).
    Started,
    /// Startup of the owner of the addresses, priority 255 (RFC 9568 §6.4.1, C-FSM-01).
    Owner,
    /// Nobody of sufficient priority was heard for the down interval (RFC 9568 §6.4.2, C-FSM-04).
    Silence {
        /// Silence since: the last advert that counted, or when listening began.
        since: Instant,
        /// The Active_Down_Interval, or the Skew_Time after a resignation, that ran out.
        waited: Duration,
    },
    /// The Master resigned with priority 0 and the skew time has passed (RFC 9568 §6.4.2, C-FSM-08).
    Resigned {
        /// Who resigned.
        source: IpAddr,
    },
    /// The Master heard has a lower priority than this node, which preempts it (RFC 9568 §6.4.2, C-FSM-06).
    Preempted {
        /// The Master that was displaced.
        source: IpAddr,
        /// Its priority.
        priority: u8,
    },
    /// As Master, an advert of higher priority came (RFC 9568 §6.4.3, C-FSM-09).
    HigherPriority {
        /// Its sender.
        source: IpAddr,
        /// Its priority.
        priority: u8,
    },
    /// As Master, an advert of equal priority from a greater address came (RFC 9568 §6.4.3, C-FSM-12).
    GreaterAddress {
        /// Its sender.
        source: IpAddr,
    },
    /// As Master, this node was silent for so long (frozen or starved) that a Backup had the right to take over, and one
    /// did (C-TMR-09): it yields, whatever the priorities, and says nothing before it has listened.
    Late {
        /// Who took over.
        source: IpAddr,
        /// How long this node had sent nothing.
        silent: Duration,
    },
    /// The addresses were handed over to another node, as an operator wanted.
    HandedOver {
        /// Who has them now.
        to: IpAddr,
    },
    /// Another member of the sync group made way; this one goes with it.
    Group(InstanceId),
    /// Something that the node needs was lost (C-FSM-14).
    Faulted(Fault),
    /// What was missing is back (C-FSM-14).
    Recovered,
    /// Told to stop (RFC event Shutdown, C-FSM-03, C-FSM-11).
    Stopped,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Link => "interface is down",
            Self::Source => "interface has no address to send from",
            Self::Isolated => "this node is cut off from the network",
            Self::Held => "held by an operator",
            Self::Tracked(_) => "a tracked thing is down",
            Self::Group(_) => "another member of its sync group has a fault",
        })
    }
}

impl fmt::Display for Cause {
    /// A clause for people, fit to stand behind "Entering MASTER STATE: ".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started, listening first (RFC 9568 6.4.1)"),
            Self::Owner => f.write_str("started as the owner of the addresses (RFC 9568 6.4.1)"),
            Self::Silence { waited, .. } => {
                write!(f, "no advert for {} ms (RFC 9568 6.4.2)", Millis(*waited))
            }
            Self::Resigned { source } => write!(f, "{source} resigned with priority 0 (RFC 9568 6.4.2)"),
            Self::Preempted { source, priority } => {
                write!(f, "preempting {source}, which has the lower priority {priority} (RFC 9568 6.4.2)")
            }
            Self::HigherPriority { source, priority } => {
                write!(f, "advert of {source} with the higher priority {priority} (RFC 9568 6.4.3)")
            }
            Self::GreaterAddress { source } => {
                write!(f, "advert of {source} with equal priority and the greater address (RFC 9568 6.4.3)")
            }
            Self::Late { source, silent } => {
                write!(f, "{source} took over while this node could not send for {} ms", Millis(*silent))
            }
            Self::HandedOver { to } => write!(f, "handed over to {to}"),
            Self::Group(_) => f.write_str("another member of its sync group made way"),
            Self::Faulted(fault) => write!(f, "{fault}"),
            Self::Recovered => f.write_str("what was missing is back"),
            Self::Stopped => f.write_str("told to stop"),
        }
    }
}

/// A span in milliseconds with three decimals, without floats.
struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        write!(f, "{}.{:03}", micros / 1000, micros % 1000)
    }
}
