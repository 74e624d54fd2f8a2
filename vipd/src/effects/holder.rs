//! Brings the addresses, routes and rules of every virtual router to what the election wants, on a thread of its own: the
//! kernel works off such requests under one lock of the whole host, and an advert must not wait for it.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;
use vipd_core::InstanceId;

use super::addresses::Address;
use super::rtnl::Rtnl;
use super::things::{self, Thing};
use crate::realtime;
use crate::warden::{Undo, Will};

/// What an order has done.
#[derive(Debug)]
pub struct Applied {
    /// Whose things.
    pub instance: InstanceId,
    /// They are held.
    pub held: bool,
    /// One of them was on its interface before this agent came, and is not its to give away.
    pub found: bool,
    /// What somebody else had removed, and is there again.
    pub restored: Vec<String>,
    /// Addresses among them that are not on their interfaces, though they are to be held.
    pub missing: Vec<IpAddr>,
    /// Why not all of them, one sentence a thing; empty when all went well.
    pub failures: Vec<String>,
}

/// Things that a log line names one by one.
const NAMED: usize = 3;

impl Applied {
    /// Says what went wrong, and what somebody else had done, in the name of whom the things belong to.
    pub fn tell(&self, name: &str) {
        for failure in &self.failures {
            tracing::error!("({name}) {failure}");
        }
        let named = self.restored.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        match self.restored.len() {
            0 => {}
            1..=NAMED => tracing::warn!("({name}) somebody else removed {named}; it is put back"),
            all => tracing::warn!(
                "({name}) somebody else removed {named} and {} more; it is put back",
                all - NAMED
            ),
        }
    }
}

/// What is wanted of the things of a virtual router.
#[derive(Debug)]
pub enum Order {
    /// They are to be there, in their order.
    Hold,
    /// If they are held, those are put back that somebody else has removed, except where that is allowed.
    Restore,
    /// They are to be gone, the last first.
    Release,
    /// They are others from now on. If they are held, only what is different is moved.
    Replace(Vec<Thing>),
    /// What they stood on is undone.
    Undo(Undo),
    /// This is written into the agent's record, before anything that is ordered later.
    Record(String),
}

/// The orders' way in and the results' way out.
pub struct Holder {
    /// `None` only while the holder goes down.
    orders: Option<Sender<(InstanceId, Order)>>,
    results: mpsc::UnboundedReceiver<Applied>,
    thread: Option<JoinHandle<()>>,
}

impl Holder {
    /// Starts the thread, in this network namespace. What it puts on an interface is written into the will. `record` is the
    /// agent's record. It ends when the holder is dropped.
    ///
    /// The channels have no bound because the election bounds them: there is at most one order per transition.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket or the thread.
    pub fn start(will: Will, record: PathBuf) -> io::Result<Self> {
        let rtnl = Rtnl::open()?;
        let (orders, orders_in) = channel();
        let (results_out, results) = mpsc::unbounded_channel();
        let thread = thread::Builder::new()
            .name("holder".to_owned())
            .spawn(move || work(rtnl, &will, &record, &orders_in, &results_out))?;
        Ok(Self { orders: Some(orders), results, thread: Some(thread) })
    }

    /// Gives an order for the things of a virtual router, of which there are none at first. Orders are carried out in
    /// turn.
    pub fn order(&self, instance: InstanceId, order: Order) {
        // The thread ends only when this sender is dropped.
        let _ = self.orders.as_ref().map(|orders| orders.send((instance, order)));
    }

    /// The next result, in the order of the orders.
    pub async fn applied(&mut self) -> Option<Applied> {
        self.results.recv().await
    }
}

impl Drop for Holder {
    /// Nothing is put anywhere any more when this returns.
    fn drop(&mut self) {
        drop(self.orders.take());
        // A panic there would have ended the process.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The things of one virtual router.
#[derive(Debug, Default)]
struct Things {
    list: Vec<Thing>,
    held: bool,
    /// Addresses that could not be put in place.
    missing: Vec<IpAddr>,
}

/// What came of an order.
#[derive(Default)]
struct Done {
    found: bool,
    restored: Vec<String>,
    missing: Vec<IpAddr>,
    failures: Vec<String>,
}

fn work(
    mut rtnl: Rtnl,
    will: &Will,
    record: &Path,
    orders: &Receiver<(InstanceId, Order)>,
    results: &mpsc::UnboundedSender<Applied>,
) {
    realtime::assist();
    let mut routers: BTreeMap<InstanceId, Things> = BTreeMap::new();
    let mut gone: Vec<Address> = Vec::new();
    loop {
        let next = orders.try_recv().ok();
        // Once for all that go together, but before anybody else is blamed.
        if !gone.is_empty() && next.as_ref().is_none_or(|(_, order)| matches!(order, Order::Restore)) {
            keep(&mut rtnl, routers.values(), &gone, will);
            gone.clear();
        }
        let Some((instance, order)) = next.or_else(|| orders.recv().ok()) else { return };
        let router = routers.entry(instance).or_default();
        if router.held && matches!(order, Order::Release | Order::Replace(_)) {
            gone.extend(addresses(&router.list).cloned());
        }
        let done = router.obey(order, &mut rtnl, will, record).unwrap_or_else(|error| Done {
            failures: vec![format!("the kernel cannot be asked: {error}")],
            ..Done::default()
        });
        let Done { found, restored, failures, .. } = done;
        let (held, missing) = (router.held, router.missing.clone());
        if results.send(Applied { instance, held, found, restored, missing, failures }).is_err() {
            return;
        }
    }
}

impl Things {
    fn obey(&mut self, order: Order, rtnl: &mut Rtnl, will: &Will, record: &Path) -> io::Result<Done> {
        match order {
            Order::Hold => {
                self.held = true;
                self.hold(rtnl, will)
            }
            Order::Restore if self.held => {
                let tracked: Vec<Thing> =
                    self.list.iter().filter(|thing| thing.is_tracked()).cloned().collect();
                let mut done = hold(rtnl, &tracked, will)?;
                self.missing.retain(|ip| ips(&tracked).all(|tracked| tracked != *ip));
                self.missing.append(&mut done.missing);
                done.found |= self.list.iter().any(|thing| thing.is_address() && !will.is_ours(thing));
                Ok(done)
            }
            Order::Restore => Ok(Done::default()),
            Order::Release => {
                self.held = false;
                self.missing.clear();
                release(rtnl, &self.list, will)
            }
            Order::Replace(list) => {
                let gone = std::mem::replace(&mut self.list, list);
                let kept: HashSet<&Thing> = self.list.iter().collect();
                let gone: Vec<Thing> = gone.into_iter().filter(|thing| !kept.contains(thing)).collect();
                let mut done = release(rtnl, &gone, will)?;
                if self.held {
                    let held = self.hold(rtnl, will)?;
                    done.found = held.found;
                    done.failures.extend(held.failures);
                }
                Ok(done)
            }
            Order::Undo(undo) => {
                let result = match &undo {
                    Undo::Request(request) => rtnl.send(request),
                    Undo::Parameter(path, value) => fs::write(path, value),
                };
                will.undone(&undo);
                let failure = |error| format!("cannot undo what was made for it: {error}");
                Ok(Done { failures: result.err().map(failure).into_iter().collect(), ..Done::default() })
            }
            Order::Record(lines) => {
                let failure = |error| format!("cannot write {}: {error}", record.display());
                let failures = fs::write(record, lines).err().map(failure).into_iter().collect();
                Ok(Done { failures, ..Done::default() })
            }
        }
    }

    fn hold(&mut self, rtnl: &mut Rtnl, will: &Will) -> io::Result<Done> {
        // None is there if the kernel cannot be asked.
        self.missing = ips(&self.list).collect();
        let mut done = hold(rtnl, &self.list, will)?;
        self.missing = std::mem::take(&mut done.missing);
        Ok(done)
    }
}

fn hold(rtnl: &mut Rtnl, list: &[Thing], will: &Will) -> io::Result<Done> {
    // The kernel would make another one of those.
    let list: Vec<Thing> =
        list.iter().filter(|thing| !(thing.can_be_there_twice() && will.is_ours(thing))).cloned().collect();
    let were_ours: Vec<bool> = list.iter().map(|thing| will.is_ours(thing)).collect();
    let mut done = Done::default();
    if !list.iter().all(|thing| will.asks(thing)) {
        done.failures.push("nothing is put in place any more: the agent is ending".to_owned());
        done.missing = ips(&list).collect();
        return Ok(done);
    }
    for ((thing, outcome), was_ours) in list.iter().zip(things::add(rtnl, &list)?).zip(were_ours) {
        will.asked(thing, outcome.as_ref().is_ok_and(|added| *added));
        match (outcome, thing) {
            // To set up what is up already is no news.
            (Ok(true), thing) if was_ours && !matches!(thing, Thing::Up(..)) => {
                done.restored.push(thing.to_string());
            }
            (Ok(_), Thing::Address(_)) => done.found |= !will.is_ours(thing),
            (Ok(false), _) if !was_ours => {
                will.removed(thing);
                done.failures.push(format!("cannot add {thing}: there is another one like it"));
            }
            (Ok(_), _) => {}
            (Err(error), _) => {
                done.missing.extend(ips(std::slice::from_ref(thing)));
                if !was_ours && !matches!(thing, Thing::Address(_)) {
                    will.removed(thing);
                }
                // What a missing interface is to the virtual router, others say.
                if error.raw_os_error() == Some(libc::ENODEV) {
                    tracing::debug!("cannot add {thing}: {error}");
                } else {
                    done.failures.push(format!("cannot add {thing}: {error}"));
                }
            }
        }
    }
    Ok(done)
}

fn ips(list: &[Thing]) -> impl Iterator<Item = IpAddr> {
    addresses(list).map(|address| address.ip)
}

fn addresses(list: &[Thing]) -> impl Iterator<Item = &Address> {
    list.iter().filter_map(|thing| match thing {
        Thing::Address(address) => Some(address),
        _ => None,
    })
}

/// Puts addresses of other virtual routers back that the kernel has removed with those that are gone: it removes the other
/// addresses of an IPv4 network with the first one, unless `promote_secondaries` says otherwise.
fn keep<'a>(rtnl: &mut Rtnl, routers: impl Iterator<Item = &'a Things>, gone: &[Address], will: &Will) {
    let held = routers.filter(|router| router.held).flat_map(|router| addresses(&router.list));
    let near = held.filter(|address| gone.iter().any(|gone| gone.is_beside(address)));
    let near: Vec<Thing> = near.cloned().map(Thing::Address).filter(|thing| will.is_ours(thing)).collect();
    if !near.iter().all(|thing| will.asks(thing)) {
        return;
    }
    // What fails here is found missing by the election, which has it put back.
    for (thing, outcome) in near.iter().zip(things::add(rtnl, &near).into_iter().flatten()) {
        if matches!(outcome, Ok(true)) {
            tracing::debug!(
                "put {thing} back, which the kernel removed with the first address of its network"
            );
        }
    }
}

/// What was on an interface before this agent came stays: the owner's own address.
fn release(rtnl: &mut Rtnl, list: &[Thing], will: &Will) -> io::Result<Done> {
    let put: Vec<Thing> = list.iter().rev().filter(|thing| will.is_ours(thing)).cloned().collect();
    let mut done = Done::default();
    for (thing, outcome) in put.iter().zip(things::remove(rtnl, &put)?) {
        will.removed(thing);
        if let Err(error) = outcome {
            done.failures.push(format!("cannot remove {thing}: {error}"));
        }
    }
    Ok(done)
}
