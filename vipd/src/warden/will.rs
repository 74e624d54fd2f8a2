//! The will: what is to be done for an agent that has died. The election thread writes it, without a lock, as things
//! change; it is read when that thread is dead.
//!
//! Every entry says last that it is whole, and first that it is not: the reader skips one that death left half written.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use vipd_common::abi::MAX_INSTANCES;
use vipd_core::InstanceId;

use super::shared::{self, Shared};
use super::undo::{Undo, Undos, Word};
use crate::config::Config;
use crate::effects::{Address, Thing, octets};

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
///
/// Its room is set aside once, before the fork: for what the configuration asks for and as much again, so that other
/// configurations find room later. It is locked memory: what is not used costs as much as what is.
#[derive(Clone)]
pub struct Will(Arc<Parts>);

struct Parts {
    executed: &'static [AtomicBool],
    masters: &'static [AtomicBool],
    resignations: &'static [Resignation],
    /// Octets of the resignations.
    octets: &'static [AtomicU8],
    holds: &'static [Entry],
    /// Where the writer finds its entries; the reader needs none of it.
    rooms: Mutex<Rooms>,
    undos: Undos,
}

/// Which parts of `resignations` and `octets` are given out.
#[derive(Default)]
struct Rooms {
    /// For each virtual router: an entry, where its octets begin, and how many there is room for.
    of: Vec<Vec<Room>>,
    entries: usize,
    octets: usize,
    /// Octets that nobody uses any more: where they begin, and how many they are.
    spare: Vec<(usize, usize)>,
}

#[derive(Clone, Copy)]
struct Room {
    entry: usize,
    at: usize,
    size: usize,
}

/// An advert with priority 0.
struct Resignation {
    /// Octets; 0 while there is none.
    length: AtomicU32,
    /// Where they begin.
    at: AtomicU32,
    /// Whose it is.
    instance: AtomicU32,
    /// It is a packet to `peer`, not a frame.
    to_peer: AtomicBool,
    ifindex: AtomicU32,
    peer: Ip,
}

/// A place in the table of addresses, found by their hash.
struct Entry {
    /// One of the constants below.
    state: AtomicU32,
    ifindex: AtomicU32,
    ip: Ip,
    prefix: AtomicU32,
}

/// Never used: a search ends here.
const EMPTY: u32 = 0;
/// [`Hold::Asked`].
const ASKED: u32 = 1;
/// [`Hold::Ours`].
const OURS: u32 = 2;
/// Used before: a search goes on.
const LEFT: u32 = 3;

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
    /// An empty will with room for twice of everything that a configuration can make the agent do.
    ///
    /// # Errors
    /// When the kernel has no memory.
    pub fn new(config: &Config) -> io::Result<Self> {
        let needs = Needs::of(config);
        Ok(Self(Arc::new(Parts {
            executed: shared::zeroed(1)?,
            masters: shared::zeroed(MAX_INSTANCES as usize)?,
            resignations: shared::zeroed(256 + 2 * needs.resignations)?,
            octets: shared::zeroed((64 << 10) + 2 * needs.octets)?,
            // A table that is at most half full is searched in a few steps.
            holds: shared::zeroed((2 * (1500 + 2 * needs.holds)).next_power_of_two())?,
            rooms: Mutex::default(),
            undos: Undos::new(256 + 2 * needs.undos)?,
        })))
    }

    /// Whether there is room for everything that another configuration can make the agent do.
    #[must_use]
    pub fn fits(&self, config: &Config) -> bool {
        let Parts { resignations, octets, holds, undos, .. } = &*self.0;
        let needs = Needs::of(config);
        needs.resignations <= resignations.len()
            && needs.octets <= octets.len()
            && 2 * needs.holds <= holds.len()
            && needs.undos <= undos.len()
    }

    /// Writes the resignations of a virtual router, as they are to be sent, in place of those that it had.
    pub fn set_resignations<'a>(&self, id: InstanceId, list: impl Iterator<Item = (Destination, &'a [u8])>) {
        let Parts { resignations, octets, rooms, .. } = &*self.0;
        let mut rooms = rooms.lock().unwrap_or_else(PoisonError::into_inner);
        for room in rooms.of(id) {
            resignations[room.entry].length.store(0, Ordering::SeqCst);
        }
        for (n, (destination, frame)) in list.enumerate() {
            let Some(room) = rooms.find(id, n, frame.len(), resignations.len(), octets.len()) else {
                tracing::error!("the will is full: restart vipd, so that it has room for this configuration");
                return;
            };
            let entry = &resignations[room.entry];
            match destination {
                Destination::Interface(index) => entry.ifindex.store(index, Ordering::Relaxed),
                Destination::Peer(ip, index) => {
                    entry.ifindex.store(index, Ordering::Relaxed);
                    entry.peer.set(ip);
                }
            }
            entry.to_peer.store(matches!(destination, Destination::Peer(..)), Ordering::Relaxed);
            for (to, octet) in octets[room.at..].iter().zip(frame) {
                to.store(*octet, Ordering::Relaxed);
            }
            entry.at.store(number(room.at), Ordering::Relaxed);
            entry.instance.store(id.0.into(), Ordering::Relaxed);
            entry.length.store(number(frame.len()), Ordering::SeqCst);
        }
    }

    /// Tells whether a virtual router is MASTER, and so has to resign.
    pub fn set_master(&self, id: InstanceId, master: bool) {
        self.0.masters[usize::from(id.0)].store(master, Ordering::SeqCst);
    }

    /// Tells that a thing is being asked for. `false`: the will is being executed, and nothing must be put anywhere any
    /// more; or it has no room left.
    #[must_use]
    pub fn asks(&self, thing: &Thing) -> bool {
        let has_room = match thing {
            Thing::Address(address) => self.asks_address(address),
            other => self.0.undos.add(&undoing(other)),
        };
        if !has_room {
            tracing::error!("the will is full: restart vipd, so that it has room for this configuration");
        }
        has_room && !self.is_executed()
    }

    fn asks_address(&self, address: &Address) -> bool {
        let place = Place::of(address);
        if self.find(&place).is_none() {
            let Some(entry) = self.free(&place) else { return false };
            entry.ifindex.store(place.ifindex, Ordering::Relaxed);
            entry.ip.set(place.ip);
            entry.prefix.store(place.prefix.into(), Ordering::Relaxed);
            entry.state.store(ASKED, Ordering::SeqCst);
        }
        true
    }

    /// Tells what came of it: whether the agent has put it there. That something was there before is known of addresses
    /// only: of others, what is there bears this agent's mark.
    pub fn asked(&self, thing: &Thing, added: bool) {
        let Thing::Address(address) = thing else { return };
        let Some(entry) = self.find(&Place::of(address)) else { return };
        if added {
            entry.state.store(OURS, Ordering::SeqCst);
        } else if entry.state.load(Ordering::SeqCst) == ASKED {
            entry.state.store(LEFT, Ordering::SeqCst);
        }
    }

    /// Whether the agent has put a thing there.
    #[must_use]
    pub fn is_ours(&self, thing: &Thing) -> bool {
        match thing {
            Thing::Address(address) => {
                self.find(&Place::of(address)).is_some_and(|entry| entry.state.load(Ordering::SeqCst) == OURS)
            }
            other => self.0.undos.holds(&undoing(other)),
        }
    }

    /// Tells that the agent has taken it away.
    pub fn removed(&self, thing: &Thing) {
        match thing {
            Thing::Address(address) => {
                if let Some(entry) = self.find(&Place::of(address)) {
                    entry.state.store(LEFT, Ordering::SeqCst);
                }
            }
            other => self.0.undos.remove(&undoing(other)),
        }
    }

    /// Tells of something that must be undone when the agent is dead, and beside what it holds. `false` if there is no room
    /// for it.
    #[must_use]
    pub fn undo(&self, undo: &Undo) -> bool {
        self.0.undos.add(undo)
    }

    /// Tells that it has been undone.
    pub fn undone(&self, undo: &Undo) {
        self.0.undos.remove(undo);
    }

    /// Calls `each` for everything that is to be undone beside addresses, the latest first. Each is given out once.
    pub(super) fn take_undos(&self, each: impl FnMut(Word<'_>)) {
        self.0.undos.take(each);
    }

    /// Nothing is put anywhere any more.
    pub(super) fn is_executed(&self) -> bool {
        self.0.executed[0].load(Ordering::SeqCst)
    }

    /// From now on nothing is put anywhere; see [`Will::asks`].
    pub(super) fn execute(&self) {
        self.0.executed[0].store(true, Ordering::SeqCst);
    }

    /// Calls `each` for every resignation of every virtual router that is MASTER. Each is given out once.
    pub(super) fn take_resignations(&self, mut each: impl FnMut(Destination, &[u8])) {
        let mut resign = [false; MAX_INSTANCES as usize];
        for (resigns, master) in resign.iter_mut().zip(self.0.masters) {
            *resigns = master.swap(false, Ordering::SeqCst);
        }
        let mut buffer = [0; advert_octets(ADDRESSES_MAX)];
        for Resignation { length, at, instance, to_peer, ifindex, peer } in self.0.resignations {
            let [length, at, instance] =
                [length, at, instance].map(|word| word.load(Ordering::SeqCst) as usize);
            let octets = self.0.octets.get(at..at + length).filter(|octets| !octets.is_empty());
            let (Some(octets), Some(copy)) = (octets, buffer.get_mut(..length)) else { continue };
            if resign.get(instance) != Some(&true) {
                continue;
            }
            for (to, octet) in copy.iter_mut().zip(octets) {
                *to = octet.load(Ordering::Relaxed);
            }
            let ifindex = ifindex.load(Ordering::Relaxed);
            if to_peer.load(Ordering::Relaxed) {
                each(Destination::Peer(peer.get(), ifindex), copy);
            } else {
                each(Destination::Interface(ifindex), copy);
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
                ASKED => Hold::Asked,
                OURS => Hold::Ours,
                _ => return None,
            };
            Some((hold, entry.place()?))
        })
    }

    /// The entry of an address that is asked for or ours.
    fn find(&self, place: &Place) -> Option<&'static Entry> {
        self.search(place)
            .take_while(|entry| entry.state.load(Ordering::SeqCst) != EMPTY)
            .find(|entry| entry.state.load(Ordering::SeqCst) != LEFT && entry.place().as_ref() == Some(place))
    }

    /// The entry to be used for an address that has none.
    fn free(&self, place: &Place) -> Option<&'static Entry> {
        self.search(place).find(|entry| [EMPTY, LEFT].contains(&entry.state.load(Ordering::SeqCst)))
    }

    /// All entries, from the one at which an address would stand if it were alone.
    fn search(&self, place: &Place) -> impl Iterator<Item = &'static Entry> {
        let holds = self.0.holds;
        let first = place.hash() % holds.len().max(1);
        holds[first..].iter().chain(&holds[..first])
    }
}

/// How many entries and octets a configuration takes.
#[derive(Default)]
struct Needs {
    resignations: usize,
    octets: usize,
    holds: usize,
    undos: usize,
}

impl Needs {
    fn of(config: &Config) -> Self {
        let mut needs = Self {
            holds: config.static_addresses.len(),
            undos: config.static_routes.len() + config.static_rules.len(),
            ..Self::default()
        };
        for instance in &config.instances {
            // Each in both forms of checksum.
            let destinations = 2 * instance.peers.len().max(1);
            needs.resignations += destinations;
            needs.octets += destinations * advert_octets(instance.addresses.len().min(ADDRESSES_MAX));
            needs.holds += instance.addresses.len() + instance.excluded.len();
            // A macvlan is made and set up, and parameters of the interface below it are set.
            let own = if instance.vmac.is_some() { 4 } else { 1 };
            needs.undos += instance.routes.len() + instance.rules.len() + own;
        }
        needs
    }
}

impl Rooms {
    fn of(&mut self, id: InstanceId) -> &mut Vec<Room> {
        let n = usize::from(id.0);
        if self.of.len() <= n {
            self.of.resize(n + 1, Vec::new());
        }
        &mut self.of[n]
    }

    /// Room for the `n`th resignation of a virtual router: what it has, or new room; `None` when all is given out.
    fn find(&mut self, id: InstanceId, n: usize, size: usize, entries: usize, octets: usize) -> Option<Room> {
        let had = self.of(id).get(n).copied();
        if let Some(room) = had.filter(|room| room.size >= size) {
            return Some(room);
        }
        let entry = had.map_or(self.entries, |room| room.entry);
        // Octets that were outgrown before may be enough for this one.
        let spare = self.spare.iter().position(|(_, spare)| *spare >= size);
        let (at, size) = match spare {
            Some(place) => self.spare.swap_remove(place),
            None if octets - self.octets >= size => (self.octets, size),
            None => return None,
        };
        if entry >= entries {
            return None;
        }
        self.entries = self.entries.max(entry + 1);
        self.octets = self.octets.max(at + size);
        self.spare.extend(had.map(|room| (room.at, room.size)));
        let room = Room { entry, at, size };
        let rooms = self.of(id);
        match rooms.get_mut(n) {
            Some(place) => *place = room,
            None => rooms.push(room),
        }
        Some(room)
    }
}

impl Entry {
    fn place(&self) -> Option<Place> {
        Some(Place {
            ifindex: self.ifindex.load(Ordering::Relaxed),
            ip: self.ip.get(),
            prefix: self.prefix.load(Ordering::Relaxed).try_into().ok()?,
        })
    }
}

impl Place {
    fn of(address: &Address) -> Self {
        Self { ifindex: address.ifindex, ip: address.ip, prefix: address.prefix }
    }

    /// Spreads addresses that differ in their last octets.
    fn hash(&self) -> usize {
        let bits = match self.ip {
            IpAddr::V4(ip) => u64::from(ip.to_bits()),
            IpAddr::V6(ip) => {
                let [high, low] = [0, 1].map(|half| {
                    let octets = ip.octets().as_chunks::<8>().0[half];
                    u64::from_be_bytes(octets)
                });
                high ^ low
            }
        };
        let bits = bits ^ u64::from(self.ifindex) << 32 ^ u64::from(self.prefix) << 56;
        usize::try_from(bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).unwrap_or(0)
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

/// How a thing is undone that is no address.
fn undoing(thing: &Thing) -> Undo {
    Undo::Request(octets(thing.remove()))
}

/// The most octets of an advert of this many addresses, of either family: Ethernet with a tag, IPv6, VRRP with
/// Authentication Data, the list.
const fn advert_octets(addresses: usize) -> usize {
    14 + 4 + 40 + 8 + 8 + 16 * addresses
}

pub(super) fn number(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
