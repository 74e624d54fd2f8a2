//! Ends a program that holds a lab cleanly when somebody interrupts it.

use std::{process, thread};

use anyhow::Result;
use nix::sys::signal::{SigSet, Signal};

use crate::dir;

/// From now on SIGINT, SIGTERM and SIGHUP remove the lab's files and end the process; its hosts go with it. To be
/// called before any thread is started, because threads inherit which signals are theirs to take. Programs on hosts are
/// not affected.
///
/// # Errors
/// If no thread can be started.
pub fn clean_up_when_interrupted() -> Result<()> {
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        signals.add(signal);
    }
    signals.thread_block()?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        // Waiting fails only for a set that holds no valid signal.
        let code = signals.wait().map_or(1, |signal| 128 + signal as i32);
        dir::remove_own();
        process::exit(code);
    })?;
    Ok(())
}
