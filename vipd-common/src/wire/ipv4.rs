//! The IPv4 header of an advert.

use core::net::Ipv4Addr;

use super::{EmitError, L3, Reason, be16, checksum, four};

/// Protocol of VRRP (C-TX-01).
pub const VRRP: u8 = 112;
/// Protocol of the IP authentication header (C-AUTH-04).
pub const AUTH_HEADER: u8 = 51;
/// Where adverts go (C-TX-03).
pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Octets of the header; adverts have no options (C-RX-11).
pub const HEADER: usize = 20;
/// Where the header names its protocol.
pub const PROTOCOL_AT: usize = 9;
/// Where the header names its destination.
pub const DESTINATION_AT: usize = 16;
/// TTL of every advert sent (C-TX-02).
pub const TTL: u8 = 255;
/// Internetwork control (RFC 791), as other VRRP routers send.
const TOS: u8 = 0xc0;

/// What the header of a packet says, after the checks that the kernel makes before it hands a packet to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Octets of the packet by its header, which may be more than have arrived.
    pub total: usize,
    /// TTL.
    pub ttl: u8,
    /// From whom.
    pub source: [u8; 4],
    /// To whom.
    pub destination: [u8; 4],
}

impl Header {
    /// Reads the header of a packet of which `length` octets have arrived.
    ///
    /// # Errors
    ///
    /// [`Reason::IpHeader`], [`Reason::IpOptions`], [`Reason::Fragment`] or [`Reason::AuthHeader`].
    #[inline(always)]
    pub fn read(packet: &L3, length: usize) -> Result<Self, Reason> {
        let octets = &packet.0;
        let header = usize::from(octets[0] & 0x0f) * 4;
        let total = usize::from(be16(octets, 2));
        if length < HEADER || octets[0] >> 4 != 4 || header < HEADER || total < header {
            return Err(Reason::IpHeader);
        }
        if header != HEADER {
            return Err(Reason::IpOptions);
        }
        if !checksum::is_sound(checksum::words::<{ HEADER / 4 }>(packet)) {
            return Err(Reason::IpHeader);
        }
        // More fragments, or an offset.
        if be16(octets, 6) & 0x3fff != 0 {
            return Err(Reason::Fragment);
        }
        if octets[PROTOCOL_AT] != VRRP {
            return Err(Reason::AuthHeader);
        }
        Ok(Self {
            total,
            ttl: octets[8],
            source: four(octets, 12),
            destination: four(octets, DESTINATION_AT),
        })
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
    payload: usize,
    packet: &mut [u8],
) -> Result<usize, EmitError> {
    let total = u16::try_from(HEADER + payload).map_err(|_| EmitError::Buffer)?;
    let header: &mut [u8; HEADER] = packet.first_chunk_mut().ok_or(EmitError::Buffer)?;
    *header = [0; HEADER];
    header[0] = 0x45;
    header[1] = TOS;
    header[2..4].copy_from_slice(&total.to_be_bytes());
    header[8] = TTL;
    header[PROTOCOL_AT] = VRRP;
    header[12..16].copy_from_slice(&source.octets());
    header[16..20].copy_from_slice(&destination.octets());
    let sum = checksum::field(checksum::octets(header));
    header[10..12].copy_from_slice(&sum);
    Ok(HEADER)
}

/// Whether no host has this address: "this network", loopback, multicast, reserved or broadcast (RFC 1122 §3.2.1.3).
#[must_use]
#[inline(always)]
pub const fn is_nobodys(address: [u8; 4]) -> bool {
    matches!(address[0], 0 | 127 | 224..)
}
