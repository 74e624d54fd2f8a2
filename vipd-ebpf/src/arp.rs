//! Gratuitous ARP: somebody else announces one of our virtual addresses.

use vipd_common::abi::VipKey;
use vipd_common::wire::arp::Message;
use vipd_common::wire::eth::Place;
use vipd_common::wire::from_ipv4;

use crate::claim;
use crate::frame::Frame;
use crate::log::debug;

/// Tells user space of a claim. Our own announcements do not come in here: the programs see what an interface receives.
#[inline(always)]
pub(crate) fn note<F: Frame>(frame: &F, place: Place) {
    let Some(message) = Message::read(frame, place.at).filter(Message::is_gratuitous) else { return };
    let addr = from_ipv4(message.sender.into());
    let key = VipKey { ifindex: frame.ifindex(), vlan: place.vlan, reserved: 0, addr };
    let Some(instance) = claim::instance(&key) else { return };
    debug!(frame.context(), "vlan {} instance {}: claim", place.vlan, instance);
    claim::tell(instance, addr, message.sender_mac);
}
