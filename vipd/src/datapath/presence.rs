//! What makes an interface hear VRRP at all, on every step of the ladder: XDP widens no multicast filter, and the
//! kernel answers a unicast advert that no socket is open for with "protocol unreachable".

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockFilter, Socket, Type};
use vipd_common::wire::ip;

/// Membership of VRRP groups on one interface (IGMP, MLD: C-L2-05), and sockets that are open for protocol 112 without ever
/// reading.
pub(super) struct Presence {
    groups: BTreeSet<IpAddr>,
    _sockets: Vec<Socket>,
}

impl Presence {
    /// Joins the groups.
    ///
    /// # Errors
    /// When the interface is gone or knows no IPv6, or `CAP_NET_RAW` is missing.
    pub(super) fn establish(ifindex: u32, groups: BTreeSet<IpAddr>) -> io::Result<Self> {
        let mut sockets = Vec::new();
        for group in groups.iter().copied() {
            let domain = Domain::for_address((group, 0).into());
            let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(i32::from(ip::VRRP))))?;
            // Returns 0 for every packet: nothing is queued.
            socket.attach_filter(&[SockFilter::new(0x06, 0, 0, 0)])?;
            match group {
                IpAddr::V4(group) => {
                    socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(ifindex))?;
                }
                IpAddr::V6(group) => socket.join_multicast_v6(&group, ifindex)?,
            }
            sockets.push(socket);
        }
        Ok(Self { groups, _sockets: sockets })
    }

    /// The groups that it has joined.
    pub(super) fn groups(&self) -> &BTreeSet<IpAddr> {
        &self.groups
    }
}
