//! The warden itself: a process that waits for the end of the agent, and does what is left to do.

use std::fmt::{self, Write};
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::process::exit;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, sigprocmask};
use nix::unistd::{Pid, chdir, dup2_stdin, dup2_stdout, setsid};

use super::PATIENCE;
use super::errand::Errand;
use super::shared::SignOfLife;
use super::will::Will;
use crate::realtime;
use crate::run_dir::RunDir;

/// What the warden of an agent has to know.
pub(super) struct Charge {
    pub(super) agent: Pid,
    /// Readable when the agent is gone as a whole; `None` where the kernel has no such thing.
    pub(super) end: Option<OwnedFd>,
    pub(super) sign: &'static SignOfLife,
    pub(super) will: Will,
    pub(super) run_dir: Arc<RunDir>,
    /// Standard error leads to the journal.
    pub(super) to_journal: bool,
}

/// The life of the warden, which was just forked.
pub(super) fn live(charge: Charge) -> ! {
    detach(&charge);
    realtime::guard();
    let Ok(errand) = Errand::prepare(charge.will, charge.run_dir) else { exit(1) };
    charge.sign.wait_for_its_end();
    let panicked = errand.was_done();
    let given = errand.give_away();
    let resigned = Instant::now();
    // Its programs are gone, and its run directory is free, only when its last thread has ended. A core that it dumps, or
    // a system call that it is in, can take long.
    if let Some(end) = &charge.end {
        let _ = poll(&mut [PollFd::new(end.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE);
    }
    // A thread that was in the middle of adding addresses when it was killed has done so.
    errand.give_away();
    // Those who take over are not kept waiting by the programs' end; nobody tells when they have. A Backup has given nothing away.
    if panicked || given.resignations > 0 {
        thread::sleep(PATIENCE.saturating_sub(resigned.elapsed()));
    }
    errand.sweep();
    let mut line = Line { octets: [0; 200], length: 0 };
    let priority = if charge.to_journal { "<4>" } else { "" };
    // A line that is too long is cut.
    let _ = writeln!(
        line,
        "{priority}vipd-warden: vipd (pid {}) has died; sent {} resignation(s) for it, removed {} address(es)",
        charge.agent, given.resignations, given.addresses
    );
    line.say();
    exit(0);
}

/// Leaves everything that the agent's caller may do to the agent's process group and terminal, and every descriptor that
/// would be held for nothing.
fn detach(charge: &Charge) {
    // Failing is no reason not to go on: whatever is refused here only makes the warden easier to hit.
    let _ = setsid();
    let _ = sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None);
    // SAFETY: the name ends with a zero and is copied.
    unsafe { libc::prctl(libc::PR_SET_NAME, c"vipd-warden".as_ptr()) };
    let _ = chdir("/");
    if let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
        let _ = dup2_stdin(&null);
        let _ = dup2_stdout(&null);
    }
    let mut kept = [2, charge.run_dir.lock_fd(), charge.end.as_ref().map_or(2, AsRawFd::as_raw_fd)];
    kept.sort_unstable();
    let ends = kept.into_iter().skip(1).chain([i32::MAX]);
    for (kept, end) in kept.into_iter().zip(ends) {
        if kept + 1 < end {
            // SAFETY: nothing of this process uses a descriptor but those that are kept.
            unsafe { libc::syscall(libc::SYS_close_range, kept + 1, end - 1, 0) };
        }
    }
}

/// A log line that needs no memory.
struct Line {
    octets: [u8; 200],
    length: usize,
}

impl Line {
    /// Writes it, unless nobody takes it off.
    fn say(&self) {
        let error = std::io::stderr();
        let mut writable = [PollFd::new(error.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut writable, PollTimeout::ZERO).is_ok_and(|ready| ready > 0) {
            let _ = nix::unistd::write(error.as_fd(), &self.octets[..self.length]);
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.octets.get_mut(self.length..self.length + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length += text.len();
        Ok(())
    }
}
