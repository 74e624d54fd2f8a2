//! One time line for everything that a lab observes.

use std::ops::Add;
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

/// A moment of CLOCK_MONOTONIC, in nanoseconds: the time line of the kernel's own stamps, and of vipd's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

/// The longest that the looks at two clocks may take.
const LOOK: Duration = Duration::from_micros(20);

impl Moment {
    /// The present.
    ///
    /// # Panics
    /// Where the kernel has no CLOCK_MONOTONIC, which Linux always has.
    #[must_use]
    pub fn now() -> Self {
        Self(read(ClockId::CLOCK_MONOTONIC))
    }

    /// The moment at which the wall clock showed `stamp`, if it has not been set since. Packet sockets stamp frames
    /// by CLOCK_REALTIME.
    pub(crate) fn from_realtime(stamp: TimeSpec) -> Self {
        loop {
            let now = Self::now();
            let age = read(ClockId::CLOCK_REALTIME).saturating_sub(nanos(stamp));
            // On a busy host a whole second can pass between the looks at two clocks.
            if Self::now().since(now) < LOOK {
                return Self(now.0.saturating_sub(age));
            }
        }
    }

    /// Time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Time from `other` to this moment in nanoseconds, negative if `other` is later.
    #[must_use]
    pub fn minus(self, other: Self) -> i64 {
        self.0.cast_signed().saturating_sub(other.0.cast_signed())
    }

    /// Time left from now until this moment; zero if it has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.since(Self::now())
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }
}

fn read(clock: ClockId) -> u64 {
    nanos(clock_gettime(clock).expect("Linux has this clock"))
}

fn nanos(time: TimeSpec) -> u64 {
    u64::try_from(Duration::from(time).as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_stamp_lands_on_the_monotonic_time_line() {
        let before = Moment::now();
        let stamp = clock_gettime(ClockId::CLOCK_REALTIME).expect("Linux has this clock");

        let moment = Moment::from_realtime(stamp);

        assert!(moment.minus(before).abs() < 1_000_000_000, "{moment:?} is not close to {before:?}");
    }
}
