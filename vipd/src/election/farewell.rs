//! The end of the election: everything is given away, and programs stay attached until another node has what was given.
//!
//! The kernel holds its lock for network configuration (RTNL) while it takes a program off an interface, 15 ms on a veth. A
//! node that takes over on the same kernel, in another container, waits for that lock to add its addresses.

use std::collections::BTreeSet;

use vipd_core::{Input, InstanceId, State};

use super::clock;
use super::run::Election;
use crate::datapath::Heard;
use crate::warden::PATIENCE;

impl Election {
    /// Resigns, releases everything, and has it told; then waits for those who take over.
    pub(super) async fn stop(&mut self) {
        let given: BTreeSet<_> = self.ids().filter(|id| self.router.state(*id) == State::Master).collect();
        for id in self.places() {
            self.router.handle(id, Input::Shutdown, clock::now());
        }
        self.perform();
        let limit = clock::now() + PATIENCE;
        self.statics.release(&self.holder);
        while self.statics.are_moving() || self.members.iter().any(|member| member.orders > 0) {
            let Some(applied) = self.holder.applied().await else { return };
            self.applied(&applied);
        }
        self.notify();
        if self.datapath.is_attached() && self.alarm.set(Some(limit)).is_ok() {
            self.await_successors(given).await;
        }
    }

    /// Waits until somebody has announced addresses of each of these virtual routers, which is done when they are in place, or
    /// the alarm rings.
    async fn await_successors(&mut self, mut given: BTreeSet<InstanceId>) {
        while !given.is_empty() {
            tokio::select! {
                biased;
                _ = self.alarm.rings() => return,
                readable = self.datapath.readable() => if readable.is_err() { return },
            }
            while let Some(heard) = self.datapath.take() {
                if let Heard::Claim(claim) = heard {
                    given.remove(&claim.instance);
                }
            }
        }
    }
}
