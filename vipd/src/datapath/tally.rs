//! Counters of the receive checks, of the kernel and of packet sockets together (C-CNT-09).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use vipd_common::abi;
use vipd_common::wire::Reason;
use vipd_core::InstanceId;

use super::kernel::Stats;

type Row = [AtomicU64; Reason::COUNT];

/// What packet sockets counted: frames of no virtual router, then of each in turn.
pub(super) struct SocketTally(Vec<Row>);

impl SocketTally {
    pub(super) fn new(instances: usize) -> Arc<Self> {
        Arc::new(Self((0..=instances).map(|_| Row::default()).collect()))
    }

    pub(super) fn raise(&self, instance: Option<u32>, reason: Reason) {
        self.row(instance)[reason.index()].fetch_add(1, Ordering::Relaxed);
    }

    fn row(&self, instance: Option<u32>) -> &Row {
        &self.0[instance.map_or(0, |instance| instance as usize + 1)]
    }
}

/// What was counted, for any thread to read.
pub struct Tally {
    kernel: Option<Arc<Stats>>,
    sockets: Arc<SocketTally>,
    /// What was counted of those who had the place of a virtual router before it.
    before: Mutex<BTreeMap<InstanceId, abi::Counters>>,
}

impl Tally {
    pub(super) fn new(kernel: Option<Arc<Stats>>, sockets: Arc<SocketTally>) -> Self {
        Self { kernel, sockets, before: Mutex::default() }
    }

    /// Counts a virtual router from now on: it is new in its place.
    pub(crate) fn begin(&self, id: InstanceId) {
        let so_far = self.read(Some(id.0.into()));
        self.before.lock().unwrap_or_else(PoisonError::into_inner).insert(id, so_far);
    }

    /// Frames that belong to no virtual router here.
    #[must_use]
    pub fn elsewhere(&self) -> abi::Counters {
        self.read(None)
    }

    /// Frames of one virtual router.
    #[must_use]
    pub fn of(&self, id: InstanceId) -> abi::Counters {
        let mut counts = self.read(Some(id.0.into()));
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        for (count, before) in counts.iter_mut().zip(before.get(&id).into_iter().flatten()) {
            *count = count.saturating_sub(*before);
        }
        counts
    }

    fn read(&self, instance: Option<u32>) -> abi::Counters {
        let mut sum = match &self.kernel {
            Some(stats) => stats.read(instance).unwrap_or_else(|error| {
                tracing::warn!("cannot read the kernel's counters: {error}");
                [0; Reason::COUNT]
            }),
            None => [0; Reason::COUNT],
        };
        for (sum, counter) in sum.iter_mut().zip(self.sockets.row(instance)) {
            *sum += counter.load(Ordering::Relaxed);
        }
        sum
    }
}
