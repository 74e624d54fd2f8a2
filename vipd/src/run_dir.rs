//! The directory of an agent's runtime files, and the lock that keeps a second agent out of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::datapath::remove_pins;

const LOCK: &str = "lock";
const CONTROL: &str = "control.sock";
const RECORD: &str = "record";
/// A line of the lock file, below the holder's process id: the directory was made by an agent.
const MADE: &str = "directory made by vipd";
/// How long the warden of a dead agent is waited for; it needs a few milliseconds.
const WARDEN: Duration = Duration::from_secs(2);

/// Why a run directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another agent holds the lock.
    #[error(
        "another vipd (pid {pid}) runs with the run directory {dir}; stop it, or give this one its own with --run-dir"
    )]
    Taken {
        /// The directory.
        dir: PathBuf,
        /// The holder, as it wrote itself into the lock file.
        pid: String,
    },
    /// The directory or the lock cannot be made.
    #[error("cannot use the run directory {dir}: {source}")]
    Io {
        /// The directory.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A run directory that this process holds, together with what it has forked. Dropping it sweeps it.
pub struct RunDir {
    dir: PathBuf,
    made: bool,
    lock: Flock<File>,
}

impl RunDir {
    /// Makes the directory where it is missing, locks it, and removes what a killed agent left in it.
    ///
    /// # Errors
    /// When another agent holds it or it cannot be written.
    pub fn acquire(dir: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Io { dir: dir.to_owned(), source };
        let (lock, made) = lock(dir)?;
        let held = Self { dir: dir.to_owned(), made, lock };
        match fs::remove_file(held.control()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(held),
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Where the control socket of this agent is.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        control(&self.dir)
    }

    /// Where this agent records what the next one has to look for.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.dir.join(RECORD)
    }

    /// The descriptor of the lock, which a process must keep open to hold it.
    #[must_use]
    pub fn lock_fd(&self) -> RawFd {
        self.lock.as_raw_fd()
    }

    /// Removes every file of ours, with what they keep in the kernel, and the directory if it was made here and nothing else is in it. Does nothing where
    /// that was done before: the files are another agent's then.
    pub fn sweep(&self) {
        let lock = self.dir.join(LOCK);
        if !is_at(&self.lock, &lock) {
            return;
        }
        // What cannot be removed now is removed by the next agent; the lock itself ends with the process.
        let _ = remove_pins(&self.dir);
        let _ = fs::remove_file(self.control());
        let _ = fs::remove_file(self.record());
        let _ = fs::remove_file(lock);
        if self.made {
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        self.sweep();
    }
}

/// Whether this open file is the one that others find there.
fn is_at(file: &File, path: &Path) -> bool {
    let there = fs::metadata(path).map(|there| (there.dev(), there.ino())).ok();
    file.metadata().is_ok_and(|own| there == Some((own.dev(), own.ino())))
}

/// Where the control socket of the agent with this run directory is.
#[must_use]
pub fn control(dir: &Path) -> PathBuf {
    dir.join(CONTROL)
}

/// Locks a directory, which is made where it is missing, and tells whether it goes when the agent does: it was made for
/// this one, or for one that was killed.
fn lock(dir: &Path) -> Result<(Flock<File>, bool), Error> {
    let path = dir.join(LOCK);
    let failed = |source| Error::Io { dir: dir.to_owned(), source };
    let started = Instant::now();
    let mut made = false;
    loop {
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = match opened {
            // It may have been there until now, and gone with the agent that made it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && started.elapsed() < WARDEN => {
                fs::DirBuilder::new().recursive(true).mode(0o755).create(dir).map_err(failed)?;
                made = true;
                continue;
            }
            opened => opened.map_err(failed)?,
        };
        let mut locked = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(locked) => locked,
            Err((mut file, nix::errno::Errno::EWOULDBLOCK)) => {
                let pid = text(&mut file).lines().next().unwrap_or_default().to_owned();
                if is_dead(&pid) && started.elapsed() < WARDEN {
                    thread::sleep(Duration::from_millis(1));
                    continue;
                }
                return Err(Error::Taken { dir: dir.to_owned(), pid });
            }
            Err((_, errno)) => return Err(failed(errno.into())),
        };
        // An agent that was ending may have removed the file between our open and our lock; then this lock guards
        // nothing that others can see.
        if is_at(&locked, &path) {
            let made = made || text(&mut locked).lines().any(|line| line == MADE);
            let content = format!("{}\n{}", std::process::id(), if made { MADE } else { "" });
            locked.set_len(0).and_then(|()| locked.rewind()).map_err(failed)?;
            locked.write_all(content.as_bytes()).map_err(failed)?;
            return Ok((locked, made));
        }
    }
}

fn text(file: &mut File) -> String {
    let mut text = String::new();
    // What is not there or not text tells nothing.
    let _ = file.read_to_string(&mut text);
    text
}

/// Whether no process has this number; then its warden holds the lock until it has cleaned up.
fn is_dead(pid: &str) -> bool {
    pid.parse().is_ok_and(|pid| kill(Pid::from_raw(pid), None) == Err(nix::errno::Errno::ESRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("vipd-run-dir-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&dir);
        dir
    }

    #[test]
    fn a_second_agent_is_told_who_holds_the_run_directory() {
        let dir = scratch("second");
        let first = RunDir::acquire(&dir).expect("free");

        let second = RunDir::acquire(&dir);

        let error = second.err().expect("taken").to_string();
        assert!(
            error.contains(&format!("pid {}", std::process::id())) && error.contains("--run-dir"),
            "{error}"
        );
        drop(first);
    }

    /// Promise 4: nothing left behind.
    #[test]
    fn nothing_stays_of_a_run_directory_that_was_made_here() {
        let dir = scratch("made");

        drop(RunDir::acquire(&dir).expect("free"));

        assert!(!dir.exists());
    }

    /// Promise 4: nothing left behind, and nothing of others taken away.
    #[test]
    fn a_directory_that_was_there_stays_and_a_dead_socket_goes() {
        let dir = scratch("kept");
        fs::create_dir(&dir).expect("scratch");
        fs::write(control(&dir), "left by a killed agent").expect("scratch");

        let held = RunDir::acquire(&dir).expect("free");

        assert!(!held.control().exists());
        drop(held);
        assert_eq!(fs::read_dir(&dir).expect("still there").count(), 0);
        fs::remove_dir(&dir).expect("empty");
    }

    /// Promise 4: nothing left behind, also when the one that made it had no time to clean up.
    #[test]
    fn a_directory_that_a_killed_agent_made_goes_with_the_next_one() {
        let dir = scratch("killed");
        let killed = RunDir::acquire(&dir).expect("free");
        let lock = fs::read(dir.join(LOCK)).expect("its lock file");
        drop(killed);
        fs::create_dir(&dir).expect("scratch");
        fs::write(dir.join(LOCK), lock).expect("scratch");

        drop(RunDir::acquire(&dir).expect("free"));

        assert!(!dir.exists());
    }

    /// A warden that is late must not take the files of the agent that came after.
    #[test]
    fn a_directory_that_was_swept_is_left_alone() {
        let dir = scratch("swept");
        let first = RunDir::acquire(&dir).expect("free");
        first.sweep();
        let second = RunDir::acquire(&dir).expect("free");
        fs::write(second.control(), "in use").expect("scratch");

        drop(first);

        assert!(second.control().exists());
        drop(second);
        assert!(!dir.exists());
    }
}
