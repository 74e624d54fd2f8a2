//! Claims: another node announces one of our virtual addresses.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use vipd_common::abi::{Addr, Event, VipKey, kind};
use vipd_common::wire::Reason;
use vipd_common::wire::eth::Mac;

use crate::event;
use crate::maps::VIPS;
use crate::stats::Stats;

/// The instance that has a virtual address.
#[inline(always)]
pub(crate) fn instance(key: &VipKey) -> Option<u32> {
    // SAFETY: values are single words, which user space replaces whole.
    unsafe { VIPS.get(key) }.copied()
}

/// Counts a claim, and tells user space.
#[inline(always)]
pub(crate) fn tell(instance: u32, addr: Addr, mac: Mac) {
    let stats = Stats::of(Some(instance));
    stats.raise(Reason::Claim);
    let event = Event {
        at: unsafe { bpf_ktime_get_ns() },
        since: 0,
        instance,
        kind: kind::CLAIM,
        priority: 0,
        interval_cs: 0,
        addr,
        mac,
        checksum: 0,
        watched: 0,
    };
    event::send(event, &stats);
}
