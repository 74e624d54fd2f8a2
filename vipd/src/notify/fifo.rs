//! Named pipes that get a line for each event, and the programs that read them.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, fchown};
use std::rc::Rc;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::notice::Notice;
use super::tally::{Outage, Tally};
use crate::config::Fifo;
use crate::exec;

/// Who may read and write a pipe that was made here: its owner alone, as keepalived 2.2.7 makes it.
const MODE: Mode = Mode::from_bits_truncate(0o600);

/// A pipe that is open. It is removed on drop if it was made here.
pub(super) struct Pipe {
    fifo: Fifo,
    file: File,
    made: bool,
    outage: Outage,
    tally: Rc<Tally>,
}

impl Pipe {
    /// Opens a pipe, and makes it first where it is missing. Both ends are opened, so that lines wait in it while nobody
    /// reads.
    ///
    /// # Errors
    /// When it cannot be made, or something else is there.
    pub(super) fn open(fifo: &Fifo, tally: Rc<Tally>) -> io::Result<Self> {
        let made = match mkfifo(&fifo.path, MODE) {
            Ok(()) => true,
            Err(nix::errno::Errno::EEXIST) => false,
            Err(errno) => return Err(errno.into()),
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOFOLLOW)
            .open(&fifo.path)?;
        if !file.metadata()?.file_type().is_fifo() {
            return Err(io::Error::other("something else than a pipe is there; remove it, or name another path"));
        }
        let pipe = Self { fifo: fifo.clone(), file, made, outage: Outage::default(), tally };
        if made && let Some(account) = &fifo.owner {
            let (uid, gid) = exec::ids(account).map_err(io::Error::other)?;
            fchown(&pipe.file, Some(uid), Some(gid))?;
        }
        Ok(pipe)
    }

    /// Writes the line of a notice. A full pipe loses it.
    pub(super) fn write(&mut self, notice: &Notice) {
        let line = line(notice);
        // Up to PIPE_BUF (4096) octets go whole or not at all.
        match self.file.write_all(line.as_bytes()) {
            Ok(()) => {
                self.tally.sent();
                self.outage.over(&self.tally.name());
            }
            Err(error) => {
                self.tally.dropped(1);
                let full = error.kind() == io::ErrorKind::WouldBlock;
                let why = if full { "it is full, nobody reads it".to_owned() } else { error.to_string() };
                self.outage.failed(&self.tally.name(), &format!("lines are lost: {why}"));
            }
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        if self.made {
            // It is gone already when somebody else has removed it.
            let _ = fs::remove_file(&self.fifo.path);
        }
    }
}

/// Keepalived's line for an event.
fn line(notice: &Notice) -> String {
    let Notice { subject, word, priority, .. } = notice;
    format!("{} \"{}\" {word} {priority}\n", subject.kind, subject.name)
}
