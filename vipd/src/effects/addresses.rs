//! Puts virtual addresses on interfaces and takes them off.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol, AddressScope};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::rtnl::{Request, Rtnl};

/// The mark (`IFA_PROTO`, kernel 5.18 or newer) on every address that this agent adds: VRRP's own protocol number. By
/// it, what an agent left behind is told from what an operator configured.
pub const ADDRESS_PROTOCOL: u8 = 112;

/// A virtual address on its interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Index of the interface.
    pub ifindex: u32,
    /// The address.
    pub ip: Ipv4Addr,
    /// Prefix length.
    pub prefix: u8,
    /// Label, as `ip address` shows it.
    pub label: Option<String>,
    /// Broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// `RT_SCOPE` value.
    pub scope: u8,
}

impl Address {
    fn message(&self) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = self.prefix;
        message.header.scope = AddressScope::from(self.scope);
        message.header.index = self.ifindex;
        let attributes = &mut message.attributes;
        let ip = IpAddr::V4(self.ip);
        attributes.extend([AddressAttribute::Local(ip), AddressAttribute::Address(ip)]);
        attributes.extend(self.broadcast.map(AddressAttribute::Broadcast));
        attributes.extend(self.label.clone().map(AddressAttribute::Label));
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
