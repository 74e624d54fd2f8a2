//! What the receive checks ask of an IP header, and what the two families differ in.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{L3, Reason};
use crate::abi::Addr;

/// Protocol, or next header, of VRRP (C-TX-01).
pub const VRRP: u8 = 112;
/// Protocol, or next header, of the IP authentication header (C-AUTH-04).
pub const AUTH_HEADER: u8 = 51;
/// TTL, or hop limit, of every advert sent (C-TX-02).
pub const TTL: u8 = 255;
/// Internetwork control (RFC 791), as other VRRP routers send (C-TX-08).
pub(super) const TOS: u8 = 0xc0;

/// What the header of a packet says, after the checks that the kernel makes before it hands a packet to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Octets of the packet by its header, which may be more than have arrived.
    pub total: usize,
    /// TTL or hop limit.
    pub ttl: u8,
    /// From whom.
    pub source: Addr,
    /// To whom.
    pub destination: Addr,
}

/// A family of addresses: [`V4`] or [`V6`].
pub trait Family {
    /// As in [`crate::abi::InstanceKey::family`].
    const NUMBER: u8;
    /// Where adverts go (C-TX-03).
    const GROUP: Addr;
    /// Octets of the header; adverts have no options and no extension headers (C-RX-11).
    const HEADER: usize;
    /// Octets of an address.
    const ADDRESS: usize;
    /// The most addresses that an advert can list (C-PKT-08, C-RX-09): what its count can say, or what fits into 1500 octets.
    const LIST_MAX: u8;
    /// Version 3 has its checksum in one form only, with the pseudo-header (C-CK-05).
    const PSEUDO_ONLY: bool;

    /// Reads the header of a packet of which `length` octets have arrived.
    ///
    /// # Errors
    ///
    /// [`Reason::IpHeader`], [`Reason::IpOptions`], [`Reason::Fragment`] or [`Reason::AuthHeader`].
    fn header(packet: &L3, length: usize) -> Result<Header, Reason>;

    /// From whom a packet is.
    fn source(packet: &L3) -> Addr;

    /// Whether no host has this address, or none that may send to the group of a link (C-RX-18).
    fn is_nobodys(address: &Addr, multicast: bool) -> bool;

    /// Sum of the header's two addresses, as of a pseudo-header (C-CK-03, C-CK-05).
    fn addresses_sum(packet: &L3) -> u64;

    /// The listed address at `at` of a packet, as part of [`super::list_digest`].
    fn digest(packet: &L3, at: usize) -> u64;
}

/// IPv4.
#[derive(Clone, Copy, Debug)]
pub enum V4 {}

/// IPv6.
#[derive(Clone, Copy, Debug)]
pub enum V6 {}

/// An address as the maps hold it.
#[must_use]
pub const fn from_ip(address: IpAddr) -> Addr {
    match address {
        IpAddr::V4(address) => from_ipv4(address),
        IpAddr::V6(address) => address.octets(),
    }
}

/// An IPv4 address as the maps hold it.
#[must_use]
#[inline(always)]
pub const fn from_ipv4(address: Ipv4Addr) -> Addr {
    let [a, b, c, d] = address.octets();
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
}

/// An address of the maps.
#[must_use]
pub const fn to_ip(address: &Addr) -> IpAddr {
    Ipv6Addr::from_octets(*address).to_canonical()
}

/// The family of an address of the maps, as of [`Family::NUMBER`].
#[must_use]
pub const fn family(address: &Addr) -> u8 {
    if to_ip(address).is_ipv4() { 4 } else { 6 }
}
