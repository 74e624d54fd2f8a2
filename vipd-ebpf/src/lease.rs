//! The right to answer for a virtual router's addresses (promise 1).

use vipd_common::abi::lease::{ENDED, OPEN};

use crate::maps::LEASES;

/// Whether this node may not answer at the moment `at`.
#[inline(always)]
pub(crate) fn is_over(instance: u32, at: u64) -> bool {
    let Some(lease) = LEASES.get_ptr(instance) else { return false };
    // SAFETY: a map's value stays where it is, and words are read and written whole.
    let until = unsafe { lease.read_volatile() };
    until != OPEN && until < at
}

/// Takes the right away at once; the daemon cannot prolong what it finds ended.
#[inline(always)]
pub(crate) fn end(instance: u32) {
    let Some(lease) = LEASES.get_ptr_mut(instance) else { return };
    // SAFETY: as above.
    unsafe {
        if lease.read_volatile() != OPEN {
            lease.write_volatile(ENDED);
        }
    }
}
