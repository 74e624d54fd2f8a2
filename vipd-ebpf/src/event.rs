//! Telling user space.

use vipd_common::abi::Event;
use vipd_common::wire::Reason;

use crate::maps::EVENTS;
use crate::stats::Stats;

/// Sends a record, or counts that there was no room for it. Says whether it was sent.
#[inline(always)]
pub(crate) fn send(event: Event, stats: &Stats) -> bool {
    let Some(mut entry) = EVENTS.reserve(0) else {
        stats.raise(Reason::EventLost);
        return false;
    };
    entry.write(event);
    entry.submit(0);
    true
}
