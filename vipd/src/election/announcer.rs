//! Keeps announcements apart where an interface asks for it (`vrrp_garp_interval`): some switches drop what comes faster.

use std::collections::VecDeque;
use std::time::Duration;

use vipd_core::{InstanceId, Instant};

/// An announcement that waits: the `number`-th address of a virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) id: InstanceId,
    pub(super) number: usize,
    spacing: Duration,
}

/// What waits on one interface.
#[derive(Debug)]
struct Lane {
    ifindex: u32,
    /// Nothing leaves before.
    free: Instant,
    queue: VecDeque<Waiting>,
}

/// All announcements that wait.
#[derive(Debug, Default)]
pub(super) struct Announcer {
    lanes: Vec<Lane>,
}

impl Announcer {
    /// Takes an announcement that is to leave on `ifindex`, at least `spacing` after the one before it.
    pub(super) fn push(&mut self, ifindex: u32, id: InstanceId, number: usize, spacing: Duration) {
        let waiting = Waiting { id, number, spacing };
        if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.ifindex == ifindex) {
            lane.queue.push_back(waiting);
        } else {
            let queue = VecDeque::from([waiting]);
            self.lanes.push(Lane { ifindex, free: Instant::default(), queue });
        }
    }

    /// The next announcement that may leave now; it is taken as sent.
    pub(super) fn take(&mut self, now: Instant) -> Option<Waiting> {
        let ready = |lane: &&mut Lane| lane.free <= now && !lane.queue.is_empty();
        let lane = self.lanes.iter_mut().find(ready)?;
        let waiting = lane.queue.pop_front()?;
        lane.free = now + waiting.spacing;
        Some(waiting)
    }

    /// When the next announcement may leave.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.lanes.iter().filter(|lane| !lane.queue.is_empty()).map(|lane| lane.free).min()
    }

    /// Forgets what a virtual router had still to announce (C-ARP-08).
    pub(super) fn cancel(&mut self, id: InstanceId) {
        for lane in &mut self.lanes {
            lane.queue.retain(|waiting| waiting.id != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: InstanceId = InstanceId(0);
    const B: InstanceId = InstanceId(1);

    fn ms(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    fn announcer(waiting: &[(u32, InstanceId, usize)]) -> Announcer {
        let mut announcer = Announcer::default();
        for (ifindex, id, number) in waiting {
            announcer.push(*ifindex, *id, *number, Duration::from_millis(10));
        }
        announcer
    }

    fn taken(announcer: &mut Announcer, at: u64) -> Vec<(InstanceId, usize)> {
        std::iter::from_fn(|| announcer.take(ms(at)).map(|waiting| (waiting.id, waiting.number))).collect()
    }

    #[test]
    fn c_arp_07_the_first_leaves_at_once_and_the_rest_spaced_on_each_interface() {
        let mut announcer = announcer(&[(1, A, 0), (1, A, 1), (2, B, 0), (1, B, 1)]);

        assert_eq!(taken(&mut announcer, 100), [(A, 0), (B, 0)]);
        assert_eq!(announcer.deadline(), Some(ms(110)));
        assert_eq!(taken(&mut announcer, 109), []);
        assert_eq!(taken(&mut announcer, 110), [(A, 1)]);
        assert_eq!(taken(&mut announcer, 120), [(B, 1)]);
        assert_eq!(announcer.deadline(), None);
    }

    #[test]
    fn c_arp_08_what_waits_is_cancelled_for_one_virtual_router_alone() {
        let mut announcer = announcer(&[(1, A, 0), (1, B, 0), (1, A, 1)]);

        announcer.cancel(A);

        assert_eq!(taken(&mut announcer, 100), [(B, 0)]);
        assert_eq!(announcer.deadline(), None);
    }
}
