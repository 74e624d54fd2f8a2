//! What happened: facts, told to the election.

use core::net::IpAddr;

use crate::{InstanceId, Instant, Interval, TrackerId};

/// An advertisement that passed every receive check (C-RX-01 to C-RX-20).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    /// Source address of its IP header.
    pub source: IpAddr,
    /// 0 when the sender resigns.
    pub priority: u8,
    /// The interval that it carries.
    pub interval: Interval,
    /// When it arrived, by the kernel's stamp where there is one. Timers are armed from here, not from when it was read.
    pub at: Instant,
}

/// What somebody knows who sees every advert for a virtual router, but tells of changes only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The last advert that was a sign of life, or a resignation.
    pub sign: Option<Advert>,
    /// The last advert of all.
    pub last: Option<Advert>,
    /// The silence after `sign` is being timed, as [`Input::Watched`] says.
    pub watched: bool,
}

/// What a virtual router can be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Its interface is gone, down or without carrier.
    Link,
    /// Its interface has no address to send from.
    Source,
    /// A tracked thing without a weight is down, or not proven to be up.
    Tracked(TrackerId),
    /// This node is cut off from the network (fencing).
    Isolated,
    /// An operator holds it out of the election.
    Held,
    /// Another member of its sync group has a fault. Raised and cleared by the [`Router`](crate::Router) alone.
    Group(InstanceId),
}

/// A fact about one virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Take part from now on (RFC event Startup).
    Startup,
    /// Stop taking part (RFC event Shutdown).
    Shutdown,
    /// An advert arrived.
    AdvertSeen(Advert),
    /// Somebody who sees every advert, the kernel, times the silence of the Master from its last sign of life on. Own
    /// timing is a back-stop from now on, until the silence is told or the state or priority changes.
    Watched,
    /// Who watched tells that there was no sign of life for the whole down interval.
    Silent,
    /// Something needed was lost.
    FaultRaised(Fault),
    /// It is back.
    FaultCleared(Fault),
    /// The interface's primary address is another one now.
    SourceChanged(IpAddr),
    /// Tracking changed the effective priority: 1 to 254, or 255 for the owner.
    PriorityChanged(u8),
    /// Whether this node is connected: an answer to [`Action::ProveConnected`](crate::Action::ProveConnected), or a change
    /// that was noticed meanwhile. A node that is not raises [`Fault::Isolated`].
    Connected(bool),
    /// An operator wants another node to be Master: resign, but hold the addresses until another one is heard, and let it
    /// be whatever its priority.
    HandOver,
}
