//! Takes again what was taken while the whole machine stood still.

use std::time::Duration;

use anyhow::Result;
use vipd_tests::{Metronome, Moment};

/// A pause that is not the fault of what is measured: nothing on the machine ran, not even the highest priority.
const PAUSE: Duration = Duration::from_millis(20);
/// A machine that stands still more often than this is no place to measure on, and its figures are to show it.
const ATTEMPTS: u32 = 5;

/// Looks on while something is measured.
pub(super) struct Steady {
    metronome: Metronome,
    repeated: u32,
}

impl Steady {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { metronome: Metronome::start()?, repeated: 0 })
    }

    /// Measures, and again if the machine stood still.
    pub(super) fn take<T>(&mut self, mut measure: impl FnMut() -> Result<T>) -> Result<T> {
        for _ in 1..ATTEMPTS {
            let from = Moment::now();
            let taken = measure();
            let pause = self.metronome.longest_pause(from, Moment::now());
            if pause < PAUSE {
                return taken;
            }
            eprintln!("the machine stood still for {pause:?}; once more");
            self.repeated += 1;
        }
        measure()
    }

    /// A sentence for the report, if anything had to be taken again.
    pub(super) fn note(&self) -> Option<String> {
        (self.repeated > 0).then(|| {
            format!(
                "{} times a measurement was taken again because nothing at all ran on the machine for {PAUSE:?} or more: \
                 threads of the highest real-time priority, one a core, which wake every millisecond, all did not.",
                self.repeated
            )
        })
    }
}
