//! A table of interfaces and their IPv4 addresses, kept by applying rtnetlink messages to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage, AddressProtocol};
use rtnetlink::packet_route::link::{LinkAttribute, LinkFlags, LinkMessage};

use crate::effects::ADDRESS_PROTOCOL;

/// One interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its hardware address; zeros where it has none of six octets.
    pub mac: [u8; 6],
    /// Administratively up, with carrier.
    pub up: bool,
    addresses: Vec<LinkAddress>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LinkAddress {
    ip: Ipv4Addr,
    prefix: u8,
    secondary: bool,
    ours: bool,
}

impl Link {
    /// The primary address: the first that is neither secondary nor put there by an agent like this one (C-TX-04: the
    /// kernel may list a virtual address first).
    #[must_use]
    pub fn primary(&self) -> Option<Ipv4Addr> {
        let own = || self.addresses.iter().filter(|address| !address.ours);
        own().find(|address| !address.secondary).or_else(|| own().next()).map(|address| address.ip)
    }

    /// Whether the interface carries this address.
    #[must_use]
    pub fn carries(&self, ip: Ipv4Addr) -> bool {
        self.addresses.iter().any(|address| address.ip == ip)
    }

    /// Addresses on the interface that bear the mark of an agent like this one, with their prefix length.
    pub fn marked(&self) -> impl Iterator<Item = (Ipv4Addr, u8)> {
        self.addresses.iter().filter(|address| address.ours).map(|address| (address.ip, address.prefix))
    }
}

/// All interfaces, by index.
#[derive(Clone, Debug, Default)]
pub struct Links(BTreeMap<u32, Link>);

impl Links {
    /// The interface of that name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Link> {
        self.0.values().find(|link| link.name == name)
    }

    /// The interface of that index.
    #[must_use]
    pub fn by_index(&self, index: u32) -> Option<&Link> {
        self.0.get(&index)
    }

    /// Whether any interface carries this address.
    #[must_use]
    pub fn carry(&self, ip: Ipv4Addr) -> bool {
        self.0.values().any(|link| link.carries(ip))
    }

    /// Their names, for a sentence that lists them.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        self.0.values().map(|link| link.name.as_str()).collect()
    }

    /// Applies one message; tells which interface it was about.
    pub fn apply(&mut self, message: &RouteNetlinkMessage) -> Option<u32> {
        match message {
            RouteNetlinkMessage::NewLink(link) => {
                self.set_link(link);
                Some(link.header.index)
            }
            RouteNetlinkMessage::DelLink(link) => {
                self.0.remove(&link.header.index);
                Some(link.header.index)
            }
            RouteNetlinkMessage::NewAddress(address) => {
                self.set_address(address);
                Some(address.header.index)
            }
            RouteNetlinkMessage::DelAddress(address) => {
                if let (Some(link), Some(gone)) = (self.0.get_mut(&address.header.index), parse(address)) {
                    link.addresses.retain(|kept| (kept.ip, kept.prefix) != (gone.ip, gone.prefix));
                }
                Some(address.header.index)
            }
            _ => None,
        }
    }

    fn set_link(&mut self, message: &LinkMessage) {
        let index = message.header.index;
        let link = self.0.entry(index).or_insert_with(|| Link {
            index,
            name: String::new(),
            mac: [0; 6],
            up: false,
            addresses: Vec::new(),
        });
        link.up = message.header.flags.contains(LinkFlags::Up | LinkFlags::Running);
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(name) => link.name.clone_from(name),
                LinkAttribute::Address(mac) => link.mac = mac.as_slice().try_into().unwrap_or_default(),
                _ => {}
            }
        }
    }

    fn set_address(&mut self, message: &AddressMessage) {
        let (Some(link), Some(address)) = (self.0.get_mut(&message.header.index), parse(message)) else {
            return;
        };
        let same = |known: &&mut LinkAddress| (known.ip, known.prefix) == (address.ip, address.prefix);
        match link.addresses.iter_mut().find(same) {
            Some(known) => *known = address,
            None => link.addresses.push(address),
        }
    }
}

fn parse(message: &AddressMessage) -> Option<LinkAddress> {
    let mut address = LinkAddress {
        ip: Ipv4Addr::UNSPECIFIED,
        prefix: message.header.prefix_len,
        secondary: false,
        ours: false,
    };
    let mut peer = None;
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(IpAddr::V4(ip)) => address.ip = *ip,
            AddressAttribute::Address(IpAddr::V4(ip)) => peer = Some(*ip),
            AddressAttribute::Flags(flags) => address.secondary = flags.contains(AddressFlags::Secondary),
            AddressAttribute::Protocol(AddressProtocol::Other(protocol)) => {
                address.ours = *protocol == ADDRESS_PROTOCOL;
            }
            _ => {}
        }
    }
    if address.ip.is_unspecified() {
        address.ip = peer?;
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_route::link::LinkHeader;

    use super::*;

    fn link_message(index: u32, name: &str, flags: LinkFlags) -> RouteNetlinkMessage {
        let mut message = LinkMessage::default();
        message.header = LinkHeader { index, flags, ..LinkHeader::default() };
        message.attributes =
            vec![LinkAttribute::IfName(name.into()), LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1])];
        RouteNetlinkMessage::NewLink(message)
    }

    fn address_message(index: u32, ip: [u8; 4], flags: AddressFlags, ours: bool) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.index = index;
        message.header.prefix_len = 24;
        message.attributes =
            vec![AddressAttribute::Local(Ipv4Addr::from(ip).into()), AddressAttribute::Flags(flags)];
        if ours {
            message.attributes.push(AddressAttribute::Protocol(AddressProtocol::Other(ADDRESS_PROTOCOL)));
        }
        message
    }

    fn table(addresses: &[([u8; 4], AddressFlags, bool)]) -> Links {
        let mut links = Links::default();
        links.apply(&link_message(2, "eth0", LinkFlags::Up | LinkFlags::Running));
        for (ip, flags, ours) in addresses {
            links.apply(&RouteNetlinkMessage::NewAddress(address_message(2, *ip, *flags, *ours)));
        }
        links
    }

    /// C-TX-04: the source of adverts is the interface's own primary address, whatever the kernel lists first.
    #[test]
    fn the_primary_address_is_never_a_virtual_one() {
        let none = AddressFlags::empty();
        let cases: [(&str, &[_], Option<[u8; 4]>); 4] = [
            ("only one", &[([10, 0, 0, 1], none, false)], Some([10, 0, 0, 1])),
            (
                "virtual first",
                &[([10, 0, 0, 9], none, true), ([10, 0, 0, 1], none, false)],
                Some([10, 0, 0, 1]),
            ),
            (
                "own is secondary behind a virtual one",
                &[([10, 0, 0, 9], none, true), ([10, 0, 0, 1], AddressFlags::Secondary, false)],
                Some([10, 0, 0, 1]),
            ),
            ("virtual only", &[([10, 0, 0, 9], none, true)], None),
        ];
        for (name, addresses, expected) in cases {
            let links = table(addresses);
            let primary = links.by_name("eth0").and_then(Link::primary);
            assert_eq!(primary, expected.map(Ipv4Addr::from), "{name}");
        }
    }

    #[test]
    fn messages_come_and_go() {
        let mut links = table(&[([10, 0, 0, 1], AddressFlags::empty(), false)]);
        assert!(links.by_index(2).is_some_and(|link| link.up && link.mac == [2, 0, 0, 0, 0, 1]));

        links.apply(&RouteNetlinkMessage::DelAddress(address_message(
            2,
            [10, 0, 0, 1],
            AddressFlags::empty(),
            false,
        )));
        assert_eq!(links.by_name("eth0").and_then(Link::primary), None);

        links.apply(&link_message(2, "eth0", LinkFlags::Up));
        assert!(links.by_index(2).is_some_and(|link| !link.up), "no carrier");
    }
}
