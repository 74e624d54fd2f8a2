//! A program on a host: its output as events, its end, and signals that cannot hit a stranger.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, PipeReader, Write, pipe};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

use crate::Moment;
use crate::host::Host;
use crate::procs::pidfd;
use crate::rtnl::readable;

/// How long a killed process may take to be gone: only a loaded machine makes it take long.
const KILLED: Duration = Duration::from_secs(20);

/// A line that a process wrote to its standard output or error.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it was read.
    pub at: Moment,
    /// The line without its end.
    pub text: String,
}

/// A running program. It is killed, with its process group, on drop.
pub struct Process {
    name: String,
    pid: Pid,
    /// The host's first process.
    init: Pid,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<Line>,
    /// Lines before this one have been given out by `wait_for_line`.
    next: usize,
    /// Nobody can write any more.
    closed: bool,
    ended: Option<ExitStatus>,
}

impl Process {
    pub(crate) fn start<A: AsRef<OsStr>>(host: &Host, program: &OsStr, args: &[A]) -> Result<Self> {
        let name = Path::new(program).file_name().unwrap_or(program).to_string_lossy().into_owned();
        let (reader, writer) = pipe()?;
        let errors = writer.try_clone()?;
        let mut command = Command::new(program);
        command
            .args(args.iter().map(|arg| OsString::from(arg.as_ref())))
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(errors)
            .process_group(0);
        // SAFETY: between fork and exec the closure makes one system call, `rt_sigprocmask`, which POSIX lists as safe
        // there (`pthread_sigmask`), and touches no memory but its own.
        unsafe { command.pre_exec(take_every_signal) };
        let child = host
            .run(move || command.spawn())
            .with_context(|| format!("{}: cannot start {}", host.name(), program.display()))?;
        let pid = Pid::from_raw(child.id().cast_signed());
        let log = File::create(host.dir().join(format!("{}-{name}-{pid}.log", host.name())))?;
        let shared = Arc::new(Shared::default());
        let (lines, end) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::Builder::new().name(format!("log {name}")).spawn(move || lines.read(reader, log))?;
        thread::Builder::new().name(format!("wait {name}")).spawn(move || end.reap(child, pid))?;
        let init = Pid::from_raw(host.init_pid().cast_signed());
        Ok(Self { name: format!("{name} on {}", host.name()), pid, init, shared })
    }

    /// Its pid, as the lab's own process sees it.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid.as_raw()
    }

    /// Everything that it has written so far.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.shared.lock().lines.clone()
    }

    /// Awaits the next line that contains `needle`. Each line is given out once: a second call looks behind the line
    /// that the first one found.
    ///
    /// # Errors
    /// If no such line comes `within` this time, or the process ends without it; the error carries its last lines.
    pub fn wait_for_line(&self, needle: &str, within: Duration) -> Result<Line> {
        let deadline = Moment::now() + within;
        let mut state = self.shared.lock();
        loop {
            let found = state.lines[state.next..].iter().position(|line| line.text.contains(needle));
            if let Some(offset) = found {
                let at = state.next + offset;
                state.next = at + 1;
                return Ok(state.lines[at].clone());
            }
            if deadline.remaining().is_zero() {
                bail!(
                    "{}: no line with {needle:?} within {within:?}; it wrote:\n{}",
                    self.name,
                    state.tail()
                );
            }
            state = self.shared.wait(state, deadline.remaining());
        }
    }

    /// Passes over what has been written so far: [`Process::wait_for_line`] only looks at what comes now.
    pub fn skip_lines(&self) {
        let mut state = self.shared.lock();
        state.next = state.lines.len();
    }

    /// Awaits the end.
    ///
    /// # Errors
    /// If it has not ended `within` this time.
    pub fn wait(&self, within: Duration) -> Result<ExitStatus> {
        let deadline = Moment::now() + within;
        let mut state = self.shared.lock();
        loop {
            if let Some(status) = state.ended {
                return Ok(status);
            }
            if deadline.remaining().is_zero() {
                bail!("{} still runs after {within:?}; it wrote:\n{}", self.name, state.tail());
            }
            state = self.shared.wait(state, deadline.remaining());
        }
    }

    /// Awaits the end of the process and of what it has forked: of everything that can write to its output, and of what
    /// the host's first process has inherited.
    ///
    /// # Errors
    /// If something is there still after this time.
    pub fn wait_for_whole_end(&self, within: Duration) -> Result<ExitStatus> {
        let deadline = Moment::now() + within;
        let status = self.wait(within)?;
        let mut state = self.shared.lock();
        while !state.closed {
            if deadline.remaining().is_zero() {
                bail!("something that {} forked still runs after {within:?}", self.name);
            }
            state = self.shared.wait(state, deadline.remaining());
        }
        // A process closes its files a moment before it has ended.
        for orphan in children_of(self.init, |name| name != "cat") {
            // An error means that it has ended meanwhile.
            if let Ok(end) = pidfd(orphan.as_raw())
                && !readable(&end, deadline)?
            {
                bail!("something that {} forked still runs after {within:?}", self.name);
            }
        }
        Ok(status)
    }

    /// True until it has ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.shared.lock().ended.is_none()
    }

    /// Asks it to end (SIGTERM to the process alone, as a service manager does).
    ///
    /// # Errors
    /// If it has ended already.
    pub fn stop(&self) -> Result<()> {
        self.signal(Signal::SIGTERM)
    }

    /// Kills it and every process of its group (SIGKILL), and awaits the end.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn kill(&self) -> Result<()> {
        self.signal_group(Signal::SIGKILL)?;
        self.wait(KILLED).map(drop)
    }

    /// Kills it alone (SIGKILL), as the kernel's memory killer does; what it forked lives on. Does not await the end.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn kill_alone(&self) -> Result<()> {
        self.signal(Signal::SIGKILL)
    }

    /// Freezes it and its group (SIGSTOP).
    ///
    /// # Errors
    /// If it has ended already.
    pub fn freeze(&self) -> Result<()> {
        self.signal_group(Signal::SIGSTOP)
    }

    /// Lets it and its group run again (SIGCONT).
    ///
    /// # Errors
    /// If it has ended already.
    pub fn thaw(&self) -> Result<()> {
        self.signal_group(Signal::SIGCONT)
    }

    /// Sends a signal to the process alone.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.while_it_runs(|pid| kill(pid, signal))
    }

    /// Sends a signal to its thread of that name.
    ///
    /// # Errors
    /// If there is none, or the process has ended already.
    pub fn signal_thread(&self, name: &str, signal: Signal) -> Result<()> {
        self.while_it_runs(|pid| {
            let thread = thread_of(pid, name).ok_or(Errno::ESRCH)?;
            // SAFETY: takes no pointer; the thread's number is not another's while the process is there.
            Errno::result(unsafe { libc::syscall(libc::SYS_tgkill, pid.as_raw(), thread, signal as i32) })
                .map(drop)
        })
    }

    /// Kills a process that it has forked, by its name (SIGKILL), and tells whether there was one.
    ///
    /// # Errors
    /// If the process has ended already.
    pub fn kill_child(&self, name: &str) -> Result<bool> {
        let mut killed = false;
        self.while_it_runs(|pid| {
            for child in children_of(pid, |comm| comm == name) {
                kill(child, Signal::SIGKILL)?;
                killed = true;
            }
            Ok(())
        })?;
        Ok(killed)
    }

    /// Sends a signal to its process group.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn signal_group(&self, signal: Signal) -> Result<()> {
        self.while_it_runs(|pid| killpg(pid, signal))
    }

    /// The pid cannot be reused before the process is reaped, and that happens under the same lock.
    fn while_it_runs(&self, send: impl FnOnce(Pid) -> nix::Result<()>) -> Result<()> {
        let state = self.shared.lock();
        if let Some(status) = state.ended {
            bail!("{} has ended with {status}; it wrote:\n{}", self.name, state.tail());
        }
        send(self.pid).with_context(|| format!("cannot signal {}", self.name))
    }
}

fn thread_of(pid: Pid, name: &str) -> Option<i32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let mut named = threads.filter(|thread| name_of(&thread.path()) == name);
    named.next()?.file_name().to_str()?.parse().ok()
}

fn children_of(pid: Pid, named: impl Fn(&str) -> bool) -> Vec<Pid> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw);
    children.filter(|child| named(&name_of(Path::new(&format!("/proc/{child}"))))).collect()
}

fn name_of(task: &Path) -> String {
    fs::read_to_string(task.join("comm")).unwrap_or_default().trim_end().to_owned()
}

/// A program inherits which signals are blocked, and the maker of a lab may block some for its own threads.
fn take_every_signal() -> std::io::Result<()> {
    Ok(SigSet::empty().thread_set_mask()?)
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended before.
        let _ = self.kill();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, at_most: Duration) -> MutexGuard<'a, State> {
        self.changed.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner).0
    }

    fn read(&self, output: PipeReader, mut log: File) {
        let mut output = BufReader::new(output);
        let mut bytes = Vec::new();
        while output.read_until(b'\n', &mut bytes).is_ok_and(|length| length > 0) {
            let at = Moment::now();
            // The file is for people; a full disk must not stop the test.
            let _ = log.write_all(&bytes);
            let text = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            self.lock().lines.push(Line { at, text });
            self.changed.notify_all();
            bytes.clear();
        }
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Reaps the child as soon as it ends: a PID namespace does not go away before that.
    fn reap(&self, mut child: Child, pid: Pid) {
        let ended = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        debug_assert!(ended.is_ok(), "nobody else waits for the child");
        let mut state = self.lock();
        state.ended = child.wait().ok();
        self.changed.notify_all();
    }
}

impl State {
    fn tail(&self) -> String {
        let from = self.lines.len().saturating_sub(30);
        let lines: Vec<&str> = self.lines[from..].iter().map(|line| line.text.as_str()).collect();
        lines.join("\n")
    }
}
