//! What the election's commands do to the world: frames on the wire, addresses on interfaces.

mod addresses;
mod holder;
mod rtnl;
mod transmit;

pub(crate) use addresses::remove;
pub use addresses::{ADDRESS_PROTOCOL, Address};
pub use holder::{Applied, Holder, Order};
pub(crate) use rtnl::Rtnl;
pub use transmit::Transmitter;
pub(crate) use transmit::link_address;
