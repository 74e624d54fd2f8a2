//! Many frames in one system call (`sendmmsg(2)`), without allocating.

use std::os::fd::AsRawFd;
use std::sync::atomic::AtomicU8;

use socket2::{SockAddr, Socket};

/// Frames that leave together.
const TOGETHER: usize = 64;

/// Frames that wait for one socket.
pub(crate) struct Batch<'a> {
    socket: &'a Socket,
    frames: [Option<(SockAddr, &'a [AtomicU8])>; TOGETHER],
    waiting: usize,
    sent: u32,
}

impl<'a> Batch<'a> {
    pub(super) fn new(socket: &'a Socket) -> Self {
        Self { socket, frames: [const { None }; TOGETHER], waiting: 0, sent: 0 }
    }

    /// Takes a frame; sends what waits when there is no room for more.
    pub(crate) fn push(&mut self, to: SockAddr, octets: &'a [AtomicU8]) {
        self.frames[self.waiting] = Some((to, octets));
        self.waiting += 1;
        if self.waiting == TOGETHER {
            self.flush();
        }
    }

    /// Sends what waits, and tells how many frames the kernel took of all that were pushed.
    pub(crate) fn finish(mut self) -> u32 {
        self.flush();
        self.sent
    }

    fn flush(&mut self) {
        // SAFETY: a message header of zeros is a valid one, without address and octets.
        let mut messages: [libc::mmsghdr; TOGETHER] = unsafe { std::mem::zeroed() };
        let mut parts = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; TOGETHER];
        let frames = self.frames[..self.waiting].iter().flatten();
        for ((message, part), (to, octets)) in messages.iter_mut().zip(&mut parts).zip(frames) {
            *part = libc::iovec { iov_base: octets.as_ptr().cast_mut().cast(), iov_len: octets.len() };
            message.msg_hdr.msg_name = to.as_ptr().cast_mut().cast();
            message.msg_hdr.msg_namelen = to.len();
            message.msg_hdr.msg_iov = part;
            message.msg_hdr.msg_iovlen = 1;
        }
        let mut rest = &mut messages[..self.waiting];
        while !rest.is_empty() {
            let count = rest.len().try_into().unwrap_or(0);
            // SAFETY: the headers point to addresses, parts and octets that outlive the call; the kernel only reads them.
            let sent = unsafe { libc::sendmmsg(self.socket.as_raw_fd(), rest.as_mut_ptr(), count, 0) };
            // The kernel stops at a frame that it does not take; the others are to leave all the same.
            let (taken, done) = usize::try_from(sent).map_or((0, 1), |sent| (sent, sent.max(1)));
            self.sent += u32::try_from(taken).unwrap_or(0);
            rest = &mut rest[done..];
        }
        self.frames[..self.waiting].fill_with(|| None);
        self.waiting = 0;
    }
}
