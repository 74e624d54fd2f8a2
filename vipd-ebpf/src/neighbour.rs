//! Neighbour discovery: somebody else announces one of our virtual addresses, or asks for one that we may not answer for.

use vipd_common::wire::eth::Place;
use vipd_common::wire::nd::{Message, claimant};
use vipd_common::wire::{L3_MAX, Reason, ipv6};

use crate::claim;
use crate::classify::Taken;
use crate::frame::Frame;
use crate::log::debug;
use crate::maps::SCRATCH;
use crate::stats::Stats;
use crate::table;

/// Says whether a message may go on.
#[inline(always)]
pub(crate) fn passes<F: Frame + Taken>(frame: &F, place: Place) -> bool {
    let Some(message) = Message::read(frame, place.at) else { return true };
    let Some(instance) = claim::holder(frame, place, message.target) else { return true };
    if message.advertises {
        frame.advertisement(place);
        return true;
    }
    claim::may_be_asked(instance)
}

/// Tells user space of a claim. Our own announcements do not come in here: the programs see what an interface receives.
#[inline(always)]
pub(crate) fn note<F: Frame>(frame: &F, place: Place) {
    let Some(scratch) = SCRATCH.get_ptr_mut(0) else { return };
    // SAFETY: the buffer is this CPU's, and no one else runs on it until the program ends.
    let l3 = unsafe { &mut *scratch };
    let length = frame.length().wrapping_sub(place.at);
    let count = if length > L3_MAX { L3_MAX } else { length };
    if count < ipv6::HEADER || !frame.copy(place.at, count, l3) {
        return;
    }
    let Some(message) = Message::read(&l3.0[..], 0) else { return };
    let Some(instance) = claim::holder(frame, place, message.target) else { return };
    debug!(frame.context(), "vlan {} instance {}: neighbour advertisement", place.vlan, instance);
    match claimant(l3, length, table::sum) {
        Ok(Some(mac)) => claim::tell(instance, message.target, mac),
        Ok(None) => {}
        Err(_) => Stats::of(Some(instance)).raise(Reason::Neighbour),
    }
}
