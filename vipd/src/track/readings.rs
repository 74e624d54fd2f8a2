//! What is known of every tracked thing: written by whoever watches it, read by the election and by `status`, without a
//! lock between them.
//!
//! This is the way from the service thread to the election, and it cannot be full: a newer result of a thing takes the
//! place of one that was not read yet, and one wake-up stands for all that changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;
use vipd_core::{Tracked, TrackerId};

/// One thing.
#[derive(Debug, Default)]
struct Reading {
    state: AtomicU64,
    detail: ArcSwapOption<String>,
}

/// All things of a plan.
#[derive(Debug)]
pub(crate) struct Readings {
    things: Vec<Arc<Reading>>,
    changed: Arc<Notify>,
}

impl Readings {
    /// Readings of `count` things of which nothing is known.
    pub(crate) fn new(count: usize) -> Self {
        Self { things: (0..count).map(|_| Arc::default()).collect(), changed: Arc::default() }
    }

    /// Readings of another plan, of which each thing has the reading that it had by this number here, or a new one. Who
    /// writes here goes on writing there.
    pub(crate) fn carry_over(&self, before: impl Iterator<Item = Option<TrackerId>>) -> Self {
        let reading = |id: TrackerId| Arc::clone(&self.things[usize::from(id.0)]);
        let things = before.map(|before| before.map(reading).unwrap_or_default()).collect();
        Self { things, changed: Arc::clone(&self.changed) }
    }

    /// Takes note of what a thing is like now, and wakes the election if that is another state. `detail` says more.
    pub(crate) fn set(&self, id: TrackerId, state: Tracked, detail: Option<String>) {
        let reading = &self.things[usize::from(id.0)];
        // Before the state, so that who sees the new state finds its reason.
        reading.detail.store(detail.map(Arc::new));
        if reading.state.swap(encode(state), Ordering::AcqRel) != encode(state) {
            self.changed.notify_one();
        }
    }

    /// What a thing is like.
    pub(crate) fn state(&self, id: TrackerId) -> Tracked {
        decode(self.things[usize::from(id.0)].state.load(Ordering::Acquire))
    }

    /// More of what a thing is like.
    pub(crate) fn detail(&self, id: TrackerId) -> Option<Arc<String>> {
        self.things[usize::from(id.0)].detail.load_full()
    }

    /// Waits until something has changed since this was awaited last.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// A kind in the upper half, a number in the lower.
fn encode(state: Tracked) -> u64 {
    match state {
        Tracked::Unknown => 0,
        Tracked::Up => 1 << 32,
        Tracked::Down => 2 << 32,
        Tracked::Value(value) => 3 << 32 | u64::from(value.cast_unsigned()),
    }
}

fn decode(octets: u64) -> Tracked {
    match octets >> 32 {
        0 => Tracked::Unknown,
        1 => Tracked::Up,
        2 => Tracked::Down,
        _ => Tracked::Value(u32::try_from(octets & u64::from(u32::MAX)).unwrap_or(0).cast_signed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let readings = Readings::new(2);
        let states = [
            Tracked::Up,
            Tracked::Down,
            Tracked::Value(0),
            Tracked::Value(i32::MIN),
            Tracked::Value(-1),
            Tracked::Unknown,
        ];
        for state in states {
            readings.set(TrackerId(1), state, Some("why".to_owned()));
            assert_eq!(readings.state(TrackerId(1)), state);
        }
        assert_eq!(readings.state(TrackerId(0)), Tracked::Unknown);
        assert_eq!(readings.detail(TrackerId(1)).as_deref().map(String::as_str), Some("why"));
    }

    #[test]
    fn readings_that_are_carried_over_are_the_same_and_others_are_new() {
        let before = Readings::new(2);
        let after = before.carry_over([None, Some(TrackerId(1))].into_iter());

        before.set(TrackerId(0), Tracked::Down, None);
        before.set(TrackerId(1), Tracked::Up, Some("why".to_owned()));

        assert_eq!([0, 1].map(|n| after.state(TrackerId(n))), [Tracked::Unknown, Tracked::Up]);
        assert_eq!(after.detail(TrackerId(1)).as_deref().map(String::as_str), Some("why"));
    }

    #[test]
    fn one_wake_up_stands_for_all_changes_and_none_comes_without_one() {
        let readings = Readings::new(2);
        readings.set(TrackerId(0), Tracked::Up, None);
        readings.set(TrackerId(1), Tracked::Up, None);
        readings.set(TrackerId(1), Tracked::Up, Some("again".to_owned()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            readings.changed().await;
            let mut second = std::pin::pin!(readings.changed());
            let pending = std::future::poll_fn(|context| {
                std::task::Poll::Ready(second.as_mut().poll(context).is_pending())
            });
            assert!(pending.await);
        });
    }
}
