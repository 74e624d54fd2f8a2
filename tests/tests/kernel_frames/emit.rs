//! Frames made for a test.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vipd_common::wire::vrrp::{AdvertFrame, FRAME_MAX};
use vipd_common::wire::{arp, checksum, eth, ip, ipv4, ipv6, nd};

/// The usual receiver's virtual address.
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// That of the usual receiver over IPv6.
pub(crate) const VIP6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 5, 1);

/// An advert for virtual router `vrid` from the host 192.0.2.`host`.
pub(crate) fn advert(vrid: u8, host: u8, priority: u8, interval_cs: u16) -> Vec<u8> {
    let source = Ipv4Addr::new(192, 0, 2, host).into();
    advert_from(vrid, source, ipv4::GROUP.into(), &[VIP.into()], priority, interval_cs)
}

/// The same over IPv6 from the host fe80::`host`.
pub(crate) fn advert6(vrid: u8, host: u8, priority: u8, interval_cs: u16) -> Vec<u8> {
    let source = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host.into()).into();
    let vips = [VIP6.into(), "2001:db8::1".parse().expect("an address")];
    advert_from(vrid, source, ipv6::GROUP.into(), &vips, priority, interval_cs)
}

pub(crate) fn advert_from(
    vrid: u8,
    source: IpAddr,
    destination: IpAddr,
    addresses: &[IpAddr],
    priority: u8,
    interval_cs: u16,
) -> Vec<u8> {
    let mut frame = vec![0; FRAME_MAX];
    let family = if source.is_ipv4() { 4 } else { 6 };
    let advert = AdvertFrame {
        ethernet: eth::Header {
            destination: eth::group_mac(destination),
            source: eth::virtual_mac(family, vrid),
            vlan: 0,
        },
        source,
        destination,
        ttl: ip::TTL,
        version: 3,
        vrid,
        priority,
        interval_cs,
        addresses,
        password: None,
        checksum: 0,
    };
    let length = advert.emit(&mut frame).expect("fits");
    frame.truncate(length);
    frame
}

/// An ARP message to everybody.
pub(crate) fn arp(operation: arp::Operation, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut frame = vec![0; arp::FRAME_MAX];
    let like = arp::GratuitousFrame { mac: [2, 0, 0, 0, 0, 9], vlan: 0, address: sender };
    let length = like.emit(&mut frame).expect("fits");
    frame.truncate(length);
    frame[21] = match operation {
        arp::Operation::Request => 1,
        arp::Operation::Reply => 2,
    };
    frame[length - 4..].copy_from_slice(&target.octets());
    frame
}

/// An unsolicited neighbour advertisement.
pub(crate) fn advertisement(address: Ipv6Addr) -> Vec<u8> {
    let mut frame = vec![0; nd::FRAME_MAX];
    let like = nd::AdvertisementFrame { mac: [2, 0, 0, 0, 0, 9], vlan: 0, address, router: false };
    let length = like.emit(&mut frame).expect("fits");
    frame.truncate(length);
    frame
}

/// A neighbour solicitation from a host that wants to know `target`, or, from `::`, whether anybody has it.
pub(crate) fn solicitation(source: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let mut frame = advertisement(target);
    frame[22..38].copy_from_slice(&source.octets());
    frame[54] = nd::SOLICITATION;
    frame[58..62].fill(0);
    // The option names the source.
    frame[78] = 1;
    frame[56..58].fill(0);
    let pseudo = checksum::pseudo_header(ipv6::ICMP, 32);
    let sum = checksum::field(checksum::octets(&frame[22..]) + pseudo);
    frame[56..58].copy_from_slice(&sum);
    frame
}
