//! The dead-man timer: tells user space when no sign of life has come for as long as a virtual router waits for one.
//!
//! An advert only stamps SEEN. The timer is set when none is running; when it rings, it looks at the last stamp and sets
//! itself again for what is left. An advert moves it only to bring it forward: after a resignation, or by a shorter interval.

use core::ffi::c_void;

use aya_ebpf::Global;
use aya_ebpf::bindings::bpf_timer;
use vipd_common::abi::{Addr, Event, Rules, Seen, Stamp, kind};
use vipd_common::wait;

use crate::budget::Budget;
use crate::event;
use crate::maps::{INSTANCES, SEEN, WATCH};
use crate::stats::Stats;
use crate::timer;

/// 1 where the kernel has timers for programs. Where it is 0, the verifier does not look at what uses them.
#[unsafe(no_mangle)]
static TIMERS: Global<u8> = Global::new(1);

/// Value of WATCH. User space must not write it: that would stop the timer.
#[repr(C)]
pub(crate) struct Watch {
    /// When the timer rings next; 0 while it is not set.
    until: u64,
    /// What user space was told last.
    pub(crate) told: Told,
    pub(crate) budget: Budget,
    timer: bpf_timer,
}

/// What a record tells of an advert; another record is due when it changes.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) source: Addr,
    pub(crate) interval_cs: u16,
    pub(crate) priority: u8,
    /// The checksum forms that this source has shown, a bit each: one that sends both is no news at every advert.
    pub(crate) forms: u8,
    pub(crate) watched: u8,
    pub(crate) reserved: [u8; 3],
}

impl Watch {
    /// Has the silence after `seen.sign` waited for if `signed`: that came just now. Says whether the timer runs.
    #[inline(always)]
    pub(crate) fn over(&mut self, rules: &Rules, seen: &Seen, signed: bool) -> bool {
        if TIMERS.load() == 0 {
            return false;
        }
        let (now, until) = (seen.sign.at, wait::earliest(rules, &seen.sign));
        // A timer that should have rung is about to, or was lost.
        if signed && (self.until <= now || until < self.until) {
            // SAFETY: the timer is in this map.
            let set = unsafe { timer::set(&raw mut self.timer, map(), ring, until - now) };
            self.until = if set { until } else { 0 };
        }
        self.until != 0
    }
}

#[inline(always)]
fn map() -> *mut c_void {
    (&raw const WATCH).cast_mut().cast()
}

#[inline(never)]
extern "C" fn ring(_: *mut c_void, instance: *const u32, watch: *mut Watch) -> i32 {
    // SAFETY: the kernel gives the key and the value that the timer is in.
    let (instance, watch) = unsafe { (*instance, &mut *watch) };
    let (Some(rules), Some(seen)) = (INSTANCES.get(instance), SEEN.get_ptr_mut(instance)) else { return 0 };
    // SAFETY: a map's value stays where it is.
    let seen = unsafe { &mut *seen };
    // A Master that was not told to make way waits for nobody, nor does a virtual router that is gone.
    let waits = rules.version != 0 && seen.sign.at != 0 && (rules.master == 0 || seen.yielded != 0);
    let deadline = if waits { wait::deadline(rules, &seen.sign) } else { 0 };
    let now = timer::now();
    // SAFETY: the timer is in this map, and it is ringing.
    if now < deadline && unsafe { timer::set_again(&raw mut watch.timer, deadline - now) } {
        watch.until = deadline;
        return 0;
    }
    watch.until = 0;
    watch.told.watched = 0;
    seen.watched = 0;
    if waits && now >= deadline {
        tell(instance, now, &seen.sign);
    }
    0
}

#[inline(always)]
fn tell(instance: u32, now: u64, sign: &Stamp) {
    let event = Event {
        at: now,
        since: sign.at,
        instance,
        kind: kind::SILENT,
        priority: sign.priority,
        interval_cs: sign.interval_cs,
        addr: sign.source,
        mac: [0; 6],
        checksum: sign.checksum,
        watched: 0,
    };
    event::send(event, &Stats::of(Some(instance)));
}
