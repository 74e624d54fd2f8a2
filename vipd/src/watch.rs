//! Lets tokio wait for anything that owns a descriptor.

use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsFd, AsRawFd, RawFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A value whose descriptor tokio watches for readability.
pub(crate) type Watched<T> = AsyncFd<Owner<T>>;

/// The owner of a watched descriptor.
#[derive(Debug)]
pub(crate) struct Owner<T>(T);

impl<T: AsFd> AsRawFd for Owner<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl<T> Deref for Owner<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Owner<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Registers a descriptor, which must be in non-blocking mode, with the current tokio runtime.
///
/// # Errors
/// When it cannot be polled.
pub(crate) fn readable<T: AsFd>(owner: T) -> io::Result<Watched<T>> {
    // SAFETY: what `AsFd` lends stays open and the same while its owner lives, and the owner lives in the registration.
    unsafe { AsyncFd::register_with_interest(Owner(owner), Interest::READABLE) }.map_err(io::Error::from)
}
