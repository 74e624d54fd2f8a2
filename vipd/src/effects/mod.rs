//! What the election's commands do to the world: frames on the wire, addresses on interfaces.

mod addresses;
mod ground;
mod holder;
mod macvlan;
mod neighbours;
mod parameters;
mod routes;
mod rtnl;
mod things;
mod transmit;

pub use addresses::{ADDRESS_PROTOCOL, Address};
pub(crate) use ground::Ground;
pub use holder::{Applied, Holder, Order};
pub(crate) use macvlan::{ALIAS, Macvlans, virtual_mac};
pub(crate) use neighbours::Neighbours;
pub use routes::Route;
pub(crate) use rtnl::{Rtnl, octets};
pub(crate) use things::remove;
pub use things::{ROUTE_PROTOCOL, Thing};
pub use transmit::Transmitter;
pub(crate) use transmit::link_address;
