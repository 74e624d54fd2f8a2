//! Counting.

use vipd_common::abi::Counters;
use vipd_common::wire::Reason;

use crate::maps::STATS;

/// This CPU's counters of one instance, or of the frames that belong to none.
pub(crate) struct Stats(Option<*mut Counters>);

impl Stats {
    #[inline(always)]
    pub(crate) fn of(instance: Option<u32>) -> Self {
        Self(STATS.get_ptr_mut(instance.map_or(0, |number| number + 1)))
    }

    #[inline(always)]
    pub(crate) fn raise(&self, reason: Reason) {
        if let Some(counters) = self.0 {
            // SAFETY: a map's value stays where it is, and no one else runs on this CPU until the program ends.
            let counters = unsafe { &mut *counters };
            counters[reason.index()] += 1;
        }
    }
}
