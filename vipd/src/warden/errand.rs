//! What is done for an agent that has died, or that breaks down: the will, carried out.

use std::ffi::CStr;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::netlink::Netlink;
use super::undo::Word;
use super::will::{Destination, Hold, Will};
use crate::effects::Transmitter;
use crate::run_dir::RunDir;

/// Everything that carrying out a will needs, opened beforehand. Nothing is allocated then.
pub struct Errand {
    will: Will,
    transmitter: Mutex<Transmitter<()>>,
    netlink: Netlink,
    run_dir: Arc<RunDir>,
}

/// What has been given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenAway {
    /// Adverts with priority 0 that the kernel took.
    pub resignations: u32,
    /// Addresses that the kernel was told to remove.
    pub addresses: u32,
}

impl Errand {
    /// Opens the sockets in this network namespace.
    ///
    /// # Errors
    /// When the kernel refuses one; `CAP_NET_RAW` is needed.
    pub fn prepare(will: Will, run_dir: Arc<RunDir>) -> io::Result<Self> {
        let mut transmitter = Transmitter::open()?;
        let (frames, octets) = will.most();
        transmitter.reserve(frames, octets);
        Ok(Self { will, transmitter: Mutex::new(transmitter), netlink: Netlink::open()?, run_dir })
    }

    /// Removes what the agent put on interfaces, then resigns for every virtual router that is MASTER. In this order, since
    /// a Backup speaks as soon as the skew time after a resignation, and the kernel may take long to remove an address
    /// while others change theirs (promise 1).
    pub fn give_away(&self) -> GivenAway {
        self.will.execute();
        let addresses = self.release();
        let resignations = self.resign();
        self.undo();
        GivenAway { resignations, addresses }
    }

    /// Whether somebody has given everything away before: an agent that panicked.
    pub(super) fn was_done(&self) -> bool {
        self.will.is_executed()
    }

    /// Removes everything else that outlives a process, once the agent is gone.
    pub fn sweep(&self) {
        self.run_dir.sweep();
    }

    fn resign(&self) -> u32 {
        let mut transmitter = self.transmitter.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = 0;
        self.will.take_resignations(|destination, octets| match destination {
            Destination::Interface(ifindex) => transmitter.queue(ifindex, octets, ()),
            Destination::Peer(peer, ifindex) => {
                count += u32::from(transmitter.packet(peer, ifindex, octets).is_ok());
            }
        });
        transmitter.flush(|(), outcome| count += u32::from(outcome.is_ok()));
        count
    }

    fn undo(&self) {
        self.will.take_undos(|word| match word {
            Word::Request(octets) => self.netlink.send(octets),
            Word::Parameter(path, value) => {
                // There is nothing else to try; the next agent does it.
                let _ = write_parameter(path, value);
            }
        });
    }

    fn release(&self) -> u32 {
        let ours = self.will.holds().filter(|(hold, _)| *hold == Hold::Ours);
        let mut count = self.netlink.remove(ours.map(|(_, place)| place));
        if self.will.holds().any(|(hold, _)| hold == Hold::Asked) {
            self.netlink.marked(|marked| {
                let asked = self.will.holds().any(|hold| hold == (Hold::Asked, marked));
                count += self.netlink.remove(asked.then_some(marked).into_iter());
            });
        }
        count
    }
}

fn write_parameter(path: &CStr, value: &[u8]) -> nix::Result<()> {
    let file = open(path, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    nix::unistd::write(file, value).map(drop)
}
