//! The will: what is to be done for an agent that has died. The election thread writes it, without a lock, as things
//! change; it is read when that thread is dead.
//!
//! Every entry says last that it is whole, and first that it is not: the reader skips one that death left half written.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use vipd_core::InstanceId;

use super::shared::{self, Shared};
use crate::config::Config;
use crate::effects::Address;

/// The most addresses that an advert can list (RFC 9568 section 5.2.5).
const ADDRESSES_MAX: usize = 255;

/// Where a resignation goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Out of this interface, as a whole frame.
    Interface(u32),
    /// To this peer, as an IP packet that the kernel routes; a link-local peer is behind that interface.
    Peer(IpAddr, u32),
}

/// What the agent knows of an address that it wants on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Asked for; whether it was there before is not known. If it bears the mark, an agent put it there.
    Asked,
    /// Put there by the agent.
    Ours,
}

/// An address on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ifindex: u32,
    pub(super) ip: IpAddr,
    pub(super) prefix: u8,
}

/// The will of an agent. Clones are the same will, and so is what a fork inherits.
#[derive(Clone)]
pub struct Will(Arc<Parts>);

struct Parts {
    executed: &'static [AtomicBool],
    masters: &'static [AtomicBool],
    resignations: &'static [Resignation],
    /// Octets of the resignations.
    octets: &'static [AtomicU8],
    holds: &'static [Entry],
    instances: Vec<Shares>,
}

/// Which entries belong to an instance.
struct Shares {
    resignations: Range<usize>,
    /// Where the octets of its resignations begin, and the room for each.
    octets: usize,
    room: usize,
    holds: Range<usize>,
}

/// An advert with priority 0.
struct Resignation {
    /// Octets; 0 while there is none.
    length: AtomicU32,
    /// It is a packet to `peer`, not a frame.
    to_peer: AtomicBool,
    ifindex: AtomicU32,
    peer: Ip,
}

struct Entry {
    /// 0: nothing, 1: [`Hold::Asked`], 2: [`Hold::Ours`].
    state: AtomicU32,
    ifindex: AtomicU32,
    ip: Ip,
    prefix: AtomicU32,
}

#[derive(Default)]
struct Ip {
    is_v6: AtomicBool,
    words: [AtomicU32; 4],
}

// SAFETY: it consists of atomics only.
unsafe impl Shared for Resignation {}
// SAFETY: as above.
unsafe impl Shared for Entry {}

impl Will {
    /// An empty will with room for everything that a configuration can make the agent do.
    ///
    /// # Errors
    /// When the kernel has no memory.
    pub fn new(config: &Config) -> io::Result<Self> {
        let (mut resignations, mut octets, mut holds) = (0, 0, 0);
        let instances = config.instances.iter().map(|instance| {
            let destinations = instance.peers.len().max(1);
            let addresses = instance.addresses.len() + instance.excluded.len();
            let room = advert_octets(instance.addresses.len().min(ADDRESSES_MAX));
            let shares = Shares {
                resignations: resignations..resignations + destinations,
                octets,
                room,
                holds: holds..holds + addresses,
            };
            resignations += destinations;
            octets += destinations * room;
            holds += addresses;
            shares
        });
        let instances = instances.collect();
        Ok(Self(Arc::new(Parts {
            executed: shared::zeroed(1)?,
            masters: shared::zeroed(config.instances.len())?,
            resignations: shared::zeroed(resignations)?,
            octets: shared::zeroed(octets)?,
            holds: shared::zeroed(holds)?,
            instances,
        })))
    }

    /// Writes the resignations of a virtual router, as they are to be sent, in place of those that it had.
    pub fn set_resignations<'a>(&self, id: InstanceId, list: impl Iterator<Item = (Destination, &'a [u8])>) {
        let shares = self.shares(id);
        for (Resignation { length, .. }, _) in self.resignations(shares) {
            length.store(0, Ordering::SeqCst);
        }
        let places = self.resignations(shares);
        for ((Resignation { length, to_peer, ifindex, peer }, room), (destination, octets)) in
            places.zip(list)
        {
            match destination {
                Destination::Interface(index) => ifindex.store(index, Ordering::Relaxed),
                Destination::Peer(ip, index) => {
                    ifindex.store(index, Ordering::Relaxed);
                    peer.set(ip);
                }
            }
            to_peer.store(matches!(destination, Destination::Peer(..)), Ordering::Relaxed);
            if octets.len() > room.len() {
                tracing::error!("a resignation of {} octets has no place in the will", octets.len());
                continue;
            }
            for (to, octet) in room.iter().zip(octets) {
                to.store(*octet, Ordering::Relaxed);
            }
            length.store(octets.len().try_into().unwrap_or(0), Ordering::SeqCst);
        }
    }

    /// Tells whether a virtual router is MASTER, and so has to resign.
    pub fn set_master(&self, id: InstanceId, master: bool) {
        self.0.masters[usize::from(id.0)].store(master, Ordering::SeqCst);
    }

    /// Tells that the `n`th address of a virtual router is being asked for. `false`: the will is being executed, and
    /// nothing must be put anywhere any more.
    #[must_use]
    pub fn asks(&self, id: InstanceId, n: usize, address: &Address) -> bool {
        let entry = self.entry(id, n);
        if entry.state.load(Ordering::SeqCst) == 0 {
            entry.ifindex.store(address.ifindex, Ordering::Relaxed);
            entry.ip.set(address.ip);
            entry.prefix.store(address.prefix.into(), Ordering::Relaxed);
            entry.state.store(1, Ordering::SeqCst);
        }
        !self.0.executed[0].load(Ordering::SeqCst)
    }

    /// Tells what came of it: whether the agent has put the address there.
    pub fn asked(&self, id: InstanceId, n: usize, added: bool) {
        let state = &self.entry(id, n).state;
        if added {
            state.store(2, Ordering::SeqCst);
        } else if state.load(Ordering::SeqCst) == 1 {
            state.store(0, Ordering::SeqCst);
        }
    }

    /// Whether the agent has put the `n`th address of a virtual router there.
    #[must_use]
    pub fn is_ours(&self, id: InstanceId, n: usize) -> bool {
        self.entry(id, n).state.load(Ordering::SeqCst) == 2
    }

    /// Tells that the agent has taken it away.
    pub fn removed(&self, id: InstanceId, n: usize) {
        self.entry(id, n).state.store(0, Ordering::SeqCst);
    }

    /// From now on nothing is put anywhere; see [`Will::asks`].
    pub(super) fn execute(&self) {
        self.0.executed[0].store(true, Ordering::SeqCst);
    }

    /// Calls `each` for every resignation of every virtual router that is MASTER. Each is given out once.
    pub(super) fn take_resignations(&self, mut each: impl FnMut(Destination, &[u8])) {
        let mut buffer = [0; advert_octets(ADDRESSES_MAX)];
        let masters = self.0.masters.iter().zip(&self.0.instances);
        let resigning = masters.filter(|(master, _)| master.swap(false, Ordering::SeqCst));
        let places = resigning.flat_map(|(_, shares)| self.resignations(shares));
        for (Resignation { length, to_peer, ifindex, peer }, room) in places {
            let length = length.load(Ordering::SeqCst) as usize;
            let (Some(octets), Some(copy)) = (room.get(..length), buffer.get_mut(..length)) else { continue };
            for (to, octet) in copy.iter_mut().zip(octets) {
                *to = octet.load(Ordering::Relaxed);
            }
            let ifindex = ifindex.load(Ordering::Relaxed);
            match to_peer.load(Ordering::Relaxed) {
                _ if copy.is_empty() => {}
                true => each(Destination::Peer(peer.get(), ifindex), copy),
                false => each(Destination::Interface(ifindex), copy),
            }
        }
    }

    /// The most resignations that there can be, and their octets.
    pub(super) fn most(&self) -> (usize, usize) {
        (self.0.resignations.len(), self.0.octets.len())
    }

    /// The addresses that are to go.
    pub(super) fn holds(&self) -> impl Iterator<Item = (Hold, Place)> {
        self.0.holds.iter().filter_map(|entry| {
            let hold = match entry.state.load(Ordering::SeqCst) {
                1 => Hold::Asked,
                2 => Hold::Ours,
                _ => return None,
            };
            let place = Place {
                ifindex: entry.ifindex.load(Ordering::Relaxed),
                ip: entry.ip.get(),
                prefix: entry.prefix.load(Ordering::Relaxed).try_into().ok()?,
            };
            Some((hold, place))
        })
    }

    fn shares(&self, id: InstanceId) -> &Shares {
        &self.0.instances[usize::from(id.0)]
    }

    fn entry(&self, id: InstanceId, n: usize) -> &Entry {
        &self.0.holds[self.shares(id).holds.clone()][n]
    }

    /// The resignations of an instance, with the room for their octets.
    fn resignations(
        &self,
        shares: &Shares,
    ) -> impl Iterator<Item = (&'static Resignation, &'static [AtomicU8])> {
        let rooms = self.0.octets[shares.octets..].chunks(shares.room);
        self.0.resignations[shares.resignations.clone()].iter().zip(rooms)
    }
}

impl Ip {
    fn set(&self, ip: IpAddr) {
        let (is_v6, bits) = match ip {
            IpAddr::V4(ip) => (false, ip.to_bits().into()),
            IpAddr::V6(ip) => (true, ip.to_bits()),
        };
        self.is_v6.store(is_v6, Ordering::Relaxed);
        for (word, octets) in self.words.iter().zip(bits.to_be_bytes().as_chunks().0) {
            word.store(u32::from_be_bytes(*octets), Ordering::Relaxed);
        }
    }

    fn get(&self) -> IpAddr {
        let bits = self
            .words
            .iter()
            .fold(0_u128, |bits, word| bits << 32 | u128::from(word.load(Ordering::Relaxed)));
        if self.is_v6.load(Ordering::Relaxed) {
            Ipv6Addr::from_bits(bits).into()
        } else {
            Ipv4Addr::from_bits(self.words[3].load(Ordering::Relaxed)).into()
        }
    }
}

/// The most octets of an advert of this many addresses, of either family: Ethernet with a tag, IPv6, VRRP with
/// Authentication Data, the list.
const fn advert_octets(addresses: usize) -> usize {
    14 + 4 + 40 + 8 + 8 + 16 * addresses
}
