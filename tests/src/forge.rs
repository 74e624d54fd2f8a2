//! Makes frames: good ones and, by changing one thing, bad ones. Written for the lab alone, like [`crate::frame`].

use std::net::{Ipv4Addr, Ipv6Addr};

/// The group that adverts go to (RFC 9568 5.1.1.2), and its MAC address.
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
const GROUP_MAC: [u8; 6] = [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12];
const BROADCAST: [u8; 6] = [0xff; 6];
/// Where the IPv4 header and what it carries begin in a frame without tags.
const IP: usize = 14;
const PAYLOAD: usize = IP + 20;

/// An advert over IPv4 as a real router sends it; change a field and it is another one.
#[derive(Clone, Debug)]
pub struct Forged {
    /// Source MAC address.
    pub mac: [u8; 6],
    /// Source address.
    pub source: Ipv4Addr,
    /// 255 from an honest router.
    pub ttl: u8,
    /// 2 or 3.
    pub version: u8,
    /// Virtual router id.
    pub vrid: u8,
    /// Priority.
    pub priority: u8,
    /// Advertisement interval: seconds in version 2, hundredths of a second in version 3.
    pub interval: u16,
    /// The virtual address.
    pub vip: Ipv4Addr,
    /// Password of version 2, at most 8 octets; none is sent where it is empty.
    pub password: &'static str,
}

impl Forged {
    /// The frame, with right checksums (version 3: with pseudo-header, the form that every router takes).
    ///
    /// # Panics
    /// If the password is longer than 8 octets.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        let mut vrrp = vec![self.version << 4 | 1, self.vrid, self.priority, 1];
        if self.version == 2 {
            let [_, seconds] = self.interval.to_be_bytes();
            vrrp.extend([u8::from(!self.password.is_empty()), seconds]);
        } else {
            vrrp.extend(self.interval.to_be_bytes());
        }
        vrrp.extend([0, 0]);
        vrrp.extend(self.vip.octets());
        if self.version == 2 {
            let mut data = [0; 8];
            data[..self.password.len()].copy_from_slice(self.password.as_bytes());
            vrrp.extend(data);
        }
        let pseudo = if self.version == 2 { Vec::new() } else { self.pseudo_header(vrrp.len()) };
        let sum = checksum(&[&pseudo[..], &vrrp].concat());
        vrrp[6..8].copy_from_slice(&sum);
        ethernet(GROUP_MAC, self.mac, 0x0800, &ipv4(self.source, GROUP, self.ttl, 112, &vrrp))
    }

    fn pseudo_header(&self, length: usize) -> Vec<u8> {
        let [high, low] = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        [&self.source.octets()[..], &GROUP.octets(), &[0, 112, high, low]].concat()
    }
}

/// Spoils the VRRP checksum of an advert.
#[must_use]
pub fn with_bad_checksum(mut frame: Vec<u8>) -> Vec<u8> {
    frame[PAYLOAD + 6] ^= 0x55;
    frame
}

/// Cuts an advert to this many octets of VRRP, with an IPv4 header that says so.
#[must_use]
pub fn truncated(mut frame: Vec<u8>, octets: usize) -> Vec<u8> {
    frame.truncate(PAYLOAD + octets);
    let length = u16::try_from(20 + octets).unwrap_or(u16::MAX).to_be_bytes();
    frame[IP + 2..IP + 4].copy_from_slice(&length);
    frame[IP + 10..IP + 12].fill(0);
    let sum = checksum(&frame[IP..PAYLOAD]);
    frame[IP + 10..IP + 12].copy_from_slice(&sum);
    frame
}

/// A gratuitous ARP (RFC 5227 3) that claims `ip` for `mac`.
#[must_use]
pub fn claim(mac: [u8; 6], ip: Ipv4Addr) -> Vec<u8> {
    arp(BROADCAST, mac, ip, ip)
}

/// An ARP request by `mac` and `from` that asks who has `ip`, to everybody or to one MAC address.
#[must_use]
pub fn who_has(to: Option<[u8; 6]>, mac: [u8; 6], from: Ipv4Addr, ip: Ipv4Addr) -> Vec<u8> {
    arp(to.unwrap_or(BROADCAST), mac, from, ip)
}

fn arp(to: [u8; 6], mac: [u8; 6], sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let head = [0, 1, 0x08, 0x00, 6, 4, 0, 1];
    ethernet(to, mac, 0x0806, &[&head[..], &mac, &sender.octets(), &[0; 6], &target.octets()].concat())
}

/// A neighbour solicitation (RFC 4861 4.3) by `mac` and `from` that asks who has `ip`: its solicited-node group, or one MAC
/// address.
#[must_use]
pub fn solicitation(to: Option<[u8; 6]>, mac: [u8; 6], from: Ipv6Addr, ip: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = ip.octets();
    let group = Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
    let (to, destination) = to.map_or(([0x33, 0x33, 0xff, a, b, c], group), |to| (to, ip));
    let mut message = [&[135, 0, 0, 0, 0, 0, 0, 0][..], &ip.octets(), &[1, 1], &mac].concat();
    let addresses = [from.octets(), destination.octets()].concat();
    let sum = checksum(&[&addresses[..], &[0, 0, 0, 32, 0, 0, 0, 58], &message].concat());
    message[2..4].copy_from_slice(&sum);
    let head = [0x60, 0, 0, 0, 0, 32, 58, 255];
    ethernet(to, mac, 0x86dd, &[&head[..], &addresses, &message].concat())
}

/// A UDP datagram over IPv4 that is nobody's business: to the broadcast address, port 9.
#[must_use]
pub fn datagram(mac: [u8; 6], source: Ipv4Addr, payload: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(8 + payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    // Checksum 0: none was computed (RFC 768).
    let udp = [&[0x9c, 0x40, 0, 9, high, low, 0, 0], payload].concat();
    ethernet(BROADCAST, mac, 0x0800, &ipv4(source, Ipv4Addr::BROADCAST, 64, 17, &udp))
}

fn ethernet(to: [u8; 6], from: [u8; 6], ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&to[..], &from, &ethertype.to_be_bytes(), payload].concat()
}

fn ipv4(from: Ipv4Addr, to: Ipv4Addr, ttl: u8, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(20 + payload.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut packet = vec![0x45, 0xc0, high, low, 0, 0, 0, 0, ttl, protocol, 0, 0];
    packet.extend([from.octets(), to.octets()].concat());
    let sum = checksum(&packet);
    packet[10..12].copy_from_slice(&sum);
    packet.extend(payload);
    packet
}

/// The internet checksum (RFC 1071).
fn checksum(octets: &[u8]) -> [u8; 2] {
    let words = octets.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u16::try_from(!sum & 0xffff).unwrap_or(0).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::*;
    use crate::frame;

    const MAC: [u8; 6] = [2, 0, 0, 0, 0, 9];
    const VIP: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 100);

    fn forged(version: u8, password: &'static str) -> Forged {
        let source = Ipv4Addr::new(192, 168, 1, 60);
        Forged {
            mac: MAC,
            source,
            ttl: 255,
            version,
            vrid: 51,
            priority: 50,
            interval: 1,
            vip: VIP,
            password,
        }
    }

    #[test]
    fn a_forged_advert_reads_as_what_it_was_made_of_and_sums_up() {
        for (version, password, interval) in [(2, "MySecret", 1000), (3, "", 10)] {
            let advert = forged(version, password);

            let bytes = advert.frame();

            let read = frame::advert(&bytes).expect("an advert");
            assert_eq!((read.version, read.vrid, read.priority), (version, 51, 50));
            assert_eq!(
                (read.interval, read.addresses),
                (Duration::from_millis(interval), vec![IpAddr::V4(VIP)])
            );
            assert_eq!(checksum(&bytes[IP..PAYLOAD]), [0, 0], "IPv4 header");
            let pseudo = if version == 2 { Vec::new() } else { advert.pseudo_header(bytes.len() - PAYLOAD) };
            assert_eq!(checksum(&[&pseudo[..], &bytes[PAYLOAD..]].concat()), [0, 0], "version {version}");
        }
    }

    #[test]
    fn a_claim_is_a_gratuitous_arp_and_a_question_is_none() {
        let claimed = frame::gratuitous_arp(&claim(MAC, VIP)).expect("a claim");
        assert_eq!((claimed.ip, claimed.mac), (VIP, MAC));
        assert_eq!(frame::gratuitous_arp(&who_has(None, MAC, Ipv4Addr::new(192, 168, 1, 50), VIP)), None);
    }

    #[test]
    fn a_truncated_advert_has_a_header_that_fits() {
        let cut = truncated(forged(3, "").frame(), 6);

        assert_eq!(cut.len(), PAYLOAD + 6);
        assert_eq!(checksum(&cut[IP..PAYLOAD]), [0, 0]);
    }
}
