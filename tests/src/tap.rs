//! A packet socket that sees what enters and leaves the interfaces of a host or switch.

use std::io::IoSliceMut;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, recvmsg,
    setsockopt, socket, sockopt,
};
use nix::sys::time::TimeSpec;
use socket2::{SockFilter, Socket};

use crate::Moment;
use crate::frame::{self, Advert, ArpReply, GratuitousArp, NeighbourAdvertisement};
use crate::host::Host;
use crate::rtnl::readable;
use crate::switch::Port;

/// Room for many seconds of adverts at the shortest interval on all ports.
const BUFFER: usize = 32 << 20;

/// Seen from the interface's own host or switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Came in from the cable.
    In,
    /// Went out to the cable.
    Out,
}

/// A frame that passed an interface.
#[derive(Clone, Debug)]
pub struct Frame {
    /// When the kernel handled it there.
    pub at: Moment,
    /// Index of the interface.
    pub interface: u32,
    /// Where it went.
    pub direction: Direction,
    /// The frame from its destination MAC address on.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// The frame as a VRRP advert.
    #[must_use]
    pub fn advert(&self) -> Option<Advert> {
        frame::advert(&self.bytes)
    }

    /// The frame as a gratuitous ARP.
    #[must_use]
    pub fn gratuitous_arp(&self) -> Option<GratuitousArp> {
        frame::gratuitous_arp(&self.bytes)
    }

    /// The frame as an ARP reply.
    #[must_use]
    pub fn arp_reply(&self) -> Option<ArpReply> {
        frame::arp_reply(&self.bytes)
    }

    /// The frame as a neighbour advertisement.
    #[must_use]
    pub fn neighbour_advertisement(&self) -> Option<NeighbourAdvertisement> {
        frame::neighbour_advertisement(&self.bytes)
    }

    /// True if it came from the host behind `port`.
    #[must_use]
    pub fn came_from(&self, port: &Port) -> bool {
        self.interface == port.index() && self.direction == Direction::In
    }

    /// True if it was sent on to the host behind `port`.
    #[must_use]
    pub fn went_to(&self, port: &Port) -> bool {
        self.interface == port.index() && self.direction == Direction::Out
    }
}

/// Sees VRRP, ARP and neighbour discovery on all interfaces of a host or switch, in both directions, from its opening on. On a switch
/// it sees what really passes a port, whatever programs the host behind it has in its receive path.
pub struct Tap {
    socket: OwnedFd,
}

impl Tap {
    /// Opens a tap.
    ///
    /// # Errors
    /// If the kernel gives no packet socket.
    pub fn open(host: &Host) -> Result<Self> {
        Self::filtered(host, FILTER.into())
    }

    /// Opens a tap that sees only what one of these MAC addresses sent, so that a flood of others' frames is not its
    /// business. At most 60 addresses.
    ///
    /// # Errors
    /// If the kernel gives no packet socket.
    pub fn of(host: &Host, macs: &[[u8; 6]]) -> Result<Self> {
        Self::filtered(host, from_any_of(macs))
    }

    /// As [`Tap::of`], and only what comes in: each frame once, where it enters a switch.
    ///
    /// # Errors
    /// As for [`Tap::of`].
    pub fn arriving_of(host: &Host, macs: &[[u8; 6]]) -> Result<Self> {
        let incoming = [
            instruction(LOAD_WORD, 0, 0, PACKET_TYPE),
            instruction(JUMP_IF_EQUAL, 0, 1, u32::from(libc::PACKET_OUTGOING)),
            instruction(RETURN, 0, 0, 0),
        ];
        Self::filtered(host, incoming.into_iter().chain(from_any_of(macs)).collect())
    }

    fn filtered(host: &Host, filter: Vec<SockFilter>) -> Result<Self> {
        let socket = host.run(move || -> Result<OwnedFd> {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)?;
            let socket = Socket::from(socket);
            socket.attach_filter(&filter)?;
            setsockopt(&socket, sockopt::RcvBufForce, &BUFFER)?;
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
            Ok(socket.into())
        })?;
        Ok(Self { socket })
    }

    /// The next frame, or `None` if none comes `within` this time.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn next(&self, within: Duration) -> Result<Option<Frame>> {
        let deadline = Moment::now() + within;
        while readable(&self.socket, deadline)? {
            if let Some(frame) = self.receive()? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// Awaits a frame of which `pick` makes something.
    ///
    /// # Errors
    /// If none comes `within` this time.
    pub fn wait_for<T>(&self, within: Duration, mut pick: impl FnMut(&Frame) -> Option<T>) -> Result<T> {
        let deadline = Moment::now() + within;
        while let Some(frame) = self.next(deadline.remaining())? {
            if let Some(picked) = pick(&frame) {
                return Ok(picked);
            }
        }
        bail!("no such frame within {within:?}")
    }

    /// Every frame that has passed up to now and was not yet given out.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn drain(&self) -> Result<Vec<Frame>> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next(Duration::ZERO)? {
            frames.push(frame);
        }
        Ok(frames)
    }

    fn receive(&self) -> Result<Option<Frame>> {
        let mut bytes = vec![0; 2048];
        let mut control = nix::cmsg_space!(TimeSpec);
        let mut parts = [IoSliceMut::new(&mut bytes)];
        let message = recvmsg::<LinkAddr>(
            self.socket.as_raw_fd(),
            &mut parts,
            Some(&mut control),
            MsgFlags::MSG_DONTWAIT,
        )
        .context("packet socket")?;
        let (length, address) = (message.bytes, message.address);
        let stamp = message.cmsgs()?.find_map(|part| match part {
            ControlMessageOwned::ScmTimestampns(stamp) => Some(stamp),
            _ => None,
        });
        let (Some(address), Some(stamp)) = (address, stamp) else { return Ok(None) };
        let direction = match address.pkttype() {
            libc::PACKET_OUTGOING => Direction::Out,
            _ => Direction::In,
        };
        bytes.truncate(length);
        let interface = u32::try_from(address.ifindex()).context("interface index")?;
        Ok(Some(Frame { at: Moment::from_realtime(stamp), interface, direction, bytes }))
    }
}

/// Lets ARP, neighbour discovery and IP protocol 112 pass, so that no client's traffic can crowd out what a tap is there
/// for.
const FILTER: [SockFilter; 14] = [
    instruction(LOAD_HALF, 0, 0, 12),
    instruction(JUMP_IF_EQUAL, 10, 0, 0x0806),
    instruction(JUMP_IF_EQUAL, 0, 2, 0x0800),
    instruction(LOAD_BYTE, 0, 0, 14 + 9),
    instruction(JUMP_IF_EQUAL, 7, 8, 112),
    instruction(JUMP_IF_EQUAL, 0, 7, 0x86dd),
    instruction(LOAD_BYTE, 0, 0, 14 + 6),
    instruction(JUMP_IF_EQUAL, 4, 0, 112),
    instruction(JUMP_IF_EQUAL, 0, 4, 58),
    instruction(LOAD_BYTE, 0, 0, 14 + 40),
    instruction(JUMP_IF_EQUAL, 1, 0, 135),
    instruction(JUMP_IF_EQUAL, 0, 1, 136),
    instruction(RETURN, 0, 0, 0xffff),
    instruction(RETURN, 0, 0, 0),
];

/// Lets what [`FILTER`] lets pass, if its source MAC address is one of these.
fn from_any_of(macs: &[[u8; 6]]) -> Vec<SockFilter> {
    let mut program = Vec::new();
    for (place, mac) in macs.iter().enumerate() {
        let (head, tail) = ([mac[0], mac[1], mac[2], mac[3]], [0, 0, mac[4], mac[5]]);
        // Over the tests for the addresses that are left, four each, and the rejection behind them.
        let accepted = u8::try_from(4 * (macs.len() - place - 1) + 1).unwrap_or(u8::MAX);
        program.extend([
            instruction(LOAD_WORD, 0, 0, 6),
            instruction(JUMP_IF_EQUAL, 0, 2, u32::from_be_bytes(head)),
            instruction(LOAD_HALF, 0, 0, 10),
            instruction(JUMP_IF_EQUAL, accepted, 0, u32::from_be_bytes(tail)),
        ]);
    }
    program.push(instruction(RETURN, 0, 0, 0));
    program.extend(FILTER);
    program
}

/// Where classic BPF reads a frame's `PACKET_` type instead of the frame.
const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned();
const LOAD_WORD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
const LOAD_HALF: u32 = libc::BPF_LD | libc::BPF_H | libc::BPF_ABS;
const LOAD_BYTE: u32 = libc::BPF_LD | libc::BPF_B | libc::BPF_ABS;
const JUMP_IF_EQUAL: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
const RETURN: u32 = libc::BPF_RET | libc::BPF_K;

#[expect(clippy::cast_possible_truncation, reason = "operation codes of classic BPF fit in 16 bits")]
const fn instruction(code: u32, jump_true: u8, jump_false: u8, value: u32) -> SockFilter {
    SockFilter::new(code as u16, jump_true, jump_false, value)
}
