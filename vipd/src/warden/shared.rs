//! Memory that the agent and its warden both see.

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32};

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};

/// What may lie in shared memory.
///
/// # Safety
/// All-zero octets must be a valid value, and several processes may use it at once.
pub(super) unsafe trait Shared: Sync {}

// SAFETY: zero is a valid value, and atomics work between processes as they do between threads.
unsafe impl Shared for AtomicBool {}
// SAFETY: as above.
unsafe impl Shared for AtomicU8 {}
// SAFETY: as above.
unsafe impl Shared for AtomicU32 {}
// SAFETY: an array is that many of its elements.
unsafe impl<T: Shared, const N: usize> Shared for [T; N] {}

/// Values of zero in new memory, which stays shared with processes that are forked later and is never given back.
///
/// # Errors
/// When the kernel has no memory.
pub(super) fn zeroed<T: Shared>(count: usize) -> io::Result<&'static [T]> {
    let Some(octets) = NonZeroUsize::new(count * size_of::<T>()) else { return Ok(&[]) };
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    // SAFETY: a new anonymous mapping touches no memory that anybody uses.
    let memory = unsafe { mmap_anonymous(None, octets, protection, MapFlags::MAP_SHARED) }?;
    // SAFETY: the mapping is that large, zeroed, aligned to a page, and never unmapped; `T` is valid when zero.
    Ok(unsafe { std::slice::from_raw_parts(memory.as_ptr().cast::<T>(), count) })
}

/// Tells another process that a thread has died. A thread holds it from the fork to its end; then the kernel itself wakes
/// the waiter, before it takes down the thread's memory and files (`set_robust_list(2)`), and whatever the other threads
/// of the process are at.
pub(super) struct SignOfLife(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: made for use by several processes at once; zero is its initial value on Linux, and it is initialised anyway.
unsafe impl Shared for SignOfLife {}
// SAFETY: pthread functions synchronise by themselves; nothing else touches the cell.
unsafe impl Sync for SignOfLife {}

impl SignOfLife {
    /// A sign of life of the calling thread, which holds it until it dies.
    ///
    /// # Errors
    /// When the kernel has no memory, or the C library no robust mutex.
    pub(super) fn of_this_thread() -> io::Result<&'static Self> {
        let [sign] = zeroed::<Self>(1)? else { return Err(io::ErrorKind::OutOfMemory.into()) };
        let mut kind = MaybeUninit::uninit();
        // SAFETY: initialises the attributes that it is given.
        check(unsafe { libc::pthread_mutexattr_init(kind.as_mut_ptr()) })?;
        // SAFETY: the attributes were initialised above.
        check(unsafe {
            libc::pthread_mutexattr_setpshared(kind.as_mut_ptr(), libc::PTHREAD_PROCESS_SHARED)
        })?;
        // SAFETY: as above.
        check(unsafe { libc::pthread_mutexattr_setrobust(kind.as_mut_ptr(), libc::PTHREAD_MUTEX_ROBUST) })?;
        // SAFETY: the attributes are complete, and nobody else knows the mutex yet.
        check(unsafe { libc::pthread_mutex_init(sign.0.get(), kind.as_ptr()) })?;
        // SAFETY: the mutex was initialised above, and its memory is never given back.
        check(unsafe { libc::pthread_mutex_lock(sign.0.get()) })?;
        Ok(sign)
    }

    /// Waits until that thread has died. To be called in another process.
    pub(super) fn wait_for_its_end(&self) {
        // SAFETY: initialised by the only constructor. Whatever the result is, the holder has it no longer.
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
    }
}

fn check(code: libc::c_int) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn a_sign_of_life_is_held_until_its_thread_dies_and_then_let_go_by_the_kernel() {
        let (tell, told) = mpsc::channel();
        let (end, ends) = mpsc::channel::<()>();
        let alive = thread::spawn(move || {
            tell.send(SignOfLife::of_this_thread().expect("a robust mutex")).expect("heard");
            // It ends when the other side is dropped.
            let _ = ends.recv();
        });
        let sign = told.recv().expect("a sign");
        let (tell, told) = mpsc::channel();
        let waiter = thread::spawn(move || {
            sign.wait_for_its_end();
            tell.send(()).expect("heard");
        });

        assert_eq!(told.try_recv(), Err(mpsc::TryRecvError::Empty));
        drop(end);
        alive.join().expect("it ends");
        told.recv().expect("the waiter is woken");
        waiter.join().expect("it ends");
    }
}
