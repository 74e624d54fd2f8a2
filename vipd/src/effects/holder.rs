//! Brings the addresses of every virtual router to what the election wants, one router after the other, beside the
//! election loop: a slow kernel delays addresses, never an advert.

use rtnetlink::Handle;
use tokio::sync::mpsc;
use vipd_core::InstanceId;

use super::addresses::{self, Address};
use crate::warden::Will;

/// What an order to hold or to release addresses has done.
#[derive(Debug)]
pub struct Applied {
    /// Whose addresses.
    pub instance: InstanceId,
    /// Held or released.
    pub held: bool,
    /// Why not all of them, one sentence an address; empty when all went well.
    pub failures: Vec<String>,
}

/// The orders' way in and the results' way out.
pub struct Holder {
    orders: mpsc::UnboundedSender<(InstanceId, bool)>,
    results: mpsc::UnboundedReceiver<Applied>,
}

impl Holder {
    /// Starts the worker as a task of the current tokio runtime; `addresses[n]` are those of `InstanceId(n)`. What it puts
    /// on an interface is written into the will.
    ///
    /// The channels have no bound because the election bounds them: there is at most one order per transition.
    #[must_use]
    pub fn start(handle: Handle, addresses: Vec<Vec<Address>>, will: Will) -> Self {
        let (orders, orders_in) = mpsc::unbounded_channel();
        let (results_out, results) = mpsc::unbounded_channel();
        tokio::spawn(work(handle, addresses, will, orders_in, results_out));
        Self { orders, results }
    }

    /// Orders that all addresses of a virtual router be held or released. Orders are carried out in turn.
    pub fn order(&self, instance: InstanceId, held: bool) {
        // The worker ends only when this sender is dropped.
        let _ = self.orders.send((instance, held));
    }

    /// The next result, in the order of the orders.
    pub async fn applied(&mut self) -> Option<Applied> {
        self.results.recv().await
    }
}

async fn work(
    handle: Handle,
    addresses: Vec<Vec<Address>>,
    will: Will,
    mut orders: mpsc::UnboundedReceiver<(InstanceId, bool)>,
    results: mpsc::UnboundedSender<Applied>,
) {
    while let Some((instance, held)) = orders.recv().await {
        let list = &addresses[usize::from(instance.0)];
        let failures = if held {
            hold(&handle, list, &will, instance).await
        } else {
            release(&handle, list, &will, instance).await
        };
        if results.send(Applied { instance, held, failures }).is_err() {
            return;
        }
    }
}

async fn hold(handle: &Handle, list: &[Address], will: &Will, id: InstanceId) -> Vec<String> {
    if !list.iter().enumerate().all(|(n, address)| will.asks(id, n, address)) {
        return vec!["cannot add addresses: the agent is ending".to_owned()];
    }
    let results = addresses::add(handle, list).await;
    let mut failures = Vec::new();
    for (n, (address, result)) in list.iter().zip(results).enumerate() {
        will.asked(id, n, result.as_ref().is_ok_and(|added| *added));
        if let Err(error) = result {
            failures.push(format!("cannot add {}/{}: {error}", address.ip, address.prefix));
        }
    }
    failures
}

/// What was on an interface before this agent came stays: the owner's own address.
async fn release(handle: &Handle, list: &[Address], will: &Will, id: InstanceId) -> Vec<String> {
    let (places, put): (Vec<usize>, Vec<Address>) =
        list.iter().cloned().enumerate().filter(|(n, _)| will.is_ours(id, *n)).unzip();
    let results = addresses::remove(handle, &put).await;
    let mut failures = Vec::new();
    for ((n, address), result) in places.into_iter().zip(&put).zip(results) {
        will.removed(id, n);
        if let Err(error) = result {
            failures.push(format!("cannot remove {}/{}: {error}", address.ip, address.prefix));
        }
    }
    failures
}
