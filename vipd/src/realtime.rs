//! Keeps the thread that decides on a CPU and in memory, whatever else the host does.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::rights::{self, Right};

/// What a thread may use of a CPU: `budget` in every `period`, and that no later than `period` after it was woken. With
/// `SCHED_FLAG_RECLAIM` it may use more as long as nobody else has a claim to it.
struct Claim {
    budget: Duration,
    period: Duration,
}

/// The period is the shortest interval of adverts.
const ELECTION: Claim = Claim { budget: Duration::from_millis(1), period: Duration::from_millis(10) };
const GUARD: Claim = Claim { budget: Duration::from_millis(1), period: Duration::from_millis(50) };
/// Above threaded interrupt handlers, which have 50.
const PRIORITY: u32 = 55;
/// Above the election: when the warden acts, the election is dead.
const GUARD_PRIORITY: u32 = 60;
/// Above threaded interrupt handlers too, but below the election wherever that may be.
const ASSISTANT_PRIORITY: u32 = PRIORITY - 1;
/// Octets of stack that the election may need, in a build without optimisation too.
const STACK: usize = 256 << 10;

const SCHED_DEADLINE: u32 = 6;
const RESET_ON_FORK: u64 = 1;
const RECLAIM: u64 = 2;

/// How a thread is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheduling {
    /// `SCHED_DEADLINE`.
    Deadline,
    /// `SCHED_FIFO`, with this priority.
    Fifo(u32),
    /// As any other thread.
    Normal,
}

impl fmt::Display for Scheduling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline => f.write_str("deadline"),
            Self::Fifo(priority) => write!(f, "fifo {priority}"),
            Self::Normal => f.write_str("normal"),
        }
    }
}

/// Schedules the calling thread as well as the kernel allows. Tells what is lost where it is not the best: one sentence.
pub(crate) fn schedule() -> (Scheduling, Option<String>) {
    let Err(refused) = deadline(&ELECTION) else {
        return (Scheduling::Deadline, None);
    };
    let refused = reason(&refused);
    if fifo(PRIORITY).is_ok() {
        let lost = format!(
            "scheduled as fifo {PRIORITY} instead of deadline, because {refused}: where other real-time tasks fill the \
             CPUs, adverts can be late by the share that the kernel keeps for normal tasks, 50 ms in a second"
        );
        return (Scheduling::Fifo(PRIORITY), Some(lost));
    }
    let lost = format!(
        "scheduled as any other task, because {refused}, and RLIMIT_RTPRIO is below {PRIORITY}: a busy CPU delays adverts, \
         and the other nodes may take over"
    );
    (Scheduling::Normal, Some(lost))
}

fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::EPERM) if !rights::has(Right::SysNice) => "CAP_SYS_NICE is missing".to_owned(),
        Some(libc::EPERM) => "the thread may not run on every CPU (taskset, cpuset)".to_owned(),
        Some(libc::EBUSY) => "the CPUs have no guaranteed time left (other SCHED_DEADLINE tasks)".to_owned(),
        _ => format!("the kernel refuses SCHED_DEADLINE ({error})"),
    }
}

/// Locks the memory of this process, what it has now and what it will touch. Tells what is lost where that is not
/// allowed. To be called before there are threads: their stacks are then locked as far as they are used, not as a whole.
pub(crate) fn lock_memory() -> Option<String> {
    const LOST: &str = "memory is not locked, because CAP_IPC_LOCK is missing and RLIMIT_MEMLOCK is not unlimited: where memory is \
         short, adverts wait for the disk";
    // Below a limit, memory that is asked for later would be refused: worse than memory that is not locked.
    let unlimited = getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    if !unlimited && !rights::has(Right::IpcLock) {
        return Some(LOST.to_owned());
    }
    give_back();
    touch_stack();
    let locked = mlockall(libc::MCL_CURRENT).and_then(|()| mlockall(libc::MCL_FUTURE | libc::MCL_ONFAULT));
    locked.err().map(|error| {
        // SAFETY: takes nothing but the locks off.
        unsafe { libc::munlockall() };
        format!("memory is not locked ({error}): where memory is short, adverts wait for the disk")
    })
}

/// Gives back to the kernel what memory was asked for and is not used any more. Of locked memory that is little.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: takes no pointer, and no part of the heap that is in use.
    unsafe {
        libc::malloc_trim(0)
    };
}

/// Schedules the calling thread, which does the slow part of a takeover, next to the election.
pub(crate) fn assist() {
    // The election has told of the rights that are missing.
    let _ = fifo(ASSISTANT_PRIORITY);
}

/// The warden's share: it only waits, and needs what it has touched so far, so no page beyond is read for it.
pub(crate) fn guard() {
    // The agent has told of the rights that are missing.
    let _ = deadline(&GUARD).or_else(|_| fifo(GUARD_PRIORITY));
    let _ = mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT);
}

#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "to use the stack is the purpose")]
fn touch_stack() {
    let mut stack = [const { MaybeUninit::<u8>::uninit() }; STACK];
    for page in stack.chunks_mut(4096) {
        page[0].write(0);
    }
    std::hint::black_box(&stack);
}

fn mlockall(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: takes no pointer.
    match unsafe { libc::mlockall(flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn deadline(claim: &Claim) -> io::Result<()> {
    let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    set(&libc::sched_attr {
        sched_policy: SCHED_DEADLINE,
        sched_flags: RESET_ON_FORK | RECLAIM,
        sched_runtime: nanos(claim.budget),
        sched_deadline: nanos(claim.period),
        sched_period: nanos(claim.period),
        ..NORMAL
    })
}

fn fifo(priority: u32) -> io::Result<()> {
    set(&libc::sched_attr {
        sched_policy: libc::SCHED_FIFO.cast_unsigned(),
        sched_flags: RESET_ON_FORK,
        sched_priority: priority,
        ..NORMAL
    })
}

/// What every thread starts with.
#[expect(clippy::cast_possible_truncation, reason = "48 octets")]
const NORMAL: libc::sched_attr = libc::sched_attr {
    size: size_of::<libc::sched_attr>() as u32,
    sched_policy: 0,
    sched_flags: 0,
    sched_nice: 0,
    sched_priority: 0,
    sched_runtime: 0,
    sched_deadline: 0,
    sched_period: 0,
};

/// `sched_setattr(2)` for the calling thread; the C library has no function for it.
fn set(attributes: &libc::sched_attr) -> io::Result<()> {
    // SAFETY: the kernel reads the attributes, whose size they tell themselves, during the call.
    match unsafe { libc::syscall(libc::SYS_sched_setattr, 0, std::ptr::from_ref(attributes), 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
