//! Asks hosts whether they are there: echo requests for those further away, ARP requests and neighbour solicitations for
//! those on the same network. The sockets are opened once, never block, and let nothing through but answers.

mod arp;
mod echo;
mod nd;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::socket::{SockaddrStorage, recvfrom, setsockopt, sockopt};
use socket2::{SockFilter, Socket};

pub(crate) use echo::Echo;

use arp::Arp;
use nd::Solicitor;

/// `TC_PRIO_CONTROL`: queueing disciplines send it before other traffic.
const PRIORITY: i32 = 7;

const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF: u16 = 0x28;
const LOAD_WORD: u16 = 0x20;
/// Load a byte, or half a word, from behind X.
const LOAD_BYTE_X: u16 = 0x50;
const LOAD_HALF_X: u16 = 0x48;
/// X becomes the length of the IPv4 header at this place.
const HEADER_LENGTH_TO_X: u16 = 0xb1;
const EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const DROP: SockFilter = SockFilter::new(RETURN, 0, 0, 0);
const ACCEPT: SockFilter = SockFilter::new(RETURN, 0, 0, 0x0004_0000);

/// Hosts on the network of one interface, asked by ARP or by neighbour solicitation, as their addresses need it.
#[derive(Debug)]
pub(crate) enum Neighbours {
    /// IPv4.
    Arp(Arp),
    /// IPv6.
    Nd(Solicitor),
}

impl Neighbours {
    /// Opens a socket on an interface for these hosts, all of one family. Nothing of others gets through.
    ///
    /// # Errors
    /// When the kernel refuses it; `CAP_NET_RAW` is needed.
    pub(crate) fn open(ifindex: u32, hosts: &[IpAddr]) -> io::Result<Self> {
        let v4: Vec<_> = hosts.iter().filter_map(|host| ipv4(*host)).collect();
        let v6: Vec<_> = hosts.iter().filter_map(|host| ipv6(*host)).collect();
        Ok(if v6.is_empty() {
            Self::Arp(Arp::open(ifindex, &v4)?)
        } else {
            Self::Nd(Solicitor::open(ifindex, &v6)?)
        })
    }

    /// Asks `host`, in the name of `source`.
    ///
    /// # Errors
    /// When the interface is gone or down, or `host` is of the other family.
    pub(crate) fn ask(&self, host: IpAddr, source: IpAddr) -> io::Result<()> {
        match (self, host, source) {
            (Self::Arp(arp), IpAddr::V4(host), IpAddr::V4(source)) => arp.ask(host, source),
            (Self::Nd(solicitor), IpAddr::V6(host), _) => solicitor.ask(host),
            _ => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    /// Which of the hosts has answered, or said anything by ARP; `None` when nothing is left to read.
    ///
    /// # Errors
    /// When the interface is gone or down.
    pub(crate) fn heard(&self) -> io::Result<Option<IpAddr>> {
        match self {
            Self::Arp(arp) => Ok(arp.heard()?.map(IpAddr::V4)),
            Self::Nd(solicitor) => Ok(solicitor.heard()?.map(IpAddr::V6)),
        }
    }
}

impl AsFd for Neighbours {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Arp(arp) => arp.as_fd(),
            Self::Nd(solicitor) => solicitor.as_fd(),
        }
    }
}

fn ipv4(host: IpAddr) -> Option<Ipv4Addr> {
    if let IpAddr::V4(host) = host { Some(host) } else { None }
}

fn ipv6(host: IpAddr) -> Option<Ipv6Addr> {
    if let IpAddr::V6(host) = host { Some(host) } else { None }
}

/// The end of a filter: lets through what has one of these words at `at`.
fn one_of(at: u32, words: &[u32]) -> impl Iterator<Item = SockFilter> {
    // A jump reaches 255 instructions; the words behind that many are not told apart, and who reads looks again.
    let words = &words[..words.len().min(usize::from(u8::MAX) - 1)];
    let found = (1..=u8::MAX).take(words.len()).rev();
    let compare = words.iter().zip(found).map(|(word, jump)| SockFilter::new(EQUAL, jump, 0, *word));
    std::iter::once(SockFilter::new(LOAD_WORD, 0, 0, at)).chain(compare).chain([DROP, ACCEPT])
}

/// The length of the next packet and where it came from; `None` when none is waiting.
fn receive(socket: &Socket, packet: &mut [u8]) -> io::Result<Option<(usize, Option<SockaddrStorage>)>> {
    match recvfrom(socket.as_raw_fd(), packet) {
        Ok(received) => Ok(Some(received)),
        Err(Errno::EAGAIN) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// What the sockets here have in common: what `filter` lets through is received, what is sent goes before other traffic.
fn set_up(socket: &Socket, filter: &[SockFilter]) -> io::Result<()> {
    socket.attach_filter(filter)?;
    setsockopt(socket, sockopt::Priority, &PRIORITY)?;
    Ok(())
}

/// The hardware address of an interface. Not by the name of a packet socket: the kernel tells that in 18 octets, which is
/// less than what nix takes for an address.
fn mac(ifindex: u32) -> io::Result<[u8; 6]> {
    let name = nix::net::if_::if_indextoname(ifindex)?;
    let own = nix::ifaddrs::getifaddrs()?.filter(|one| Ok(one.interface_name.as_str()) == name.to_str());
    let mut macs = own.filter_map(|one| one.address?.as_link_addr()?.addr());
    macs.next().ok_or_else(|| io::ErrorKind::Unsupported.into())
}
