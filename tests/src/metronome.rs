//! Tells when the machine itself stood still, as virtual machines do: what was measured then says nothing of a program.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::Moment;

const PACE: Duration = Duration::from_millis(1);
/// Shorter pauses are the scheduler's and the timer's own.
const NOTABLE: Duration = Duration::from_millis(3);

/// A thread on every core, each with the highest real-time priority, that wakes every millisecond, until this is
/// dropped. When none does, nothing ran. One core alone may be busy in the kernel, which can well be the fault of what
/// is measured.
pub struct Metronome {
    cores: Vec<Arc<Mutex<Vec<Pause>>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// A time without a beat.
#[derive(Clone, Copy)]
struct Pause {
    from: Moment,
    to: Moment,
}

impl Metronome {
    /// Starts it.
    ///
    /// # Errors
    /// If a thread cannot be started or may not have real-time priority.
    pub fn start() -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut metronome = Self { cores: Vec::new(), stop, threads: Vec::new() };
        let allowed = sched_getaffinity(Pid::from_raw(0))?;
        for core in (0..CpuSet::count()).filter(|core| allowed.is_set(*core).unwrap_or(false)) {
            metronome.add(core)?;
        }
        Ok(metronome)
    }

    fn add(&mut self, core: usize) -> Result<()> {
        let pauses = Arc::default();
        let (noted, ended) = (Arc::clone(&pauses), Arc::clone(&self.stop));
        let (tell, told) = mpsc::sync_channel(1);
        self.threads.push(thread::Builder::new().name("metronome".to_owned()).spawn(move || {
            let raised = rule(core);
            let beats = raised.is_ok();
            // The caller waits for this answer.
            let _ = tell.send(raised);
            if beats {
                beat(&noted, &ended);
            }
        })?);
        self.cores.push(pauses);
        told.recv().context("the thread ended")?.with_context(|| format!("real-time priority on core {core}"))
    }

    /// The longest time between `from` and `to` in which nothing ran on any core; zero if it was never more than 3 ms.
    #[must_use]
    pub fn longest_pause(&self, from: Moment, to: Moment) -> Duration {
        let mut common = vec![Pause { from, to }];
        for pauses in &self.cores {
            let pauses = pauses.lock().unwrap_or_else(PoisonError::into_inner);
            common =
                common.iter().flat_map(|one| pauses.iter().filter_map(|other| one.overlap(*other))).collect();
        }
        common.iter().map(|pause| pause.to.since(pause.from)).max().unwrap_or_default()
    }
}

impl Pause {
    fn overlap(self, other: Self) -> Option<Self> {
        let both = Self { from: self.from.max(other.from), to: self.to.min(other.to) };
        (both.from < both.to).then_some(both)
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn beat(pauses: &Mutex<Vec<Pause>>, ended: &AtomicBool) {
    let mut last = Moment::now();
    while !ended.load(Ordering::Relaxed) {
        thread::sleep(PACE);
        let now = Moment::now();
        if now.since(last) > NOTABLE {
            pauses.lock().unwrap_or_else(PoisonError::into_inner).push(Pause { from: last, to: now });
        }
        last = now;
    }
}

/// Binds this thread to a core and gives it the highest priority there; what it starts has neither.
fn rule(core: usize) -> io::Result<()> {
    let mut cores = CpuSet::new();
    cores.set(core)?;
    sched_setaffinity(Pid::from_raw(0), &cores)?;
    let parameters = libc::sched_param { sched_priority: 99 };
    // SAFETY: thread 0 is the caller, and the parameters outlive the call.
    let result = unsafe {
        libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const parameters)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_one_only_if_every_core_had_it() {
        let start = Moment::now();
        let at = |millis| start + Duration::from_millis(millis);
        let core = |pauses: &[(u64, u64)]| {
            let pauses = pauses.iter().map(|(from, to)| Pause { from: at(*from), to: at(*to) });
            Arc::new(Mutex::new(pauses.collect()))
        };
        let cores = vec![core(&[(10, 50), (100, 130)]), core(&[(40, 90), (105, 140)])];
        let metronome = Metronome { cores, stop: Arc::default(), threads: Vec::new() };

        let longest = |from, to| metronome.longest_pause(at(from), at(to));

        assert_eq!(longest(0, 200), Duration::from_millis(25));
        assert_eq!(longest(0, 95), Duration::from_millis(10));
        assert_eq!(longest(51, 99), Duration::ZERO);
    }
}
