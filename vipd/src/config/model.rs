//! The typed model that both configuration languages are read into. Everything in it has been checked.

use std::net::IpAddr;
use std::time::Duration;

use vipd_core::{Announcing, Interval, Version};

/// One agent's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Label of this node in logs (`router_id`); the host name where none is given.
    pub router_id: Option<String>,
    /// How adverts are to be received; `Auto` where none is demanded.
    pub datapath: Datapath,
    /// The virtual routers, in the order of the file; at least one.
    pub instances: Vec<Instance>,
}

/// Which step of the ladder is demanded.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
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

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name in logs and status.
    pub name: String,
    /// Line of the configuration file where it begins, from 1.
    pub line: usize,
    /// Interface for adverts, and for addresses without `dev`.
    pub interface: String,
    /// Virtual router id, 1 to 255.
    pub vrid: u8,
    /// Version of its adverts.
    pub version: Version,
    /// 1 to 255.
    pub priority: u8,
    /// Own advertisement interval; whole seconds in version 2.
    pub interval: Interval,
    /// Displace a Master of lower priority.
    pub preempt: bool,
    /// Wait before displacing it.
    pub preempt_delay: Duration,
    /// Password of version 2.
    pub password: Option<Password>,
    /// Source of adverts; the interface's primary address where none is given.
    pub source: Option<IpAddr>,
    /// Unicast peers; adverts go to the group where there are none.
    pub peers: Vec<IpAddr>,
    /// Checksum form of v3/IPv4 adverts that are sent and accepted (C-CK-04).
    pub checksum: Checksum,
    /// The virtual addresses that adverts list, in the order of the file.
    pub addresses: Vec<VirtualAddress>,
    /// When addresses are announced.
    pub announcing: Announcing,
}

/// Checksum form of v3/IPv4 adverts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checksum {
    /// Send with pseudo-header, as keepalived and FRR need it, and accept both.
    #[default]
    Either,
    /// Send and accept the message-only form of RFC 9568.
    Message,
    /// Send and accept the form with pseudo-header.
    Pseudo,
}

/// A virtual address with what `ip address add` is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualAddress {
    /// The address.
    pub ip: IpAddr,
    /// Prefix length; 32 or 128 where the file gives none.
    pub prefix: u8,
    /// Interface that carries it; the instance's where none is given.
    pub dev: Option<String>,
    /// Label, at most 15 octets, as `ip address` shows it.
    pub label: Option<String>,
    /// Broadcast address; none is set where none is given.
    pub broadcast: Option<IpAddr>,
    /// Scope, the kernel's `RT_SCOPE_` value: 0 is global, 253 link, 254 host.
    pub scope: u8,
}

/// A version 2 password: 8 octets, zero-filled (C-AUTH-02). Never printed (C-SEC-07).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password(pub [u8; 8]);

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(hidden)")
    }
}
