//! The host's interfaces and addresses, as the kernel tells of them by rtnetlink. No other module but `effects` speaks
//! rtnetlink.

mod monitor;
pub(crate) mod sysctl;
mod table;

pub use monitor::Monitor;
pub use table::{Link, Links};
