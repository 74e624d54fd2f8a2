//! Kernel parameters that the agent sets while it runs (`/proc/sys`), and puts back.

use std::fs;
use std::io;

use crate::warden::{Undo, Will};

/// Those that were set; dropping it puts back what they were before, the latest first.
pub(crate) struct Parameters {
    set: Vec<Undo>,
    will: Will,
}

impl Parameters {
    /// None yet.
    pub(crate) fn new(will: Will) -> Self {
        Self { set: Vec::new(), will }
    }

    /// Sets a parameter such as `net/ipv4/conf/eth0/arp_ignore`; what it was before is put back later.
    ///
    /// # Errors
    /// When there is no such parameter, or it may not be written, as in a container with a read-only `/proc/sys`.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> io::Result<()> {
        let path = path(name);
        let before = fs::read_to_string(&path)?.trim().to_owned();
        if before == value {
            return Ok(());
        }
        if self.before().any(|(known, _)| known == path) {
            // Its interface was made again.
            return fs::write(&path, value);
        }
        let undo = Undo::Parameter(path.clone(), before);
        if !self.will.undo(&undo) {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        if let Err(error) = fs::write(&path, value) {
            self.will.undone(&undo);
            return Err(error);
        }
        self.set.push(undo);
        Ok(())
    }

    /// Each that was set, as it was before.
    pub(crate) fn before(&self) -> impl Iterator<Item = (&str, &str)> {
        self.set.iter().filter_map(|undo| match undo {
            Undo::Parameter(path, value) => Some((path.as_str(), value.as_str())),
            Undo::Request(_) => None,
        })
    }
}

impl Drop for Parameters {
    fn drop(&mut self) {
        for undo in self.set.iter().rev() {
            if let Undo::Parameter(path, before) = undo
                && let Err(error) = fs::write(path, before)
            {
                // With its interface it goes by itself.
                tracing::debug!("cannot put {path} back to {before}: {error}");
            }
            self.will.undone(undo);
        }
    }
}

/// Sets a parameter that goes with its interface, and need not be put back; one that this kernel does not have is fine.
///
/// # Errors
/// When it may not be written.
pub(super) fn set_for_good(name: &str, value: &str) -> io::Result<()> {
    match fs::write(path(name), value) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn path(name: &str) -> String {
    format!("/proc/sys/{name}")
}
