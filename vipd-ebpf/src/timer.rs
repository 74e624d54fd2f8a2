//! The kernel's clock, and a timer of it inside a map's value.

use core::ffi::c_void;

use aya_ebpf::bindings::bpf_timer;
use aya_ebpf::helpers::generated::{
    bpf_ktime_get_ns, bpf_timer_init, bpf_timer_set_callback, bpf_timer_start,
};

const CLOCK_MONOTONIC: u64 = 1;

/// What runs when a timer rings, outside of any program: map, key and value are those that the timer is in.
pub(crate) type Ring<V> = extern "C" fn(*mut c_void, *const u32, *mut V) -> i32;

/// Nanoseconds of CLOCK_MONOTONIC.
#[inline(always)]
pub(crate) fn now() -> u64 {
    // SAFETY: the helper takes nothing and may be called by any program.
    unsafe { bpf_ktime_get_ns() }
}

/// Sets a timer to ring `wait` nanoseconds from now, wherever it was set to before. `false` if the kernel refuses, as it
/// does when nobody in user space holds the map any more.
///
/// # Safety
///
/// `timer` lies in a value of `map`, a map whose values are `V`.
#[inline(always)]
pub(crate) unsafe fn set<V>(timer: *mut bpf_timer, map: *mut c_void, ring: Ring<V>, wait: u64) -> bool {
    // SAFETY: as the caller promises.
    unsafe {
        // Refused from the second time on: it has been made.
        bpf_timer_init(timer, map, CLOCK_MONOTONIC);
        bpf_timer_set_callback(timer, ring as *mut c_void) == 0
            && bpf_timer_start(timer, if wait == 0 { 1 } else { wait }, 0) == 0
    }
}

/// Sets a timer anew from within its `ring`.
///
/// # Safety
///
/// As of [`set`].
#[inline(always)]
pub(crate) unsafe fn set_again(timer: *mut bpf_timer, wait: u64) -> bool {
    // SAFETY: as the caller promises.
    unsafe { bpf_timer_start(timer, wait, 0) == 0 }
}
