//! Puts virtual addresses on interfaces and takes them off.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::address::{
    AddressAttribute, AddressFlags, AddressMessage, AddressProtocol, AddressScope, CacheInfo,
};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::rtnl::{Request, Rtnl};
use crate::config::VirtualAddress;

/// The mark (`IFA_PROTO`, kernel 5.18 or newer) on every address that this agent adds: VRRP's own protocol number. By
/// it, what an agent left behind is told from what an operator configured.
pub const ADDRESS_PROTOCOL: u8 = 112;

/// A virtual address on its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        }
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

    fn add(&self) -> Request {
        (RouteNetlinkMessage::NewAddress(self.message()), NLM_F_CREATE | NLM_F_EXCL)
    }

    fn remove(&self) -> Request {
        (RouteNetlinkMessage::DelAddress(self.message()), 0)
    }
}

/// Adds all addresses. The result tells for each whether it was added (`true`) or was there before (`false`).
///
/// # Errors
/// As for [`Rtnl::apply`].
pub(super) fn add(rtnl: &mut Rtnl, addresses: &[Address]) -> io::Result<Vec<io::Result<bool>>> {
    let outcomes = rtnl.apply(addresses.iter().map(Address::add).collect())?;
    let added = |outcome: io::Result<()>| match outcome {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Ok(false),
        Err(error) => Err(error),
    };
    Ok(outcomes.into_iter().map(added).collect())
}

/// Removes all addresses; one that is not there counts as removed.
///
/// # Errors
/// As for [`Rtnl::apply`].
pub(crate) fn remove(rtnl: &mut Rtnl, addresses: &[Address]) -> io::Result<Vec<io::Result<()>>> {
    let outcomes = rtnl.apply(addresses.iter().map(Address::remove).collect())?;
    let removed = |outcome: io::Result<()>| match outcome {
        Err(error) if !matches!(error.raw_os_error(), Some(libc::EADDRNOTAVAIL | libc::ENODEV)) => Err(error),
        _ => Ok(()),
    };
    Ok(outcomes.into_iter().map(removed).collect())
}
