//! The only thing of a lab on the file system: a directory for logs and mount points.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

const PREFIX: &str = "vipd-lab-";

/// A directory `vipd-lab-<pid>-<n>` below the system's temporary directory; removed on drop.
#[derive(Debug)]
pub(crate) struct LabDir(PathBuf);

impl LabDir {
    /// Makes a new directory, and removes those of processes that have ended without doing so.
    pub(crate) fn create() -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        sweep(&std::env::temp_dir(), is_gone);
        let name = format!("{PREFIX}{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for LabDir {
    fn drop(&mut self) {
        // What cannot be removed now is swept by a later lab.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes every lab directory of this process, for an end without drops.
pub(crate) fn remove_own() {
    sweep(&std::env::temp_dir(), |pid| pid == process::id());
}

/// Removes the lab directories below `parent` whose owner's pid is `doomed`.
fn sweep(parent: &Path, doomed: impl Fn(u32) -> bool) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_str().and_then(owner).is_some_and(&doomed) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The pid in a lab directory's name.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}

fn is_gone(pid: u32) -> bool {
    !Path::new("/proc").join(pid.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_directories_of_dead_processes_are_swept() {
        // Arrange: pid 0 is never a process of /proc.
        let parent = LabDir::create().expect("temporary directory");
        let dead = parent.path().join(format!("{PREFIX}0-0"));
        let alive = parent.path().join(format!("{PREFIX}{}-7", process::id()));
        let foreign = parent.path().join("vipd-labour");
        for path in [&dead, &alive, &foreign] {
            fs::create_dir(path).expect("directory");
        }

        // Act
        sweep(parent.path(), is_gone);

        // Assert
        assert!(!dead.exists());
        assert!(alive.exists());
        assert!(foreign.exists());
    }
}
