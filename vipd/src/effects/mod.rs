//! What the election's commands do to the world: frames on the wire, addresses on interfaces.

mod addresses;
mod batch;
mod holder;
mod transmit;

pub use addresses::{ADDRESS_PROTOCOL, Address, remove};
pub use holder::{Applied, Holder};
pub use transmit::Transmitter;
pub(crate) use transmit::link_address;
