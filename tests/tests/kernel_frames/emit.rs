//! Frames made for a test.

use std::net::Ipv4Addr;

use vipd_common::wire::vrrp::{AdvertFrame, FRAME_MAX};
use vipd_common::wire::{arp, eth, ipv4};

/// The usual receiver's virtual address.
pub(crate) const VIP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// An advert for virtual router `vrid` from the host 192.0.2.`host`.
pub(crate) fn advert(vrid: u8, host: u8, priority: u8, interval_cs: u16) -> Vec<u8> {
    let mut frame = vec![0; FRAME_MAX];
    let advert = AdvertFrame {
        ethernet: eth::Header { destination: eth::VRRP_GROUP, source: eth::virtual_mac(vrid), vlan: 0 },
        source: Ipv4Addr::new(192, 0, 2, host),
        destination: ipv4::GROUP,
        version: 3,
        vrid,
        priority,
        interval_cs,
        addresses: &[VIP],
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
