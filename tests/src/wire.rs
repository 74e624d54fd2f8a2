//! A packet socket on one interface of a host: what the lab sends without any stack in between.

use std::io;
use std::os::fd::AsRawFd;

use anyhow::{Context, Result};
use socket2::{Domain, SockAddr, SockAddrStorage, Socket, Type};

use crate::host::Host;

/// Opens a packet socket that sends out of `interface` and receives nothing.
pub(crate) fn open(host: &Host, interface: &str) -> Result<Socket> {
    let name = interface.to_owned();
    let open = move || -> io::Result<Socket> {
        let index = nix::net::if_::if_nametoindex(name.as_str())?;
        let socket = Socket::new(Domain::PACKET, Type::RAW, None)?;
        socket.bind(&link_address(index))?;
        Ok(socket)
    };
    host.run(open).with_context(|| format!("{}: packet socket on {interface}", host.name()))
}

/// Has frames go straight to the driver, so that no queue of the kernel's bounds what a flood can be.
pub(crate) fn bypass_queues(socket: &Socket) -> io::Result<()> {
    let on: libc::c_int = 1;
    let length = libc::socklen_t::try_from(size_of_val(&on)).map_err(io::Error::other)?;
    // SAFETY: the value is an int that outlives the call, and its length is the one that is told.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_QDISC_BYPASS,
            (&raw const on).cast(),
            length,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn link_address(index: u32) -> SockAddr {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET.try_into().unwrap_or(0),
        sll_protocol: 0,
        sll_ifindex: index.try_into().unwrap_or(0),
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
