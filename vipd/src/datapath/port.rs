//! One interface on the last step of the ladder: a packet socket and the virtual routers that listen to it.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use vipd_common::abi::{Addr, InstanceKey, Rules, Ttl};
use vipd_common::wire::eth::{self, Class, Mac, Place};
use vipd_common::wire::ip::{Family, V4, V6};
use vipd_common::wire::nd::claimant;
use vipd_common::wire::{L3, Packet, Reason, Table, Verdict, arp, checksum, from_ipv4, judge, nd, to_ip};
use vipd_core::{InstanceId, Instant};

use super::heard::{Claim, Form, Heard, advert_from};
use super::socket::{self, PacketSocket};
use super::tally::SocketTally;
use crate::watch::{self, Watched};

/// A virtual router on the interface.
pub(super) struct Listener {
    pub(super) id: InstanceId,
    pub(super) key: InstanceKey,
    pub(super) rules: Rules,
    pub(super) peers: Vec<(Addr, Ttl)>,
    pub(super) vips: Vec<(u32, Addr)>,
}

/// The virtual routers of one family on an untagged interface.
struct Listeners<'a> {
    family: u8,
    all: &'a [Listener],
}

impl Table for Listeners<'_> {
    fn instance(&self, vlan: u16, vrid: u8) -> Option<(u32, &Rules)> {
        let key = |key: &InstanceKey| (key.vlan, key.family, key.vrid) == (vlan, self.family, vrid);
        let listener = self.all.iter().find(|listener| key(&listener.key))?;
        Some((u32::from(listener.id.0), &listener.rules))
    }

    fn serves(&self, vlan: u16) -> bool {
        self.all.iter().any(|listener| (listener.key.vlan, listener.key.family) == (vlan, self.family))
    }

    fn peer(&self, instance: u32, source: &Addr) -> Option<Ttl> {
        let listener = self.all.iter().find(|listener| u32::from(listener.id.0) == instance)?;
        listener.peers.iter().find(|(peer, _)| peer == source).map(|(_, ttl)| *ttl)
    }
}

/// A packet socket with who listens to it.
pub(super) struct Port {
    ifindex: u32,
    mac: Mac,
    socket: Watched<PacketSocket>,
    listeners: Vec<Listener>,
    tally: Arc<SocketTally>,
    frame: Box<socket::Frame>,
    packet: Box<L3>,
}

impl Port {
    pub(super) fn open(ifindex: u32, mac: Mac, tally: Arc<SocketTally>) -> io::Result<Self> {
        let socket = watch::readable(PacketSocket::open(ifindex)?)?;
        Ok(Self {
            ifindex,
            mac,
            socket,
            listeners: Vec::new(),
            tally,
            frame: socket::frame(),
            packet: Box::default(),
        })
    }

    /// Adds a virtual router.
    pub(super) fn listen(&mut self, listener: Listener) {
        self.listeners.push(listener);
    }

    /// Forgets a virtual router; one that does not listen here is fine.
    pub(super) fn forget(&mut self, id: InstanceId) {
        self.listeners.retain(|listener| listener.id != id);
    }

    /// Ready when something may have arrived since this was last asked. What is there must then be read to its end.
    pub(super) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_read_ready(context).map_ok(|mut ready| ready.clear_ready())
    }

    /// The next thing heard; `None` when the socket is empty.
    pub(super) fn take(&mut self) -> Option<Heard> {
        loop {
            let (length, at) = match self.socket.get_mut().receive(&mut self.frame) {
                Ok(received) => received?,
                // The interface went down: the link monitor tells of it.
                Err(error) => {
                    tracing::debug!("packet socket: {error}");
                    return None;
                }
            };
            if let Some(heard) = self.read(length, at) {
                return Some(heard);
            }
        }
    }

    fn read(&mut self, length: usize, at: Instant) -> Option<Heard> {
        let frame = &self.frame[..length];
        match eth::classify(frame, None) {
            Class::Other => None,
            Class::Advert4(place) => self.advert::<V4>(length, place, at),
            Class::Advert6(place) => self.advert::<V6>(length, place, at),
            Class::Arp(place) => {
                let message = arp::Message::read(frame, place.at).filter(arp::Message::is_gratuitous)?;
                let addr = from_ipv4(message.sender.into());
                let instance = self.holder(place, &addr)?;
                self.claim(instance, &addr, message.sender_mac, at)
            }
            Class::Neighbour(place) => {
                let message = nd::Message::read(frame, place.at).filter(|message| message.advertises)?;
                let instance = self.holder(place, &message.target)?;
                self.packet.fill(&frame[place.at..]);
                let sum = |packet: &L3, from, length| checksum::octets(&packet.0[from..from + length]);
                match claimant(&self.packet, frame.len() - place.at, sum) {
                    Ok(mac) => self.claim(instance, &message.target, mac?, at),
                    Err(reason) => {
                        self.tally.raise(Some(u32::from(instance.0)), reason);
                        None
                    }
                }
            }
        }
    }

    fn advert<F: Family>(&mut self, length: usize, place: Place, at: Instant) -> Option<Heard> {
        let payload = self.frame.get(place.at..length)?;
        self.packet.fill(payload);
        let packet = Packet { l3: &self.packet, length: payload.len(), vlan: place.vlan };
        let verdict = judge::<F, _>(&packet, &Listeners { family: F::NUMBER, all: &self.listeners });
        verdict.count(|reason| self.tally.raise(verdict.instance, reason));
        heard(&verdict, at)
    }

    /// Who has this virtual address here.
    fn holder(&self, place: Place, addr: &Addr) -> Option<InstanceId> {
        let mut here = self.listeners.iter().filter(|listener| listener.key.vlan == place.vlan);
        here.find(|listener| listener.vips.contains(&(self.ifindex, *addr))).map(|listener| listener.id)
    }

    fn claim(&self, instance: InstanceId, addr: &Addr, mac: Mac, at: Instant) -> Option<Heard> {
        if mac == self.mac {
            return None;
        }
        self.tally.raise(Some(u32::from(instance.0)), Reason::Claim);
        Some(Heard::Claim(Claim { instance, ip: to_ip(addr), mac, at }))
    }
}

fn heard(verdict: &Verdict, at: Instant) -> Option<Heard> {
    let said = verdict.advert.ok()?;
    let instance = InstanceId(verdict.instance?.try_into().ok()?);
    let advert = advert_from(&said.source, said.priority, said.interval_cs, at)?;
    // The kernel times nothing here.
    Some(Heard::Advert { instance, advert, form: Form::read(said.checksum), watched: false })
}
