//! One health check, made again and again.

use std::sync::Arc;
use std::time::Duration;

use vipd_core::{Tracked, TrackerId};

use super::probe::{Outcome, Probe, Run};
use super::readings::Readings;
use super::rhythm::Rhythm;
use super::verdict::Verdict;
use crate::config::Check;
use crate::exec::Leftovers;

/// What is wrong with a script that no signal reaches (state D).
const STUCK: &str = "it hangs in the kernel and cannot be killed";

/// A check at work.
pub(super) struct Checker {
    id: TrackerId,
    name: String,
    timeout: Duration,
    probe: Probe,
    rhythm: Rhythm,
    verdict: Verdict,
    readings: Arc<Readings>,
    /// That runs are left out has been said.
    overran: bool,
}

impl Checker {
    pub(super) fn new(
        id: TrackerId,
        check: &Check,
        probe: Probe,
        seed: u64,
        readings: Arc<Readings>,
    ) -> Self {
        Self {
            id,
            name: check.name.clone(),
            timeout: check.timeout,
            probe,
            rhythm: Rhythm::new(check.interval, id.0, seed),
            verdict: match readings.state(id) {
                Tracked::Unknown => Verdict::new(check.rise, check.fall, check.init_fail),
                known => Verdict::resume(check.rise, check.fall, known),
            },
            readings,
            overran: false,
        }
    }

    /// Makes the check without end.
    pub(super) async fn watch(mut self) {
        if self.verdict.state() == Tracked::Down && self.readings.state(self.id) == Tracked::Unknown {
            self.readings.set(self.id, Tracked::Down, Some("no success yet".to_owned()));
        }
        loop {
            let left_out = self.rhythm.beat().await;
            self.note_overrun(left_out);
            match self.probe.run(self.timeout).await {
                Run::Done(outcome) => self.count(outcome),
                Run::Stuck(mut child) => {
                    // Nothing will come of it: each beat that it hangs on is a failure, and none is followed by a run.
                    if self.verdict.state() == Tracked::Down {
                        // It is down for another reason so far.
                        tracing::warn!("check {}: {STUCK}", self.name);
                    }
                    loop {
                        self.count(Err(STUCK.to_owned()));
                        tokio::select! {
                            _ = child.ended(Leftovers::Kill) => break,
                            _ = self.rhythm.beat() => {}
                        }
                    }
                }
            }
        }
    }

    fn note_overrun(&mut self, left_out: u32) {
        if left_out > 0 && !self.overran {
            let name = &self.name;
            tracing::warn!("check {name} took longer than its interval: {left_out} runs were left out");
        }
        self.overran = left_out > 0;
    }

    fn count(&mut self, outcome: Outcome) {
        let Self { id, name, verdict, .. } = self;
        let before = verdict.state();
        let state = verdict.count(outcome.is_ok());
        match &outcome {
            Ok(()) if state != before => tracing::info!("check {name} succeeded"),
            Err(reason) if state != before => tracing::warn!("check {name} failed: {reason}"),
            Ok(()) if verdict.missing() > 0 => {
                tracing::debug!("check {name}: a success, {} more make it up", verdict.missing());
            }
            Err(reason) if verdict.missing() > 0 => {
                tracing::debug!("check {name}: {reason}; {} more make it down", verdict.missing());
            }
            _ => {}
        }
        let unchanged_up = state == before && state == Tracked::Up;
        if !unchanged_up {
            // While it is down the last failure is of interest, whether or not it was the first.
            let detail = outcome.err().or_else(|| self.readings.detail(*id).as_deref().cloned());
            self.readings.set(*id, state, detail.filter(|_| state == Tracked::Down));
        }
    }
}
