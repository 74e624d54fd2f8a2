//! A program at work: its end, and how it is made to end.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::watch::{self, Watched};

/// From SIGTERM to SIGKILL, as in Keepalived.
const GRACE: Duration = Duration::from_secs(2);
/// How long a killed program may take to be gone. One that waits for a device or a dead file server may take for ever.
const KILLED: Duration = Duration::from_secs(2);

/// What becomes of processes that are still in the program's group when it has ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leftovers {
    /// They are killed. What has left the group, by `setsid`, stays.
    Kill,
    /// They go on.
    Keep,
}

/// How a program has ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With this exit code.
    Exited(i32),
    /// By this signal, which was not the agent's.
    Signalled(Signal),
    /// It ran longer than it may and was made to end, with everything in its process group.
    TimedOut,
    /// It has not ended, two seconds after SIGKILL: it hangs in the kernel (state D).
    Stuck(Child),
}

/// A running program. It is killed, with its process group, on drop.
pub(crate) struct Child {
    pub(super) pid: Pid,
    /// `None` once its end has been taken note of: then its number may be another's.
    pidfd: Option<Watched<OwnedFd>>,
}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Child").field(&self.pid).finish()
    }
}

impl Child {
    pub(super) fn watch(pid: Pid, pidfd: OwnedFd) -> io::Result<Self> {
        Ok(Self { pid, pidfd: Some(watch::readable(pidfd)?) })
    }

    /// Waits for its end, at most this long. Then its process group gets SIGTERM, and SIGKILL two seconds later.
    pub(crate) async fn finish(mut self, limit: Duration, leftovers: Leftovers) -> Ended {
        if let Ok(ended) = timeout(limit, self.ended(leftovers)).await {
            return ended;
        }
        for (signal, patience) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, KILLED)] {
            self.signal(signal);
            if timeout(patience, self.ended(Leftovers::Kill)).await.is_ok() {
                return Ended::TimedOut;
            }
        }
        Ended::Stuck(self)
    }

    /// Waits for its end without limit.
    pub(crate) async fn ended(&mut self, leftovers: Leftovers) -> Ended {
        let Some(pidfd) = &self.pidfd else { return Ended::TimedOut };
        if let Err(error) = pidfd.readable().await {
            tracing::error!("cannot wait for process {}: {error}", self.pid);
        }
        // It still has its number: nobody else has a group of that number.
        if leftovers == Leftovers::Kill {
            self.signal(Signal::SIGKILL);
        }
        self.pidfd.take().map_or(Ended::TimedOut, |pidfd| reap(&pidfd))
    }

    /// Sends a signal to its process group. That nobody is there any more is fine.
    fn signal(&self, signal: Signal) {
        match killpg(self.pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(error) => tracing::warn!("cannot send {signal} to process group {}: {error}", self.pid),
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let Some(pidfd) = self.pidfd.take() else { return };
        self.signal(Signal::SIGKILL);
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                if pidfd.readable().await.is_ok() {
                    reap(&pidfd);
                }
            });
        }
    }
}

/// Takes note of the end of a child that has ended.
fn reap(pidfd: &Watched<OwnedFd>) -> Ended {
    match waitid(Id::PIDFd(pidfd.get_ref().as_fd()), WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG) {
        Ok(WaitStatus::Exited(_, code)) => Ended::Exited(code),
        Ok(WaitStatus::Signaled(_, signal, _)) => Ended::Signalled(signal),
        // Signals that `nix` has no name for, the real-time ones, end here too.
        other => {
            tracing::debug!("the end of a program is not understood: {other:?}");
            Ended::Signalled(Signal::SIGKILL)
        }
    }
}
