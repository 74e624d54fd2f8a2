//! The election thread: what the datapath hears and the links tell goes into `vipd-core`, what it commands goes to
//! `effects`. Everything here runs on one thread; the rest of the agent sees only the [`Board`].

mod announcer;
mod board;
mod clock;
mod defence;
mod farewell;
mod fenced;
mod forms;
mod frames;
mod links;
mod missing;
mod operate;
mod perform;
mod plan;
mod reload;
mod remarks;
mod run;
mod standing;
mod statics;
mod tracked;

pub use board::{Board, Delay, Sent, Snapshot};
pub use clock::now;
pub use forms::{FormSet, Forms};
pub(crate) use plan::protocols;
pub use plan::{Error as PlanError, Group, Planned, plan, statics};
pub(crate) use reload::Reload;
pub use run::{Command, Election};
