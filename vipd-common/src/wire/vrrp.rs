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

#[cfg(test)]
mod tests {
    use super::*;

    fn advert(addresses: &[Ipv4Addr]) -> AdvertFrame<'_> {
        AdvertFrame {
            ethernet: eth::Header { destination: eth::VRRP_GROUP, source: eth::virtual_mac(51), vlan: 0 },
            source: Ipv4Addr::new(192, 0, 2, 11),
            destination: ipv4::GROUP,
            version: 3,
            vrid: 51,
            priority: 100,
            interval_cs: 100,
            addresses,
            password: None,
            checksum: abi::checksum::MESSAGE,
        }
    }

    #[test]
    fn c_pkt_01_02_the_frame_is_that_of_the_rfcs_octet_by_octet() {
        let vip = [Ipv4Addr::new(192, 0, 2, 1)];
        let ethernet = "01005e00001200005e0001330800";
        let v3 = "45c0002000000000ff701890c000020be0000012313364010064a865c0000201";
        let v2 = "45c0002800000000ff701888c000020be0000012213364010101ed25c00002017669706470617373";
        let cases = [
            (advert(&vip), v3),
            (AdvertFrame { version: 2, password: Some(b"vipdpass"), ..advert(&vip) }, v2),
        ];
        for (advert, packet) in cases {
            let mut frame = [0xa5; FRAME_MAX];

            let length = advert.emit(&mut frame).unwrap();

            let hex: Vec<String> = frame[..length].iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(hex.concat(), [ethernet, packet].concat());
        }
    }

    #[test]
    fn c_pkt_07_08_what_does_not_fit_the_format_is_refused() {
        let vip = [Ipv4Addr::new(192, 0, 2, 1)];
        let many = [vip[0]; 256];
        let cases = [
            ("no address", advert(&[]), EmitError::Addresses),
            ("256 addresses", advert(&many), EmitError::Addresses),
            ("interval 0", AdvertFrame { interval_cs: 0, ..advert(&vip) }, EmitError::Interval),
            ("interval 4096", AdvertFrame { interval_cs: 4096, ..advert(&vip) }, EmitError::Interval),
            (
                "v2, half a second",
                AdvertFrame { version: 2, interval_cs: 50, ..advert(&vip) },
                EmitError::Interval,
            ),
            (
                "v2, 1.5 seconds",
                AdvertFrame { version: 2, interval_cs: 150, ..advert(&vip) },
                EmitError::Interval,
            ),
            (
                "v2, 256 seconds",
                AdvertFrame { version: 2, interval_cs: 25600, ..advert(&vip) },
                EmitError::Interval,
            ),
            ("version 4", AdvertFrame { version: 4, ..advert(&vip) }, EmitError::Version),
        ];
        for (name, advert, error) in cases {
            assert_eq!(advert.emit(&mut [0; FRAME_MAX]), Err(error), "{name}");
        }
    }

    #[test]
    fn a_short_buffer_is_refused() {
        let vip = [Ipv4Addr::new(192, 0, 2, 1)];
        for length in 0..46 {
            assert_eq!(advert(&vip).emit(&mut vec![0; length]), Err(EmitError::Buffer), "{length} octets");
        }
        assert_eq!(advert(&vip).emit(&mut [0; 46]), Ok(46));
    }

    #[test]
    fn c_ck_07_every_priority_set_later_gives_the_frame_emitted_with_it() {
        let vips = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(10, 9, 8, 7)];
        for checksum in [abi::checksum::MESSAGE, abi::checksum::PSEUDO] {
            for priority in 0..=255 {
                let (mut set, mut emitted) = ([0; FRAME_MAX], [0; FRAME_MAX]);
                AdvertFrame { checksum, ..advert(&vips) }.emit(&mut set).unwrap();
                AdvertFrame { priority, checksum, ..advert(&vips) }.emit(&mut emitted).unwrap();

                set_priority(&mut set[eth::HEADER + ipv4::HEADER..], priority);

                assert_eq!(set, emitted, "priority {priority}");
            }
        }
    }

    #[test]
    fn a_message_that_is_cut_short_keeps_its_octets() {
        for length in 0..FIXED {
            let mut message = vec![0x5a; length];

            set_priority(&mut message, 0);

            assert_eq!(message, vec![0x5a; length]);
        }
    }
}
