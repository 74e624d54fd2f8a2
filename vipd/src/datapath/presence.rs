//! What makes an interface hear VRRP at all, on every step of the ladder: XDP widens no multicast filter, and the
//! kernel answers a unicast advert that no socket is open for with "protocol unreachable".

use std::io;

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, SockFilter, Socket, Type};
use vipd_common::wire::ipv4;

/// Protocol number of VRRP.
const VRRP: i32 = 112;

/// Membership of the VRRP group on one interface, and a socket that is open for protocol 112 without ever reading.
pub(super) struct Presence {
    _socket: Socket,
}

impl Presence {
    /// Joins.
    ///
    /// # Errors
    /// When the interface is gone, or `CAP_NET_RAW` is missing.
    pub(super) fn establish(ifindex: u32) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(VRRP)))?;
        // Returns 0 for every packet: nothing is queued.
        socket.attach_filter(&[SockFilter::new(0x06, 0, 0, 0)])?;
        socket.join_multicast_v4_n(&ipv4::GROUP, &InterfaceIndexOrAddress::Index(ifindex))?;
        Ok(Self { _socket: socket })
    }
}
