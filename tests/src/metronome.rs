//! Tells when the machine itself stood still, as virtual machines do: what was measured then says nothing of a program.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::Moment;

const PACE: Duration = Duration::from_millis(1);
/// Shorter pauses are the scheduler's and the timer's own.
const NOTABLE: Duration = Duration::from_millis(3);

/// A thread with the highest real-time priority that wakes every millisecond, until it is dropped. When it does not,
/// nothing ran.
pub struct Metronome {
    pauses: Arc<Mutex<Vec<Pause>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy)]
struct Pause {
    end: Moment,
    length: Duration,
}

impl Metronome {
    /// Starts it.
    ///
    /// # Errors
    /// If the thread cannot be started or may not have real-time priority.
    pub fn start() -> Result<Self> {
        let pauses = Arc::default();
        let stop = Arc::new(AtomicBool::new(false));
        let (noted, ended) = (Arc::clone(&pauses), Arc::clone(&stop));
        let (tell, told) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("metronome".to_owned()).spawn(move || {
            let raised = take_highest_priority();
            let beats = raised.is_ok();
            // The caller waits for this answer.
            let _ = tell.send(raised);
            if beats {
                beat(&noted, &ended);
            }
        })?;
        told.recv().context("the thread ended")?.context("real-time priority")?;
        Ok(Self { pauses, stop, thread: Some(thread) })
    }

    /// The longest time between `from` and `to` in which nothing ran; zero if it was never more than 3 ms.
    #[must_use]
    pub fn longest_pause(&self, from: Moment, to: Moment) -> Duration {
        let pauses = self.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        let within = pauses.iter().filter(|pause| pause.end >= from && pause.end <= to + pause.length);
        within.map(|pause| pause.length).max().unwrap_or_default()
    }
}

impl Drop for Metronome {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn beat(pauses: &Mutex<Vec<Pause>>, ended: &AtomicBool) {
    let mut last = Moment::now();
    while !ended.load(Ordering::Relaxed) {
        thread::sleep(PACE);
        let end = Moment::now();
        let length = end.since(last);
        if length > NOTABLE {
            pauses.lock().unwrap_or_else(PoisonError::into_inner).push(Pause { end, length });
        }
        last = end;
    }
}

/// Gives it to this thread alone: what it starts has none.
fn take_highest_priority() -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: 99 };
    // SAFETY: thread 0 is the caller, and the parameters outlive the call.
    let result = unsafe {
        libc::sched_setscheduler(0, libc::SCHED_FIFO | libc::SCHED_RESET_ON_FORK, &raw const parameters)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
