//! The VRRP message, and adverts to send (RFC 9568 §5, RFC 3768 §5, RFC 2338 §5).

use core::net::IpAddr;

use super::ip::{Family, V4, V6, VRRP};
use super::{EmitError, checksum, eth, ipv4, ipv6};
use crate::abi;

/// Version and type of an advertisement of VRRP version 2.
pub const ADVERT_V2: u8 = 0x21;
/// Version and type of an advertisement of VRRP version 3.
pub const ADVERT_V3: u8 = 0x31;
/// Octets before the address list.
pub const FIXED: usize = 8;
/// Octets of the Authentication Data, which version 2 always has (C-PKT-01).
pub const AUTH_DATA: usize = 8;
/// Octets of the longest advert's frame: a VLAN tag, IPv6, 90 addresses.
pub const FRAME_MAX: usize =
    eth::HEADER + eth::TAG + ipv6::HEADER + FIXED + V6::LIST_MAX as usize * V6::ADDRESS;
/// The longest interval of version 3, in centiseconds.
pub const INTERVAL_MAX: u16 = 0x0fff;
const PRIORITY_AT: usize = 2;
const CHECKSUM_AT: usize = 6;

/// Octets of a message with `count` addresses.
#[must_use]
#[inline(always)]
pub const fn length<F: Family>(version: u8, count: u8) -> usize {
    FIXED + count as usize * F::ADDRESS + if F::NUMBER == 4 && version == 2 { AUTH_DATA } else { 0 }
}

/// An advert to send.
#[derive(Clone, Copy, Debug)]
pub struct AdvertFrame<'a> {
    /// Its Ethernet header (C-TX-05).
    pub ethernet: eth::Header,
    /// Primary address of the interface, over IPv6 a link-local one (C-TX-04).
    pub source: IpAddr,
    /// The group ([`ipv4::GROUP`], [`ipv6::GROUP`]), or a unicast peer.
    pub destination: IpAddr,
    /// TTL or hop limit: [`TTL`](super::ip::TTL) unless configuration says otherwise (C-TX-02, C-UNI-03).
    pub ttl: u8,
    /// 2 or 3; over IPv6 always 3 (C-RX-02).
    pub version: u8,
    /// Virtual router id.
    pub vrid: u8,
    /// Effective priority; 0 to resign.
    pub priority: u8,
    /// Own interval in centiseconds.
    pub interval_cs: u16,
    /// The virtual addresses, in the order of the configuration (C-PKT-06).
    pub addresses: &'a [IpAddr],
    /// Version 2: the password, or `None`. Version 3 has no authentication (C-AUTH-05).
    pub password: Option<&'a [u8; AUTH_DATA]>,
    /// Version 3 over IPv4: PSEUDO of [`abi::checksum`], or else the message-only form (C-CK-04).
    pub checksum: u8,
}

impl AdvertFrame<'_> {
    /// Writes the whole frame, and says how long it is.
    ///
    /// # Errors
    ///
    /// [`EmitError`]: the buffer is shorter than the frame ([`FRAME_MAX`] is always enough), or a field does not fit.
    pub fn emit(&self, frame: &mut [u8]) -> Result<usize, EmitError> {
        let most = if self.source.is_ipv4() { V4::LIST_MAX } else { V6::LIST_MAX };
        let count = u8::try_from(self.addresses.len()).ok().filter(|count| (1..=most).contains(count));
        let count = count.ok_or(EmitError::Addresses)?;
        let ethertype = if self.source.is_ipv4() { eth::IPV4 } else { eth::IPV6 };
        let at = self.ethernet.emit(ethertype, frame)?;
        let packet = frame.get_mut(at..).ok_or(EmitError::Buffer)?;
        let (header, length) = match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let length = length::<V4>(self.version, count);
                (ipv4::emit(source, destination, self.ttl, length, packet)?, length)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) if self.version == 3 => {
                let length = length::<V6>(self.version, count);
                (ipv6::emit(source, destination, VRRP, self.ttl, length, packet)?, length)
            }
            _ => return Err(EmitError::Family),
        };
        let message = packet.get_mut(header..header + length).ok_or(EmitError::Buffer)?;
        self.emit_message(count, message)?;
        Ok(at + header + length)
    }

    fn emit_message(&self, count: u8, message: &mut [u8]) -> Result<(), EmitError> {
        let (head, [interval_high, interval_low]) = self.head()?;
        let fixed = [head, self.vrid, self.priority, count, interval_high, interval_low, 0, 0];
        message.fill(0);
        message[..FIXED].copy_from_slice(&fixed);
        let mut at = FIXED;
        for address in self.addresses {
            match (address, self.source) {
                (IpAddr::V4(address), IpAddr::V4(_)) => at = put(message, at, &address.octets())?,
                (IpAddr::V6(address), IpAddr::V6(_)) => at = put(message, at, &address.octets())?,
                _ => return Err(EmitError::Family),
            }
        }
        if let (2, Some(password)) = (self.version, self.password) {
            put(message, at, password)?;
        }
        let mut sum = checksum::octets(message);
        if self.source.is_ipv6() || self.version == 3 && self.checksum == abi::checksum::PSEUDO {
            let length = u16::try_from(message.len()).map_err(|_| EmitError::Addresses)?;
            sum += checksum::pseudo_header(VRRP, length);
            sum += address_sum(self.source) + address_sum(self.destination);
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

fn put(message: &mut [u8], at: usize, octets: &[u8]) -> Result<usize, EmitError> {
    let end = at + octets.len();
    message.get_mut(at..end).ok_or(EmitError::Buffer)?.copy_from_slice(octets);
    Ok(end)
}

fn address_sum(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => checksum::octets(&address.octets()),
        IpAddr::V6(address) => checksum::octets(&address.octets()),
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
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::super::ip::TTL;
    use super::*;

    const VIP: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn advert(addresses: &[IpAddr]) -> AdvertFrame<'_> {
        AdvertFrame {
            ethernet: eth::Header {
                destination: eth::group_mac(ipv4::GROUP.into()),
                source: eth::virtual_mac(4, 51),
                vlan: 0,
            },
            source: Ipv4Addr::new(192, 0, 2, 11).into(),
            destination: ipv4::GROUP.into(),
            ttl: TTL,
            version: 3,
            vrid: 51,
            priority: 100,
            interval_cs: 100,
            addresses,
            password: None,
            checksum: abi::checksum::MESSAGE,
        }
    }

    fn advert6(addresses: &[IpAddr]) -> AdvertFrame<'_> {
        AdvertFrame {
            ethernet: eth::Header {
                destination: eth::group_mac(ipv6::GROUP.into()),
                source: eth::virtual_mac(6, 51),
                vlan: 0,
            },
            source: "fe80::11".parse().unwrap(),
            destination: ipv6::GROUP.into(),
            ..advert(addresses)
        }
    }

    #[test]
    fn c_pkt_01_02_the_frame_is_that_of_the_rfcs_octet_by_octet() {
        let vip = [VIP];
        let vips6 = ["fe80::5:1", "2001:db8::1"].map(|address| address.parse().unwrap());
        let v3 =
            "01005e00001200005e000133080045c0002000000000ff701890c000020be0000012313364010064a865c0000201";
        let v2 = "01005e00001200005e000133080045c0002800000000ff701888c000020be0000012213364010101ed25c00002017669706470617373";
        let v6 = "33330000001200005e00023386dd6c000000002870fffe800000000000000000000000000011ff02000000000000\
                  00000000000000123133640200643fe6fe80000000000000000000000005000120010db8000000000000000000000001";
        let cases = [
            (advert(&vip), v3),
            (AdvertFrame { version: 2, password: Some(b"vipdpass"), ..advert(&vip) }, v2),
            (advert6(&vips6), v6),
        ];
        for (advert, octets) in cases {
            let mut frame = [0xa5; FRAME_MAX];

            let length = advert.emit(&mut frame).unwrap();

            let hex: Vec<String> = frame[..length].iter().map(|octet| format!("{octet:02x}")).collect();
            assert_eq!(hex.concat(), octets);
        }
    }

    #[test]
    fn c_pkt_07_08_what_does_not_fit_the_format_is_refused() {
        let vip = [VIP];
        let many = [VIP; 256];
        let (vip6, many6) = ([IpAddr::V6(Ipv6Addr::LOCALHOST)], [IpAddr::V6(Ipv6Addr::LOCALHOST); 91]);
        let cases = [
            ("no address", advert(&[]), EmitError::Addresses),
            ("256 addresses", advert(&many), EmitError::Addresses),
            ("91 addresses over IPv6", advert6(&many6), EmitError::Addresses),
            ("IPv6 addresses over IPv4", advert(&vip6), EmitError::Family),
            ("IPv4 addresses over IPv6", advert6(&vip), EmitError::Family),
            ("v2 over IPv6", AdvertFrame { version: 2, ..advert6(&vip6) }, EmitError::Family),
            (
                "from one family to the other",
                AdvertFrame { destination: VIP, ..advert6(&vip6) },
                EmitError::Family,
            ),
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
        let vip = [VIP];
        for length in 0..46 {
            assert_eq!(advert(&vip).emit(&mut vec![0; length]), Err(EmitError::Buffer), "{length} octets");
        }
        assert_eq!(advert(&vip).emit(&mut [0; 46]), Ok(46));
    }

    #[test]
    fn c_ck_07_every_priority_set_later_gives_the_frame_emitted_with_it() {
        let vips = [VIP, Ipv4Addr::new(10, 9, 8, 7).into()];
        let vips6 = ["fe80::5:1", "2001:db8::1"].map(|address| address.parse().unwrap());
        let cases = [
            (ipv4::HEADER, advert(&vips)),
            (ipv4::HEADER, AdvertFrame { checksum: abi::checksum::PSEUDO, ..advert(&vips) }),
            (ipv6::HEADER, advert6(&vips6)),
        ];
        for (header, advert) in cases {
            for priority in 0..=255 {
                let (mut set, mut emitted) = ([0; FRAME_MAX], [0; FRAME_MAX]);
                advert.emit(&mut set).unwrap();
                AdvertFrame { priority, ..advert }.emit(&mut emitted).unwrap();

                set_priority(&mut set[eth::HEADER + header..], priority);

                assert_eq!(set, emitted, "priority {priority} of {advert:?}");
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
