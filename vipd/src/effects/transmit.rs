//! Sends frames and packets that were built elsewhere.

use std::io;
use std::net::Ipv4Addr;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

use super::batch::Batch;

/// `TC_PRIO_CONTROL`: queueing disciplines send adverts before other traffic (C-TX-08).
const PRIORITY: i32 = 7;

/// The sending sockets of an agent. Sending never waits: a full queue is an error, not a pause.
pub struct Transmitter {
    frames: Socket,
    packets: Socket,
}

impl Transmitter {
    /// Opens the sockets in this network namespace.
    ///
    /// # Errors
    /// When the kernel refuses them; `CAP_NET_RAW` is needed.
    pub fn open() -> io::Result<Self> {
        // Protocol 0: this socket receives nothing.
        let frames = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), None)?;
        setsockopt(&frames, sockopt::Priority, &PRIORITY)?;
        let packets =
            Socket::new(Domain::IPV4, Type::RAW.nonblocking(), Some(Protocol::from(libc::IPPROTO_RAW)))?;
        setsockopt(&packets, sockopt::Priority, &PRIORITY)?;
        Ok(Self { frames, packets })
    }

    /// Sends a whole Ethernet frame on an interface.
    ///
    /// # Errors
    /// When the interface is gone or down, or its queue is full.
    pub fn frame(&self, ifindex: u32, frame: &[u8]) -> io::Result<()> {
        self.frames.send_to(frame, &link_address(ifindex)).map(drop)
    }

    /// A batch of whole Ethernet frames, each to the [`link_address`] of its interface.
    pub(crate) fn frames(&self) -> Batch<'_> {
        Batch::new(&self.frames)
    }

    /// A batch of whole IPv4 packets; see [`Transmitter::packet`].
    pub(crate) fn packets(&self) -> Batch<'_> {
        Batch::new(&self.packets)
    }

    /// Sends a whole IPv4 packet, header included; the kernel routes it to `to` and resolves the neighbour.
    ///
    /// # Errors
    /// When there is no route, or a queue is full.
    pub fn packet(&self, to: Ipv4Addr, packet: &[u8]) -> io::Result<()> {
        self.packets.send_to(packet, &std::net::SocketAddrV4::new(to, 0).into()).map(drop)
    }
}

/// The address of a packet socket on an interface. All protocols: only receiving looks at it.
pub(crate) fn link_address(ifindex: u32) -> SockAddr {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET.try_into().unwrap_or(0),
        sll_protocol: u16::try_from(libc::ETH_P_ALL).unwrap_or(0).to_be(),
        sll_ifindex: ifindex.try_into().unwrap_or(0),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: sockaddr_ll is one of the address types that the storage is made for.
    *unsafe { storage.view_as::<libc::sockaddr_ll>() } = address;
    // SAFETY: the storage was just initialised with an address of this length.
    unsafe { SockAddr::new(storage, size_of::<libc::sockaddr_ll>().try_into().unwrap_or(0)) }
}
