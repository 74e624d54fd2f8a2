//! Brings the addresses of every virtual router to what the election wants, on a thread of its own: the kernel works off
//! such requests under one lock of the whole host, and an advert must not wait for it.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;
use vipd_core::InstanceId;

use super::addresses::{self, Address};
use super::rtnl::Rtnl;
use crate::realtime;
use crate::warden::Will;

/// What an order has done.
#[derive(Debug)]
pub struct Applied {
    /// Whose addresses.
    pub instance: InstanceId,
    /// They are held.
    pub held: bool,
    /// One of them was on its interface before this agent came, and is not its to give away.
    pub found: bool,
    /// Why not all of them, one sentence an address; empty when all went well.
    pub failures: Vec<String>,
}

/// What is wanted of the addresses of a virtual router.
#[derive(Debug)]
pub enum Order {
    /// They are to be on their interfaces.
    Hold,
    /// They are to be gone.
    Release,
    /// They are others from now on. If they are held, only what is different is moved.
    Replace(Vec<Address>),
}

/// The orders' way in and the results' way out.
pub struct Holder {
    /// `None` only while the holder goes down.
    orders: Option<Sender<(InstanceId, Order)>>,
    results: mpsc::UnboundedReceiver<Applied>,
    thread: Option<JoinHandle<()>>,
}

impl Holder {
    /// Starts the thread, in this network namespace. What it puts on an interface is written into the will. It ends when
    /// the holder is dropped.
    ///
    /// The channels have no bound because the election bounds them: there is at most one order per transition.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket or the thread.
    pub fn start(will: Will) -> io::Result<Self> {
        let rtnl = Rtnl::open()?;
        let (orders, orders_in) = channel();
        let (results_out, results) = mpsc::unbounded_channel();
        let thread = thread::Builder::new()
            .name("holder".to_owned())
            .spawn(move || work(rtnl, &will, &orders_in, &results_out))?;
        Ok(Self { orders: Some(orders), results, thread: Some(thread) })
    }

    /// Gives an order for the addresses of a virtual router, of which there are none at first. Orders are carried out in
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

/// The addresses of one virtual router.
#[derive(Debug, Default)]
struct Addresses {
    list: Vec<Address>,
    held: bool,
}

fn work(
    mut rtnl: Rtnl,
    will: &Will,
    orders: &Receiver<(InstanceId, Order)>,
    results: &mpsc::UnboundedSender<Applied>,
) {
    realtime::assist();
    let mut routers: BTreeMap<InstanceId, Addresses> = BTreeMap::new();
    while let Ok((instance, order)) = orders.recv() {
        let router = routers.entry(instance).or_default();
        let done = router.obey(order, &mut rtnl, will);
        let (found, failures) =
            done.unwrap_or_else(|error| (false, vec![format!("the kernel cannot be asked: {error}")]));
        if results.send(Applied { instance, held: router.held, found, failures }).is_err() {
            return;
        }
    }
}

impl Addresses {
    fn obey(&mut self, order: Order, rtnl: &mut Rtnl, will: &Will) -> io::Result<Done> {
        match order {
            Order::Hold => self.held = true,
            Order::Release => self.held = false,
            Order::Replace(list) => {
                let gone = std::mem::replace(&mut self.list, list);
                let gone: Vec<Address> =
                    gone.into_iter().filter(|address| !self.list.contains(address)).collect();
                let (_, mut failures) = release(rtnl, &gone, will)?;
                if !self.held {
                    return Ok((false, failures));
                }
                let (found, more) = hold(rtnl, &self.list, will)?;
                failures.extend(more);
                return Ok((found, failures));
            }
        }
        if self.held { hold(rtnl, &self.list, will) } else { release(rtnl, &self.list, will) }
    }
}

/// Whether one was found, and the failures.
type Done = (bool, Vec<String>);

fn hold(rtnl: &mut Rtnl, list: &[Address], will: &Will) -> io::Result<Done> {
    if !list.iter().all(|address| will.asks(address)) {
        return Ok((false, vec!["no address is added any more: the agent is ending".to_owned()]));
    }
    let (mut found, mut failures) = (false, Vec::new());
    for (address, outcome) in list.iter().zip(addresses::add(rtnl, list)?) {
        will.asked(address, outcome.as_ref().is_ok_and(|added| *added));
        match outcome {
            Ok(_) => found |= !will.is_ours(address),
            Err(error) => failures.push(format!("cannot add {}/{}: {error}", address.ip, address.prefix)),
        }
    }
    Ok((found, failures))
}

/// What was on an interface before this agent came stays: the owner's own address.
fn release(rtnl: &mut Rtnl, list: &[Address], will: &Will) -> io::Result<Done> {
    let put: Vec<Address> = list.iter().filter(|address| will.is_ours(address)).cloned().collect();
    let mut failures = Vec::new();
    for (address, outcome) in put.iter().zip(addresses::remove(rtnl, &put)?) {
        will.removed(address);
        if let Err(error) = outcome {
            failures.push(format!("cannot remove {}/{}: {error}", address.ip, address.prefix));
        }
    }
    Ok((false, failures))
}
