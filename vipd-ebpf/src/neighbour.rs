//! Neighbour discovery: somebody else announces one of our virtual addresses.

use vipd_common::abi::VipKey;
use vipd_common::wire::eth::Place;
use vipd_common::wire::nd::{Message, claimant};
use vipd_common::wire::{L3_MAX, Reason, ipv6};

use crate::claim;
use crate::frame::Frame;
use crate::log::debug;
use crate::maps::SCRATCH;
use crate::stats::Stats;
use crate::table;

/// Whether a message advertises one of our virtual addresses.
#[inline(always)]
pub(crate) fn concerns<F: Frame>(frame: &F, place: Place) -> bool {
    Message::read(frame, place.at)
        .is_some_and(|message| message.advertises && holder(frame, place, &message).is_some())
}

#[inline(always)]
fn holder<F: Frame>(frame: &F, place: Place, message: &Message) -> Option<u32> {
    let key = VipKey { ifindex: frame.ifindex(), vlan: place.vlan, reserved: 0, addr: message.target };
    claim::instance(&key)
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
    let Some(instance) = holder(frame, place, &message) else { return };
    debug!(frame.context(), "vlan {} instance {}: neighbour advertisement", place.vlan, instance);
    match claimant(l3, length, table::sum) {
        Ok(Some(mac)) => claim::tell(instance, message.target, mac),
        Ok(None) => {}
        Err(_) => Stats::of(Some(instance)).raise(Reason::Neighbour),
    }
}
