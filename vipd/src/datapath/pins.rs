//! What stays in the kernel when an agent and its warden are both killed: the programs, and with them the gate that closes
//! when a lease is over (promise 1).
//!
//! Links are pinned in a bpf file system of the agent's own, below its run directory. The maps need no pin: programs keep
//! them. Without a process that holds them the kernel's timers end by themselves; what is left drops and counts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aya::programs::links::PinnedLink;
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::statfs::{BPF_FS_MAGIC, statfs};

const DIR: &str = "bpf";
const LINK: &str = "link-";

/// A bpf file system with the pins of this agent; dropping it removes both.
pub struct Pins {
    run_dir: PathBuf,
}

impl Pins {
    /// Mounts it in a run directory, where no other agent's may be left: [`remove_pins`].
    ///
    /// # Errors
    /// When the kernel refuses; `CAP_SYS_ADMIN` is needed.
    pub fn mount(run_dir: &Path) -> io::Result<Self> {
        let dir = run_dir.join(DIR);
        fs::create_dir(&dir)?;
        let made = Self { run_dir: run_dir.to_owned() };
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some("bpf"), &dir, Some("bpf"), flags, Some("mode=0700"))?;
        Ok(made)
    }

    /// Where the program at an interface is pinned. A name would not do: there is no dot in this file system.
    pub(super) fn link(&self, ifindex: u32) -> PathBuf {
        self.run_dir.join(DIR).join(format!("{LINK}{ifindex}"))
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        if let Err(error) = remove_pins(&self.run_dir) {
            tracing::warn!("cannot remove {}: {error}", self.run_dir.join(DIR).display());
        }
    }
}

/// Removes a pin. Closing the last descriptor takes a program away at once, removing the last file some time later.
fn unpin(path: &Path) -> io::Result<()> {
    match PinnedLink::from_pin(path) {
        Ok(link) => link.unpin().map(drop),
        Err(_) => fs::remove_file(path),
    }
}

/// Removes what an agent with this run directory has pinned: its programs go with it, unless the agent is alive. Says whether
/// there was anything. Needs no runtime, and may be done again.
///
/// # Errors
/// When the kernel refuses, or there is something that is not an agent's.
pub fn remove_pins(run_dir: &Path) -> io::Result<bool> {
    let dir = run_dir.join(DIR);
    let mut found = false;
    loop {
        match statfs(&dir) {
            Ok(stat) if stat.filesystem_type() == BPF_FS_MAGIC => {}
            Ok(_) => break,
            Err(Errno::ENOENT) => return Ok(found),
            Err(errno) => return Err(errno.into()),
        }
        // Elsewhere the mount may have a copy, in which the pins would stay.
        for file in fs::read_dir(&dir)? {
            let file = file?;
            // The kernel may have put files of its own there.
            if file.file_name().as_encoded_bytes().starts_with(LINK.as_bytes()) {
                unpin(&file.path())?;
                found = true;
            }
        }
        umount2(&dir, MntFlags::MNT_DETACH)?;
    }
    fs::remove_dir(&dir)?;
    Ok(found)
}
