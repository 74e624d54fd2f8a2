//! Gratuitous ARP: somebody else announces one of our virtual addresses.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use vipd_common::abi::{Event, VipKey, kind};
use vipd_common::wire::arp::Message;
use vipd_common::wire::eth::Place;
use vipd_common::wire::{Reason, from_ipv4};

use crate::event;
use crate::frame::Frame;
use crate::log::debug;
use crate::maps::VIPS;
use crate::stats::Stats;

/// Tells user space of a claim. Our own announcements do not come in here: the programs see what an interface receives.
#[inline(always)]
pub(crate) fn note<F: Frame>(frame: &F, place: Place) {
    let Some(message) = Message::read(frame, place.at).filter(Message::is_gratuitous) else { return };
    let addr = from_ipv4(message.sender.into());
    let key = VipKey { ifindex: frame.ifindex(), vlan: place.vlan, reserved: 0, addr };
    // SAFETY: values are single words, which user space replaces whole.
    let Some(&instance) = (unsafe { VIPS.get(&key) }) else { return };
    debug!(frame.context(), "vlan {} instance {}: claim", place.vlan, instance);
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
        mac: message.sender_mac,
        checksum: 0,
        watched: 0,
    };
    event::send(event, &stats);
}
