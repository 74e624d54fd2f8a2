//! Named pipes that get a line for each event, and the programs that read them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, fchown};
use std::rc::Rc;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::notice::Notice;
use super::scripts::{judge, prepare};
use super::tally::{Outage, Tally};
use crate::config::{Command, Fifo};
use crate::exec::{self, Child, Leftovers};

/// Who may read and write a pipe that was made here: its owner alone, as keepalived 2.2.7 makes it.
const MODE: Mode = Mode::from_bits_truncate(0o600);

/// From the end of a reader to its next start; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// But not longer than this. A reader that ran for so long is taken to have been in order.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How long a reader may go on when nothing more will come.
const LIMIT_AT_STOP: Duration = Duration::from_secs(1);

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
            return Err(io::Error::other(
                "something else than a pipe is there; remove it, or name another path",
            ));
        }
        let pipe = Self { fifo: fifo.clone(), file, made, outage: Outage::default(), tally };
        if made && let Some(account) = &fifo.owner {
            let (uid, gid) = exec::ids(account).map_err(io::Error::other)?;
            fchown(&pipe.file, Some(uid), Some(gid))?;
        }
        Ok(pipe)
    }

    /// What it was made from.
    pub(super) fn fifo(&self) -> &Fifo {
        &self.fifo
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

/// Keeps the program that reads a pipe running until vipd stops. Then the pipe is closed already, so that it finds its end,
/// and it is killed if it does not end by itself.
pub(super) async fn keep_reader(fifo: Fifo, script: Command, secure: bool, mut stop: watch::Receiver<bool>) {
    let label = format!("notify_fifo_script of {}", fifo.path.display());
    let mut outage = Outage::default();
    let mut wait = FIRST_WAIT;
    loop {
        let began = Instant::now();
        let why = match start(&fifo, &script, secure).await {
            Ok(mut child) => tokio::select! {
                ended = child.ended(Leftovers::Kill) => {
                    judge(&ended).err().unwrap_or_else(|| "ended".to_owned())
                }
                _ = stop.wait_for(|stop| *stop) => {
                    child.finish(LIMIT_AT_STOP, Leftovers::Kill).await;
                    return;
                }
            },
            Err(why) => why,
        };
        if began.elapsed() >= LONGEST_WAIT {
            (outage, wait) = (Outage::default(), FIRST_WAIT);
        }
        outage.failed(&label, &format!("{why}; it is started again"));
        if timeout(wait, stop.wait_for(|stop| *stop)).await.is_ok() {
            return;
        }
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn start(fifo: &Fifo, script: &Command, secure: bool) -> Result<Child, String> {
    let program = prepare(script, secure).await?;
    program.start(&[&fifo.path.to_string_lossy()]).await.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;
    use crate::config::{Config, Instance};
    use crate::notify::event::{Event, What};
    use crate::notify::story::Story;

    fn fifo(name: &str) -> Fifo {
        let path = std::env::temp_dir().join(format!("vipd-fifo-{}-{name}", std::process::id()));
        let _ = fs::remove_file(&path);
        Fifo { path, owner: None, script: None }
    }

    fn open(fifo: &Fifo) -> (Pipe, Rc<Tally>) {
        let tally = Rc::new(Tally::new("fifo"));
        (Pipe::open(fifo, Rc::clone(&tally)).expect("a pipe"), tally)
    }

    fn notice() -> Notice {
        let instances = vec![Instance::new("VI 1".to_owned(), "eth0".to_owned(), 1)];
        let config = Config { instances, ..Config::default() };
        let mut story = Story::new(&config);
        let event = Event { instance: vipd_core::InstanceId(0), priority: 90, what: What::Loser };
        story.tell(event).remove(0)
    }

    fn mode(path: &PathBuf) -> u32 {
        fs::metadata(path).expect("there").permissions().mode() & 0o7777
    }

    #[test]
    fn a_pipe_that_was_made_is_its_owners_alone_and_goes_with_the_agent() {
        let fifo = fifo("made");

        let (pipe, _) = open(&fifo);

        assert_eq!(mode(&fifo.path), 0o600);
        drop(pipe);
        assert!(!fifo.path.exists());
    }

    #[test]
    fn a_pipe_that_was_there_stays_as_it_was() {
        let fifo = fifo("found");
        mkfifo(&fifo.path, Mode::from_bits_truncate(0o640)).expect("temporary directory");
        let before = mode(&fifo.path);

        drop(open(&fifo));

        assert_eq!(mode(&fifo.path), before);
        fs::remove_file(&fifo.path).expect("ours");
    }

    #[test]
    fn what_is_no_pipe_is_refused_and_stays() {
        let file = fifo("file");
        fs::write(&file.path, "text").expect("temporary directory");
        let link = fifo("link");
        std::os::unix::fs::symlink(&file.path, &link.path).expect("temporary directory");

        for fifo in [&file, &link] {
            assert!(Pipe::open(fifo, Rc::new(Tally::new("fifo"))).is_err(), "{}", fifo.path.display());
        }

        assert_eq!(fs::read_to_string(&file.path).expect("there"), "text");
        for fifo in [file, link] {
            fs::remove_file(&fifo.path).expect("ours");
        }
    }

    #[test]
    fn lines_wait_for_a_reader_and_are_lost_and_counted_when_the_pipe_is_full() {
        let fifo = fifo("full");
        let (mut pipe, tally) = open(&fifo);
        let notice = notice();
        let line = "INSTANCE \"VI 1\" MASTER_RX_LOWER_PRI 90";

        while tally.status().dropped < 3 {
            pipe.write(&notice);
        }

        let sent = tally.status().sent;
        let reader = BufReader::new(File::open(&fifo.path).expect("ours"));
        drop(pipe);
        let lines: Vec<String> = reader.lines().map(|line| line.expect("text")).collect();
        assert!(lines.iter().all(|read| read == line), "no line is cut");
        assert_eq!(lines.len() as u64, sent);
    }
}
