//! Brings the addresses of every virtual router to what the election wants, on a thread of its own: the kernel works off
//! such requests under one lock of the whole host, and an advert must not wait for it.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use tokio::sync::mpsc;
use vipd_core::InstanceId;

use super::addresses::{self, Address};
use super::rtnl::Rtnl;

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
    orders: Sender<(InstanceId, bool)>,
    results: mpsc::UnboundedReceiver<Applied>,
}

impl Holder {
    /// Starts the thread, in this network namespace; `addresses[n]` are those of `InstanceId(n)`. It ends when the holder
    /// is dropped.
    ///
    /// The channels have no bound because the election bounds them: there is at most one order per transition.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket or the thread.
    pub fn start(addresses: Vec<Vec<Address>>) -> io::Result<Self> {
        let rtnl = Rtnl::open()?;
        let (orders, orders_in) = channel();
        let (results_out, results) = mpsc::unbounded_channel();
        thread::Builder::new()
            .name("holder".to_owned())
            .spawn(move || work(rtnl, &addresses, &orders_in, &results_out))?;
        Ok(Self { orders, results })
    }

    /// Orders that all addresses of a virtual router be held or released. Orders are carried out in turn.
    pub fn order(&self, instance: InstanceId, held: bool) {
        // The thread ends only when this sender is dropped.
        let _ = self.orders.send((instance, held));
    }

    /// The next result, in the order of the orders.
    pub async fn applied(&mut self) -> Option<Applied> {
        self.results.recv().await
    }
}

fn work(
    mut rtnl: Rtnl,
    addresses: &[Vec<Address>],
    orders: &Receiver<(InstanceId, bool)>,
    results: &mpsc::UnboundedSender<Applied>,
) {
    // What was on an interface before this agent came stays when it is released: the owner's own address.
    let mut ours: Vec<Vec<bool>> = addresses.iter().map(|list| vec![false; list.len()]).collect();
    while let Ok((instance, held)) = orders.recv() {
        let n = usize::from(instance.0);
        let done = if held {
            hold(&mut rtnl, &addresses[n], &mut ours[n])
        } else {
            release(&mut rtnl, &addresses[n], &mut ours[n])
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

fn hold(rtnl: &mut Rtnl, list: &[Address], ours: &mut [bool]) -> io::Result<Done> {
    let (mut found, mut failures) = (false, Vec::new());
    for ((address, ours), outcome) in list.iter().zip(ours).zip(addresses::add(rtnl, list)?) {
        match outcome {
            Ok(added) => {
                *ours |= added;
                found |= !*ours;
            }
            Err(error) => failures.push(format!("cannot add {}/{}: {error}", address.ip, address.prefix)),
        }
    }
    Ok((found, failures))
}

fn release(rtnl: &mut Rtnl, list: &[Address], ours: &mut [bool]) -> io::Result<Done> {
    let put: Vec<Address> =
        list.iter().zip(&*ours).filter(|(_, ours)| **ours).map(|(address, _)| address.clone()).collect();
    let outcomes = addresses::remove(rtnl, &put)?;
    ours.fill(false);
    let failed = |(address, outcome): (&Address, io::Result<()>)| {
        outcome.err().map(|error| format!("cannot remove {}/{}: {error}", address.ip, address.prefix))
    };
    Ok((false, put.iter().zip(outcomes).filter_map(failed).collect()))
}
