//! What is to be undone for a dead agent, beside addresses: requests to the kernel, and kernel parameters as they were. They
//! are put into words while the agent lives; who carries them out only sends and writes.

use std::collections::HashMap;
use std::ffi::CStr;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::shared;

/// Octets of the longest.
const MOST: usize = 512;
/// Octets that there is room for on average: those of the removal of a route over IPv6 by all that can tell it from others.
const USUAL: usize = 128;

/// One thing to be undone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Undo {
    /// This request, as it goes to the kernel by rtnetlink.
    Request(Vec<u8>),
    /// This kernel parameter, by its path, is to have this value.
    Parameter(String, String),
}

impl Undo {
    fn octets(&self) -> Vec<u8> {
        match self {
            Self::Request(octets) => octets.clone(),
            Self::Parameter(path, value) => format!("{path}\0{value}").into_bytes(),
        }
    }
}

/// What is found of it by who carries it out.
pub(super) enum Word<'a> {
    Request(&'a [u8]),
    Parameter(&'a CStr, &'a [u8]),
}

/// All of them, in memory that the agent and its warden share.
pub(super) struct Undos {
    due: &'static [AtomicBool],
    /// Whether it is a parameter, where its octets begin, and how many they are.
    places: &'static [[AtomicU32; 3]],
    octets: &'static [AtomicU8],
    /// Where the writer finds its own; the reader needs none of it.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    places: HashMap<Undo, usize>,
    /// How many places and octets are given out.
    given: usize,
    octets: usize,
}

impl Undos {
    /// Room for as many.
    ///
    /// # Errors
    /// When the kernel has no memory.
    pub(super) fn new(count: usize) -> io::Result<Self> {
        Ok(Self {
            due: shared::zeroed(count)?,
            places: shared::zeroed(count)?,
            octets: shared::zeroed(MOST + count * USUAL)?,
            known: Mutex::default(),
        })
    }

    /// How many there is room for.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// From now on this is to be undone; `false` if there is no room for it.
    pub(super) fn add(&self, undo: &Undo) -> bool {
        let mut known = self.known();
        if let Some(place) = known.places.get(undo) {
            self.due[*place].store(true, Ordering::SeqCst);
            return true;
        }
        let octets = undo.octets();
        let Some((place, at)) = self.room(&mut known, octets.len()) else { return false };
        let room = self.octets.get(at..at + octets.len());
        let (Some(room), Some([kind, start, length])) = (room, self.places.get(place)) else { return false };
        for (to, octet) in room.iter().zip(&octets) {
            to.store(*octet, Ordering::Relaxed);
        }
        kind.store(matches!(undo, Undo::Parameter(..)).into(), Ordering::Relaxed);
        start.store(super::will::number(at), Ordering::Relaxed);
        length.store(super::will::number(octets.len()), Ordering::Relaxed);
        known.places.insert(undo.clone(), place);
        self.due[place].store(true, Ordering::SeqCst);
        true
    }

    /// A place, and where its octets begin: new ones as long as there are any, then those of something that is not to be
    /// undone any more.
    fn room(&self, known: &mut Known, length: usize) -> Option<(usize, usize)> {
        let (place, at) = (known.given, known.octets);
        if place < self.places.len() && at + length <= self.octets.len() {
            known.given += 1;
            known.octets += length;
            return Some((place, at));
        }
        let is_done = |undo: &Undo, place: usize| {
            !self.due[place].load(Ordering::SeqCst) && undo.octets().len() >= length
        };
        let (undo, place) = known.places.iter().find(|(undo, place)| is_done(undo, **place))?;
        let (undo, place) = (undo.clone(), *place);
        known.places.remove(&undo);
        Some((place, self.places[place][1].load(Ordering::Relaxed) as usize))
    }

    /// Whether this is to be undone.
    pub(super) fn holds(&self, undo: &Undo) -> bool {
        self.known().places.get(undo).is_some_and(|place| self.due[*place].load(Ordering::SeqCst))
    }

    /// It has been undone, or there is nothing to undo.
    pub(super) fn remove(&self, undo: &Undo) {
        if let Some(place) = self.known().places.get(undo) {
            self.due[*place].store(false, Ordering::SeqCst);
        }
    }

    /// Calls `each` for everything that is to be undone, the latest first. Allocates nothing.
    pub(super) fn take(&self, mut each: impl FnMut(Word<'_>)) {
        for (due, [kind, start, length]) in self.due.iter().zip(self.places).rev() {
            if !due.swap(false, Ordering::SeqCst) {
                continue;
            }
            let [start, length] = [start, length].map(|word| word.load(Ordering::Relaxed) as usize);
            let mut copy = [0; MOST];
            let octets = self.octets.get(start..start + length);
            let (Some(octets), Some(copy)) = (octets, copy.get_mut(..length)) else { continue };
            for (to, octet) in copy.iter_mut().zip(octets) {
                *to = octet.load(Ordering::Relaxed);
            }
            if kind.load(Ordering::Relaxed) == 0 {
                each(Word::Request(copy));
            } else if let Ok(path) = CStr::from_bytes_until_nul(copy) {
                each(Word::Parameter(path, &copy[path.count_bytes() + 1..]));
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(undos: &Undos) -> Vec<String> {
        let mut taken = Vec::new();
        undos.take(|word| {
            taken.push(match word {
                Word::Request(octets) => String::from_utf8_lossy(octets).into_owned(),
                Word::Parameter(path, value) => {
                    format!("{} = {}", path.to_string_lossy(), String::from_utf8_lossy(value))
                }
            });
        });
        taken
    }

    #[test]
    fn what_is_due_is_undone_once_and_the_latest_first() {
        let undos = Undos::new(4).expect("memory");
        let [first, second] = ["first", "second"].map(|text| Undo::Request(text.into()));
        let third = Undo::Parameter("/proc/sys/a".to_owned(), "1".to_owned());
        for undo in [&first, &second, &third] {
            assert!(undos.add(undo));
        }
        undos.remove(&second);
        assert!(undos.holds(&first) && !undos.holds(&second));

        assert_eq!(taken(&undos), ["/proc/sys/a = 1", "first"]);
        assert_eq!(taken(&undos), [""; 0]);
    }

    #[test]
    fn what_comes_again_takes_no_new_room_and_what_finds_none_is_refused_until_something_is_done() {
        let undos = Undos::new(1).expect("memory");
        let [first, second] = ["first", "second"].map(|text| Undo::Request(text.into()));

        for _ in 0..3 {
            undos.remove(&first);
            assert!(undos.add(&first));
        }
        assert!(!undos.add(&second));
        undos.remove(&first);
        let first = Undo::Request("1st".into());
        assert!(undos.add(&first) && !undos.add(&second));

        assert_eq!(taken(&undos), ["1st"]);
    }
}
