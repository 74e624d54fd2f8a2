//! The right to answer for the virtual addresses (promise 1): a moment for each virtual router, after which the kernel half
//! drops what asks for them.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use aya::maps::MapData;
use vipd_common::abi::{self, Lease, lease};

use super::page::Page;

/// The map LEASES, and what was written into it last.
pub(super) struct Leases {
    page: Page,
    written: Vec<Lease>,
}

impl Leases {
    pub(super) fn map(map: &MapData) -> io::Result<Self> {
        let page = Page::map(map, abi::MAX_INSTANCES, size_of::<Lease>())?;
        Ok(Self { page, written: vec![lease::OPEN; abi::MAX_INSTANCES as usize] })
    }

    /// Prolongs or shortens a lease. `false` if the kernel has ended it since [`set`](Self::set): the word that stands there
    /// is not what was written last.
    pub(super) fn extend(&mut self, instance: u32, until: Lease) -> bool {
        let Some((word, written)) = self.place(instance) else { return false };
        let swapped = word.compare_exchange(*written, until, Ordering::AcqRel, Ordering::Acquire);
        if swapped.is_ok() {
            *written = until;
        }
        swapped.is_ok()
    }

    /// Writes a value of [`lease`], whatever stands there.
    pub(super) fn set(&mut self, instance: u32, value: Lease) {
        if let Some((word, written)) = self.place(instance) {
            word.store(value, Ordering::Release);
            *written = value;
        }
    }

    /// What stands there; `OPEN` where there is no such place.
    pub(super) fn read(&self, instance: u32) -> Lease {
        self.page.words().get(instance as usize).map_or(lease::OPEN, |word| word.load(Ordering::Acquire))
    }

    fn place(&mut self, instance: u32) -> Option<(&AtomicU64, &mut Lease)> {
        self.page.words().get(instance as usize).zip(self.written.get_mut(instance as usize))
    }
}
