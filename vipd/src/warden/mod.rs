//! The warden: a process beside the agent that outlives it by a moment. When the agent dies, however it dies, the warden
//! resigns for it, removes its addresses and files, and ends.
//!
//! It is forked before the agent has a thread, and remains the agent's child: whoever started the agent sees the
//! agent's own end and exit status. What it will have to do lies in memory that both share ([`Will`]).

mod errand;
mod netlink;
mod process;
mod shared;
mod undo;
mod will;

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, getpid};

use self::process::Charge;
use self::shared::SignOfLife;
use crate::run_dir::RunDir;
use crate::{realtime, telemetry, watch};

pub use errand::{Errand, GivenAway};
pub use undo::Undo;
pub use will::{Destination, Will};

/// How long another node is waited for before programs are taken off (decision 37): the skew time of most at intervals up to 100 ms, and some milliseconds for its
/// addresses. One that is slower than that does not suffer from what is done meanwhile.
pub(crate) const PATIENCE: Duration = Duration::from_millis(100);

/// What it costs to have none.
pub(crate) const WITHOUT: &str =
    "when this agent dies it does not resign, and its addresses stay until the next one starts";

/// The agent's side of its warden.
pub(crate) struct Warden {
    /// Its process; 0 when it is gone.
    pid: AtomicI32,
}

impl Warden {
    /// Forks the warden of this process. To be called while there is but one thread, which is from then on the one whose
    /// death the warden waits for. `unneeded` is dropped there, and given back
    /// here.
    ///
    /// # Errors
    /// When the kernel has no memory or allows no more processes.
    pub(crate) fn fork<T>(will: &Will, run_dir: &Arc<RunDir>, unneeded: T) -> (T, io::Result<Self>) {
        let charge = match Self::charge(will, run_dir) {
            Ok(charge) => charge,
            Err(error) => return (unneeded, Err(error)),
        };
        // SAFETY: the process has one thread, so that the child inherits no lock that somebody holds.
        match unsafe { fork() } {
            Ok(ForkResult::Child) => {
                drop(unneeded);
                realtime::give_back();
                process::live(charge)
            }
            Ok(ForkResult::Parent { child }) => (unneeded, Ok(Self { pid: AtomicI32::new(child.as_raw()) })),
            Err(error) => (unneeded, Err(error.into())),
        }
    }

    fn charge(will: &Will, run_dir: &Arc<RunDir>) -> io::Result<Charge> {
        let agent = getpid();
        Ok(Charge {
            agent,
            end: end_of(agent).ok(),
            sign: SignOfLife::of_this_thread()?,
            will: will.clone(),
            run_dir: Arc::clone(run_dir),
            to_journal: telemetry::leads_to_journal(),
        })
    }

    /// None.
    pub(crate) fn none() -> Self {
        Self { pid: AtomicI32::new(0) }
    }

    /// It waits.
    pub(crate) fn is_running(&self) -> bool {
        self.pid.load(Ordering::Relaxed) != 0
    }

    /// Waits until the warden has ended, which it does before the agent only when somebody kills it. Without end where
    /// there is none, or the kernel cannot tell.
    pub(crate) async fn lost(&self) {
        let pid = Pid::from_raw(self.pid.load(Ordering::Relaxed));
        let end = (pid.as_raw() != 0).then(|| end_of(pid).and_then(watch::readable)).and_then(Result::ok);
        match end {
            Some(end) if end.readable().await.is_ok() => self.reap(),
            _ => std::future::pending().await,
        }
    }

    /// Ends the warden: there is nothing left for it to do.
    pub(crate) fn dismiss(&self) {
        let pid = Pid::from_raw(self.pid.load(Ordering::Relaxed));
        // Its number is its own until it is reaped. That it is stopped does not matter to this signal.
        if pid.as_raw() != 0 && kill(pid, Signal::SIGKILL).is_ok() {
            self.reap();
        }
    }

    fn reap(&self) {
        let pid = Pid::from_raw(self.pid.swap(0, Ordering::Relaxed));
        // It has ended, or is about to; an error means that somebody else has reaped it.
        let _ = waitpid(pid, None);
    }
}

/// Readable when a process has ended (kernel 5.3).
fn end_of(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    match i32::try_from(fd) {
        // SAFETY: the kernel has just made this descriptor for us alone.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        _ => Err(io::Error::last_os_error()),
    }
}
