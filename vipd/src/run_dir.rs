//! The directory of an agent's runtime files, and the lock that keeps a second agent out of it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{Flock, FlockArg};

const LOCK: &str = "lock";
const CONTROL: &str = "control.sock";

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

/// A run directory that this process holds. Dropping it removes every file of ours, and the directory if it was made
/// here and nothing else is in it.
pub struct RunDir {
    dir: PathBuf,
    made: bool,
    _lock: Flock<File>,
}

impl RunDir {
    /// Makes the directory where it is missing, locks it, and removes what a killed agent left in it.
    ///
    /// # Errors
    /// When another agent holds it or it cannot be written.
    pub fn acquire(dir: &Path) -> Result<Self, Error> {
        let failed = |source| Error::Io { dir: dir.to_owned(), source };
        let made = !dir.exists();
        if made {
            fs::DirBuilder::new().recursive(true).mode(0o755).create(dir).map_err(failed)?;
        }
        let lock = lock(dir)?;
        let held = Self { dir: dir.to_owned(), made, _lock: lock };
        match fs::remove_file(held.control()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(held),
        }
    }

    /// Where the control socket of this agent is.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        control(&self.dir)
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next agent; the lock itself ends with the process.
        let _ = fs::remove_file(self.control());
        let _ = fs::remove_file(self.dir.join(LOCK));
        if self.made {
            let _ = fs::remove_dir(&self.dir);
        }
    }
}

/// Where the control socket of the agent with this run directory is.
#[must_use]
pub fn control(dir: &Path) -> PathBuf {
    dir.join(CONTROL)
}

fn lock(dir: &Path) -> Result<Flock<File>, Error> {
    let path = dir.join(LOCK);
    let failed = |source| Error::Io { dir: dir.to_owned(), source };
    loop {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        let mut locked = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(locked) => locked,
            Err((mut file, nix::errno::Errno::EWOULDBLOCK)) => {
                let mut pid = String::new();
                let _ = file.read_to_string(&mut pid);
                return Err(Error::Taken { dir: dir.to_owned(), pid: pid.trim().to_owned() });
            }
            Err((_, errno)) => return Err(failed(errno.into())),
        };
        // An agent that was ending may have removed the file between our open and our lock; then this lock guards
        // nothing that others can see.
        let ours = locked.metadata().map_err(failed)?.ino();
        if fs::metadata(&path).is_ok_and(|now| now.ino() == ours) {
            locked.set_len(0).map_err(failed)?;
            writeln!(locked, "{}", std::process::id()).map_err(failed)?;
            return Ok(locked);
        }
    }
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
}
