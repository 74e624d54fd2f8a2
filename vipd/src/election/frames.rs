//! The frames of one virtual router, built before they are needed.

use std::net::IpAddr;

use vipd_common::wire::vrrp::{self, AdvertFrame};
use vipd_common::wire::{EmitError, arp, eth, ip, ipv4, ipv6, nd};

use super::forms::Forms;
use super::plan::{Planned, Vip};
use crate::datapath::{Form, version_number};
use crate::warden::Destination;

/// Where an advert goes.
pub(super) enum Advert {
    /// To the group, as a whole frame on an interface.
    Group { ifindex: u32, frame: Vec<u8> },
    /// To one peer, as an IP packet that the kernel routes; a link-local peer is behind the interface.
    Peer { ifindex: u32, peer: IpAddr, packet: Vec<u8> },
}

impl Advert {
    fn message(&mut self) -> &mut [u8] {
        let (packet, start) = match self {
            Self::Group { frame, .. } => (frame, eth::HEADER),
            Self::Peer { packet, .. } => (packet, 0),
        };
        let is_v4 = packet[start] >> 4 == 4;
        &mut packet[start + if is_v4 { ipv4::HEADER } else { ipv6::HEADER }..]
    }
}

/// A gratuitous ARP or an unsolicited neighbour advertisement (C-ARP-01, C-ND-01).
pub(super) struct Announcement {
    /// Interface that it is for.
    pub(super) ifindex: u32,
    /// The address.
    pub(super) ip: IpAddr,
    frame: [u8; nd::FRAME_MAX],
    length: usize,
}

impl Announcement {
    fn new(vip: &Vip) -> Result<Self, EmitError> {
        let mut frame = [0; nd::FRAME_MAX];
        let Vip { mac, router, .. } = *vip;
        let length = match vip.address.ip {
            IpAddr::V4(address) => arp::GratuitousFrame { mac, vlan: 0, address }.emit(&mut frame)?,
            IpAddr::V6(address) => {
                nd::AdvertisementFrame { mac, vlan: 0, address, router }.emit(&mut frame)?
            }
        };
        Ok(Self { ifindex: vip.on, ip: vip.address.ip, frame, length })
    }

    /// Its octets.
    pub(super) fn frame(&self) -> &[u8] {
        &self.frame[..self.length]
    }
}

/// Adverts and announcements of one virtual router. No adverts while it has no address to send from.
#[derive(Default)]
pub(super) struct Frames {
    adverts: Vec<Advert>,
    priority: u8,
    announcements: Vec<Announcement>,
}

impl Frames {
    /// Builds everything for a virtual router on its interface.
    ///
    /// # Errors
    /// When an advert cannot carry what is configured; configuration checks keep that from happening.
    pub(super) fn new(planned: &Planned, forms: &Forms) -> Result<Self, EmitError> {
        let priority = planned.config.priority;
        let adverts =
            planned.source.map_or(Ok(Vec::new()), |source| adverts(planned, forms, source, priority))?;
        let there = planned.vips.iter().filter(|vip| vip.address.ifindex != 0);
        let announcements = there.map(Announcement::new).collect::<Result<_, _>>()?;
        Ok(Self { adverts, priority, announcements })
    }

    /// The adverts of this priority, one for everybody that they are for, in each form that is to be sent.
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
            Advert::Peer { ifindex, peer, packet } => (Destination::Peer(*peer, *ifindex), packet.as_slice()),
        })
    }

    /// An announcement of every address.
    pub(super) fn announcements(&self) -> &[Announcement] {
        &self.announcements
    }
}

fn adverts(planned: &Planned, forms: &Forms, source: IpAddr, priority: u8) -> Result<Vec<Advert>, EmitError> {
    let Planned { config, ifindex, .. } = planned;
    let ifindex = *ifindex;
    let build = |destination, form| build(planned, source, destination, priority, form);
    if config.peers.is_empty() {
        let sent = forms.sent(config.checksum, None);
        return sent
            .iter()
            .map(|form| Ok(Advert::Group { ifindex, frame: build(config.group, form)? }))
            .collect();
    }
    let peers = config.peers.iter().map(|peer| peer.ip);
    peers
        .flat_map(|peer| forms.sent(config.checksum, Some(peer)).iter().map(move |form| (peer, form)))
        .map(|(peer, form)| {
            let packet = build(peer, form)?[eth::HEADER..].to_vec();
            Ok(Advert::Peer { ifindex, peer, packet })
        })
        .collect()
}

/// The form of the checksum counts in version 3 over IPv4 only.
fn build(
    planned: &Planned,
    source: IpAddr,
    destination: IpAddr,
    priority: u8,
    form: Form,
) -> Result<Vec<u8>, EmitError> {
    let config = &planned.config;
    let addresses: Vec<IpAddr> = planned.listed().collect();
    let mut frame = vec![0; vrrp::FRAME_MAX];
    let length = AdvertFrame {
        ethernet: eth::Header { destination: eth::group_mac(config.group), source: planned.mac, vlan: 0 },
        source,
        destination,
        ttl: if config.peers.is_empty() { ip::TTL } else { config.unicast_ttl },
        version: version_number(config.version),
        vrid: config.vrid,
        priority,
        interval_cs: config.interval.as_centis(),
        addresses: &addresses,
        password: config.password.as_ref().map(|password| &password.0),
        checksum: form.number(),
    }
    .emit(&mut frame)?;
    frame.truncate(length);
    Ok(frame)
}
