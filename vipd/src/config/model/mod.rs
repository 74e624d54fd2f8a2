//! The typed model that both configuration languages are read into. Everything in it has been checked, and every
//! default is filled in.
//!
//! Keywords, units and defaults are Keepalived's (keepalived.conf(5)) unless a field says otherwise; `pending` lists
//! what the agent does not act on yet.

mod address;
mod fence;
mod instance;
mod notify;
mod route;
mod secret;
mod track;

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use vipd_common::abi::MAX_INSTANCES;

use super::toml::form;

pub use address::{Family, StaticAddress, VirtualAddress};
pub use fence::Fence;
pub use instance::{Checksum, Garp, Instance, Peer, StartState, SyncGroup, Vmac};
pub use notify::{Account, Command, Deleted, Fifo, Mail, Notify, Webhook, WebhookFormat};
pub use route::{Prefix, Route, RouteKind, Rule, RuleAction};
pub use secret::{Password, Secret};
pub use track::{
    Check, FileInit, FileTracker, HttpProbe, Parameters, Probe, ProcessTracker, Tracked, Trackers, Weight,
};

/// One agent's configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Config {
    /// Label of this node in logs and mail (`router_id`); the host name where none is given.
    pub router_id: Option<String>,
    /// How adverts are to be received; `Auto` where none is demanded. vipd's own keyword.
    pub datapath: Datapath,
    /// How long after the start no advert is sent or judged (`vrrp_startup_delay`); none by default.
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub startup_delay: Duration,
    /// Network namespace to run in, by its name in `/run/netns` (`net_namespace`); that of the start by default.
    pub net_namespace: Option<String>,
    /// Refuse to run scripts as root that somebody else could change (`enable_script_security`); off by default.
    #[serde(rename = "enable_script_security")]
    pub script_security: bool,
    /// Health checks, scripts among them (`vrrp_script`, vipd's own `vrrp_check`), that instances track by name.
    #[serde(rename = "check")]
    pub checks: Vec<Check>,
    /// Files with a number in them that instances track by name (`track_file`, formerly `vrrp_track_file`).
    #[serde(rename = "file")]
    pub files: Vec<FileTracker>,
    /// Processes that instances track by name (`vrrp_track_process`).
    #[serde(rename = "process")]
    pub processes: Vec<ProcessTracker>,
    /// Instances that move together (`vrrp_sync_group`).
    #[serde(rename = "sync_group")]
    pub sync_groups: Vec<SyncGroup>,
    /// Pipes that every event is written to (`notify_fifo`, `vrrp_notify_fifo`).
    #[serde(rename = "fifo")]
    pub fifos: Vec<Fifo>,
    /// How mail is sent; `None` where `notification_email` names nobody.
    pub mail: Option<Mail>,
    /// Where events are posted as JSON. vipd's own.
    #[serde(rename = "webhook")]
    pub webhooks: Vec<Webhook>,
    /// Addresses that are there while the agent runs, whatever the election says (`static_ipaddress`).
    #[serde(rename = "static_ipaddress")]
    pub static_addresses: Vec<StaticAddress>,
    /// Routes that are there while the agent runs (`static_routes`).
    pub static_routes: Vec<Route>,
    /// Policy rules that are there while the agent runs (`static_rules`).
    pub static_rules: Vec<Rule>,
    /// The virtual routers, in the order of the file; at least one.
    #[serde(rename = "instance")]
    pub instances: Vec<Instance>,
}

/// How many places for virtual routers are set aside by an agent that begins with `count` of them, so that a reload finds
/// room: as the will has it.
#[must_use]
pub fn places(count: usize) -> usize {
    (2 * count + 64).min(MAX_INSTANCES as usize)
}

impl Config {
    /// The sync group of a virtual router, with its place in the list of groups.
    #[must_use]
    pub fn group_of(&self, instance: &Instance) -> Option<(usize, &SyncGroup)> {
        let is_member = |group: &SyncGroup| !instance.is_vacant() && group.members.contains(&instance.name);
        self.sync_groups.iter().enumerate().find(|(_, group)| is_member(group))
    }
}

/// Which step of the ladder is demanded.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, serde::Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Datapath {
    /// The best that the interface can do: native XDP, generic XDP, tcx, packet socket, in this order.
    #[default]
    Auto,
    /// XDP in the driver.
    XdpNative,
    /// XDP in the network stack.
    XdpGeneric,
    /// A tcx classifier at ingress (kernel 6.6 or newer).
    Tcx,
    /// A packet socket; nothing is loaded into the kernel.
    Socket,
}

impl std::fmt::Display for Datapath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::XdpNative => "xdp-native",
            Self::XdpGeneric => "xdp-generic",
            Self::Tcx => "tcx",
            Self::Socket => "socket",
        })
    }
}
