//! Keeps announcements apart: as an interface asks for it (`vrrp_garp_interval`), since some switches drop what comes faster,
//! and where there are very many, so that no advert waits for them.

use std::collections::VecDeque;
use std::time::Duration;

use vipd_core::{InstanceId, Instant};

/// Announcements that leave an interface in one go when none has left for a moment: a takeover of 255 addresses, twice.
const FIRST: usize = 512;
/// Those that leave it in every [`PAUSE`] from then on, so that adverts leave between them (decision 52).
const NEXT: usize = 32;
const PAUSE: Duration = Duration::from_millis(1);
/// The moment after which it is [`FIRST`] again; longer than a thread waits for a CPU that has spent its time.
const REST: Duration = Duration::from_millis(100);

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
    /// So many may leave then.
    left: usize,
    /// What was not announced yet, and what is said again; that waits for all of the first.
    firsts: VecDeque<Waiting>,
    again: VecDeque<Waiting>,
}

/// All announcements that wait.
#[derive(Debug, Default)]
pub(super) struct Announcer {
    lanes: Vec<Lane>,
}

impl Announcer {
    /// Takes an announcement that is to leave on `ifindex`, at least `spacing` after the one before it. One that says again
    /// what was announced before is not `is_first`.
    pub(super) fn push(
        &mut self,
        ifindex: u32,
        id: InstanceId,
        number: usize,
        spacing: Duration,
        is_first: bool,
    ) {
        let place = self.lanes.iter().position(|lane| lane.ifindex == ifindex).unwrap_or_else(|| {
            self.lanes.push(Lane::new(ifindex));
            self.lanes.len() - 1
        });
        let lane = &mut self.lanes[place];
        let queue = if is_first { &mut lane.firsts } else { &mut lane.again };
        queue.push_back(Waiting { id, number, spacing });
    }

    /// The next announcement that may leave now; it is taken as sent.
    pub(super) fn take(&mut self, now: Instant) -> Option<Waiting> {
        self.lanes.iter_mut().find_map(|lane| lane.take(now))
    }

    /// When the next announcement may leave.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.lanes.iter().filter(|lane| lane.waits()).map(|lane| lane.free).min()
    }

    /// Forgets what a virtual router had still to announce (C-ARP-08).
    pub(super) fn cancel(&mut self, id: InstanceId) {
        for lane in &mut self.lanes {
            lane.firsts.retain(|waiting| waiting.id != id);
            lane.again.retain(|waiting| waiting.id != id);
        }
    }
}

impl Lane {
    fn new(ifindex: u32) -> Self {
        Self { ifindex, free: Instant::default(), left: 0, firsts: VecDeque::new(), again: VecDeque::new() }
    }

    fn waits(&self) -> bool {
        !self.firsts.is_empty() || !self.again.is_empty()
    }

    fn take(&mut self, now: Instant) -> Option<Waiting> {
        if self.free > now {
            return None;
        }
        if now.since(self.free) >= REST {
            self.left = FIRST;
        } else if self.left == 0 {
            self.left = NEXT;
        }
        let waiting = self.firsts.pop_front().or_else(|| self.again.pop_front())?;
        self.left -= 1;
        self.free = now + waiting.spacing.max(if self.left == 0 { PAUSE } else { Duration::ZERO });
        Some(waiting)
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
            announcer.push(*ifindex, *id, *number, Duration::from_millis(10), true);
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
    fn what_is_new_is_announced_before_anything_is_said_again() {
        let mut announcer = Announcer::default();
        for (id, is_first) in [(A, true), (A, false), (B, true), (B, false)] {
            announcer.push(1, id, 0, Duration::ZERO, is_first);
        }

        assert_eq!(taken(&mut announcer, 100), [(A, 0), (B, 0), (A, 0), (B, 0)]);
    }

    /// An advert that falls due meanwhile leaves between two lots.
    #[test]
    fn very_many_leave_in_lots() {
        let mut announcer = Announcer::default();
        for number in 0..=FIRST + NEXT {
            announcer.push(1, A, number, Duration::ZERO, true);
        }

        assert_eq!(taken(&mut announcer, 100).len(), FIRST);
        assert_eq!(announcer.deadline(), Some(ms(101)));
        assert_eq!(taken(&mut announcer, 101).len(), NEXT);
        assert_eq!(taken(&mut announcer, 102), [(A, FIRST + NEXT)]);
        assert_eq!(announcer.deadline(), None);
        for _ in 0..FIRST + NEXT {
            announcer.push(1, A, 0, Duration::ZERO, true);
        }
        assert_eq!(taken(&mut announcer, 110).len(), NEXT - 1, "it has not rested");
        assert_eq!(taken(&mut announcer, 300).len(), FIRST);
    }

    #[test]
    fn c_arp_08_what_waits_is_cancelled_for_one_virtual_router_alone() {
        let mut announcer = announcer(&[(1, A, 0), (1, B, 0), (1, A, 1)]);

        announcer.cancel(A);

        assert_eq!(taken(&mut announcer, 100), [(B, 0)]);
        assert_eq!(announcer.deadline(), None);
    }
}
