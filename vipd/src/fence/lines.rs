//! The sockets through which hosts are asked: one for all fences on an interface, and one for all echo requests.

use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::task::{Context, Poll};

use crate::reach::{Echo, Neighbours};
use crate::watch::{self, Watched};

/// One of the sockets, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line(usize);

/// All of them.
#[derive(Default)]
pub(super) struct Lines(Vec<Opened>);

struct Opened {
    way: Way,
    hosts: Vec<IpAddr>,
    socket: Option<Socket>,
}

/// How a host is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// On this interface, and whether by IPv4.
    Neighbour(u32, bool),
    /// By echo request, and whether by IPv4.
    Echo(bool),
}

enum Socket {
    Neighbours(Watched<Neighbours>),
    Echo(Watched<Echo>),
}

impl Lines {
    /// The socket for a host, to be opened with all that there are.
    pub(super) fn add(&mut self, way: Way, host: IpAddr) -> Line {
        let place = self.0.iter().position(|line| line.way == way).unwrap_or_else(|| {
            self.0.push(Opened { way, hosts: Vec::new(), socket: None });
            self.0.len() - 1
        });
        self.0[place].hosts.push(host);
        Line(place)
    }

    /// Opens them.
    ///
    /// # Errors
    /// When the kernel refuses one.
    pub(super) fn open(&mut self) -> io::Result<()> {
        for line in &mut self.0 {
            line.socket = Some(match (line.way, line.hosts.first()) {
                // The interface is not there, or nobody is to be asked.
                (Way::Neighbour(0, _), _) | (Way::Echo(_), None) => continue,
                (Way::Neighbour(ifindex, _), _) => {
                    Socket::Neighbours(watch::readable(Neighbours::open(ifindex, &line.hosts)?)?)
                }
                (Way::Echo(_), Some(host)) => Socket::Echo(watch::readable(Echo::open(*host)?)?),
            });
        }
        Ok(())
    }

    /// Asks a host.
    ///
    /// # Errors
    /// When there is no way to it.
    pub(super) fn ask(&self, line: Line, host: IpAddr, source: IpAddr) -> io::Result<()> {
        match &self.0[line.0].socket {
            Some(Socket::Neighbours(neighbours)) => neighbours.get_ref().ask(host, source),
            Some(Socket::Echo(echo)) => echo.get_ref().ask(host, 0),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Reads who has been heard, through which socket.
    pub(super) fn read(&self, mut heard: impl FnMut(Line, IpAddr)) {
        for (place, line) in self.0.iter().enumerate() {
            let next = || match &line.socket {
                Some(Socket::Neighbours(neighbours)) => neighbours.get_ref().heard(),
                Some(Socket::Echo(echo)) => Ok(echo.get_ref().heard()?.map(|(host, _)| host)),
                None => Ok(None),
            };
            // An error is that the interface went down, which the link monitor tells.
            while let Ok(Some(host)) = next() {
                heard(Line(place), host);
            }
        }
    }

    /// Ready when something may have been heard since this was last asked. What is there must then be read to its end.
    pub(super) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut ready = false;
        for line in &self.0 {
            ready |= match &line.socket {
                Some(Socket::Neighbours(socket)) => is_ready(socket, context)?,
                Some(Socket::Echo(socket)) => is_ready(socket, context)?,
                None => false,
            };
        }
        if ready { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

fn is_ready<T: AsFd>(socket: &Watched<T>, context: &mut Context<'_>) -> io::Result<bool> {
    match socket.poll_read_ready(context) {
        Poll::Ready(ready) => {
            ready?.clear_ready();
            Ok(true)
        }
        Poll::Pending => Ok(false),
    }
}
