//! ARP: somebody else announces one of our virtual addresses, or asks for one that we may not answer for.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use vipd_common::abi::{Event, VipKey, kind};
use vipd_common::wire::arp::{Message, Operation};
use vipd_common::wire::eth::Place;
use vipd_common::wire::{Reason, from_ipv4};

use crate::budget::Topic;
use crate::frame::Frame;
use crate::log::debug;
use crate::maps::{VIPS, WATCH};
use crate::stats::Stats;
use crate::{event, lease};

/// Tells user space of a claim, and says whether the frame may go on. Our own announcements do not come in here: the
/// programs see what an interface receives.
#[inline(always)]
pub(crate) fn passes<F: Frame>(frame: &F, place: Place) -> bool {
    let Some(message) = Message::read(frame, place.at) else { return true };
    let (asks, claims) = (message.operation == Operation::Request, message.is_gratuitous());
    if !asks && !claims {
        return true;
    }
    let addr = from_ipv4(message.target.into());
    let key = VipKey { ifindex: frame.ifindex(), vlan: place.vlan, reserved: 0, addr };
    // SAFETY: values are single words, which user space replaces whole.
    let Some(&instance) = (unsafe { VIPS.get(&key) }) else { return true };
    let at = unsafe { bpf_ktime_get_ns() };
    let stats = Stats::of(Some(instance));
    if claims {
        debug!(frame.context(), "vlan {} instance {}: claim", place.vlan, instance);
        stats.raise(Reason::Claim);
        tell(&message, instance, at, &stats);
    }
    let over = asks && lease::is_over(instance, at);
    if over {
        stats.raise(Reason::LeaseOver);
    }
    !over
}

#[inline(always)]
fn tell(message: &Message, instance: u32, at: u64, stats: &Stats) {
    let Some(watch) = WATCH.get_ptr_mut(instance) else { return };
    // SAFETY: a map's value stays where it is; what two CPUs do to it at once is told where it is declared.
    let watch = unsafe { &mut *watch };
    if !watch.budget.allows(Topic::Claim, at, stats) {
        return;
    }
    let event = Event {
        at,
        since: 0,
        instance,
        kind: kind::CLAIM,
        priority: 0,
        interval_cs: 0,
        addr: from_ipv4(message.sender.into()),
        mac: message.sender_mac,
        checksum: 0,
        watched: 0,
    };
    event::send(event, stats);
}
