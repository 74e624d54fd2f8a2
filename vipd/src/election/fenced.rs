//! The question whether this node is connected, on its way to the fences and back.

use vipd_core::{Cause, Fault, Input, InstanceId, State, Tracked, Transition};

use super::clock;
use super::run::Election;
use crate::fence::Verdict;

impl Election {
    /// Reads what hosts have answered, and judges it.
    pub(super) fn hear_answers(&mut self) {
        self.fences.read(clock::now());
        self.judge_fences();
    }

    /// Asks what is to be asked, and tells the election of what is known.
    pub(super) fn judge_fences(&mut self) {
        let now = clock::now();
        let mut verdicts = std::mem::take(&mut self.verdicts);
        self.fences.judge(now, |verdict| verdicts.push(verdict));
        for verdict in verdicts.drain(..) {
            self.note(&verdict);
            self.tell(verdict.id, Input::Connected(verdict.connected), now);
        }
        self.verdicts = verdicts;
    }

    /// Keeps what a fence says for those who ask why.
    fn note(&self, verdict: &Verdict) {
        let Verdict { id, connected, answered, asked, quorum, is_news } = *verdict;
        let known = &self.arithmetic.known;
        if let Some(fence) = known.plan.fence(id).filter(|_| is_news) {
            let state = if connected { Tracked::Up } else { Tracked::Down };
            let detail = format!("{answered} of {asked} hosts answered, {quorum} are needed");
            known.readings.set(fence, state, Some(detail));
            tracing::debug!("({}) {}", self.name(id), known.tell(fence));
        }
    }

    /// While it is Master, and while it is not because it is cut off, a virtual router asks again and again.
    pub(super) fn guard(&mut self, id: InstanceId, transition: &Transition) {
        let isolated = transition.cause == Cause::Faulted(Fault::Isolated);
        self.fences.repeat(id, transition.to == State::Master || isolated, clock::now());
    }
}
