//! Everything that shows a takeover from outside, as one stream of events.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use vipd_tests::http::{Account, Client};
use vipd_tests::{Change, Direction, Frame, Moment, Pair, Rtnl, Tap};

use super::site::{Node, Site};

/// How often an observer that sees nothing looks whether it is to end.
const IDLE: Duration = Duration::from_millis(50);

/// Something that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// An advert left a load balancer, with this priority.
    Advert(Node, u8),
    /// An advert of the other one was delivered to a load balancer.
    Heard(Node),
    /// A gratuitous ARP for the virtual address left a load balancer.
    Claim(Node),
    /// The virtual address appeared on a load balancer.
    AddressAdded(Node),
    /// The virtual address vanished from a load balancer.
    AddressRemoved(Node),
    /// The client's ARP table now leads to a load balancer.
    ArpMoved(Node),
    /// A request was answered through a load balancer.
    Answer(Node),
}

/// The observers at work. They end on drop.
pub(super) struct Watch {
    events: Receiver<(Moment, Event)>,
    client: Arc<Client>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Watch {
    /// Starts the observers and the client.
    pub(super) fn start(site: &Site) -> Result<Self> {
        let (tell, events) = mpsc::channel();
        let client = Arc::new(site.pair.start_client()?);
        let mut watch = Self {
            events,
            client: Arc::clone(&client),
            stop: Arc::new(AtomicBool::new(false)),
            threads: Vec::new(),
        };
        watch.observe(&tell, frames(&site.pair)?)?;
        for node in Node::ALL {
            watch.observe(&tell, addresses(site, node)?)?;
        }
        watch.observe(&tell, arp(&site.pair)?)?;
        watch.observe(&tell, answers(client))?;
        Ok(watch)
    }

    /// The next event, or `None` if none comes before `deadline`.
    pub(super) fn next(&self, deadline: Moment) -> Option<(Moment, Event)> {
        self.events.recv_timeout(deadline.remaining()).ok()
    }

    /// What became of the client's requests so far.
    pub(super) fn account(&self) -> Account {
        Account::of(&self.client.requests())
    }

    fn observe(
        &mut self,
        tell: &Sender<(Moment, Event)>,
        mut look: impl FnMut() -> Vec<(Moment, Event)> + Send + 'static,
    ) -> Result<()> {
        let (tell, stop) = (tell.clone(), Arc::clone(&self.stop));
        let thread = thread::Builder::new().name("observer".to_owned()).spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                for event in look() {
                    // Nobody listens any more once the chapter is over.
                    let _ = tell.send(event);
                }
            }
        })?;
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Frames as they enter and leave the switch.
fn frames(pair: &Pair) -> Result<impl FnMut() -> Vec<(Moment, Event)> + Send + use<>> {
    let tap = Tap::open(pair.switch.host())?;
    let ports = [(pair.lb1.port.index(), Node::Lb1), (pair.lb2.port.index(), Node::Lb2)];
    Ok(move || {
        let Ok(Some(frame)) = tap.next(IDLE) else { return Vec::new() };
        let behind = ports.iter().find(|(index, _)| *index == frame.interface);
        behind
            .and_then(|(_, node)| tell_frame(&frame, *node))
            .map(|event| (frame.at, event))
            .into_iter()
            .collect()
    })
}

fn tell_frame(frame: &Frame, behind: Node) -> Option<Event> {
    match (frame.advert(), frame.direction) {
        (Some(advert), Direction::In) => Some(Event::Advert(behind, advert.priority)),
        (Some(_), Direction::Out) => Some(Event::Heard(behind)),
        (None, Direction::In) => {
            frame.gratuitous_arp().filter(|claim| Pair::vip() == claim.ip).map(|_| Event::Claim(behind))
        }
        (None, Direction::Out) => None,
    }
}

fn addresses(site: &Site, node: Node) -> Result<impl FnMut() -> Vec<(Moment, Event)> + Send + use<>> {
    let changes = Rtnl::open(&site.balancer(node).host)?;
    Ok(move || {
        let batch = changes.next(IDLE).unwrap_or_default().into_iter();
        batch
            .filter_map(|(at, change)| match change {
                Change::AddressAdded(ip) if ip == Pair::vip() => Some((at, Event::AddressAdded(node))),
                Change::AddressRemoved(ip) if ip == Pair::vip() => Some((at, Event::AddressRemoved(node))),
                _ => None,
            })
            .collect()
    })
}

fn arp(pair: &Pair) -> Result<impl FnMut() -> Vec<(Moment, Event)> + Send + use<>> {
    let changes = Rtnl::open(&pair.client)?;
    let macs = [(pair.lb1.mac.clone(), Node::Lb1), (pair.lb2.mac.clone(), Node::Lb2)];
    Ok(move || {
        let batch = changes.next(IDLE).unwrap_or_default().into_iter();
        batch
            .filter_map(|(at, change)| match change {
                Change::Neighbour(ip, mac) if ip == Pair::vip() => {
                    let mac = vipd_tests::frame::show_mac(mac);
                    macs.iter().find(|(known, _)| *known == mac).map(|(_, node)| (at, Event::ArpMoved(*node)))
                }
                _ => None,
            })
            .collect()
    })
}

fn answers(client: Arc<Client>) -> impl FnMut() -> Vec<(Moment, Event)> + Send {
    let mut seen = 0;
    move || {
        let requests = client.next(seen, IDLE);
        seen += requests.len();
        let good = requests.into_iter().filter_map(|request| Some((request.ended, request.outcome.ok()?)));
        good.filter_map(|(at, name)| {
            let node = Node::ALL.into_iter().find(|node| node.to_string() == name)?;
            Some((at, Event::Answer(node)))
        })
        .collect()
    }
}
