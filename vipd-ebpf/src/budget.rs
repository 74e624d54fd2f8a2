//! How many records may go up, so that no flood wakes the daemon at its own rate.

use vipd_common::wire::Reason;

use crate::stats::Stats;

/// What a record is about. Each has a budget of its own: a flood of one holds no other back.
#[derive(Clone, Copy)]
pub(crate) enum Topic {
    /// A node that resigns.
    Resignation,
    /// A node that keeps us waiting, or for which we must make way.
    Ruling,
    /// A node that loses to us.
    Losing,
    /// A node that announces our address.
    Claim,
}

/// Topics.
const COUNT: usize = 4;
const SECOND: u64 = 1_000_000_000;

impl Topic {
    /// Records that may go up at once, and how many a second in the long run. A Master replies to ten losing adverts a second
    /// at most; who rules changes a few times a second at most, and silence needs no record to be timed.
    const fn budget(self) -> (u64, u64) {
        match self {
            Self::Resignation | Self::Losing => (16, 20),
            Self::Ruling => (32, 100),
            Self::Claim => (8, 10),
        }
    }
}

/// The budgets of a virtual router: when each will be whole again. Two CPUs at once may spend one record twice.
#[repr(transparent)]
pub(crate) struct Budget([u64; COUNT]);

impl Budget {
    /// Takes one record off a budget at the moment `now`, or counts that there was none left.
    #[inline(always)]
    pub(crate) fn allows(&mut self, topic: Topic, now: u64, stats: &Stats) -> bool {
        let (burst, rate) = topic.budget();
        let gap = SECOND / rate;
        let whole = &mut self.0[topic as usize];
        let from = if *whole > now { *whole } else { now };
        if from - now > (burst - 1) * gap {
            stats.raise(Reason::EventHeld);
            return false;
        }
        *whole = from + gap;
        true
    }
}
