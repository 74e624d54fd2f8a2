//! The VRRP message, and adverts to send (RFC 9568 §5, RFC 3768 §5, RFC 2338 §5).

use core::net::Ipv4Addr;

use super::{EmitError, checksum, eth, ipv4};
use crate::abi;

/// Version and type of an advertisement of VRRP version 2.
pub const ADVERT_V2: u8 = 0x21;
/// Version and type of an advertisement of VRRP version 3.
pub const ADVERT_V3: u8 = 0x31;
/// Octets before the address list.
pub const FIXED: usize = 8;
/// Octets of the Authentication Data, which version 2 always has (C-PKT-01).
pub const AUTH_DATA: usize = 8;
/// Octets of the longest advert's frame: a VLAN tag, 255 addresses, Authentication Data.
pub const FRAME_MAX: usize = eth::HEADER + eth::TAG + ipv4::HEADER + FIXED + 255 * 4 + AUTH_DATA;
/// The longest interval of version 3, in centiseconds.
pub const INTERVAL_MAX: u16 = 0x0fff;
const PRIORITY_AT: usize = 2;
const CHECKSUM_AT: usize = 6;

/// Octets of an IPv4 message with `count` addresses.
#[must_use]
#[inline(always)]
pub const fn length(version: u8, count: u8) -> usize {
    FIXED + count as usize * 4 + if version == 2 { AUTH_DATA } else { 0 }
}

/// An advert to send over IPv4.
#[derive(Clone, Copy, Debug)]
pub struct AdvertFrame<'a> {
    /// Its Ethernet header (C-TX-05).
    pub ethernet: eth::Header,
    /// Primary address of the interface (C-TX-04).
    pub source: Ipv4Addr,
    /// [`ipv4::GROUP`], or a unicast peer.
    pub destination: Ipv4Addr,
    /// 2 or 3.
    pub version: u8,
    /// Virtual router id.
    pub vrid: u8,
    /// Effective priority; 0 to resign.
    pub priority: u8,
    /// Own interval in centiseconds.
    pub interval_cs: u16,
    /// The virtual addresses, in the order of the configuration (C-PKT-06).
    pub addresses: &'a [Ipv4Addr],
    /// Version 2: the password, or `None`. Version 3 has no authentication (C-AUTH-05).
    pub password: Option<&'a [u8; AUTH_DATA]>,
    /// Version 3: PSEUDO of [`abi::checksum`], or else the message-only form (C-CK-04).
    pub checksum: u8,
}

impl AdvertFrame<'_> {
    /// Writes the whole frame, and says how long it is.
    ///
    /// # Errors
    ///
    /// [`EmitError`]: the buffer is shorter than the frame ([`FRAME_MAX`] is always enough), or a field does not fit.
    pub fn emit(&self, frame: &mut [u8]) -> Result<usize, EmitError> {
        let count = u8::try_from(self.addresses.len()).ok().filter(|count| *count > 0);
        let count = count.ok_or(EmitError::Addresses)?;
        let length = length(self.version, count);
        let at = self.ethernet.emit(eth::IPV4, frame)?;
        let packet = frame.get_mut(at..).ok_or(EmitError::Buffer)?;
        let header = ipv4::emit(self.source, self.destination, length, packet)?;
        let message = packet.get_mut(header..header + length).ok_or(EmitError::Buffer)?;
        self.emit_message(count, message)?;
        Ok(at + header + length)
    }

    fn emit_message(&self, count: u8, message: &mut [u8]) -> Result<(), EmitError> {
        let (head, [interval_high, interval_low]) = self.head()?;
        let fixed = [head, self.vrid, self.priority, count, interval_high, interval_low, 0, 0];
        message.fill(0);
        message[..FIXED].copy_from_slice(&fixed);
        let (list, auth) = message[FIXED..].split_at_mut(usize::from(count) * 4);
        for (place, address) in list.chunks_exact_mut(4).zip(self.addresses) {
            place.copy_from_slice(&address.octets());
        }
        if let (2, Some(password)) = (self.version, self.password) {
            auth.copy_from_slice(password);
        }
        let mut sum = checksum::octets(message);
        if self.version == 3 && self.checksum == abi::checksum::PSEUDO {
            let length = u16::try_from(message.len()).map_err(|_| EmitError::Addresses)?;
            sum += checksum::pseudo_header(self.source.octets(), self.destination.octets(), length);
        }
        message[CHECKSUM_AT..FIXED].copy_from_slice(&checksum::field(sum));
        Ok(())
    }

    /// Octet 0, and octets 4 and 5: the interval with what stands before it.
    fn head(&self) -> Result<(u8, [u8; 2]), EmitError> {
        match self.version {
            2 => {
                let seconds = u8::try_from(self.interval_cs / 100).map_err(|_| EmitError::Interval)?;
                if seconds == 0 || !self.interval_cs.is_multiple_of(100) {
                    return Err(EmitError::Interval);
                }
                Ok((ADVERT_V2, [u8::from(self.password.is_some()), seconds]))
            }
            3 if (1..=INTERVAL_MAX).contains(&self.interval_cs) => {
                Ok((ADVERT_V3, self.interval_cs.to_be_bytes()))
            }
            3 => Err(EmitError::Interval),
            _ => Err(EmitError::Version),
        }
    }
}

/// Gives an emitted message, from its VRRP header on, another priority, and brings its checksum up to date (C-CK-07).
/// What is shorter than a VRRP header stays as it is.
pub fn set_priority(message: &mut [u8], priority: u8) {
    let Some(fixed) = message.first_chunk_mut::<FIXED>() else { return };
    let old = [fixed[PRIORITY_AT], fixed[PRIORITY_AT + 1]];
    let new = [priority, old[1]];
    let sum = checksum::replaced([fixed[CHECKSUM_AT], fixed[CHECKSUM_AT + 1]], old, new);
    fixed[PRIORITY_AT] = priority;
    fixed[CHECKSUM_AT..].copy_from_slice(&sum);
}
