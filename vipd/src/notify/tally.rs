//! What became of the events of one channel, and how often that is said.

use std::cell::Cell;
use std::fmt;

use crate::control::ChannelStatus;

/// The counters of a channel; they only ever count up.
pub(super) struct Tally {
    name: String,
    sent: Cell<u64>,
    failed: Cell<u64>,
    dropped: Cell<u64>,
}

impl Tally {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), sent: Cell::new(0), failed: Cell::new(0), dropped: Cell::new(0) }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// One was taken by its receiver.
    pub(super) fn sent(&self) {
        self.sent.update(|count| count + 1);
    }

    /// One was not, after every attempt.
    pub(super) fn failed(&self) {
        self.failed.update(|count| count + 1);
    }

    /// These were given up without an attempt.
    pub(super) fn dropped(&self, count: usize) {
        self.dropped.update(|before| before + count as u64);
    }

    pub(super) fn status(&self) -> ChannelStatus {
        ChannelStatus {
            name: self.name.clone(),
            sent: self.sent.get(),
            failed: self.failed.get(),
            dropped: self.dropped.get(),
        }
    }
}

/// Whether a receiver is in order. Its failing is said once, and its recovery once.
#[derive(Debug, Default)]
pub(super) struct Outage {
    failures: Cell<u64>,
}

impl Outage {
    /// An attempt failed.
    pub(super) fn failed(&self, receiver: &dyn fmt::Display, why: &dyn fmt::Display) {
        if self.failures.replace(self.failures.get() + 1) == 0 {
            tracing::warn!("{receiver}: {why}; said once until it works again");
        } else {
            tracing::debug!("{receiver}: {why}");
        }
    }

    /// An attempt succeeded.
    pub(super) fn over(&self, receiver: &dyn fmt::Display) {
        let failures = self.failures.take();
        if failures > 0 {
            tracing::info!("{receiver}: works again, after {failures} failures");
        }
    }
}
