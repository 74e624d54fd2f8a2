//! Puts virtual addresses on interfaces and takes them off.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::future::join_all;
use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol, AddressScope};
use rtnetlink::{AddressMessageBuilder, Handle};

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
        let mut message = AddressMessageBuilder::<Ipv4Addr>::new()
            .index(self.ifindex)
            .address(self.ip, self.prefix)
            .build();
        message.header.scope = AddressScope::from(self.scope);
        // The builder derives a broadcast address from the prefix; only a configured one is wanted.
        message.attributes.retain(|attribute| !matches!(attribute, AddressAttribute::Broadcast(_)));
        message.attributes.extend(self.broadcast.map(AddressAttribute::Broadcast));
        message.attributes.extend(self.label.clone().map(AddressAttribute::Label));
        message.attributes.push(AddressAttribute::Protocol(AddressProtocol::Other(ADDRESS_PROTOCOL)));
        message
    }
}

/// Adds all addresses; the requests leave together and the answers are awaited together. The result tells for each
/// whether it was added (`true`) or was there before (`false`).
pub(super) async fn add(handle: &Handle, addresses: &[Address]) -> Vec<Result<bool, rtnetlink::Error>> {
    let requests = addresses.iter().map(|address| async move {
        let mut request = handle.address().add(address.ifindex, IpAddr::V4(address.ip), address.prefix);
        *request.message_mut() = address.message();
        match request.execute().await {
            Ok(()) => Ok(true),
            Err(error) if errno(&error) == libc::EEXIST => Ok(false),
            Err(error) => Err(error),
        }
    });
    join_all(requests).await
}

/// Removes all addresses; one that is not there counts as removed.
pub async fn remove(handle: &Handle, addresses: &[Address]) -> Vec<Result<(), rtnetlink::Error>> {
    let requests = addresses.iter().map(|address| async move {
        match handle.address().del(address.message()).execute().await {
            Err(error) if !matches!(errno(&error), libc::EADDRNOTAVAIL | libc::ENODEV) => Err(error),
            _ => Ok(()),
        }
    });
    join_all(requests).await
}

/// The kernel's error number as a positive value, 0 where the error is not the kernel's.
fn errno(error: &rtnetlink::Error) -> i32 {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.raw_code().saturating_neg(),
        _ => 0,
    }
}
