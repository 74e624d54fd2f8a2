//! The kernel's own announcements of changes to addresses, links and neighbours (rtnetlink), as seen by one host.

use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};

use crate::Moment;
use crate::host::Host;

const GROUPS: u32 =
    (libc::RTMGRP_LINK | libc::RTMGRP_NEIGH | libc::RTMGRP_IPV4_IFADDR | libc::RTMGRP_IPV6_IFADDR)
        .cast_unsigned();
/// Length of `nlmsghdr`, and of `ndmsg` and `ifaddrmsg` behind it.
const HEADER: usize = 16;
const NDMSG: usize = 12;
const IFADDRMSG: usize = 8;

/// One announced change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// An IPv4 address appeared on an interface of the host.
    AddressAdded(IpAddr),
    /// An IPv4 address vanished from an interface of the host.
    AddressRemoved(IpAddr),
    /// The host's ARP table now has this MAC address for this IPv4 address.
    Neighbour(IpAddr, [u8; 6]),
    /// The bridge has learned a MAC address behind the port with this interface index.
    Learned([u8; 6], u32),
    /// Something else.
    Other,
}

/// A subscription to the changes of one host; nothing is missed from its opening on, short of tens of thousands of
/// changes that nobody reads.
pub struct Rtnl {
    socket: OwnedFd,
}

impl Rtnl {
    /// Subscribes.
    ///
    /// # Errors
    /// If the kernel gives no netlink socket.
    pub fn open(host: &Host) -> Result<Self> {
        let socket = host.run(|| -> nix::Result<OwnedFd> {
            let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
            let socket = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
            bind(socket.as_raw_fd(), &NetlinkAddr::new(0, GROUPS))?;
            Ok(socket)
        })?;
        Ok(Self { socket })
    }

    /// The changes that come in the next batch, with the time at which they were read. Empty when none came `within`
    /// this time.
    ///
    /// # Errors
    /// If the socket fails.
    pub fn next(&self, within: Duration) -> Result<Vec<(Moment, Change)>> {
        if !readable(&self.socket, Moment::now() + within)? {
            return Ok(Vec::new());
        }
        let mut buffer = vec![0; 65536];
        match recv(self.socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(length) => {
                let at = Moment::now();
                Ok(parse(&buffer[..length]).into_iter().map(|change| (at, change)).collect())
            }
            // Lost announcements are a reason to look again, like any other.
            Err(Errno::EAGAIN | Errno::ENOBUFS) => Ok(vec![(Moment::now(), Change::Other)]),
            Err(error) => Err(error).context("netlink"),
        }
    }
}

/// Awaits readability until `deadline`; false if it did not come.
pub(crate) fn readable(socket: &impl AsFd, deadline: Moment) -> Result<bool> {
    loop {
        // Rounded up, so that the last wait does not become a busy loop.
        let millis = u32::try_from(deadline.remaining().as_micros().div_ceil(1000)).unwrap_or(u32::MAX);
        let timeout = PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX);
        match poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)], timeout) {
            Ok(0) if deadline.remaining().is_zero() => return Ok(false),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error).context("poll"),
        }
    }
}

fn parse(mut batch: &[u8]) -> Vec<Change> {
    let mut changes = Vec::new();
    while let Some(length) = batch.get(..4).map(|field| native_u32(field) as usize) {
        let Some(message) = batch.get(..length).filter(|message| message.len() >= HEADER) else { break };
        let kind = u16::from_ne_bytes([message[4], message[5]]);
        changes.push(change(kind, &message[HEADER..]).unwrap_or(Change::Other));
        batch = batch.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    changes
}

fn change(kind: u16, body: &[u8]) -> Option<Change> {
    let family = i32::from(*body.first()?);
    match kind {
        libc::RTM_NEWADDR | libc::RTM_DELADDR if family == libc::AF_INET => {
            let address = ipv4(attribute(body.get(IFADDRMSG..)?, libc::IFA_LOCAL)?)?;
            Some(if kind == libc::RTM_NEWADDR {
                Change::AddressAdded(address)
            } else {
                Change::AddressRemoved(address)
            })
        }
        libc::RTM_NEWNEIGH => {
            let attributes = body.get(NDMSG..)?;
            let mac = attribute(attributes, libc::NDA_LLADDR)?.try_into().ok()?;
            if family == libc::AF_BRIDGE {
                return Some(Change::Learned(mac, native_u32(&body[4..8])));
            }
            let address = attribute(attributes, libc::NDA_DST)?;
            (family == libc::AF_INET).then_some(Change::Neighbour(ipv4(address)?, mac))
        }
        _ => None,
    }
}

/// The value of the first attribute of this type.
fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(attributes.get(..2)?.try_into().ok()?));
        let kind = u16::from_ne_bytes(attributes.get(2..4)?.try_into().ok()?);
        if kind == wanted {
            return attributes.get(4..length);
        }
        attributes = attributes.get(length.max(4).next_multiple_of(4)..)?;
    }
}

fn ipv4(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).ok().map(|octets| IpAddr::V4(Ipv4Addr::from(octets)))
}

/// The first four bytes, in the machine's own order.
fn native_u32(bytes: &[u8]) -> u32 {
    u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
