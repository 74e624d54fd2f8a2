//! Telling user space.

use vipd_common::abi::Event;
use vipd_common::wire::Reason;

use crate::maps::EVENTS;
use crate::stats::Stats;

/// Sends a record, or counts that there was no room for it.
#[inline(always)]
pub(crate) fn send(event: Event, stats: &Stats) {
    match EVENTS.reserve(0) {
        Some(mut entry) => {
            entry.write(event);
            entry.submit(0);
        }
        None => stats.raise(Reason::EventLost),
    }
}
