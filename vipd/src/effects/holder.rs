//! Brings the addresses of every virtual router to what the election wants, on a thread of its own: the kernel works off
//! such requests under one lock of the whole host, and an advert must not wait for it.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;
use vipd_core::InstanceId;

use super::addresses::{self, Address};
use super::rtnl::Rtnl;
use crate::realtime;
use crate::warden::Will;

/// What an order to hold or to release addresses has done.
#[derive(Debug)]
pub struct Applied {
    /// Whose addresses.
    pub instance: InstanceId,
    /// Held or released.
    pub held: bool,
    /// One of them was on its interface before this agent came, and is not its to give away.
    pub found: bool,
    /// Why not all of them, one sentence an address; empty when all went well.
    pub failures: Vec<String>,
}

/// The orders' way in and the results' way out.
pub struct Holder {
    /// `None` only while the holder goes down.
    orders: Option<Sender<(InstanceId, bool)>>,
    results: mpsc::UnboundedReceiver<Applied>,
    thread: Option<JoinHandle<()>>,
}

impl Holder {
    /// Starts the thread, in this network namespace; `addresses[n]` are those of `InstanceId(n)`. What it puts on an
    /// interface is written into the will. It ends when the holder is dropped.
    ///
    /// The channels have no bound because the election bounds them: there is at most one order per transition.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket or the thread.
    pub fn start(addresses: Vec<Vec<Address>>, will: Will) -> io::Result<Self> {
        let rtnl = Rtnl::open()?;
        let (orders, orders_in) = channel();
        let (results_out, results) = mpsc::unbounded_channel();
        let thread = thread::Builder::new()
            .name("holder".to_owned())
            .spawn(move || work(rtnl, &addresses, &will, &orders_in, &results_out))?;
        Ok(Self { orders: Some(orders), results, thread: Some(thread) })
    }

    /// Orders that all addresses of a virtual router be held or released. Orders are carried out in turn.
    pub fn order(&self, instance: InstanceId, held: bool) {
        // The thread ends only when this sender is dropped.
        let _ = self.orders.as_ref().map(|orders| orders.send((instance, held)));
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

fn work(
    mut rtnl: Rtnl,
    addresses: &[Vec<Address>],
    will: &Will,
    orders: &Receiver<(InstanceId, bool)>,
    results: &mpsc::UnboundedSender<Applied>,
) {
    realtime::assist();
    while let Ok((instance, held)) = orders.recv() {
        let list = &addresses[usize::from(instance.0)];
        let done = if held {
            hold(&mut rtnl, list, will, instance)
        } else {
            release(&mut rtnl, list, will, instance)
        };
        let (found, failures) =
            done.unwrap_or_else(|error| (false, vec![format!("the kernel cannot be asked: {error}")]));
        if results.send(Applied { instance, held, found, failures }).is_err() {
            return;
        }
    }
}

/// Whether one was found, and the failures.
type Done = (bool, Vec<String>);

fn hold(rtnl: &mut Rtnl, list: &[Address], will: &Will, id: InstanceId) -> io::Result<Done> {
    if !list.iter().enumerate().all(|(n, address)| will.asks(id, n, address)) {
        return Ok((false, vec!["no address is added any more: the agent is ending".to_owned()]));
    }
    let (mut found, mut failures) = (false, Vec::new());
    for (n, (address, outcome)) in list.iter().zip(addresses::add(rtnl, list)?).enumerate() {
        will.asked(id, n, outcome.as_ref().is_ok_and(|added| *added));
        match outcome {
            Ok(_) => found |= !will.is_ours(id, n),
            Err(error) => failures.push(format!("cannot add {}/{}: {error}", address.ip, address.prefix)),
        }
    }
    Ok((found, failures))
}

/// What was on an interface before this agent came stays: the owner's own address.
fn release(rtnl: &mut Rtnl, list: &[Address], will: &Will, id: InstanceId) -> io::Result<Done> {
    let (places, put): (Vec<usize>, Vec<Address>) =
        list.iter().cloned().enumerate().filter(|(n, _)| will.is_ours(id, *n)).unzip();
    let mut failures = Vec::new();
    for ((n, address), outcome) in places.into_iter().zip(&put).zip(addresses::remove(rtnl, &put)?) {
        will.removed(id, n);
        if let Err(error) = outcome {
            failures.push(format!("cannot remove {}/{}: {error}", address.ip, address.prefix));
        }
    }
    Ok((false, failures))
}
