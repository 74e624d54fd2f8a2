//! From a number of processes to up and down (`quorum`, `quorum_max`, `fork_delay`, `terminate_delay`).

use tokio::time::Instant;
use vipd_core::{Tracked, TrackerId};

use crate::config::ProcessTracker;

/// One tracker.
pub(super) struct Quorum {
    id: TrackerId,
    tracker: ProcessTracker,
    /// Matching processes; `None` before they were counted.
    count: Option<usize>,
    /// What was told last.
    told: Option<bool>,
    /// What it will be, and when.
    change: Option<(bool, Instant)>,
}

impl Quorum {
    pub(super) fn new(id: TrackerId, tracker: ProcessTracker) -> Self {
        Self { id, tracker, count: None, told: None, change: None }
    }

    /// Takes note of how many there are now. More of them take effect after `fork_delay`, fewer after `terminate_delay`; what
    /// is there at the start, at once.
    pub(super) fn count(&mut self, count: usize, now: Instant) {
        let before = self.count.replace(count);
        if before == Some(count) {
            return;
        }
        let most = self.tracker.quorum_max.map_or(usize::MAX, usize::from);
        let is_up = count >= usize::from(self.tracker.quorum).min(most) && count <= most;
        self.change = match (self.told, self.change) {
            (Some(told), _) if told == is_up => None,
            (_, Some(change)) if change.0 == is_up => Some(change),
            _ => {
                let delay = match before {
                    None => std::time::Duration::ZERO,
                    Some(before) if count > before => self.tracker.fork_delay,
                    Some(_) => self.tracker.terminate_delay,
                };
                Some((is_up, now + delay))
            }
        };
    }

    /// When the next change takes effect.
    pub(super) fn due(&self) -> Option<Instant> {
        self.change.map(|(_, due)| due)
    }

    /// What has to be told by now.
    pub(super) fn settle(&mut self, now: Instant) -> Option<(TrackerId, Tracked, String)> {
        let (is_up, _) = self.change.take_if(|(_, due)| *due <= now)?;
        self.told = Some(is_up);
        let count = self.count.unwrap_or(0);
        let state = if is_up { Tracked::Up } else { Tracked::Down };
        tracing::info!(
            "process {} is {}: {count} running",
            self.tracker.name,
            if is_up { "up" } else { "down" }
        );
        Some((self.id, state, format!("{count} running")))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{Parameters, Weight};

    fn quorum(quorum: u16, quorum_max: Option<u16>, fork_ms: u64, terminate_ms: u64) -> Quorum {
        let tracker = ProcessTracker {
            name: "t".to_owned(),
            process: "p".to_owned(),
            parameters: Parameters::Any,
            full_command: false,
            weight: Weight::default(),
            quorum,
            quorum_max,
            fork_delay: Duration::from_millis(fork_ms),
            terminate_delay: Duration::from_millis(terminate_ms),
        };
        Quorum::new(TrackerId(0), tracker)
    }

    /// What is told after each count, ten milliseconds apart.
    fn told(quorum: &mut Quorum, counts: &[usize]) -> Vec<Option<Tracked>> {
        let mut now = Instant::now();
        counts
            .iter()
            .map(|count| {
                quorum.count(*count, now);
                let told = quorum.settle(now).map(|(_, state, _)| state);
                now += Duration::from_millis(10);
                told
            })
            .collect()
    }

    const UP: Option<Tracked> = Some(Tracked::Up);
    const DOWN: Option<Tracked> = Some(Tracked::Down);

    #[test]
    fn quorum_and_quorum_max_bound_the_number_of_processes() {
        assert_eq!(told(&mut quorum(1, None, 0, 0), &[0, 1, 5, 0]), [DOWN, UP, None, DOWN]);
        assert_eq!(told(&mut quorum(2, Some(3), 0, 0), &[1, 2, 3, 4, 3]), [DOWN, UP, None, DOWN, UP]);
        assert_eq!(told(&mut quorum(1, Some(0), 0, 0), &[0, 1, 0]), [UP, DOWN, UP], "must not run at all");
    }

    #[test]
    fn fork_delay_and_terminate_delay_hold_a_change_back() {
        // Up after 20 ms of enough, down at once.
        assert_eq!(told(&mut quorum(1, None, 20, 0), &[0, 1, 1, 1, 0]), [DOWN, None, None, UP, DOWN]);
        // A gap shorter than the delay is never told.
        assert_eq!(
            told(&mut quorum(1, None, 0, 20), &[1, 0, 1, 0, 0, 0]),
            [UP, None, None, None, None, DOWN]
        );
    }
}
