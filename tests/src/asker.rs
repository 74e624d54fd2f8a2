//! Asks the LAN every millisecond who has an address, and notes who answers.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use socket2::Socket;

use crate::frame::read_mac;
use crate::host::Host;
use crate::{Direction, Frame, Moment, Tap, facts, forge, wire};

const PACE: Duration = Duration::from_millis(1);
/// How often a thread that hears nothing looks whether it is to end.
const IDLE: Duration = Duration::from_millis(50);

/// An answer to the question who has the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// When the kernel received it.
    pub at: Moment,
    /// The MAC address that it tells.
    pub mac: [u8; 6],
}

/// Asks until it is dropped.
pub struct Asker {
    replies: Arc<Mutex<Vec<Reply>>>,
    asked: Arc<Mutex<Vec<Moment>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Asker {
    /// Starts asking from a host's `eth0` who has `target`, by ARP or by neighbour solicitations: everybody (broadcast, or
    /// the solicited-node group) and each of `nodes` by itself (unicast), so that nobody who would answer but one of the
    /// two stays unnoticed.
    ///
    /// # Errors
    /// If no packet socket can be opened there, or its `eth0` has no address of this family.
    pub fn start(host: &Host, target: IpAddr, nodes: &[[u8; 6]]) -> Result<Self> {
        let (socket, tap) = (wire::open(host, "eth0")?, Tap::open(host)?);
        let mac = read_mac(&facts::mac(host, "eth0")?).context("MAC address of eth0")?;
        let own = own_address(host, target.is_ipv4())?;
        let everybody = std::iter::once(None);
        let questions: Vec<Vec<u8>> = everybody
            .chain(nodes.iter().copied().map(Some))
            .filter_map(|to| match (own, target) {
                (IpAddr::V4(own), IpAddr::V4(target)) => Some(forge::who_has(to, mac, own, target)),
                (IpAddr::V6(own), IpAddr::V6(target)) => Some(forge::solicitation(to, mac, own, target)),
                _ => None,
            })
            .collect();
        let (replies, asked) = (Arc::default(), Arc::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (noted, ended) = (Arc::clone(&asked), Arc::clone(&stop));
        let ask = thread::Builder::new()
            .name("ask".to_owned())
            .spawn(move || ask(&socket, &questions, &noted, &ended))?;
        let (noted, ended) = (Arc::clone(&replies), Arc::clone(&stop));
        let listen = thread::Builder::new()
            .name("listen".to_owned())
            .spawn(move || listen(&tap, target, &noted, &ended))?;
        Ok(Self { replies, asked, stop, threads: vec![ask, listen] })
    }

    /// Every answer so far, in the order of arrival.
    #[must_use]
    pub fn replies(&self) -> Vec<Reply> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When everybody was asked, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<Moment> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn own_address(host: &Host, ipv4: bool) -> Result<IpAddr> {
    let mut own = facts::addresses(host)?.into_iter().filter(|address| address.interface == "eth0");
    own.find(|address| address.ip.is_ipv4() == ipv4)
        .map(|address| address.ip)
        .with_context(|| format!("{}: eth0 has no address of this family", host.name()))
}

fn ask(socket: &Socket, questions: &[Vec<u8>], asked: &Mutex<Vec<Moment>>, ended: &AtomicBool) {
    let mut due = Moment::now();
    while !ended.load(Ordering::Relaxed) {
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(Moment::now());
        for question in questions {
            // The next round follows anyway, and a gap in it shows.
            let _ = socket.send(question);
        }
        due = (due + PACE).max(Moment::now());
        thread::sleep(due.remaining());
    }
}

fn listen(tap: &Tap, target: IpAddr, replies: &Mutex<Vec<Reply>>, ended: &AtomicBool) {
    while !ended.load(Ordering::Relaxed) {
        let Ok(Some(frame)) = tap.next(IDLE) else { continue };
        if let Some(mac) = answer(&frame, target).filter(|_| frame.direction == Direction::In) {
            let reply = Reply { at: frame.at, mac };
            replies.lock().unwrap_or_else(PoisonError::into_inner).push(reply);
        }
    }
}

/// Who says in this frame that it has `target`, asked for it.
fn answer(frame: &Frame, target: IpAddr) -> Option<[u8; 6]> {
    match target {
        IpAddr::V4(target) => frame.arp_reply().filter(|reply| reply.ip == target).map(|reply| reply.mac),
        IpAddr::V6(target) => {
            let advert = frame.neighbour_advertisement()?;
            let [_, solicited, _] = advert.flags;
            advert.mac.filter(|_| solicited && advert.ip == target)
        }
    }
}
