//! Whether a host answers an echo request, or a neighbour an ARP request.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;

use socket2::{Domain, Socket, Type};

use super::{Outcome, sentence};
use crate::reach::{Echo, Neighbours};
use crate::watch::{self, Watched};

/// Echo requests to a host.
#[derive(Debug)]
pub(in crate::track) struct Ping {
    host: IpAddr,
    number: u16,
    socket: Option<Watched<Echo>>,
}

impl Ping {
    pub(super) fn new(host: IpAddr) -> Self {
        Self { host, number: 0, socket: None }
    }

    pub(super) async fn check(&mut self) -> Outcome {
        self.try_check().await.map_err(|error| sentence(&error))
    }

    async fn try_check(&mut self) -> io::Result<()> {
        self.number = self.number.wrapping_add(1);
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => watch::readable(Echo::open(self.host)?)?,
        };
        let (host, number) = (self.host, self.number);
        let socket = self.socket.insert(socket);
        socket.get_ref().ask(host, number)?;
        // A reply that came too late bears an older number.
        wait_for(socket, |echo| Ok(echo.heard()?.map(|reply| reply == (host, number)))).await
    }
}

/// ARP requests or neighbour solicitations to a host.
#[derive(Debug)]
pub(in crate::track) struct Resolution {
    host: IpAddr,
    interface: String,
}

impl Resolution {
    pub(super) fn new(host: IpAddr, interface: &str) -> Self {
        Self { host, interface: interface.to_owned() }
    }

    pub(super) async fn check(&self) -> Outcome {
        self.try_check().await.map_err(|error| sentence(&error))
    }

    /// With a new socket each time: the interface may be another one of the same name by now.
    async fn try_check(&self) -> io::Result<()> {
        let ifindex = nix::net::if_::if_nametoindex(self.interface.as_str())?;
        let socket = watch::readable(Neighbours::open(ifindex, &[self.host])?)?;
        socket.get_ref().ask(self.host, own_address(&self.interface, self.host))?;
        wait_for(&socket, |neighbours| Ok(neighbours.heard()?.map(|who| who == self.host))).await
    }
}

/// The address that this host would use to talk to `host` on this interface; the unspecified one, with which RFC 5227
/// probes, where it has none.
fn own_address(interface: &str, host: IpAddr) -> IpAddr {
    let (domain, unspecified) = match host {
        IpAddr::V4(_) => (Domain::IPV4, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        IpAddr::V6(_) => (Domain::IPV6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
    };
    let chosen = || -> io::Result<Option<SocketAddr>> {
        let socket = Socket::new(domain, Type::DGRAM, None)?;
        socket.bind_device(Some(interface.as_bytes()))?;
        // Sends nothing. Any port will do.
        socket.connect(&SocketAddr::new(host, 9).into())?;
        Ok(socket.local_addr()?.as_socket())
    };
    chosen().ok().flatten().map_or(unspecified, |address| address.ip())
}

/// Reads until `read` finds what it looks for.
async fn wait_for<T: AsFd>(
    socket: &Watched<T>,
    mut read: impl FnMut(&T) -> io::Result<Option<bool>>,
) -> io::Result<()> {
    loop {
        let mut ready = socket.readable().await?;
        match read(socket.get_ref())? {
            Some(true) => return Ok(()),
            Some(false) => {}
            None => ready.clear_ready(),
        }
    }
}
