//! What the election thread lets the other threads see, without a lock between them.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use vipd_core::{InstanceId, Status};

use super::forms::Forms;
use crate::control::InterfaceStatus;

/// One virtual router as last published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The election's view.
    pub status: Status,
    /// All virtual addresses are on their interfaces.
    pub addresses_held: bool,
    /// Those that should be and are not.
    pub missing: Arc<[IpAddr]>,
    /// The checksum forms that its peers send.
    pub forms: Forms,
}

impl Snapshot {
    /// Whether `other` tells people anything else. The arrival time of an advert alone does not.
    fn same_to_people(&self, other: &Self) -> bool {
        fn timeless(snapshot: &Snapshot) -> impl PartialEq + use<'_> {
            let mut status = snapshot.status;
            status.last_advert = None;
            let advert = snapshot.status.last_advert.map(|advert| (advert.source, advert.priority));
            (status, advert, snapshot.addresses_held, &snapshot.missing, snapshot.forms)
        }
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
    /// Announcements of addresses: gratuitous ARP and unsolicited neighbour advertisements.
    pub garps: AtomicU64,
    /// Frames that the kernel did not take.
    pub failures: AtomicU64,
    /// Entries into MASTER (master-transitions).
    pub master_transitions: AtomicU64,
    /// Announcements of others for our addresses while we were MASTER.
    pub claims: AtomicU64,
}

impl Sent {
    /// Counts one.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// How late the election thread came to its deadlines: what the host's load costs.
#[derive(Debug, Default)]
pub struct Delay {
    longest_ns: AtomicU64,
    /// Times that a deadline was missed by more than [`LATE`](Self::LATE).
    late: AtomicU64,
}

impl Delay {
    /// What is called late: half of the shortest interval.
    pub const LATE: Duration = Duration::from_millis(5);

    /// Takes note of a deadline that was met, or missed by this much. What is late is said, but not over and over.
    pub fn note(&self, delay: Duration) {
        let ns = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        let longest = self.longest_ns.fetch_max(ns, Ordering::Relaxed);
        if delay < Self::LATE {
            return;
        }
        self.late.fetch_add(1, Ordering::Relaxed);
        // Twice as late as ever before: a loaded host says this a few times in all.
        if ns >= longest.saturating_mul(2) {
            tracing::warn!("this host let the election thread wait {} ms for a CPU", delay.as_millis());
        }
    }

    /// The longest delay so far.
    #[must_use]
    pub fn longest(&self) -> Duration {
        Duration::from_nanos(self.longest_ns.load(Ordering::Relaxed))
    }

    /// How often a deadline was missed by [`LATE`](Self::LATE) or more.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.late.load(Ordering::Relaxed)
    }
}

/// All virtual routers.
#[derive(Debug)]
pub struct Board {
    snapshots: Vec<ArcSwapOption<Snapshot>>,
    sent: Vec<Sent>,
    delay: Delay,
    interfaces: ArcSwap<Vec<InterfaceStatus>>,
}

impl Board {
    /// A board with places for `count` virtual routers, empty.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self {
            snapshots: (0..count).map(|_| ArcSwapOption::empty()).collect(),
            sent: (0..count).map(|_| Sent::default()).collect(),
            delay: Delay::default(),
            interfaces: ArcSwap::default(),
        }
    }

    /// Publishes a virtual router if there is news of it; nothing is allocated otherwise.
    pub fn publish(&self, id: InstanceId, now: Snapshot) {
        let slot = &self.snapshots[usize::from(id.0)];
        if slot.load().as_ref().is_none_or(|known| !known.same_to_people(&now)) {
            slot.store(Some(Arc::new(now)));
        }
    }

    /// Forgets a virtual router: another one comes to its place.
    pub fn clear(&self, id: InstanceId) {
        self.snapshots[usize::from(id.0)].store(None);
        let Sent { adverts, priority_zero, garps, failures, master_transitions, claims } = self.sent(id);
        for counter in [adverts, priority_zero, garps, failures, master_transitions, claims] {
            counter.store(0, Ordering::Relaxed);
        }
    }

    /// A virtual router as last published.
    #[must_use]
    pub fn snapshot(&self, id: InstanceId) -> Option<Snapshot> {
        self.snapshots[usize::from(id.0)].load().as_deref().cloned()
    }

    /// Publishes where adverts are received.
    pub fn set_interfaces(&self, interfaces: Vec<InterfaceStatus>) {
        self.interfaces.store(Arc::new(interfaces));
    }

    /// Where adverts are received.
    #[must_use]
    pub fn interfaces(&self) -> Vec<InterfaceStatus> {
        self.interfaces.load().to_vec()
    }

    /// How late the election thread came to its deadlines.
    #[must_use]
    pub fn delay(&self) -> &Delay {
        &self.delay
    }

    /// The counters of a virtual router.
    #[must_use]
    pub fn sent(&self, id: InstanceId) -> &Sent {
        &self.sent[usize::from(id.0)]
    }
}
