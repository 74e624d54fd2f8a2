//! Echo requests (RFC 792, RFC 4443).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU16, Ordering};

use nix::sys::socket::SockaddrStorage;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::{
    ACCEPT, DROP, EQUAL, HEADER_LENGTH_TO_X, LOAD_BYTE, LOAD_BYTE_X, LOAD_HALF, LOAD_HALF_X, receive, set_up,
};

/// Octets of a request: a header of 8 and as many of content, which nobody reads.
const LENGTH: usize = 16;
/// Octets of the longest IPv4 header with what is read of a reply behind it.
const REPLY_MAX: usize = 60 + 8;

/// A socket for echo requests of one family.
#[derive(Debug)]
pub(crate) struct Echo {
    socket: Socket,
    kinds: Kinds,
    id: u16,
}

/// Message types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kinds {
    request: u8,
    reply: u8,
}

const V4: Kinds = Kinds { request: 8, reply: 0 };
const V6: Kinds = Kinds { request: 128, reply: 129 };

impl Echo {
    /// Opens a socket for hosts of the family of `host`.
    ///
    /// # Errors
    /// When the kernel refuses it; `CAP_NET_RAW` is needed.
    pub(crate) fn open(host: IpAddr) -> io::Result<Self> {
        let (kinds, domain, protocol) = match host {
            IpAddr::V4(_) => (V4, Domain::IPV4, Protocol::ICMPV4),
            IpAddr::V6(_) => (V6, Domain::IPV6, Protocol::ICMPV6),
        };
        let socket = Socket::new(domain, Type::RAW.nonblocking(), Some(protocol))?;
        let id = unused_id();
        set_up(&socket, &filter(kinds, id))?;
        Ok(Self { socket, kinds, id })
    }

    /// Asks `host`; the reply bears the same number.
    ///
    /// # Errors
    /// When there is no way to the host.
    pub(crate) fn ask(&self, host: IpAddr, number: u16) -> io::Result<()> {
        let mut request = [0; LENGTH];
        request[0] = self.kinds.request;
        request[4..6].copy_from_slice(&self.id.to_be_bytes());
        request[6..8].copy_from_slice(&number.to_be_bytes());
        if self.kinds == V4 {
            let sum = checksum(&request);
            request[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        // The kernel fills in the checksum of version 6, which covers addresses that it chooses.
        self.socket.send_to(&request, &SocketAddr::new(host, 0).into()).map(drop)
    }

    /// Who has replied, to which number; `None` when nothing is left to read.
    ///
    /// # Errors
    /// When the kernel has noted one for the socket.
    pub(crate) fn heard(&self) -> io::Result<Option<(IpAddr, u16)>> {
        let mut packet = [0; REPLY_MAX];
        while let Some((length, source)) = receive(&self.socket, &mut packet)? {
            if let Some(reply) = self.read(&packet[..length], source.as_ref()) {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    /// Only version 4 has its header before the message.
    fn read(&self, packet: &[u8], source: Option<&SockaddrStorage>) -> Option<(IpAddr, u16)> {
        let at = if self.kinds == V4 { usize::from(packet.first()? & 0x0f) * 4 } else { 0 };
        let number = packet.get(at + 6..at + 8)?;
        let source = source?;
        let v4 = source.as_sockaddr_in().map(|source| IpAddr::V4(source.ip()));
        let source = v4.or_else(|| Some(IpAddr::V6(source.as_sockaddr_in6()?.ip())))?;
        Some((source, u16::from_be_bytes(number.try_into().ok()?)))
    }
}

impl AsFd for Echo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// An identifier that no other socket of this agent has, and that of another program is unlikely to be.
fn unused_id() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = (std::process::id() & 0xffff) as u16;
    process.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Lets replies to requests of this identifier through. Programs on version 4 see the IPv4 header too.
fn filter(kinds: Kinds, id: u16) -> Vec<SockFilter> {
    let is = |value, jump_false| SockFilter::new(EQUAL, 0, jump_false, value);
    let reply = u32::from(kinds.reply);
    let id = u32::from(id);
    let mut program = if kinds == V4 {
        vec![
            SockFilter::new(HEADER_LENGTH_TO_X, 0, 0, 0),
            SockFilter::new(LOAD_BYTE_X, 0, 0, 0),
            is(reply, 3),
            SockFilter::new(LOAD_HALF_X, 0, 0, 4),
        ]
    } else {
        vec![SockFilter::new(LOAD_BYTE, 0, 0, 0), is(reply, 3), SockFilter::new(LOAD_HALF, 0, 0, 4)]
    };
    program.extend([is(id, 1), ACCEPT, DROP]);
    program
}

/// RFC 1071.
fn checksum(octets: &[u8; LENGTH]) -> u16 {
    let (pairs, _) = octets.as_chunks::<2>();
    let sum: u32 = pairs.iter().map(|pair| u32::from(u16::from_be_bytes(*pair))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::time::Duration;

    use super::*;
    use crate::watch;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(future)
    }

    /// What comes to the socket first.
    async fn first(echo: Echo) -> Option<(IpAddr, u16)> {
        let echo = watch::readable(echo).expect("pollable");
        let wait = async {
            loop {
                let mut ready = echo.readable().await.expect("pollable");
                match echo.get_ref().heard().expect("readable") {
                    Some(heard) => return heard,
                    None => ready.clear_ready(),
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(1), wait).await.ok()
    }

    #[test]
    fn this_host_answers_in_both_families_with_the_number_of_the_request() {
        for host in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            let answer = block_on(async {
                let echo = Echo::open(host).expect("tests run as root");
                echo.ask(host, 4711).expect("loopback is up");
                first(echo).await
            });
            assert_eq!(answer, Some((host, 4711)));
        }
    }

    #[test]
    fn a_socket_hears_replies_to_its_own_requests_only() {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let answer = block_on(async {
            let (other, own) = (Echo::open(host).expect("root"), Echo::open(host).expect("root"));
            other.ask(host, 1).expect("loopback is up");
            own.ask(host, 2).expect("loopback is up");
            first(own).await
        });
        assert_eq!(answer, Some((host, 2)));
    }

    #[test]
    fn where_there_is_no_way_asking_fails_at_once() {
        let host = IpAddr::V6(Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 1));
        let echo = Echo::open(host).expect("root");
        // The discard prefix, RFC 6666; a machine without IPv6 has no route to anything.
        let asked = echo.ask(host, 1);
        assert!(asked.is_err() || echo.heard().expect("readable").is_none());
    }
}
