//! Neighbour solicitations (RFC 4861).

use std::io;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::{DROP, EQUAL, LOAD_BYTE, mac, one_of, receive, set_up};

const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
/// Where the address that is asked for, or advertised, stands in either message, and where it ends.
const TARGET: usize = 8;
const LENGTH: usize = 24;
/// Its last four octets.
const TARGET_END: u32 = 20;
/// Source link-layer address, one unit of eight octets.
const OPTION: [u8; 2] = [1, 1];
/// What neighbours believe only with this hop limit.
const HOPS: u32 = 255;

/// A socket for neighbour discovery on one interface.
#[derive(Debug)]
pub(crate) struct Solicitor {
    socket: Socket,
    ifindex: u32,
    mac: [u8; 6],
}

impl Solicitor {
    pub(super) fn open(ifindex: u32, hosts: &[Ipv6Addr]) -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV6, Type::RAW.nonblocking(), Some(Protocol::ICMPV6))?;
        let is_answer =
            [SockFilter::new(LOAD_BYTE, 0, 0, 0), SockFilter::new(EQUAL, 1, 0, ADVERTISEMENT.into()), DROP];
        // The last four octets tell hosts of one network apart.
        let ends: Vec<u32> =
            hosts.iter().map(|host| u32::from_be_bytes(host.octets().as_chunks::<4>().0[3])).collect();
        set_up(&socket, &is_answer.into_iter().chain(one_of(TARGET_END, &ends)).collect::<Vec<_>>())?;
        socket.bind_device_by_index_v6(NonZeroU32::new(ifindex))?;
        socket.set_multicast_hops_v6(HOPS)?;
        Ok(Self { socket, ifindex, mac: mac(ifindex)? })
    }

    /// The kernel chooses the source and fills in the checksum.
    pub(super) fn ask(&self, host: Ipv6Addr) -> io::Result<()> {
        let mut message = [0; LENGTH + 8];
        message[0] = SOLICITATION;
        message[TARGET..LENGTH].copy_from_slice(&host.octets());
        message[LENGTH..LENGTH + 2].copy_from_slice(&OPTION);
        message[LENGTH + 2..].copy_from_slice(&self.mac);
        let to = SocketAddrV6::new(solicited_node(host), 0, 0, self.ifindex);
        self.socket.send_to(&message, &to.into()).map(drop)
    }

    /// Who advertises itself.
    pub(super) fn heard(&self) -> io::Result<Option<Ipv6Addr>> {
        let mut message = [0; LENGTH];
        while let Some((length, _)) = receive(&self.socket, &mut message)? {
            if let Ok(octets) = <[u8; 16]>::try_from(&message[..length][TARGET.min(length)..]) {
                return Ok(Some(Ipv6Addr::from(octets)));
            }
        }
        Ok(None)
    }
}

impl AsFd for Solicitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The group that a host listens to for its address (RFC 4291 section 2.7.1).
fn solicited_node(host: Ipv6Addr) -> Ipv6Addr {
    let [.., high, low] = host.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | (high & 0xff), low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_asked_at_the_group_of_its_last_three_octets() {
        let host: Ipv6Addr = "2001:db8::1:800:200e:8c6c".parse().expect("an address");
        assert_eq!(solicited_node(host).to_string(), "ff02::1:ff0e:8c6c");
    }
}
