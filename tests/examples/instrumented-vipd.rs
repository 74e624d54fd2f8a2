//! vipd as it is, in a program that shows what cannot be seen from outside. A thread of it that gets SIGUSR1 panics; one
//! that gets SIGUSR2 says how often it has asked for memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;
use std::process::ExitCode;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting what each thread asks of it.
struct Counting;

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract; the counter neither
// allocates (it is const-initialised and has no destructor) nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and all memory comes from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

extern "C-unwind" fn panics(_: libc::c_int) {
    panic!("SIGUSR1 came");
}

extern "C" fn tells(_: libc::c_int) {
    let mut line = [0_u8; 64];
    let mut rest = &mut line[..];
    // The line is long enough; there is nobody to tell if not.
    let _ = writeln!(rest, "allocations: {}", ALLOCATIONS.get());
    let length = 64 - rest.len();
    // SAFETY: the octets are the line's; write(2) may be called by a signal handler.
    unsafe { libc::write(2, line.as_ptr().cast(), length) };
}

fn main() -> ExitCode {
    let handlers = [(libc::SIGUSR1, panics as *const ()), (libc::SIGUSR2, tells as *const ())];
    for (signal, handler) in handlers {
        // SAFETY: the handlers take the signal's number. One ends the process by vipd's own panic hook, which is what is
        // tested, where the thread does nothing but wait; the other does what a handler may.
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
    vipd::cli::main()
}
