//! Addresses that the agent puts on interfaces.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

/// Address family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub enum Family {
    /// IPv4.
    #[default]
    #[serde(rename = "ipv4")]
    V4,
    /// IPv6.
    #[serde(rename = "ipv6")]
    V6,
}

impl Family {
    /// The family of an address.
    #[must_use]
    pub const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

/// A virtual address with what `ip address add` is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualAddress {
    /// The address.
    pub ip: IpAddr,
    /// Prefix length; 32 or 128 where the file gives none. Keepalived adds an IPv6 address with prefix length 128 as
    /// deprecated (preferred lifetime 0), so that the host does not choose it as a source.
    pub prefix: u8,
    /// Interface that carries it; the instance's where none is given.
    pub dev: Option<String>,
    /// Label, at most 15 octets, as `ip address` shows it; IPv4 only.
    pub label: Option<String>,
    /// Broadcast address; none is set where none is given. IPv4 only.
    pub broadcast: Option<IpAddr>,
    /// Scope, the kernel's `RT_SCOPE_` value: 0 is global, 253 link, 254 host.
    pub scope: u8,
    /// Leave it alone when somebody else removes it (`no_track`); it is put back by default.
    pub no_track: bool,
}

/// An address of `static_ipaddress`: always on an interface that the file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticAddress {
    /// Interface that carries it; `default_interface` where it names none.
    pub dev: String,
    /// The address; its own `dev` is empty.
    pub address: VirtualAddress,
}
