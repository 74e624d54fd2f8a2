//! Starts a program without copying the agent.
//!
//! `fork` would write-protect every page of the agent until the child has executed, and the election would pay for it with
//! page faults at each start. The child here borrows the agent's memory instead, as `posix_spawn` does it (`CLONE_VM`,
//! `CLONE_VFORK`): the calling thread waits until the child has executed or failed, all others go on.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use nix::sched::{CloneFlags, clone};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, killpg, pthread_sigmask};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::account::Identity;

/// Octets of stack for the child, which makes system calls and nothing else.
const STACK: usize = 32 << 10;
/// Exit code of a child that could not execute, as a shell has it.
const NOT_EXECUTED: isize = 127;
/// Highest number of a signal.
const SIGNALS: libc::c_int = 64;

/// A child and a descriptor of it.
pub(super) type Started = (Pid, OwnedFd);

/// What the child does, in this order, to be named when it fails.
const STEPS: [&str; 6] = [
    "leaving the agent's process group",
    "closing its input and output",
    "taking its groups",
    "taking its user",
    "asking to end with the agent",
    "executing it",
];

/// Starts a program in a process group of its own.
///
/// # Errors
/// The step that failed, and why.
pub(super) fn spawn(
    path: &CStr,
    argv: &[CString],
    environment: &[CString],
    identity: &Identity,
) -> Result<Started, (&'static str, io::Error)> {
    let failed = |step| move |error: io::Error| (step, error);
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
    let null = null.map_err(failed("opening /dev/null"))?;
    let plan = Plan {
        path,
        argv: &pointers(argv),
        environment: &pointers(environment),
        identity,
        groups: &identity.group_ids(),
        null: null.as_raw_fd(),
        agent: std::process::id(),
    };
    let (step, errno) = (AtomicUsize::new(0), AtomicI32::new(0));
    let child = || {
        let error = plan.execute(&step);
        errno.store(error.raw_os_error().unwrap_or(libc::EINVAL), Ordering::SeqCst);
        NOT_EXECUTED
    };
    let mut stack = vec![0; STACK];
    // A handler of the agent's must not run in the child, which shares its memory.
    let mut mask = SigSet::empty();
    let blocked = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), Some(&mut mask));
    blocked.map_err(io::Error::from).map_err(failed("blocking signals"))?;
    let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    // SAFETY: this thread sleeps until the child, which runs on a stack of its own, has executed another program or ended,
    // so nothing that the child looks at changes or goes away; the child makes system calls only, allocates nothing, takes
    // no lock and runs no handler of the agent's.
    let cloned = unsafe { clone(Box::new(child), &mut stack, flags, Some(libc::SIGCHLD)) };
    let restored = pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&mask), None);
    debug_assert_eq!(restored, Ok(()), "the mask was this thread's");
    let pid = cloned.map_err(io::Error::from).map_err(failed("making a process"))?;
    let not_executed = errno.into_inner();
    let started = if not_executed == 0 {
        open(pid).map_err(failed("opening its descriptor"))
    } else {
        let step = STEPS.get(step.into_inner()).copied().unwrap_or_default();
        Err((step, io::Error::from_raw_os_error(not_executed)))
    };
    started.map(|pidfd| (pid, pidfd)).inspect_err(|_| {
        // Nobody could wait for it.
        let _ = killpg(pid, Signal::SIGKILL);
        let _ = waitpid(pid, None);
    })
}

/// A descriptor of a process (`pidfd_open(2)`), which becomes readable when it ends. A child has its number for itself until
/// it is waited for; that of any other process may be another's by now.
///
/// # Errors
/// When there is no such process.
pub(crate) fn open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    let fd = i32::try_from(fd).ok().filter(|fd| *fd >= 0).ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the kernel just opened it for this caller.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The strings as `execve` wants them.
fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    strings.iter().map(|string| string.as_ptr()).chain([std::ptr::null()]).collect()
}

impl Identity {
    fn group_ids(&self) -> Vec<libc::gid_t> {
        match self {
            Self::Own(_) => Vec::new(),
            Self::Other { groups, .. } => groups.iter().map(|gid| gid.as_raw()).collect(),
        }
    }
}

/// Everything that the child needs, made beforehand.
struct Plan<'a> {
    path: &'a CStr,
    argv: &'a [*const libc::c_char],
    environment: &'a [*const libc::c_char],
    identity: &'a Identity,
    groups: &'a [libc::gid_t],
    null: libc::c_int,
    agent: u32,
}

impl Plan<'_> {
    /// Becomes the program; returns only if that fails. `at` says which of [`STEPS`] was reached.
    fn execute(&self, at: &AtomicUsize) -> io::Error {
        let steps =
            [Self::stand_apart, Self::redirect, Self::take_groups, Self::take_user, Self::bind, Self::run];
        for (number, step) in steps.iter().enumerate() {
            at.store(number, Ordering::SeqCst);
            if let Err(error) = step(self) {
                return error;
            }
        }
        io::Error::from_raw_os_error(libc::EINVAL)
    }

    /// Own process group, default signals, normal scheduling.
    #[expect(clippy::unused_self, reason = "one step of a list")]
    fn stand_apart(&self) -> io::Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { libc::setpgid(0, 0) })?;
        // All zeros: the default action, no flags, no mask. The C library's function leaves two signals out, and those are
        // inherited too.
        let default = [0_u64; 4];
        for signal in 1..=SIGNALS {
            // SAFETY: the kernel reads a `sigaction` of its own layout, 32 octets on 64-bit machines. It refuses the two
            // signals that have no other action, which is fine.
            unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), 0, size_of::<u64>()) };
        }
        let normal = libc::sched_param { sched_priority: 0 };
        // SAFETY: the kernel reads the parameter. It refuses nobody a lower class.
        unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const normal) };
        Ok(())
    }

    fn redirect(&self) -> io::Result<()> {
        for fd in 0..3 {
            // SAFETY: takes no pointer; the child has a descriptor table of its own.
            done(unsafe { libc::dup2(self.null, fd) })?;
        }
        // What the agent has open closes with the exec. Kernels before 5.11 do without: each is marked so anyway.
        // SAFETY: takes no pointer.
        unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        Ok(())
    }

    /// System calls, not the C library's functions: those would have every thread of the agent change too.
    fn take_groups(&self) -> io::Result<()> {
        let Identity::Other { gid, .. } = self.identity else { return Ok(()) };
        // SAFETY: the kernel reads as many ids as there are.
        called(unsafe { libc::syscall(libc::SYS_setgroups, self.groups.len(), self.groups.as_ptr()) })?;
        let gid = gid.as_raw();
        // SAFETY: takes no pointer.
        called(unsafe { libc::syscall(libc::SYS_setresgid, gid, gid, gid) })
    }

    fn take_user(&self) -> io::Result<()> {
        let Identity::Other { uid, .. } = self.identity else { return Ok(()) };
        let uid = uid.as_raw();
        // SAFETY: takes no pointer.
        called(unsafe { libc::syscall(libc::SYS_setresuid, uid, uid, uid) })?;
        // Rights that the agent was given beside its user are not the script's. It fails where there are none to have.
        // SAFETY: takes no pointer.
        unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) };
        Ok(())
    }

    /// After the change of user, which would undo it.
    fn bind(&self) -> io::Result<()> {
        // SAFETY: takes no pointer.
        done(unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM) })?;
        // SAFETY: takes no pointer.
        let parent = unsafe { libc::getppid() };
        let is_there = u32::try_from(parent) == Ok(self.agent);
        if is_there { Ok(()) } else { Err(io::Error::from_raw_os_error(libc::ESRCH)) }
    }

    fn run(&self) -> io::Result<()> {
        let none = SigSet::empty();
        // SAFETY: the set is one. The handlers are gone by now.
        done(unsafe { libc::sigprocmask(libc::SIG_SETMASK, none.as_ref(), std::ptr::null_mut()) })?;
        // SAFETY: both lists end with a null pointer and point to strings that outlive the call.
        done(unsafe { libc::execve(self.path.as_ptr(), self.argv.as_ptr(), self.environment.as_ptr()) })
    }
}

fn done(result: libc::c_int) -> io::Result<()> {
    called(result.into())
}

fn called(result: libc::c_long) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
