//! Sends frames and packets that were built elsewhere.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::os::fd::AsRawFd;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Protocol, SockAddr, SockAddrStorage, Socket, Type};

/// `TC_PRIO_CONTROL`: queueing disciplines send adverts before other traffic (C-TX-08).
const PRIORITY: i32 = 7;

/// Frames in one system call.
const BATCH: usize = 64;

/// The sending sockets of an agent. Sending never waits: a full queue is an error, not a pause. `T` says of a queued frame
/// what it is.
pub struct Transmitter<T> {
    frames: Socket,
    ipv4: Socket,
    ipv6: Option<Socket>,
    queue: Vec<Queued<T>>,
    /// What the queued frames consist of, one behind the other.
    octets: Vec<u8>,
}

struct Queued<T> {
    ifindex: u32,
    at: usize,
    length: usize,
    what: T,
}

impl<T: Copy> Transmitter<T> {
    /// Opens the sockets in this network namespace.
    ///
    /// # Errors
    /// When the kernel refuses them; `CAP_NET_RAW` is needed.
    pub fn open() -> io::Result<Self> {
        // Protocol 0: this socket receives nothing.
        let frames = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), None)?;
        setsockopt(&frames, sockopt::Priority, &PRIORITY)?;
        let ipv4 = raw(Domain::IPV4)?;
        let ipv6 = match raw(Domain::IPV6) {
            // A host without IPv6.
            Err(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => None,
            socket => Some(socket?),
        };
        Ok(Self { frames, ipv4, ipv6, queue: Vec::new(), octets: Vec::new() })
    }

    /// Makes room for this many frames with this many octets, so that queueing them allocates nothing.
    pub(crate) fn reserve(&mut self, frames: usize, octets: usize) {
        self.queue.reserve(frames);
        // Written, so that the kernel has given the memory and not only promised it.
        self.octets.resize(octets, 0);
        self.octets.clear();
    }

    /// Puts a whole Ethernet frame for an interface into the queue.
    pub fn queue(&mut self, ifindex: u32, frame: &[u8], what: T) {
        self.queue.push(Queued { ifindex, at: self.octets.len(), length: frame.len(), what });
        self.octets.extend_from_slice(frame);
    }

    /// Sends what is queued, as many frames in one system call as possible, and tells of each whether it has left. An
    /// error is that the interface is gone or down, or its queue is full.
    pub fn flush(&mut self, mut done: impl FnMut(T, io::Result<()>)) {
        let mut rest = &self.queue[..];
        while !rest.is_empty() {
            let sent = match self.send(&rest[..rest.len().min(BATCH)]) {
                Ok(sent) => {
                    rest[..sent].iter().for_each(|queued| done(queued.what, Ok(())));
                    sent
                }
                // It is the first one's; those behind it may go.
                Err(error) => {
                    done(rest[0].what, Err(error));
                    1
                }
            };
            rest = &rest[sent..];
        }
        self.queue.clear();
        self.octets.clear();
    }

    /// Sends up to [`BATCH`] frames; tells how many have left, at least one.
    fn send(&self, batch: &[Queued<T>]) -> io::Result<usize> {
        let mut addresses = [link_layer(0, libc::ETH_P_ALL); BATCH];
        let mut slices = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; BATCH];
        // SAFETY: a header of zeros is valid: it names no address and no octets.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { std::mem::zeroed() };
        let places = addresses.iter_mut().zip(&mut slices).zip(&mut headers);
        for (Queued { ifindex, at, length, .. }, ((address, slice), header)) in batch.iter().zip(places) {
            *address = link_layer(*ifindex, libc::ETH_P_ALL);
            let frame = &self.octets[*at..*at + *length];
            *slice = libc::iovec { iov_base: frame.as_ptr().cast_mut().cast(), iov_len: frame.len() };
            header.msg_hdr.msg_name = std::ptr::from_mut(address).cast();
            header.msg_hdr.msg_namelen = ADDRESS_LENGTH;
            header.msg_hdr.msg_iov = slice;
            header.msg_hdr.msg_iovlen = 1;
        }
        let count = libc::c_uint::try_from(batch.len()).unwrap_or(0);
        // SAFETY: the first `count` headers point to an address and octets that outlive the call, which only reads them.
        let sent = unsafe { libc::sendmmsg(self.frames.as_raw_fd(), headers.as_mut_ptr(), count, 0) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error())
    }

    /// Sends a whole IP packet, header included; the kernel routes it to `to` and resolves the neighbour. `ifindex` is where
    /// a link-local address is meant.
    ///
    /// # Errors
    /// When there is no route, or a queue is full.
    pub fn packet(&self, to: IpAddr, ifindex: u32, packet: &[u8]) -> io::Result<()> {
        let (socket, to) = match to {
            IpAddr::V4(_) => (Some(&self.ipv4), SocketAddr::new(to, 0)),
            IpAddr::V6(to) => {
                let scope = if to.is_unicast_link_local() { ifindex } else { 0 };
                (self.ipv6.as_ref(), SocketAddrV6::new(to, 0, 0, scope).into())
            }
        };
        let socket = socket.ok_or_else(|| io::Error::from_raw_os_error(libc::EAFNOSUPPORT))?;
        socket.send_to(packet, &to.into()).map(drop)
    }
}

/// A socket for whole IP packets.
fn raw(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::RAW.nonblocking(), Some(Protocol::from(libc::IPPROTO_RAW)))?;
    setsockopt(&socket, sockopt::Priority, &PRIORITY)?;
    Ok(socket)
}

/// Octets of a link-layer address.
#[expect(clippy::cast_possible_truncation, reason = "20 octets")]
const ADDRESS_LENGTH: libc::socklen_t = size_of::<libc::sockaddr_ll>() as libc::socklen_t;

/// The address of a packet socket on an interface. Only receiving looks at the protocol.
fn link_layer(ifindex: u32, protocol: libc::c_int) -> libc::sockaddr_ll {
    libc::sockaddr_ll {
        sll_family: libc::AF_PACKET.try_into().unwrap_or(0),
        sll_protocol: u16::try_from(protocol).unwrap_or(0).to_be(),
        sll_ifindex: ifindex.try_into().unwrap_or(0),
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    }
}

/// [`link_layer`] for sockets of `socket2`, to receive a protocol (`ETH_P_`).
pub(crate) fn link_address(ifindex: u32, protocol: libc::c_int) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: sockaddr_ll is one of the address types that the storage is made for.
    *unsafe { storage.view_as::<libc::sockaddr_ll>() } = link_layer(ifindex, protocol);
    // SAFETY: the storage was just initialised with an address of this length.
    unsafe { SockAddr::new(storage, ADDRESS_LENGTH) }
}
