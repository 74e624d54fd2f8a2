//! Brings the addresses of every virtual router to what the election wants, one router after the other, beside the
//! election loop: a slow kernel delays addresses, never an advert.

use rtnetlink::Handle;
use tokio::sync::mpsc;
use vipd_core::InstanceId;

use super::addresses::{self, Address};

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
    /// Starts the worker as a task of the current tokio runtime; `addresses[n]` are those of `InstanceId(n)`.
    ///
    /// The channels have no bound because the election bounds them: there is at most one order per transition.
    #[must_use]
    pub fn start(handle: Handle, addresses: Vec<Vec<Address>>) -> Self {
        let (orders, orders_in) = mpsc::unbounded_channel();
        let (results_out, results) = mpsc::unbounded_channel();
        tokio::spawn(work(handle, addresses, orders_in, results_out));
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
    mut orders: mpsc::UnboundedReceiver<(InstanceId, bool)>,
    results: mpsc::UnboundedSender<Applied>,
) {
    // What was on an interface before this agent came stays when it is released: the owner's own address.
    let mut ours: Vec<Vec<bool>> = addresses.iter().map(|list| vec![false; list.len()]).collect();
    while let Some((instance, held)) = orders.recv().await {
        let n = usize::from(instance.0);
        let failures = if held {
            hold(&handle, &addresses[n], &mut ours[n]).await
        } else {
            release(&handle, &addresses[n], &mut ours[n]).await
        };
        if results.send(Applied { instance, held, failures }).is_err() {
            return;
        }
    }
}

async fn hold(handle: &Handle, list: &[Address], ours: &mut [bool]) -> Vec<String> {
    let results = addresses::add(handle, list).await;
    let mut failures = Vec::new();
    for ((address, ours), result) in list.iter().zip(ours).zip(results) {
        match result {
            Ok(added) => *ours |= added,
            Err(error) => failures.push(format!("cannot add {}/{}: {error}", address.ip, address.prefix)),
        }
    }
    failures
}

async fn release(handle: &Handle, list: &[Address], ours: &mut [bool]) -> Vec<String> {
    let put: Vec<Address> =
        list.iter().zip(&*ours).filter(|(_, ours)| **ours).map(|(address, _)| address.clone()).collect();
    let results = addresses::remove(handle, &put).await;
    ours.fill(false);
    let failed = |(address, result): (&Address, Result<(), rtnetlink::Error>)| {
        result.err().map(|error| format!("cannot remove {}/{}: {error}", address.ip, address.prefix))
    };
    put.iter().zip(results).filter_map(failed).collect()
}
