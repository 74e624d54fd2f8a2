//! The test whether this node is the isolated one.

use std::net::IpAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::toml::form;

/// Before it becomes MASTER, and while it is, the node asks whether anybody else can be reached; where fewer than
/// [`quorum`](Self::quorum) answer, it stays or becomes BACKUP. vipd's own:
/// `fence { gateway 192.168.1.1; peers 192.168.1.20; anchors 8.8.8.8; quorum 2 }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fence {
    /// The gateway, asked by ARP or neighbour solicitation on the instance's interface.
    pub gateway: Option<IpAddr>,
    /// The other load balancers, asked like the gateway. Any frame from them counts as an answer.
    pub peers: Vec<IpAddr>,
    /// Hosts further away, asked by echo requests.
    pub anchors: Vec<IpAddr>,
    /// How many of all these must answer, 1 to their number; by default more than half of them.
    pub quorum: u16,
    /// From one round of questions to the next while MASTER; 1 s by default.
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub interval: Duration,
    /// How long an answer is waited for; 100 ms by default, at most the interval.
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub timeout: Duration,
}

impl Fence {
    /// How many hosts are asked.
    #[must_use]
    pub fn asked(&self) -> u16 {
        let asked = usize::from(self.gateway.is_some()) + self.peers.len() + self.anchors.len();
        asked.try_into().unwrap_or(u16::MAX)
    }
}
