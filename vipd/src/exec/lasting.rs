//! Threads that last as long as the agent.
//!
//! The kernel takes "my parent died" (`PR_SET_PDEATHSIG`) to mean the thread that made the child, so that thread must not
//! end before the agent does; those of tokio's pool do, when they have nothing to do. There are as many here as ever
//! had to work at once: one, while no program hangs as it is started.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that wait for work.
static IDLE: Mutex<Vec<Sender<Job>>> = Mutex::new(Vec::new());

/// Has a lasting thread do `work`, and waits for the result without blocking.
///
/// # Errors
/// When there can be no more threads.
pub(crate) async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (tell, told) = oneshot::channel();
    dispatch(Box::new(move || drop(tell.send(work()))))?;
    told.await.map_err(io::Error::other)
}

/// Has a lasting thread do `work`, and blocks until it is done, but not longer than this; `None` where it takes longer.
///
/// # Errors
/// When there can be no more threads.
pub(crate) fn wait<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<Option<T>> {
    let (tell, told) = channel();
    dispatch(Box::new(move || drop(tell.send(work()))))?;
    Ok(told.recv_timeout(limit).ok())
}

fn dispatch(job: Job) -> io::Result<()> {
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    match idle {
        // It waits as long as this sender lives.
        Some(idle) => drop(idle.send(job)),
        None => drop(thread::Builder::new().name("exec".to_owned()).spawn(move || serve(job))?),
    }
    Ok(())
}

fn serve(mut job: Job) {
    loop {
        // Announced before the result is told, it would be asked while it still works.
        job();
        let (ask, asked) = channel();
        IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(ask);
        match asked.recv() {
            Ok(next) => job = next,
            Err(_) => return,
        }
    }
}
