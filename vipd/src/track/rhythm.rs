//! When a check is made: the first time at once, then from start to start, and never twice at a time.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The golden ratio of 2^64: multiples of it, taken as fractions, lie as far apart as they can, however many there are.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The beats of one check.
#[derive(Debug)]
pub(super) struct Rhythm {
    interval: Duration,
    /// From the first beat to the second.
    phase: Duration,
    next: Option<Instant>,
}

impl Rhythm {
    /// Every `interval`, from now on. From the second time on, checks with different `number` are made at different times;
    /// `seed` keeps two agents from asking the same server at the same time.
    pub(super) fn new(interval: Duration, number: u16, seed: u64) -> Self {
        let fraction = seed.wrapping_add(u64::from(number).wrapping_mul(GOLDEN));
        let nanos = (u128::from(fraction) * interval.as_nanos()) >> 64;
        // Half an interval more, so that the first run has its time: 0.5 to 1.5 intervals.
        let phase = interval / 2 + Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
        Self { interval, phase, next: None }
    }

    /// Waits for the next beat. Beats that passed while a run went on are left out; tells how many.
    pub(super) async fn beat(&mut self) -> u32 {
        let now = Instant::now();
        let Some(mut due) = self.next else {
            self.next = Some(now + self.phase);
            return 0;
        };
        let mut passed = 0;
        if due <= now {
            let beats = (now - due).as_nanos() / self.interval.as_nanos().max(1) + 1;
            passed = u32::try_from(beats).unwrap_or(u32::MAX);
            due += self.interval.saturating_mul(passed);
        }
        sleep_until(due).await;
        self.next = Some(due + self.interval);
        passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(100);

    #[test]
    fn checks_of_one_interval_do_not_come_together() {
        let mut phases: Vec<_> = (0..200).map(|number| Rhythm::new(INTERVAL, number, 42).phase).collect();
        phases.sort();

        let gaps = phases.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        // 200 in 100 ms: half a millisecond each if they lay evenly.
        let smallest = gaps.min().expect("many");
        assert!(smallest > Duration::from_micros(150), "{smallest:?}");
        assert!(phases[0] >= INTERVAL / 2 && phases[199] < INTERVAL * 3 / 2);
    }

    #[test]
    fn beats_keep_their_distance_and_those_that_passed_are_left_out() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let mut rhythm = Rhythm::new(INTERVAL, 1, 0);
            let start = Instant::now();
            assert_eq!(rhythm.beat().await, 0);
            assert_eq!(start.elapsed(), Duration::ZERO, "the first comes at once");
            assert_eq!(rhythm.beat().await, 0);
            let second = Instant::now();
            assert_eq!(rhythm.beat().await, 0);
            assert_eq!(second.elapsed().as_millis(), 100);

            tokio::time::sleep(INTERVAL * 7 / 2).await;

            assert_eq!(rhythm.beat().await, 3, "a run that took three and a half intervals");
            assert_eq!(second.elapsed().as_millis(), 500, "back in step");
        });
    }
}
