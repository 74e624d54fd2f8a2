//! The frames of one virtual router, built before they are needed.

use std::net::{IpAddr, Ipv4Addr};

use vipd_common::wire::vrrp::{self, AdvertFrame};
use vipd_common::wire::{EmitError, arp, eth, ipv4};

use super::plan::Planned;
use crate::datapath::{checksum_sent, version_number};
use crate::warden::Destination;

/// Where an advert goes.
pub(super) enum Advert {
    /// To the group, as a whole frame on an interface.
    Group { ifindex: u32, frame: Vec<u8> },
    /// To one peer, as an IPv4 packet that the kernel routes.
    Peer { peer: Ipv4Addr, packet: Vec<u8> },
}

impl Advert {
    fn message(&mut self) -> &mut [u8] {
        match self {
            Self::Group { frame, .. } => &mut frame[eth::HEADER + ipv4::HEADER..],
            Self::Peer { packet, .. } => &mut packet[ipv4::HEADER..],
        }
    }
}

/// Adverts and announcements of one virtual router. No adverts while it has no address to send from.
pub(super) struct Frames {
    adverts: Vec<Advert>,
    priority: u8,
    garps: Vec<(u32, [u8; arp::FRAME_MAX], usize)>,
}

impl Frames {
    /// Builds everything for a virtual router on its interface.
    ///
    /// # Errors
    /// When an advert cannot carry what is configured; configuration checks keep that from happening.
    pub(super) fn new(planned: &Planned) -> Result<Self, EmitError> {
        let priority = planned.config.priority;
        let adverts = planned.source.map_or(Ok(Vec::new()), |source| adverts(planned, source, priority))?;
        let garps = planned
            .addresses
            .iter()
            .map(|(address, mac)| {
                let mut frame = [0; arp::FRAME_MAX];
                let garp = arp::GratuitousFrame { mac: *mac, vlan: 0, address: address.ip };
                let length = garp.emit(&mut frame)?;
                Ok((address.ifindex, frame, length))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { adverts, priority, garps })
    }

    /// The adverts of this priority, one for everybody that they are for.
    pub(super) fn adverts(&mut self, priority: u8) -> &[Advert] {
        if priority != self.priority {
            for advert in &mut self.adverts {
                vrrp::set_priority(advert.message(), priority);
            }
            self.priority = priority;
        }
        &self.adverts
    }

    /// Every advert as a resignation, for the will.
    pub(super) fn resignations(&mut self) -> impl Iterator<Item = (Destination, &[u8])> {
        self.adverts(0).iter().map(|advert| match advert {
            Advert::Group { ifindex, frame } => (Destination::Interface(*ifindex), frame.as_slice()),
            Advert::Peer { peer, packet } => (Destination::Peer(IpAddr::V4(*peer)), packet.as_slice()),
        })
    }

    /// The gratuitous ARP frames, each with the interface that it is for (C-ARP-01).
    pub(super) fn announcements(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.garps.iter().map(|(ifindex, frame, length)| (*ifindex, &frame[..*length]))
    }

    /// One of them; `None` if the frames are others by now.
    pub(super) fn announcement(&self, number: usize) -> Option<(u32, &[u8])> {
        self.announcements().nth(number)
    }
}

fn adverts(planned: &Planned, source: Ipv4Addr, priority: u8) -> Result<Vec<Advert>, EmitError> {
    if planned.config.peers.is_empty() {
        let frame = build(planned, source, ipv4::GROUP, priority)?;
        return Ok(vec![Advert::Group { ifindex: planned.ifindex, frame }]);
    }
    let peers = planned.config.peers.iter().filter_map(|peer| match peer.ip {
        IpAddr::V4(peer) => Some(peer),
        IpAddr::V6(_) => None,
    });
    peers
        .map(|peer| {
            let frame = build(planned, source, peer, priority)?;
            Ok(Advert::Peer { peer, packet: frame[eth::HEADER..].to_vec() })
        })
        .collect()
}

fn build(
    planned: &Planned,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    priority: u8,
) -> Result<Vec<u8>, EmitError> {
    let config = &planned.config;
    let addresses: Vec<Ipv4Addr> = planned.addresses.iter().map(|(address, _)| address.ip).collect();
    let mut frame = vec![0; vrrp::FRAME_MAX];
    let length = AdvertFrame {
        ethernet: eth::Header { destination: eth::VRRP_GROUP, source: planned.mac, vlan: 0 },
        source,
        destination,
        version: version_number(config.version),
        vrid: config.vrid,
        priority,
        interval_cs: config.interval.as_centis(),
        addresses: &addresses,
        password: config.password.as_ref().map(|password| &password.0),
        checksum: checksum_sent(config.checksum),
    }
    .emit(&mut frame)?;
    frame.truncate(length);
    Ok(frame)
}
