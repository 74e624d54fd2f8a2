//! What is done for an agent that has died, or that breaks down: the will, carried out.

use std::io;
use std::net::{IpAddr, SocketAddrV4};
use std::sync::Arc;

use super::rtnl::Rtnl;
use super::will::{Destination, Hold, Will};
use crate::effects::{Transmitter, link_address};
use crate::run_dir::RunDir;

/// Everything that carrying out a will needs, opened beforehand. Nothing is allocated then.
pub struct Errand {
    will: Will,
    transmitter: Transmitter,
    rtnl: Rtnl,
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
        Ok(Self { will, transmitter: Transmitter::open()?, rtnl: Rtnl::open()?, run_dir })
    }

    /// Resigns for every virtual router that is MASTER, then removes what the agent put on interfaces.
    pub fn give_away(&self) -> GivenAway {
        self.will.execute();
        let resignations = self.resign();
        GivenAway { resignations, addresses: self.release() }
    }

    /// Removes everything else that outlives a process, once the agent is gone.
    pub fn sweep(&self) {
        // Pins of the datapath go here, before the files.
        self.run_dir.sweep();
    }

    fn resign(&self) -> u32 {
        let (mut frames, mut packets) = (self.transmitter.frames(), self.transmitter.packets());
        for (destination, octets) in self.will.take_resignations() {
            match destination {
                Destination::Interface(ifindex) => frames.push(link_address(ifindex), octets),
                Destination::Peer(IpAddr::V4(peer)) => packets.push(SocketAddrV4::new(peer, 0).into(), octets),
                // The agent sends none.
                Destination::Peer(IpAddr::V6(_)) => {}
            }
        }
        frames.finish() + packets.finish()
    }

    fn release(&self) -> u32 {
        let ours = self.will.holds().filter(|(hold, _)| *hold == Hold::Ours);
        let mut count = self.rtnl.remove(ours.map(|(_, place)| place));
        if self.will.holds().any(|(hold, _)| hold == Hold::Asked) {
            self.rtnl.marked(|marked| {
                let asked = self.will.holds().any(|hold| hold == (Hold::Asked, marked));
                count += self.rtnl.remove(asked.then_some(marked).into_iter());
            });
        }
        count
    }
}
