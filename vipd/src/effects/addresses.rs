//! Puts virtual addresses on interfaces and takes them off.

use std::net::{IpAddr, Ipv4Addr};

use rtnetlink::packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, AddressScope, CacheInfo,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::rtnl::Request;
use super::things::CREATE;
use crate::config::VirtualAddress;

/// The mark (`IFA_PROTO`, kernel 5.18 or newer) on every address that this agent adds: VRRP's own protocol number. By
/// it, what an agent left behind is told from what an operator configured.
pub const ADDRESS_PROTOCOL: u8 = 112;

/// A virtual address on its interface.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Index of the interface.
    pub ifindex: u32,
    /// The address.
    pub ip: IpAddr,
    /// Prefix length.
    pub prefix: u8,
    /// Label, as `ip address` shows it; IPv4 only.
    pub label: Option<String>,
    /// Broadcast address; IPv4 only.
    pub broadcast: Option<Ipv4Addr>,
    /// `RT_SCOPE` value; the kernel knows that of an IPv6 address by itself.
    pub scope: u8,
    /// It is put back when somebody else removes it.
    pub tracked: bool,
}

impl Address {
    /// An address of the configuration on this interface.
    #[must_use]
    pub fn new(config: &VirtualAddress, ifindex: u32) -> Self {
        Self {
            ifindex,
            ip: config.ip,
            prefix: config.prefix,
            label: config.label.clone(),
            broadcast: match config.broadcast {
                Some(IpAddr::V4(broadcast)) => Some(broadcast),
                _ => None,
            },
            scope: config.scope,
            tracked: !config.no_track,
        }
    }

    /// Whether both are of one IPv4 network on one interface, so that the kernel makes one of them the other's secondary.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        let (IpAddr::V4(own), IpAddr::V4(others)) = (self.ip, other.ip) else { return false };
        let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
        let network = |ip: Ipv4Addr| ip.to_bits() & mask;
        (self.ifindex, self.prefix, network(own)) == (other.ifindex, other.prefix, network(others))
    }

    fn message(&self) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.prefix_len = self.prefix;
        message.header.scope = AddressScope::from(self.scope);
        message.header.index = self.ifindex;
        let attributes = &mut message.attributes;
        attributes.extend([AddressAttribute::Local(self.ip), AddressAttribute::Address(self.ip)]);
        if self.ip.is_ipv4() {
            message.header.family = AddressFamily::Inet;
            attributes.extend(self.broadcast.map(AddressAttribute::Broadcast));
            attributes.extend(self.label.clone().map(AddressAttribute::Label));
        } else {
            message.header.family = AddressFamily::Inet6;
            // The election has made sure that nobody else has it: it is usable at once (C-ND-09).
            attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
            if self.prefix == 128 {
                // As Keepalived adds it: this host chooses it as a source only when it is told to.
                let mut lifetimes = CacheInfo::default();
                (lifetimes.ifa_preferred, lifetimes.ifa_valid) = (0, u32::MAX);
                attributes.push(AddressAttribute::CacheInfo(lifetimes));
            }
        }
        attributes.push(AddressAttribute::Protocol(AddressProtocol::Other(ADDRESS_PROTOCOL)));
        message
    }

    pub(super) fn add(&self) -> Request {
        (RouteNetlinkMessage::NewAddress(self.message()), CREATE)
    }

    pub(super) fn remove(&self) -> Request {
        (RouteNetlinkMessage::DelAddress(self.message()), 0)
    }
}
