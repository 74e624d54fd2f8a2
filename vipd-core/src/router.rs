//! The set of virtual routers.

use crate::{Action, Input, Instant, InstanceId, Spec, State};

/// All virtual routers of one agent.
#[derive(Debug)]
pub struct Router {}

impl Router {
    /// Virtual routers in state Initialize; `InstanceId(n)` is `specs[n]`.
    #[must_use]
    pub fn new(specs: Vec<Spec>) -> Self {
        let _ = specs;
        Self {}
    }

    /// Tells that something happened to a virtual router.
    pub fn handle(&mut self, id: InstanceId, input: Input, now: Instant) {
        let _ = (id, input, now);
    }

    /// Fires every timer that is due at `now`.
    pub fn expire(&mut self, now: Instant) {
        let _ = now;
    }

    /// When [`expire`](Self::expire) must be called next; `None` while no timer runs.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// The next command, in the order in which they must be done.
    pub fn poll_action(&mut self) -> Option<Action> {
        None
    }

    /// The state of a virtual router.
    #[must_use]
    pub fn state(&self, id: InstanceId) -> State {
        let _ = id;
        State::Initialize
    }
}
