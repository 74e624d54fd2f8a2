//! One interface on the last step of the ladder: a packet socket and the virtual routers that listen to it.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::task::{Context, Poll};

use vipd_common::abi::{Addr, Rules};
use vipd_common::wire::eth::{self, Class};
use vipd_common::wire::{L3, Packet, Reason, Table, Verdict, arp, judge};
use vipd_core::{InstanceId, Instant};

use super::heard::{Claim, Heard, advert_from};
use super::socket::{self, PacketSocket};
use super::tally::SocketTally;
use crate::watch::{self, Watched};

/// A virtual router on the interface.
pub(super) struct Listener {
    pub(super) id: InstanceId,
    pub(super) vrid: u8,
    pub(super) rules: Rules,
    pub(super) peers: Vec<Addr>,
    pub(super) vips: Vec<Ipv4Addr>,
}

/// The virtual routers on an untagged interface.
pub(super) struct Listeners(Vec<Listener>);

impl Table for Listeners {
    fn instance(&self, vlan: u16, vrid: u8) -> Option<(u32, &Rules)> {
        let listener = self.0.iter().find(|listener| vlan == 0 && listener.vrid == vrid)?;
        Some((u32::from(listener.id.0), &listener.rules))
    }

    fn serves(&self, vlan: u16) -> bool {
        vlan == 0
    }

    fn is_peer(&self, instance: u32, source: &Addr) -> bool {
        let listener = self.0.iter().find(|listener| u32::from(listener.id.0) == instance);
        listener.is_some_and(|listener| listener.peers.contains(source))
    }
}

/// A packet socket with who listens to it.
pub(super) struct Port {
    mac: eth::Mac,
    socket: Watched<PacketSocket>,
    listeners: Listeners,
    tally: Arc<SocketTally>,
    frame: Box<socket::Frame>,
    packet: Box<L3>,
}

impl Port {
    pub(super) fn open(ifindex: u32, mac: eth::Mac, tally: Arc<SocketTally>) -> io::Result<Self> {
        let socket = watch::readable(PacketSocket::open(ifindex)?)?;
        let listeners = Listeners(Vec::new());
        Ok(Self { mac, socket, listeners, tally, frame: socket::frame(), packet: Box::default() })
    }

    /// Adds a virtual router.
    pub(super) fn listen(&mut self, listener: Listener) {
        self.listeners.0.push(listener);
    }

    /// Forgets a virtual router; one that does not listen here is fine.
    pub(super) fn forget(&mut self, id: InstanceId) {
        self.listeners.0.retain(|listener| listener.id != id);
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
            Class::Advert(place) => {
                let payload = frame.get(place.at..)?;
                self.packet.fill(payload);
                let packet = Packet { l3: &self.packet, length: payload.len(), vlan: place.vlan };
                let verdict = judge(&packet, &self.listeners);
                verdict.count(|reason| self.tally.raise(verdict.instance, reason));
                heard(&verdict, at)
            }
            Class::Arp(place) => {
                let message = arp::Message::read(frame, place.at)?;
                let claim = self.claim(&message, at)?;
                self.tally.raise(Some(u32::from(claim.instance.0)), Reason::Claim);
                Some(Heard::Claim(claim))
            }
        }
    }

    fn claim(&self, message: &arp::Message, at: Instant) -> Option<Claim> {
        let ip = Ipv4Addr::from(message.sender);
        if !message.is_gratuitous() || message.sender_mac == self.mac {
            return None;
        }
        let listener = self.listeners.0.iter().find(|listener| listener.vips.contains(&ip))?;
        Some(Claim { instance: listener.id, ip, mac: message.sender_mac, at })
    }
}

fn heard(verdict: &Verdict, at: Instant) -> Option<Heard> {
    let advert = verdict.advert.ok()?;
    let id = InstanceId(verdict.instance?.try_into().ok()?);
    let advert = advert_from(&advert.source, advert.priority, advert.interval_cs, at)?;
    // The kernel times nothing here.
    Some(Heard::Advert(id, advert, false))
}
