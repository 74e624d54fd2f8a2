//! The processes of a program: which they are, what they use, and when they have ended.

use std::fs;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use crate::Moment;
use crate::rtnl::readable;

/// What processes have used since they were started, and what they hold now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Time on a CPU, of all threads (`/proc/PID/task/TID/schedstat`, nanoseconds).
    pub cpu: Duration,
    /// Times that a thread went to sleep, and so was woken (voluntary context switches).
    pub sleeps: u64,
    /// Resident memory in KiB: pages shared between processes count once in each.
    pub resident: u64,
    /// The anonymous part of it in KiB: what is there because of the program's data, not of its file.
    pub anonymous: u64,
    /// Processes.
    pub processes: usize,
}

impl Usage {
    /// Of these processes together. Those that have ended by now count as nothing.
    #[must_use]
    pub fn of(processes: &[i32]) -> Self {
        let mut sum = Self::default();
        for pid in processes {
            let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
            sum.processes += 1;
            sum.resident += field(&status, "VmRSS:");
            sum.anonymous += field(&status, "RssAnon:");
            for thread in threads(*pid) {
                let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/task/{thread}/{file}"));
                let (schedstat, status) =
                    (read("schedstat").unwrap_or_default(), read("status").unwrap_or_default());
                let ran = schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0);
                sum.cpu += Duration::from_nanos(ran);
                sum.sleeps += field(&status, "voluntary_ctxt_switches:");
            }
        }
        sum
    }

    /// What was used since `earlier`; what is held stays what it is now.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            cpu: self.cpu.saturating_sub(earlier.cpu),
            sleeps: self.sleeps.saturating_sub(earlier.sleeps),
            ..self
        }
    }
}

/// A process and all that it has started and they have, as far as they still run.
#[must_use]
pub fn tree(root: i32) -> Vec<i32> {
    let parents: Vec<(i32, i32)> =
        numbers(Path::new("/proc")).filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut found = vec![root];
    let mut looked = 0;
    while let Some(parent) = found.get(looked).copied() {
        found.extend(parents.iter().filter(|(_, its)| *its == parent).map(|(pid, _)| *pid));
        looked += 1;
    }
    found.retain(|pid| Path::new(&format!("/proc/{pid}")).exists());
    found
}

/// Awaits that all of these processes have ended, whoever their parent is.
///
/// # Errors
/// If one still runs after this time.
pub fn wait_for_end(processes: &[i32], within: Duration) -> Result<()> {
    let deadline = Moment::now() + within;
    for pid in processes {
        let process = match pidfd(*pid) {
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => continue,
            process => process.context("pidfd_open")?,
        };
        ensure!(readable(&process, deadline)?, "process {pid} still runs after {within:?}");
    }
    Ok(())
}

/// A descriptor that becomes readable when the process ends.
pub(crate) fn pidfd(pid: i32) -> io::Result<OwnedFd> {
    // SAFETY: the call takes two numbers and no memory.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for the caller, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The name of a process, at most 15 octets, as it may have set it itself.
#[must_use]
pub fn name(pid: i32) -> Option<String> {
    Some(fs::read_to_string(format!("/proc/{pid}/comm")).ok()?.trim_end().to_owned())
}

/// Lets every thread of these processes run on one core only, as what they start from now on will. Returns how many
/// threads could not be bound: the kernel binds none that it schedules by deadline.
#[must_use]
pub fn pin(processes: &[i32], core: usize) -> usize {
    let mut cores = CpuSet::new();
    if cores.set(core).is_err() {
        return processes.len();
    }
    let threads = processes.iter().flat_map(|pid| threads(*pid));
    threads.filter(|thread| sched_setaffinity(Pid::from_raw(*thread), &cores).is_err()).count()
}

fn threads(pid: i32) -> impl Iterator<Item = i32> {
    numbers(&Path::new("/proc").join(pid.to_string()).join("task"))
}

fn numbers(directory: &Path) -> impl Iterator<Item = i32> + use<> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it may hold anything, closing parentheses too.
    let (_, behind) = stat.rsplit_once(") ")?;
    behind.split(' ').nth(1)?.parse().ok()
}

/// The first number behind a field's name in a `status` file of `/proc`.
fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_tree_has_children_and_grandchildren() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 1000 & echo; cat; kill $!"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        io::Read::read_exact(&mut shell.stdout.take().expect("piped"), &mut [0]).expect("sleep is started");

        let own = i32::try_from(std::process::id()).expect("pid");
        let found = tree(own);

        let shell_pid = i32::try_from(shell.id()).expect("pid");
        assert_eq!(found[0], own);
        assert!(found.contains(&shell_pid));
        assert!(found.iter().any(|pid| parent(*pid) == Some(shell_pid)), "{found:?}");
        wait_for_end(&[shell_pid], Duration::ZERO).expect_err("it still runs");
        drop(shell.stdin.take());
        wait_for_end(&found[1..], Duration::from_mins(1)).expect("all end");
        shell.wait().expect("it ends");
    }

    #[test]
    fn work_is_cpu_time_and_sleep_is_a_wake_up() {
        let own = [i32::try_from(std::process::id()).expect("pid")];
        let before = Usage::of(&own);

        let mut sum = 0_u64;
        while Usage::of(&own).cpu <= before.cpu {
            sum = black_box(sum.wrapping_add(1));
        }
        std::thread::sleep(Duration::from_millis(1));

        let after = Usage::of(&own);
        assert!(after.cpu > before.cpu && after.sleeps > before.sleeps);
        assert!(after.resident >= after.anonymous && after.anonymous > 0);
        assert_eq!(after.processes, 1);
    }
}
