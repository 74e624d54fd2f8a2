//! Arrays of the kernel half that this process reads and writes in its own memory, without a call of the kernel.

use std::io;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use aya::maps::MapData;
use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};
use vipd_common::abi::Seen;

/// Readings of a value that must agree before it is believed; the kernel may be writing it.
const TRIES: usize = 8;

/// The words of a map.
pub(super) struct Page {
    words: NonNull<AtomicU64>,
    count: usize,
}

impl Page {
    /// Maps an array of `values` values of `size` octets, a multiple of 8.
    ///
    /// # Errors
    /// When the kernel refuses: before 5.5 it cannot.
    pub(super) fn map(map: &MapData, values: u32, size: usize) -> io::Result<Self> {
        let count = values as usize * (size / size_of::<u64>());
        let length = NonZeroUsize::new(count * size_of::<u64>()).ok_or(io::ErrorKind::InvalidInput)?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a mapping of its own, at a place that the kernel chooses.
        let start = unsafe { mmap(None, length, access, MapFlags::MAP_SHARED, map.fd(), 0) }?;
        Ok(Self { words: start.cast(), count })
    }

    /// All words. The kernel writes them too, as whole words.
    pub(super) fn words(&self) -> &[AtomicU64] {
        // SAFETY: as many words as were mapped, and they stay so while this lives; any octets make words.
        unsafe { std::slice::from_raw_parts(self.words.as_ptr(), self.count) }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: this is what was mapped, and nothing borrowed from it is left.
        let result = unsafe { munmap(self.words.cast(), self.count * size_of::<u64>()) };
        debug_assert_eq!(result, Ok(()));
    }
}

/// The map SEEN.
pub(super) struct SeenPage(Page);

/// Words of a [`Seen`].
const WORDS: usize = size_of::<Seen>() / size_of::<u64>();

impl SeenPage {
    pub(super) fn map(map: &MapData, values: u32) -> io::Result<Self> {
        Page::map(map, values, size_of::<Seen>()).map(Self)
    }

    /// The value of an instance; an empty one where there is no such place.
    pub(super) fn read(&self, instance: u32) -> Seen {
        let mut before = self.words(instance);
        for _ in 0..TRIES {
            let now = self.words(instance);
            if now == before {
                break;
            }
            before = now;
        }
        Seen::from_words(before)
    }

    /// Forgets what was heard.
    pub(super) fn clear(&self, instance: u32) {
        for word in self.place(instance) {
            word.store(0, Ordering::Relaxed);
        }
    }

    fn words(&self, instance: u32) -> [u64; WORDS] {
        let mut words = [0; WORDS];
        for (to, from) in words.iter_mut().zip(self.place(instance)) {
            *to = from.load(Ordering::Acquire);
        }
        words
    }

    fn place(&self, instance: u32) -> &[AtomicU64] {
        let start = instance as usize * WORDS;
        self.0.words().get(start..start + WORDS).unwrap_or_default()
    }
}
