//! Virtual addresses in messages of other nodes: who of ours has them, and that somebody else announces them.

use vipd_common::abi::{Addr, Event, VipKey, kind};
use vipd_common::wire::Reason;
use vipd_common::wire::eth::{Mac, Place};

use crate::budget::Topic;
use crate::frame::Frame;
use crate::maps::{VIPS, WATCH};
use crate::stats::Stats;
use crate::{event, lease, timer};

/// The instance that has a virtual address where a frame came in.
#[inline(always)]
pub(crate) fn holder<F: Frame>(frame: &F, place: Place, addr: Addr) -> Option<u32> {
    let key = VipKey { ifindex: frame.ifindex(), vlan: place.vlan, reserved: 0, addr };
    // SAFETY: values are single words, which user space replaces whole.
    unsafe { VIPS.get(&key) }.copied()
}

/// Whether a question for an address of an instance may reach this node, which would answer it.
#[inline(always)]
pub(crate) fn may_be_asked(instance: u32) -> bool {
    let over = lease::is_over(instance, timer::now());
    if over {
        Stats::of(Some(instance)).raise(Reason::LeaseOver);
    }
    !over
}

/// Counts a claim, and tells user space.
#[inline(always)]
pub(crate) fn tell(instance: u32, addr: Addr, mac: Mac) {
    let stats = Stats::of(Some(instance));
    stats.raise(Reason::Claim);
    let Some(watch) = WATCH.get_ptr_mut(instance) else { return };
    // SAFETY: a map's value stays where it is; what two CPUs do to it at once is told where it is declared.
    let watch = unsafe { &mut *watch };
    let at = timer::now();
    if !watch.budget.allows(Topic::Claim, at, &stats) {
        return;
    }
    let event = Event {
        at,
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
