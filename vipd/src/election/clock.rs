//! The election's time: `CLOCK_MONOTONIC`, and one absolute timer on it.

use std::io;
use std::time::Duration;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use nix::time::clock_gettime;
use vipd_core::Instant;

use crate::watch::{self, Watched};

/// The present moment, on the time line of the kernel's arrival stamps.
#[must_use]
pub fn now() -> Instant {
    let time = clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    Instant::from_nanos(0) + time
}

/// An alarm at a moment. tokio's own timers round to a millisecond, which is a tenth of the shortest interval.
pub(super) struct Alarm {
    timer: Watched<TimerFd>,
    set_to: Option<Instant>,
}

impl Alarm {
    /// An alarm that is not set.
    ///
    /// # Errors
    /// When the kernel refuses a timer.
    pub(super) fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = watch::readable(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?)?;
        Ok(Self { timer, set_to: None })
    }

    /// Sets the alarm, or unsets it. A moment that has passed rings at once.
    ///
    /// # Errors
    /// When the kernel refuses the moment.
    pub(super) fn set(&mut self, moment: Option<Instant>) -> io::Result<()> {
        if self.set_to == moment {
            return Ok(());
        }
        match moment {
            None => self.timer.get_ref().unset()?,
            Some(moment) => {
                // Zero would unset the timer.
                let at = Duration::from_nanos(moment.as_nanos().max(1));
                let flags = TimerSetTimeFlags::TFD_TIMER_ABSTIME;
                self.timer.get_ref().set(Expiration::OneShot(TimeSpec::from_duration(at)), flags)?;
            }
        }
        self.set_to = moment;
        Ok(())
    }

    /// Waits until the alarm rings; for ever while it is not set. Tells for which moment it was set.
    ///
    /// # Errors
    /// When the timer cannot be read.
    pub(super) async fn rings(&mut self) -> io::Result<Instant> {
        loop {
            let mut ready = self.timer.readable().await?;
            ready.clear_ready();
            // The kernel counts expirations since the last setting; none means that the alarm was set anew meanwhile.
            match nix::unistd::read(&**self.timer.get_ref(), &mut [0; 8]) {
                Ok(_) => {
                    if let Some(due) = self.set_to.take() {
                        return Ok(due);
                    }
                }
                Err(nix::errno::Errno::EAGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    #[test]
    fn an_alarm_never_rings_early_and_a_past_moment_rings_at_once() {
        block_on(async {
            let mut alarm = Alarm::new().expect("a timer");
            for ahead in [Duration::ZERO, Duration::from_millis(3)] {
                let moment = now() + ahead;
                alarm.set(Some(moment)).expect("settable");
                alarm.rings().await.expect("readable");
                assert!(now() >= moment);
            }
        });
    }

    #[test]
    fn an_alarm_that_was_moved_rings_at_the_later_moment_only() {
        block_on(async {
            let mut alarm = Alarm::new().expect("a timer");
            alarm.set(Some(now() + Duration::from_millis(1))).expect("settable");
            let later = now() + Duration::from_millis(20);
            alarm.set(Some(later)).expect("settable");

            alarm.rings().await.expect("readable");

            assert!(now() >= later);
        });
    }
}
