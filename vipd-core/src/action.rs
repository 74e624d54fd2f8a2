//! What to do: commands of the election to the rest of the agent, in the order in which they must be done.

use crate::{InstanceId, Transition};

/// A command. Each is for one virtual router; the order of the queue is part of the contract (C-FSM-04: a new Master
/// sends its advert first, then takes the addresses, then announces them).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The state changed. Comes before the commands that follow from it.
    Report(InstanceId, Transition),
    /// Send one advert with this priority (0: this node resigns).
    SendAdvert(InstanceId, u8),
    /// From now on this node should hold all (`true`) or none (`false`) of the virtual addresses.
    HoldAddresses(InstanceId, bool),
    /// Announce every virtual address once.
    Announce(InstanceId),
    /// Tell people that a Master hears an advert that loses; at most every 100 ms.
    ReportLoser(InstanceId),
    /// Find out whether this node is connected, and answer by [`Input::Connected`](crate::Input::Connected). The virtual
    /// router means to become MASTER and waits for that.
    ProveConnected(InstanceId),
}
