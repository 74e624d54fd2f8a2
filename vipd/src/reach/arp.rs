//! ARP requests (RFC 826).

use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, BorrowedFd};

use socket2::{Domain, SockFilter, Socket, Type};
use vipd_common::wire::arp::{LENGTH, Message};

use super::{DROP, EQUAL, LOAD_BYTE, mac, one_of, receive, set_up};
use crate::effects::link_address;

/// Octets of the header before the message.
const HEADER: usize = 14;
/// Where the sender's address stands.
const SENDER: u32 = 28;
const BROADCAST: [u8; 6] = [0xff; 6];
/// EtherType, then hardware Ethernet, protocol IPv4, the lengths of their addresses, request.
const REQUEST: [u8; 10] = [0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1];
/// `SKF_AD_OFF + SKF_AD_PKTTYPE`, and what is sent by this host.
const PACKET_TYPE: u32 = 0xffff_f004;
const OUTGOING: u32 = 4;

/// A packet socket for ARP on one interface.
#[derive(Debug)]
pub(crate) struct Arp {
    socket: Socket,
    mac: [u8; 6],
}

impl Arp {
    pub(super) fn open(ifindex: u32, hosts: &[Ipv4Addr]) -> io::Result<Self> {
        let socket = Socket::new(Domain::PACKET, Type::RAW.nonblocking(), None)?;
        let not_own =
            [SockFilter::new(LOAD_BYTE, 0, 0, PACKET_TYPE), SockFilter::new(EQUAL, 0, 1, OUTGOING), DROP];
        let senders: Vec<u32> = hosts.iter().map(|host| host.to_bits()).collect();
        set_up(&socket, &not_own.into_iter().chain(one_of(SENDER, &senders)).collect::<Vec<_>>())?;
        // Only ARP comes this way: what else the host receives costs nothing.
        socket.bind(&link_address(ifindex, libc::ETH_P_ARP))?;
        Ok(Self { socket, mac: mac(ifindex)? })
    }

    pub(super) fn ask(&self, host: Ipv4Addr, source: Ipv4Addr) -> io::Result<()> {
        let mut frame = [0; HEADER + LENGTH];
        frame[..6].copy_from_slice(&BROADCAST);
        frame[6..12].copy_from_slice(&self.mac);
        frame[12..22].copy_from_slice(&REQUEST);
        frame[22..28].copy_from_slice(&self.mac);
        frame[28..32].copy_from_slice(&source.octets());
        frame[38..42].copy_from_slice(&host.octets());
        self.socket.send(&frame).map(drop)
    }

    /// Whoever speaks is there, whether it asks or answers.
    pub(super) fn heard(&self) -> io::Result<Option<Ipv4Addr>> {
        let mut frame = [0; HEADER + LENGTH];
        while let Some((length, _)) = receive(&self.socket, &mut frame)? {
            if let Some(message) = Message::read(&frame[..length], HEADER) {
                return Ok(Some(Ipv4Addr::from(message.sender)));
            }
        }
        Ok(None)
    }
}

impl AsFd for Arp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
