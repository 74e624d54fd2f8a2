//! ARP: somebody else announces one of our virtual addresses, or asks for one that we may not answer for.

use vipd_common::wire::arp::{Message, Operation};
use vipd_common::wire::eth::Place;
use vipd_common::wire::from_ipv4;

use crate::claim;
use crate::frame::Frame;
use crate::log::debug;

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
    let Some(instance) = claim::holder(frame, place, addr) else { return true };
    if claims {
        debug!(frame.context(), "vlan {} instance {}: claim", place.vlan, instance);
        claim::tell(instance, addr, message.sender_mac);
    }
    !asks || claim::may_be_asked(instance)
}
