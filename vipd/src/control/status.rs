//! What `vipd status` tells. Names are those of RFC 8347 where it has one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::config::Datapath;
use crate::datapath::Form;

/// One agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Status {
    /// Version of vipd.
    pub version: String,
    /// Label of the node.
    pub router_id: Option<String>,
    /// Process id.
    pub pid: u32,
    /// The process that resigns and cleans up for this one when it dies.
    pub warden: WardenStatus,
    /// How the deciding thread is scheduled: `deadline`, `fifo` with its priority, or `normal`.
    pub scheduling: String,
    /// What is worse on this host than it could be, and what that costs: a sentence each.
    pub degraded: Vec<String>,
    /// How often the election thread came more than 5 ms late to a deadline, because the host gave it no CPU.
    pub late_wakeups: u64,
    /// The longest that it came late, in microseconds.
    pub longest_delay_us: u64,
    /// What became of what people and programs were to be told.
    pub notify: NotifyStatus,
    /// Interfaces of the virtual routers.
    pub interfaces: Vec<InterfaceStatus>,
    /// Since when everything is counted: the start of the agent (RFC 3339, UTC).
    pub discontinuity_datetime: String,
    /// Virtual routers, in the order of the configuration; behind them those that a reload has added.
    pub instances: Vec<InstanceStatus>,
    /// Frames that belong to no virtual router here, by reason.
    pub statistics: BTreeMap<String, u64>,
}

/// The state of the warden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WardenStatus {
    /// It waits.
    Running,
    /// It could not be started, or was killed.
    Gone,
}

/// Notifications.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NotifyStatus {
    /// Events that the election could not get rid of, because the service thread did not keep up.
    pub lost_events: u64,
    /// Every channel that is configured.
    pub channels: Vec<ChannelStatus>,
}

/// One way to tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ChannelStatus {
    /// `scripts`, `fifo PATH`, `mail`, `webhook NUMBER (FORMAT)`.
    pub name: String,
    /// Taken by the receiver: a command that ended with exit code 0, a line in the pipe, an answer that says yes.
    pub sent: u64,
    /// Not taken, after every attempt.
    pub failed: u64,
    /// Given up without an attempt: the pipe was full, or too many waited.
    pub dropped: u64,
}

/// One interface of the virtual routers, also when it only carries addresses of theirs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct InterfaceStatus {
    /// Its name.
    pub name: String,
    /// The step of the ladder on which adverts are received; never `auto`.
    pub datapath: Datapath,
    /// Why not a better step, one sentence a step that was tried.
    pub refused: Vec<String>,
    /// Silence is timed in the kernel; otherwise by the agent, which can be late when it gets no CPU.
    pub timer: bool,
    /// Requests for virtual addresses are dropped here when this node may not answer; otherwise it answers as long as it has
    /// the addresses, also when it hangs.
    pub gate: bool,
}

/// One virtual router.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct InstanceStatus {
    /// Its name.
    pub name: String,
    /// Its interface.
    pub interface: String,
    /// Its virtual router id.
    pub vrid: u8,
    /// Version of its adverts, 2 or 3.
    pub version: u8,
    /// INIT, BACKUP, MASTER or FAULT.
    pub state: String,
    /// Seconds since the last transition.
    pub up_seconds: u64,
    /// When the last transition was (RFC 3339, UTC).
    pub up_datetime: Option<String>,
    /// Why it is MASTER, in RFC 8347's words: `not-master`, `priority`, `preempted` or `no-response`.
    pub new_master_reason: String,
    /// Why the last transition happened; in FAULT, what is missing now.
    pub last_event: Option<String>,
    /// Effective priority: the base and what tracked things add, within 1 and 254.
    pub priority: u8,
    /// Priority as configured.
    pub base_priority: u8,
    /// What it tracks, that of its sync group included.
    pub tracking: Vec<TrackedStatus>,
    /// This node owns the addresses (priority 255).
    pub is_owner: bool,
    /// Source of own adverts.
    pub source: Option<IpAddr>,
    /// Source of the last advert that changed something.
    pub last_adv_source: Option<IpAddr>,
    /// Its priority.
    pub last_adv_priority: Option<u8>,
    /// Own advertisement interval in milliseconds.
    pub interval_ms: u64,
    /// The Master's interval as learned, in milliseconds.
    pub active_interval_ms: u64,
    /// Silence after which this node takes over, in microseconds.
    pub master_down_interval_us: u64,
    /// This node's part of it, in microseconds.
    pub skew_time_us: u64,
    /// Virtual addresses.
    pub addresses: Vec<String>,
    /// All of them are on their interfaces, put there by this agent or found there.
    pub addresses_held: bool,
    /// Those that should be there and are not.
    pub addresses_missing: Vec<IpAddr>,
    /// The forms of checksum in which own adverts leave; only of version 3 over IPv4 there are two.
    pub checksum_sent: Vec<Form>,
    /// Other nodes, each with the forms of checksum that it sends.
    pub peers: Vec<PeerStatus>,
    /// Counters by name.
    pub statistics: BTreeMap<String, u64>,
}

/// Another node that was heard.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct PeerStatus {
    /// Source of its adverts.
    pub source: IpAddr,
    /// The forms that its checksums had.
    pub checksum: Vec<Form>,
}

/// Something tracked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TrackedStatus {
    /// Its name.
    pub name: String,
    /// `check`, `file`, `process`, `interface` or `fence`.
    pub kind: String,
    /// What it is like, a clause for people.
    pub state: String,
    /// The weight that counts here.
    pub weight: i16,
    /// Up counts as down and down as up.
    pub reverse: bool,
    /// What it does at the moment: points such as `-20` or `+0`, or `FAULT`.
    pub effect: String,
}

/// A moment as RFC 3339 has it, in UTC and whole seconds: what is behind them is the agent's own delay.
pub(crate) fn date_time(at: SystemTime) -> String {
    let at = OffsetDateTime::from(at).replace_nanosecond(0).map(|at| at.format(&Rfc3339));
    at.ok().and_then(Result::ok).unwrap_or_default()
}
