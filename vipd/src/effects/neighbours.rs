//! Keeps the neighbour entries of unicast peers, so that the first advert of a takeover need not wait for an answer to ARP or
//! a neighbour solicitation (C-UNI-05).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rtnetlink::packet_core::NLM_F_CREATE;
use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage,
};
use rtnetlink::packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteType};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::rtnl::Rtnl;

/// From one look after all peers to the next: less than the 60 s after which the kernel may forget an unused entry
/// (`gc_stale_time`).
const PACE: Duration = Duration::from_secs(20);

/// A peer, and the interface that a link-local one is behind.
pub(crate) type Peer = (IpAddr, u32);

/// Looks after peers until it is dropped, on a thread of its own.
#[derive(Default)]
pub(crate) struct Neighbours {
    /// `None` while there are no peers, and while it goes down.
    peers: Option<Sender<Vec<Peer>>>,
    thread: Option<JoinHandle<()>>,
}

impl Neighbours {
    /// Looks after these peers from now on, in this network namespace.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket or the thread.
    pub(crate) fn look_after(&mut self, peers: impl Iterator<Item = Peer>) -> io::Result<()> {
        let peers: Vec<Peer> = peers.collect();
        if self.peers.is_none() && !peers.is_empty() {
            let rtnl = Rtnl::open()?;
            let (out, others) = channel();
            let work = move || work(rtnl, &others);
            self.thread = Some(thread::Builder::new().name("neighbours".to_owned()).spawn(work)?);
            self.peers = Some(out);
        }
        // The thread ends only when this sender is dropped.
        let _ = self.peers.as_ref().map(|out| out.send(peers));
        Ok(())
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        drop(self.peers.take());
        // A panic there would have ended the process.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn work(mut rtnl: Rtnl, others: &Receiver<Vec<Peer>>) {
    let mut peers = Vec::new();
    loop {
        match others.recv_timeout(PACE) {
            Ok(others) => peers = others,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        for (peer, ifindex) in &peers {
            if let Err(error) = resolve(&mut rtnl, *peer, *ifindex) {
                tracing::debug!("the neighbour entry of {peer} cannot be kept: {error}");
            }
        }
    }
}

/// Has the kernel find out, or confirm, who is the next hop to a peer.
fn resolve(rtnl: &mut Rtnl, peer: IpAddr, ifindex: u32) -> io::Result<()> {
    let RouteNetlinkMessage::NewRoute(route) = rtnl.ask(route_to(peer, ifindex))? else {
        return Err(io::ErrorKind::InvalidData.into());
    };
    let Some((hop, on)) = next_hop(&route, peer) else { return Ok(()) };
    let mut neighbour = NeighbourMessage::default();
    neighbour.header.family = family(hop);
    neighbour.header.ifindex = on;
    // As if a packet were sent there.
    neighbour.header.flags = NeighbourFlags::Use;
    let address = match hop {
        IpAddr::V4(ip) => NeighbourAddress::Inet(ip),
        IpAddr::V6(ip) => NeighbourAddress::Inet6(ip),
    };
    neighbour.attributes = vec![NeighbourAttribute::Destination(address)];
    let done = rtnl.apply(vec![(RouteNetlinkMessage::NewNeighbour(neighbour), NLM_F_CREATE)])?;
    done.into_iter().collect()
}

fn route_to(peer: IpAddr, ifindex: u32) -> RouteNetlinkMessage {
    let mut question = RouteMessage::default();
    question.header.address_family = family(peer);
    question.header.destination_prefix_length = if peer.is_ipv4() { 32 } else { 128 };
    question.attributes = vec![RouteAttribute::Destination(peer.into())];
    if matches!(peer, IpAddr::V6(peer) if peer.is_unicast_link_local()) {
        question.attributes.push(RouteAttribute::Oif(ifindex));
    }
    RouteNetlinkMessage::GetRoute(question)
}

/// The next hop of a route and the interface to it; `None` where it leads to this host itself.
fn next_hop(route: &RouteMessage, peer: IpAddr) -> Option<(IpAddr, u32)> {
    let (mut hop, mut on) = (peer, None);
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(ip)) if *ip != Ipv4Addr::UNSPECIFIED => {
                hop = (*ip).into();
            }
            RouteAttribute::Gateway(RouteAddress::Inet6(ip)) if *ip != Ipv6Addr::UNSPECIFIED => {
                hop = (*ip).into();
            }
            RouteAttribute::Oif(index) => on = Some(*index),
            _ => {}
        }
    }
    Some((hop, on?)).filter(|_| route.header.kind == RouteType::Unicast)
}

fn family(ip: IpAddr) -> AddressFamily {
    if ip.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}
