//! The IPv4 header of an advert.

use core::net::Ipv4Addr;

use super::ip::{Family, Header, TOS, V4, VRRP, from_ipv4};
use super::{EmitError, L3, Reason, be16, checksum, four, ipv4_digest};
use crate::abi::Addr;

/// Where adverts go (C-TX-03).
pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Octets of the header.
pub const HEADER: usize = 20;
/// Where the header names its protocol.
pub const PROTOCOL_AT: usize = 9;
/// Where the header names its source.
const SOURCE_AT: usize = 12;
/// Where the header names its destination.
pub const DESTINATION_AT: usize = 16;

impl Family for V4 {
    const NUMBER: u8 = 4;
    const GROUP: Addr = from_ipv4(GROUP);
    const HEADER: usize = HEADER;
    const ADDRESS: usize = 4;
    const LIST_MAX: u8 = 255;
    const PSEUDO_ONLY: bool = false;

    #[inline(always)]
    fn header(packet: &L3, length: usize) -> Result<Header, Reason> {
        let octets = &packet.0;
        let header = usize::from(octets[0] & 0x0f) * 4;
        let total = usize::from(be16(octets, 2));
        if length < HEADER || octets[0] >> 4 != 4 || header < HEADER || total < header {
            return Err(Reason::IpHeader);
        }
        if header != HEADER {
            return Err(Reason::IpOptions);
        }
        if !checksum::is_sound(checksum::words::<{ HEADER / 4 }>(packet, 0)) {
            return Err(Reason::IpHeader);
        }
        // More fragments, or an offset.
        if be16(octets, 6) & 0x3fff != 0 {
            return Err(Reason::Fragment);
        }
        if octets[PROTOCOL_AT] != VRRP {
            return Err(Reason::AuthHeader);
        }
        Ok(Header {
            total,
            ttl: octets[8],
            source: Self::source(packet),
            destination: from_ipv4(four(octets, DESTINATION_AT).into()),
        })
    }

    #[inline(always)]
    fn source(packet: &L3) -> Addr {
        from_ipv4(four(&packet.0, SOURCE_AT).into())
    }

    /// "This network", loopback, multicast, reserved or broadcast (RFC 1122 §3.2.1.3).
    #[inline(always)]
    fn is_nobodys(address: &Addr, _: bool) -> bool {
        matches!(address[12], 0 | 127 | 224..)
    }

    #[inline(always)]
    fn addresses_sum(packet: &L3) -> u64 {
        checksum::words::<2>(packet, SOURCE_AT)
    }

    #[inline(always)]
    fn digest(packet: &L3, at: usize) -> u64 {
        ipv4_digest(u32::from_be(packet.word(at)))
    }
}

/// Writes the header of a packet with `payload` octets behind it, and says how long the header is.
///
/// # Errors
///
/// [`EmitError::Buffer`]
pub fn emit(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    ttl: u8,
    payload: usize,
    packet: &mut [u8],
) -> Result<usize, EmitError> {
    let total = u16::try_from(HEADER + payload).map_err(|_| EmitError::Buffer)?;
    let header: &mut [u8; HEADER] = packet.first_chunk_mut().ok_or(EmitError::Buffer)?;
    *header = [0; HEADER];
    header[0] = 0x45;
    header[1] = TOS;
    header[2..4].copy_from_slice(&total.to_be_bytes());
    header[8] = ttl;
    header[PROTOCOL_AT] = VRRP;
    header[12..16].copy_from_slice(&source.octets());
    header[16..20].copy_from_slice(&destination.octets());
    let sum = checksum::field(checksum::octets(header));
    header[10..12].copy_from_slice(&sum);
    Ok(HEADER)
}
