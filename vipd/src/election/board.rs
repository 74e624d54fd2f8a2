//! What the election thread lets the other threads see, without a lock between them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use vipd_core::{InstanceId, Status};

/// One virtual router as last published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The election's view.
    pub status: Status,
    /// The virtual addresses are on their interfaces.
    pub addresses_held: bool,
}

impl Snapshot {
    /// Whether `other` tells people anything else. The arrival time of an advert alone does not.
    fn same_to_people(&self, other: &Self) -> bool {
        let timeless = |snapshot: &Self| {
            let mut status = snapshot.status;
            status.last_advert = None;
            let advert = snapshot.status.last_advert.map(|advert| (advert.source, advert.priority));
            (status, advert, snapshot.addresses_held)
        };
        timeless(self) == timeless(other)
    }
}

/// What one virtual router has sent and done; only ever counts up.
#[derive(Debug, Default)]
pub struct Sent {
    /// Adverts, resignations included (RFC 8347 advertisement-sent).
    pub adverts: AtomicU64,
    /// Resignations (priority-zero-pkts-sent).
    pub priority_zero: AtomicU64,
    /// Gratuitous ARP frames.
    pub garps: AtomicU64,
    /// Frames that the kernel did not take.
    pub failures: AtomicU64,
    /// Entries into MASTER (master-transitions).
    pub master_transitions: AtomicU64,
    /// Gratuitous ARP of others for our addresses while we were MASTER.
    pub claims: AtomicU64,
}

impl Sent {
    /// Counts one.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// All virtual routers.
#[derive(Debug)]
pub struct Board {
    snapshots: Vec<ArcSwapOption<Snapshot>>,
    sent: Vec<Sent>,
}

impl Board {
    /// A board for `count` virtual routers, empty.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self {
            snapshots: (0..count).map(|_| ArcSwapOption::empty()).collect(),
            sent: (0..count).map(|_| Sent::default()).collect(),
        }
    }

    /// Publishes a virtual router if there is news of it; nothing is allocated otherwise.
    pub fn publish(&self, id: InstanceId, now: Snapshot) {
        let slot = &self.snapshots[usize::from(id.0)];
        if slot.load().as_ref().is_none_or(|known| !known.same_to_people(&now)) {
            slot.store(Some(Arc::new(now)));
        }
    }

    /// A virtual router as last published.
    #[must_use]
    pub fn snapshot(&self, id: InstanceId) -> Option<Snapshot> {
        self.snapshots[usize::from(id.0)].load().as_deref().copied()
    }

    /// The counters of a virtual router.
    #[must_use]
    pub fn sent(&self, id: InstanceId) -> &Sent {
        &self.sent[usize::from(id.0)]
    }
}
