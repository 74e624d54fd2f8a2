//! rtnetlink for an agent's last errand: blocking, a few system calls for any number of addresses, nothing allocated.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt,
    socket, sockopt,
};
use nix::sys::time::TimeVal;

use super::will::Place;
use crate::effects::ADDRESS_PROTOCOL;

/// Octets of `nlmsghdr`.
const HEADER: usize = 16;
/// Octets of `ifaddrmsg`.
const ADDRESS: usize = 8;
/// Octets of the largest request: both headers, and an IPv6 address as two attributes.
const REQUEST: usize = HEADER + ADDRESS + 2 * (4 + 16);
/// Requests that leave together.
const TOGETHER: usize = 64;
/// Octets of a buffer for what the kernel tells. It makes no message longer than the reader's buffer.
const DUMP: usize = 16 << 10;
/// The kernel answers at once.
const PATIENCE: TimeVal = TimeVal::new(1, 0);

/// A connection to this network namespace's addresses.
pub(super) struct Netlink(OwnedFd);

impl Netlink {
    /// Connects.
    ///
    /// # Errors
    /// When the kernel has no memory.
    pub(super) fn open() -> io::Result<Self> {
        let socket = socket(
            AddressFamily::Netlink,
            SockType::Raw,
            SockFlag::SOCK_CLOEXEC,
            SockProtocol::NetlinkRoute,
        )?;
        bind(socket.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &PATIENCE)?;
        Ok(Self(socket))
    }

    /// Removes addresses; that one is not there is fine. They are gone when this returns.
    pub(super) fn remove(&self, addresses: impl Iterator<Item = Place>) -> u32 {
        let mut requests = [0; TOGETHER * REQUEST];
        let (mut length, mut count) = (0, 0);
        for address in addresses {
            if requests.len() - length < REQUEST {
                self.send(&requests[..length]);
                length = 0;
            }
            length += removal(&address, &mut requests[length..]);
            count += 1;
        }
        self.send(&requests[..length]);
        count
    }

    /// Calls `each` for every address of this namespace that bears the mark of an agent.
    pub(super) fn marked(&self, mut each: impl FnMut(Place)) {
        let mut request = [0; HEADER + ADDRESS];
        head(&mut request, libc::RTM_GETADDR, libc::NLM_F_DUMP);
        self.send(&request);
        let mut buffer = [0; DUMP];
        while let Ok(length) = recv(self.0.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            let mut rest = &buffer[..length];
            while let Some((kind, body)) = next(&mut rest, HEADER, |head| (u32_at(head, 0), u16_at(head, 4)))
            {
                if [libc::NLMSG_DONE, libc::NLMSG_ERROR].contains(&kind.into()) {
                    return;
                }
                if kind == libc::RTM_NEWADDR
                    && let Some(place) = marked(body)
                {
                    each(place);
                }
            }
        }
    }

    pub(super) fn send(&self, requests: &[u8]) {
        if !requests.is_empty() {
            // There is nothing else to try; the next agent removes what stays.
            let _ = send(self.0.as_raw_fd(), requests, MsgFlags::empty());
        }
    }
}

fn head(message: &mut [u8], kind: u16, flags: libc::c_int) {
    let length = u32::try_from(message.len()).unwrap_or(0);
    let flags = u16::try_from(libc::NLM_F_REQUEST | flags).unwrap_or(0);
    message[..4].copy_from_slice(&length.to_ne_bytes());
    message[4..6].copy_from_slice(&kind.to_ne_bytes());
    message[6..8].copy_from_slice(&flags.to_ne_bytes());
}

/// Writes a request and tells its length. Without `IFA_ADDRESS` the kernel would not look at the prefix length.
fn removal(place: &Place, message: &mut [u8]) -> usize {
    let mut octets = [0; 16];
    let (family, ip): (_, &[u8]) = match place.ip {
        IpAddr::V4(ip) => {
            octets[..4].copy_from_slice(&ip.octets());
            (libc::AF_INET, &octets[..4])
        }
        IpAddr::V6(ip) => {
            octets = ip.octets();
            (libc::AF_INET6, &octets)
        }
    };
    let attribute = 4 + ip.len();
    let length = HEADER + ADDRESS + 2 * attribute;
    let message = &mut message[..length];
    head(message, libc::RTM_DELADDR, 0);
    message[HEADER] = u8::try_from(family).unwrap_or(0);
    message[HEADER + 1] = place.prefix;
    message[HEADER + 4..][..4].copy_from_slice(&place.ifindex.to_ne_bytes());
    let attributes = message[HEADER + ADDRESS..].chunks_exact_mut(attribute);
    for (to, kind) in attributes.zip([libc::IFA_LOCAL, libc::IFA_ADDRESS]) {
        to[..2].copy_from_slice(&u16::try_from(attribute).unwrap_or(0).to_ne_bytes());
        to[2..4].copy_from_slice(&kind.to_ne_bytes());
        to[4..].copy_from_slice(ip);
    }
    length
}

/// The address that an `RTM_NEWADDR` tells of, if it bears the mark.
fn marked(body: &[u8]) -> Option<Place> {
    let (message, mut attributes) = body.split_at_checked(ADDRESS)?;
    let (mut address, mut local, mut ours) = (None, None, false);
    while let Some((kind, value)) = next(&mut attributes, 4, |head| (u16_at(head, 0).into(), u16_at(head, 2)))
    {
        match kind {
            libc::IFA_ADDRESS => address = ip(value),
            libc::IFA_LOCAL => local = ip(value),
            IFA_PROTO => ours = value.first() == Some(&ADDRESS_PROTOCOL),
            _ => {}
        }
    }
    let place = Place { ifindex: u32_at(message, 4), ip: local.or(address)?, prefix: message[1] };
    ours.then_some(place)
}

const IFA_PROTO: u16 = 11;

fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => Some(Ipv4Addr::from_octets(value.try_into().ok()?).into()),
        16 => Some(Ipv6Addr::from_octets(value.try_into().ok()?).into()),
        _ => None,
    }
}

/// Takes the next message or attribute off `rest`: its kind and what is behind its header. Both have a length that counts
/// the header, and begin at multiples of four.
fn next<'a>(
    rest: &mut &'a [u8],
    header: usize,
    read: impl Fn(&[u8]) -> (u32, u16),
) -> Option<(u16, &'a [u8])> {
    let (length, kind) = read(rest.get(..header)?);
    let length = length as usize;
    let body = rest.get(header..length)?;
    *rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    Some((kind, body))
}

fn u16_at(octets: &[u8], at: usize) -> u16 {
    u16::from_ne_bytes([octets[at], octets[at + 1]])
}

fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
    use rtnetlink::packet_route::RouteNetlinkMessage;
    use rtnetlink::packet_route::address::{AddressAttribute, AddressMessage, AddressProtocol};

    use super::*;

    const PLACES: [Place; 2] = [
        Place { ifindex: 7, ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), prefix: 24 },
        Place { ifindex: 8, ip: IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), prefix: 64 },
    ];

    /// The other implementation in this program reads what this one writes.
    #[test]
    fn a_request_to_remove_names_interface_address_and_prefix_length() {
        for place in PLACES {
            let mut octets = [0; REQUEST];
            let length = removal(&place, &mut octets);

            let message =
                NetlinkMessage::<RouteNetlinkMessage>::deserialize(&octets[..length]).expect("a message");
            let NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelAddress(message)) = message.payload
            else {
                panic!("{message:?}");
            };
            assert_eq!((message.header.index, message.header.prefix_len), (place.ifindex, place.prefix));
            let named = [AddressAttribute::Local(place.ip), AddressAttribute::Address(place.ip)];
            assert_eq!(message.attributes, named);
        }
    }

    #[test]
    fn only_an_address_with_the_mark_is_an_agents() {
        let others = [None, Some(AddressProtocol::Other(0)), Some(AddressProtocol::Other(3))];
        let cases = others.map(|mark| (mark, false)).into_iter();
        let ours = Some(AddressProtocol::Other(ADDRESS_PROTOCOL));
        for ((mark, found), place) in cases.chain([(ours, true)]).zip(PLACES.into_iter().cycle()) {
            let mut message = AddressMessage::default();
            (message.header.index, message.header.prefix_len) = (place.ifindex, place.prefix);
            message.attributes =
                vec![AddressAttribute::Address(place.ip), AddressAttribute::Label("eth0:v".to_owned())];
            message.attributes.extend(mark.map(AddressAttribute::Protocol));
            let mut message = NetlinkMessage::from(RouteNetlinkMessage::NewAddress(message));
            message.finalize();
            let mut octets = vec![0; message.buffer_len()];
            message.serialize(&mut octets);

            assert_eq!(marked(&octets[HEADER..]), found.then_some(place), "{mark:?}");
        }
    }

    #[test]
    fn what_is_cut_short_is_no_address() {
        for length in 0..ADDRESS {
            assert_eq!(marked(&[0; ADDRESS][..length]), None);
        }
        let mut rest = &[200, 0, 1, 0, 5][..];
        assert_eq!(next(&mut rest, 4, |head| (u16_at(head, 0).into(), u16_at(head, 2))), None);
    }
}
