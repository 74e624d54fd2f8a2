//! What is done for an agent that has died, or that breaks down: the will, carried out.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::netlink::Netlink;
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

    /// Resigns for every virtual router that is MASTER, then removes what the agent put on interfaces.
    pub fn give_away(&self) -> GivenAway {
        self.will.execute();
        let resignations = self.resign();
        GivenAway { resignations, addresses: self.release() }
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
