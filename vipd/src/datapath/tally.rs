//! Counters of the receive checks, of the kernel and of packet sockets together (C-CNT-09).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
    pub(super) kernel: Option<Arc<Stats>>,
    pub(super) sockets: Arc<SocketTally>,
}

impl Tally {
    /// Frames that belong to no virtual router here.
    #[must_use]
    pub fn elsewhere(&self) -> abi::Counters {
        self.read(None)
    }

    /// Frames of one virtual router.
    #[must_use]
    pub fn of(&self, id: InstanceId) -> abi::Counters {
        self.read(Some(id.0.into()))
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
