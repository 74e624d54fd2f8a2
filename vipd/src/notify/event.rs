//! From the election thread to the service thread: what happened, through a bounded channel that never blocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;
use vipd_core::{InstanceId, State, Status, Transition};

/// Events that may wait for the service thread: some for each of 255 virtual routers that change at once.
const WAITING_MAX: usize = 4096;

/// Something that people may want to be told of a virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Which one.
    pub(super) instance: InstanceId,
    /// Its effective priority then.
    pub(super) priority: u8,
    /// What happened.
    pub(super) what: What,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Its state changed.
    Changed(Transition),
    /// As Master, it heard an advert that loses (Keepalived's MASTER_RX_LOWER_PRI).
    Loser,
    /// Its effective priority changed, in this state.
    Priority(State),
    /// A reload took it away.
    Deleted,
}

/// The events as the service thread takes them.
pub(crate) struct Events {
    pub(super) waiting: mpsc::Receiver<Event>,
    pub(super) lost: Arc<AtomicU64>,
}

/// The election's side. Nothing here waits, and nothing is allocated while nothing happens.
///
/// As in Keepalived, who is told of a state finds the addresses as that state wants them. So events are kept until they are.
pub struct Publisher {
    events: mpsc::Sender<Event>,
    kept: Vec<Event>,
    lost: Arc<AtomicU64>,
    /// The last effective priority of every virtual router; 0 before there was one.
    priorities: Vec<u8>,
}

/// A channel for the events of virtual routers with so many places.
pub(crate) fn channel(instances: usize) -> (Publisher, Events) {
    let (events, waiting) = mpsc::channel(WAITING_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    let kept = Vec::with_capacity(2 * instances);
    let publisher = Publisher { events, kept, lost: Arc::clone(&lost), priorities: vec![0; instances] };
    (publisher, Events { waiting, lost })
}

impl Publisher {
    /// Tells of a change of state.
    pub fn changed(&mut self, id: InstanceId, transition: Transition, priority: u8) {
        self.keep(Event { instance: id, priority, what: What::Changed(transition) });
    }

    /// Tells that a Master heard an advert that loses.
    pub fn loser(&mut self, id: InstanceId, priority: u8) {
        self.keep(Event { instance: id, priority, what: What::Loser });
    }

    /// Tells of the effective priority if it is another one than before. The first one is no news, and only a Master's or
    /// Backup's is told (as in Keepalived).
    pub fn priority(&mut self, id: InstanceId, status: &Status) {
        let Some(known) = self.priorities.get_mut(usize::from(id.0)) else { return };
        let before = std::mem::replace(known, status.priority);
        let matters = matches!(status.state, State::Master | State::Backup);
        if matters && before != 0 && before != status.priority {
            let what = What::Priority(status.state);
            self.keep(Event { instance: id, priority: status.priority, what });
        }
    }

    /// Tells that a reload takes a virtual router away.
    pub fn deleted(&mut self, id: InstanceId, priority: u8) {
        self.keep(Event { instance: id, priority, what: What::Deleted });
    }

    fn keep(&mut self, event: Event) {
        if self.kept.len() < WAITING_MAX {
            self.kept.push(event);
        } else {
            lose(&self.lost);
        }
    }

    /// Passes on the events of those whose addresses are where they are to be.
    pub fn publish(&mut self, mut settled: impl FnMut(InstanceId) -> bool) {
        for event in self.kept.extract_if(.., |event| settled(event.instance)) {
            // A closed channel means that the service thread ends, and the agent with it.
            if let Err(mpsc::error::TrySendError::Full(_)) = self.events.try_send(event) {
                lose(&self.lost);
            }
        }
    }
}

/// One more event is lost. It is counted, and said the first time.
fn lose(lost: &AtomicU64) {
    if lost.fetch_add(1, Ordering::Relaxed) == 0 {
        tracing::warn!(
            "{WAITING_MAX} events wait to be notified, further ones are lost (`lost-events` in status): the service \
             thread, or the kernel with the addresses, does not keep up"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_channel_costs_the_newest_events_and_is_counted() {
        let (mut publisher, events) = channel(1);

        for _ in 0..WAITING_MAX + 3 {
            publisher.loser(InstanceId(0), 100);
            publisher.publish(|_| true);
        }

        assert_eq!((events.waiting.len(), events.lost.load(Ordering::Relaxed)), (WAITING_MAX, 3));
    }

    #[test]
    fn events_of_each_wait_in_order_until_its_addresses_are_settled() {
        let (mut publisher, mut events) = channel(2);
        for priority in [1, 2] {
            publisher.loser(InstanceId(0), priority);
            publisher.loser(InstanceId(1), priority);
        }
        let mut told = |publisher: &mut Publisher, settled: &[u16]| -> Vec<(u16, u8)> {
            publisher.publish(|id| settled.contains(&id.0));
            std::iter::from_fn(|| events.waiting.try_recv().ok())
                .map(|event| (event.instance.0, event.priority))
                .collect()
        };

        assert_eq!(told(&mut publisher, &[]), []);
        assert_eq!(told(&mut publisher, &[1]), [(1, 1), (1, 2)]);
        assert_eq!(told(&mut publisher, &[0, 1]), [(0, 1), (0, 2)]);
    }
}
