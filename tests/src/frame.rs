//! What the lab's observers read from frames. Written for the lab alone, so that a mistake in vipd's own parser
//! cannot hide itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;
const PROTOCOL_VRRP: u8 = 112;

/// A VRRP advert (RFC 9568 5.1, RFC 3768 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advert {
    /// Source address of the packet.
    pub source: IpAddr,
    /// Destination address of the packet.
    pub destination: IpAddr,
    /// 2 or 3.
    pub version: u8,
    /// Virtual router id.
    pub vrid: u8,
    /// Priority; 0 is a resignation.
    pub priority: u8,
    /// Advertisement interval.
    pub interval: Duration,
    /// The virtual addresses.
    pub addresses: Vec<IpAddr>,
}

/// A gratuitous ARP: a packet in which sender and target are the same address (RFC 5227 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GratuitousArp {
    /// The address that is claimed.
    pub ip: Ipv4Addr,
    /// The MAC address that it is claimed for.
    pub mac: [u8; 6],
}

/// Reads an Ethernet frame as a VRRP advert; `None` for anything else.
#[must_use]
pub fn advert(frame: &[u8]) -> Option<Advert> {
    match be16(frame, 12)? {
        ETHERTYPE_IPV4 => {
            let packet = frame.get(14..)?;
            let header = usize::from(packet.first()? & 0x0f) * 4;
            let end = usize::from(be16(packet, 2)?);
            let source = IpAddr::V4(ipv4(packet, 12)?);
            let destination = IpAddr::V4(ipv4(packet, 16)?);
            (*packet.get(9)? == PROTOCOL_VRRP).then_some(())?;
            message(packet.get(header..end)?, source, destination)
        }
        ETHERTYPE_IPV6 => {
            let packet = frame.get(14..)?;
            let end = 40 + usize::from(be16(packet, 4)?);
            (*packet.get(6)? == PROTOCOL_VRRP).then_some(())?;
            message(packet.get(40..end)?, IpAddr::V6(ipv6(packet, 8)?), IpAddr::V6(ipv6(packet, 24)?))
        }
        _ => None,
    }
}

fn message(vrrp: &[u8], source: IpAddr, destination: IpAddr) -> Option<Advert> {
    let version = vrrp.first()? >> 4;
    let interval = match version {
        2 => Duration::from_secs(u64::from(*vrrp.get(5)?)),
        3 => Duration::from_millis(10 * u64::from(be16(vrrp, 4)? & 0x0fff)),
        _ => return None,
    };
    let count = usize::from(*vrrp.get(3)?);
    let addresses = (0..count)
        .map(|n| match source {
            IpAddr::V4(_) => ipv4(vrrp, 8 + 4 * n).map(IpAddr::V4),
            IpAddr::V6(_) => ipv6(vrrp, 8 + 16 * n).map(IpAddr::V6),
        })
        .collect::<Option<_>>()?;
    Some(Advert { source, destination, version, vrid: vrrp[1], priority: vrrp[2], interval, addresses })
}

/// Reads an Ethernet frame as a gratuitous ARP; `None` for anything else.
#[must_use]
pub fn gratuitous_arp(frame: &[u8]) -> Option<GratuitousArp> {
    (be16(frame, 12)? == ETHERTYPE_ARP).then_some(())?;
    let arp = frame.get(14..42)?;
    let (sender, target) = (ipv4(arp, 14)?, ipv4(arp, 24)?);
    (sender == target).then_some(GratuitousArp { ip: sender, mac: arp[8..14].try_into().ok()? })
}

/// An ARP reply: who has an address, told to whoever asked (RFC 826).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArpReply {
    /// The address that was asked for.
    pub ip: Ipv4Addr,
    /// The MAC address that has it.
    pub mac: [u8; 6],
}

/// Reads an Ethernet frame as an ARP reply; `None` for anything else.
#[must_use]
pub fn arp_reply(frame: &[u8]) -> Option<ArpReply> {
    (be16(frame, 12)? == ETHERTYPE_ARP && frame[0] & 1 == 0).then_some(())?;
    let arp = frame.get(14..42)?;
    (be16(arp, 6)? == 2).then_some(ArpReply { ip: ipv4(arp, 14)?, mac: arp[8..14].try_into().ok()? })
}

/// A neighbour advertisement (RFC 4861 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeighbourAdvertisement {
    /// The address that is advertised.
    pub ip: Ipv6Addr,
    /// The MAC address that has it; `None` where the message does not say.
    pub mac: Option<[u8; 6]>,
    /// The sender is a router; it was asked; it overrides what was known.
    pub flags: [bool; 3],
    /// The hop limit that it came with.
    pub hop_limit: u8,
    /// Destination address of the packet.
    pub destination: Ipv6Addr,
}

/// Reads an Ethernet frame as a neighbour advertisement with at most one option; `None` for anything else.
#[must_use]
pub fn neighbour_advertisement(frame: &[u8]) -> Option<NeighbourAdvertisement> {
    (be16(frame, 12)? == ETHERTYPE_IPV6).then_some(())?;
    let packet = frame.get(14..)?;
    (packet.get(6) == Some(&58) && packet.get(40..42)? == [136, 0]).then_some(())?;
    let flags = [0x80, 0x40, 0x20].map(|bit| packet[44] & bit != 0);
    let option = packet.get(64..72).filter(|option| option[..2] == [2, 1]);
    Some(NeighbourAdvertisement {
        ip: ipv6(packet, 48)?,
        mac: option.and_then(|option| option[2..].try_into().ok()),
        flags,
        hop_limit: packet[7],
        destination: ipv6(packet, 24)?,
    })
}

/// Source MAC address of an Ethernet frame.
#[must_use]
pub fn source_mac(frame: &[u8]) -> Option<[u8; 6]> {
    frame.get(6..12)?.try_into().ok()
}

/// A MAC address as people and tools write it.
#[must_use]
pub fn show_mac(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// A MAC address from the way people and tools write it.
#[must_use]
pub fn read_mac(text: &str) -> Option<[u8; 6]> {
    let octets: Option<Vec<u8>> =
        text.trim().split(':').map(|part| u8::from_str_radix(part, 16).ok()).collect();
    octets?.try_into().ok()
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn ipv4(bytes: &[u8], at: usize) -> Option<Ipv4Addr> {
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(at..at + 4)?).ok()?))
}

fn ipv6(bytes: &[u8], at: usize) -> Option<Ipv6Addr> {
    Some(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.get(at..at + 16)?).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(ethertype: u16, payload: &[u8]) -> Vec<u8> {
        [&[0x01, 0, 0x5e, 0, 0, 18][..], &[2, 0, 0, 0, 0, 1], &ethertype.to_be_bytes(), payload].concat()
    }

    #[test]
    fn a_version_3_advert_is_read_up_to_its_addresses() {
        let ip = [0x45, 0xc0, 0, 32, 0, 0, 0, 0, 255, 112, 0, 0, 192, 168, 1, 10, 224, 0, 0, 18];
        let vrrp = [0x31, 51, 110, 1, 0, 10, 0, 0, 192, 168, 1, 100];

        let read = advert(&frame(ETHERTYPE_IPV4, &[&ip[..], &vrrp].concat()));

        let expected = Advert {
            source: IpAddr::from([192, 168, 1, 10]),
            destination: IpAddr::from([224, 0, 0, 18]),
            version: 3,
            vrid: 51,
            priority: 110,
            interval: Duration::from_millis(100),
            addresses: vec![IpAddr::from([192, 168, 1, 100])],
        };
        assert_eq!(read, Some(expected));
    }

    #[test]
    fn an_advert_that_ends_early_is_none() {
        let ip = [0x45, 0xc0, 0, 32, 0, 0, 0, 0, 255, 112, 0, 0, 192, 168, 1, 10, 224, 0, 0, 18];
        let vrrp = [0x31, 51, 110, 1, 0, 10, 0, 0, 192, 168, 1];

        assert_eq!(advert(&frame(ETHERTYPE_IPV4, &[&ip[..], &vrrp].concat())), None);
    }

    #[test]
    fn arp_is_gratuitous_only_if_sender_and_target_are_one() {
        let arp = |target: u8| {
            let fixed = [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0];
            frame(ETHERTYPE_ARP, &[&fixed[..], &[target]].concat())
        };

        assert_eq!(
            gratuitous_arp(&arp(1)),
            Some(GratuitousArp { ip: Ipv4Addr::new(10, 0, 0, 1), mac: [2, 0, 0, 0, 0, 1] })
        );
        assert_eq!(gratuitous_arp(&arp(2)), None);
    }

    #[test]
    fn a_reply_tells_who_has_the_address() {
        let head = [0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1];
        let to_all = frame(ETHERTYPE_ARP, &[&head[..], &[2, 0, 0, 0, 0, 9, 10, 0, 0, 2]].concat());
        let reply = [&[2, 0, 0, 0, 0, 9], &to_all[6..]].concat();
        let mac = read_mac("02:00:00:00:00:01").expect("a MAC address");

        assert_eq!(arp_reply(&reply), Some(ArpReply { ip: Ipv4Addr::new(10, 0, 0, 1), mac }));
        assert_eq!(arp_reply(&to_all), None, "that is an announcement");
        assert_eq!(show_mac(mac), "02:00:00:00:00:01");
    }
}
