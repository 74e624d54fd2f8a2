//! The IPv6 header of an advert.

use core::net::Ipv6Addr;

use super::ip::{AUTH_HEADER, Family, Header, TOS, V6, VRRP};
use super::{EmitError, L3, Reason, address_digest, be16, checksum, sixteen};
use crate::abi::Addr;

/// Where adverts go (C-TX-03).
pub const GROUP: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);
/// All nodes of a link: where addresses are announced (C-ND-01).
pub const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// Octets of the header.
pub const HEADER: usize = 40;
/// Where the header names what is behind it.
pub const NEXT_AT: usize = 6;
/// Where the header names its source.
pub const SOURCE_AT: usize = 8;
/// Where the header names its destination.
pub const DESTINATION_AT: usize = 24;
/// Next header of ICMPv6.
pub const ICMP: u8 = 58;
/// Next header of a fragment.
const FRAGMENT: u8 = 44;

/// Whether an extension header comes next (RFC 8200 §4): hop-by-hop options, routing, fragment, authentication or destination
/// options.
#[must_use]
#[inline(always)]
pub const fn is_extension(next: u8) -> bool {
    matches!(next, 0 | 43 | FRAGMENT | AUTH_HEADER | 60)
}

/// Whether an address is valid on one link only, fe80::/10.
#[must_use]
#[inline(always)]
pub const fn is_link_local(address: &Addr) -> bool {
    address[0] == 0xfe && address[1] & 0xc0 == 0x80
}

impl Family for V6 {
    const NUMBER: u8 = 6;
    const GROUP: Addr = GROUP.octets();
    const HEADER: usize = HEADER;
    const ADDRESS: usize = 16;
    const LIST_MAX: u8 = 90;
    const PSEUDO_ONLY: bool = true;

    #[inline(always)]
    fn header(packet: &L3, length: usize) -> Result<Header, Reason> {
        let octets = &packet.0;
        if length < HEADER || octets[0] >> 4 != 6 {
            return Err(Reason::IpHeader);
        }
        match octets[NEXT_AT] {
            VRRP => Ok(Header {
                total: HEADER + usize::from(be16(octets, 4)),
                ttl: octets[7],
                source: Self::source(packet),
                destination: sixteen(octets, DESTINATION_AT),
            }),
            FRAGMENT => Err(Reason::Fragment),
            AUTH_HEADER => Err(Reason::AuthHeader),
            _ => Err(Reason::IpOptions),
        }
    }

    #[inline(always)]
    fn source(packet: &L3) -> Addr {
        sixteen(&packet.0, SOURCE_AT)
    }

    #[inline(always)]
    fn is_nobodys(address: &Addr, multicast: bool) -> bool {
        if multicast {
            return !is_link_local(address);
        }
        // Unspecified, loopback, IPv4-mapped; multicast.
        address[0] == 0xff || address.first_chunk() == Some(&[0; 8])
    }

    #[inline(always)]
    fn addresses_sum(packet: &L3) -> u64 {
        checksum::words::<8>(packet, SOURCE_AT)
    }

    #[inline(always)]
    fn digest(packet: &L3, at: usize) -> u64 {
        address_digest(&sixteen(&packet.0, at))
    }
}

/// Writes the header of a packet with `payload` octets behind it, and says how long the header is.
///
/// # Errors
///
/// [`EmitError::Buffer`]
pub fn emit(
    source: Ipv6Addr,
    destination: Ipv6Addr,
    next: u8,
    hop_limit: u8,
    payload: usize,
    packet: &mut [u8],
) -> Result<usize, EmitError> {
    let payload = u16::try_from(payload).map_err(|_| EmitError::Buffer)?;
    let header: &mut [u8; HEADER] = packet.first_chunk_mut().ok_or(EmitError::Buffer)?;
    // Version, traffic class and flow label.
    header[..4].copy_from_slice(&(6 << 28 | u32::from(TOS) << 20).to_be_bytes());
    header[4..6].copy_from_slice(&payload.to_be_bytes());
    header[NEXT_AT] = next;
    header[7] = hop_limit;
    header[SOURCE_AT..DESTINATION_AT].copy_from_slice(&source.octets());
    header[DESTINATION_AT..].copy_from_slice(&destination.octets());
    Ok(HEADER)
}
