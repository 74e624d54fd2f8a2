//! The election: one VRRP virtual router's state machine, and the set of them that one agent runs.
//!
//! Everything that happens in the world becomes an [`Input`] with a time, the answer is a queue of [`Action`]s:
//!
//! ```text
//! Input + now ──▶ Router::handle ──▶ Router::poll_action ──▶ Action
//!                 Router::next_deadline ──▶ when to call Router::expire
//! ```
//!
//! Pure: no clock, no socket, no thread, no randomness; the same inputs give the same actions. The rules are those of
//! RFC 9568 (VRRPv3) and RFC 3768 (VRRPv2); ids such as C-FSM-04 name rows of `docs/conformance.md`.

mod action;
mod backup;
mod deadlines;
mod faults;
mod group;
mod input;
mod instance;
mod master;
mod queue;
mod reason;
mod router;
mod skew;
mod spec;
mod status;
mod time;
mod tracking;

pub use action::Action;
pub use input::{Advert, Fault, Input, Seen};
pub use reason::{Cause, Transition};
pub use router::Router;
pub use spec::{Announcing, InstanceId, Interval, Spec, State, TrackerId, Version};
pub use status::Status;
pub use time::Instant;
pub use tracking::{Effect, Tracked, Trackers, Tracking};
