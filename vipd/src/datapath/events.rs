//! What the kernel half tells.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use aya::maps::{MapData, RingBuf};
use vipd_common::abi::Event;

/// The EVENTS ring. Readable, as `epoll` and tokio's `AsyncFd` understand it, while it holds records.
///
/// With `AsyncFd`: wait until readable, take records until there is none, and only then call `clear_ready`. Cleared
/// before, a record that came in between would wait for the next one.
pub struct Events(RingBuf<MapData>);

impl Events {
    pub(super) fn new(ring: RingBuf<MapData>) -> Self {
        Self(ring)
    }

    /// The next record; `None` while the ring is empty.
    pub fn take(&mut self) -> Option<Event> {
        loop {
            let record = self.0.next()?;
            // Both halves are built from one declaration; a record of another size is of another program.
            if let Some(event) = Event::from_octets(&record) {
                return Some(event);
            }
        }
    }
}

impl AsFd for Events {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Events {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Events").field(&self.as_raw_fd()).finish()
    }
}
