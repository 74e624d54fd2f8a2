//! The last step of the ladder: a packet socket, and the receive checks in user space.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::Duration;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt, sockopt};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};
use socket2::{Domain, SockFilter, Socket, Type};
use vipd_common::wire::L3_MAX;
use vipd_core::Instant;

use crate::effects::link_address;
use crate::election::now;

/// Octets of the largest frame that is read; longer ones are cut, and fail the length check.
const FRAME_MAX: usize = 14 + L3_MAX;
/// Octets that may wait in the kernel: some thousand adverts.
const RECEIVE_BUFFER: usize = 1 << 20;
/// A stamp older than this is from before the wall clock was set, and is not believed.
const OLDEST: Duration = Duration::from_mins(1);

/// A packet socket on one interface that lets through adverts and announcements of addresses by other nodes, untagged.
pub(super) struct PacketSocket {
    socket: Socket,
    control: Vec<u8>,
}

impl PacketSocket {
    /// Opens the socket.
    ///
    /// # Errors
    /// When the kernel refuses it; `CAP_NET_RAW` is needed.
    pub(super) fn open(ifindex: u32) -> io::Result<Self> {
        // Protocol 0 until the filter stands: nothing else must get in.
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), None)?;
        socket.attach_filter(FILTER)?;
        setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
        socket.bind(&link_address(ifindex, libc::ETH_P_ALL))?;
        Ok(Self { socket, control: nix::cmsg_space!(TimeSpec) })
    }

    /// The next frame: its length, cut to the buffer's, and when it arrived. `None` when none is waiting.
    ///
    /// # Errors
    /// When the interface went down or away.
    pub(super) fn receive(&mut self, frame: &mut [u8; FRAME_MAX]) -> io::Result<Option<(usize, Instant)>> {
        let mut buffers = [IoSliceMut::new(frame)];
        let fd = self.socket.as_raw_fd();
        let message = match recvmsg::<()>(fd, &mut buffers, Some(&mut self.control), MsgFlags::MSG_DONTWAIT) {
            Ok(message) => message,
            Err(nix::errno::Errno::EAGAIN) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        let stamp = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
            _ => None,
        });
        Ok(Some((message.bytes, arrival(stamp))))
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A buffer for [`PacketSocket::receive`].
pub(super) type Frame = [u8; FRAME_MAX];

/// An empty buffer.
pub(super) fn frame() -> Box<Frame> {
    Box::new([0; FRAME_MAX])
}

/// The kernel stamps packets by the wall clock; what counts is how long ago that was.
fn arrival(stamp: Option<TimeSpec>) -> Instant {
    let now = now();
    let age = || {
        let wall = Duration::from(clock_gettime(ClockId::CLOCK_REALTIME).ok()?);
        wall.checked_sub(Duration::from(stamp?)).filter(|age| *age < OLDEST)
    };
    let age = age().unwrap_or_default();
    Instant::from_nanos(now.as_nanos().saturating_sub(age.as_nanos().try_into().unwrap_or(0)))
}

const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF: u16 = 0x28;
const LOAD_WORD: u16 = 0x20;
const TO_X: u16 = 0x07;
const EQUAL: u16 = 0x15;
const EQUAL_X: u16 = 0x1d;
const RETURN: u16 = 0x06;
/// `SKF_AD_OFF + SKF_AD_PKTTYPE`.
const PACKET_TYPE: u32 = 0xffff_f004;
/// `SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT`.
const TAGGED: u32 = 0xffff_f030;
const OUTGOING: u32 = 4;

/// Classic BPF: not sent by this host, untagged, and either IPv4 protocol 112, or IPv6 with next header 112 or a neighbour
/// advertisement, or ARP whose sender is its target.
const FILTER: &[SockFilter] = &[
    SockFilter::new(LOAD_BYTE, 0, 0, PACKET_TYPE),
    SockFilter::new(EQUAL, 17, 0, OUTGOING),
    SockFilter::new(LOAD_BYTE, 0, 0, TAGGED),
    SockFilter::new(EQUAL, 0, 15, 0),
    SockFilter::new(LOAD_HALF, 0, 0, 12),
    SockFilter::new(EQUAL, 0, 2, 0x0800),
    SockFilter::new(LOAD_BYTE, 0, 0, 23),
    SockFilter::new(EQUAL, 12, 11, 112),
    SockFilter::new(EQUAL, 0, 5, 0x86dd),
    SockFilter::new(LOAD_BYTE, 0, 0, 20),
    SockFilter::new(EQUAL, 9, 0, 112),
    SockFilter::new(EQUAL, 0, 7, 58),
    SockFilter::new(LOAD_BYTE, 0, 0, 54),
    SockFilter::new(EQUAL, 6, 5, 136),
    SockFilter::new(EQUAL, 0, 4, 0x0806),
    SockFilter::new(LOAD_WORD, 0, 0, 28),
    SockFilter::new(TO_X, 0, 0, 0),
    SockFilter::new(LOAD_WORD, 0, 0, 38),
    SockFilter::new(EQUAL_X, 1, 0, 0),
    SockFilter::new(RETURN, 0, 0, 0),
    SockFilter::new(RETURN, 0, 0, 0x0004_0000),
];
