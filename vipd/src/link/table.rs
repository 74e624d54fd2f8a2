//! A table of interfaces and their addresses, kept by applying rtnetlink messages to it.

use std::collections::BTreeMap;
use std::net::IpAddr;

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
    ip: IpAddr,
    prefix: u8,
    /// Behind another one of its network; of IPv6, made for privacy and soon another one.
    secondary: bool,
    /// Not proven to be this host's alone (RFC 4862 section 5.4): nothing may be sent from it.
    tentative: bool,
    ours: bool,
}

impl Link {
    /// The primary address among those that `suit`: the first that is neither secondary nor put there by an agent like this
    /// one (C-TX-04: the kernel may list a virtual address first).
    #[must_use]
    pub fn primary(&self, suit: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
        let usable = |address: &&LinkAddress| !address.ours && !address.tentative && suit(address.ip);
        let own = || self.addresses.iter().filter(usable);
        own().find(|address| !address.secondary).or_else(|| own().next()).map(|address| address.ip)
    }

    /// Whether the interface carries this address.
    #[must_use]
    pub fn carries(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|address| address.ip == ip)
    }

    /// Whether something can be sent from this address.
    #[must_use]
    pub fn sends_from(&self, ip: IpAddr) -> bool {
        self.addresses.iter().any(|address| address.ip == ip && !address.tentative)
    }

    /// Addresses on the interface that bear the mark of an agent like this one, with their prefix length.
    pub fn marked(&self) -> impl Iterator<Item = (IpAddr, u8)> {
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

    /// Whether something can be sent from this address, on whichever interface it is.
    #[must_use]
    pub fn send_from(&self, ip: IpAddr) -> bool {
        self.0.values().any(|link| link.sends_from(ip))
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
    let (mut local, mut address, mut flags, mut ours) = (None, None, AddressFlags::empty(), false);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(ip) => local = Some(*ip),
            AddressAttribute::Address(ip) => address = Some(*ip),
            AddressAttribute::Flags(all) => flags = *all,
            AddressAttribute::Protocol(AddressProtocol::Other(protocol)) => {
                ours = *protocol == ADDRESS_PROTOCOL;
            }
            _ => {}
        }
    }
    Some(LinkAddress {
        // The other one is then the peer's.
        ip: local.or(address)?,
        prefix: message.header.prefix_len,
        secondary: flags.contains(AddressFlags::Secondary),
        tentative: flags.intersects(AddressFlags::Tentative | AddressFlags::Dadfailed),
        ours,
    })
}

#[cfg(test)]
mod tests {
    use rtnetlink::packet_route::link::LinkHeader;

    use super::*;

    const NONE: AddressFlags = AddressFlags::empty();

    fn link_message(index: u32, name: &str, flags: LinkFlags) -> RouteNetlinkMessage {
        let mut message = LinkMessage::default();
        message.header = LinkHeader { index, flags, ..LinkHeader::default() };
        message.attributes =
            vec![LinkAttribute::IfName(name.into()), LinkAttribute::Address(vec![2, 0, 0, 0, 0, 1])];
        RouteNetlinkMessage::NewLink(message)
    }

    /// As the kernel tells of it: `IFA_LOCAL` is for IPv4 and for addresses with a peer.
    fn address_message(index: u32, ip: &str, flags: AddressFlags, ours: bool) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.index = index;
        message.header.prefix_len = 24;
        let ip: IpAddr = ip.parse().expect("an address");
        message.attributes = vec![AddressAttribute::Address(ip), AddressAttribute::Flags(flags)];
        if ip.is_ipv4() {
            message.attributes.push(AddressAttribute::Local(ip));
        }
        if ours {
            message.attributes.push(AddressAttribute::Protocol(AddressProtocol::Other(ADDRESS_PROTOCOL)));
        }
        message
    }

    fn table(addresses: &[(&str, AddressFlags, bool)]) -> Links {
        let mut links = Links::default();
        links.apply(&link_message(2, "eth0", LinkFlags::Up | LinkFlags::Running));
        for (ip, flags, ours) in addresses {
            links.apply(&RouteNetlinkMessage::NewAddress(address_message(2, ip, *flags, *ours)));
        }
        links
    }

    fn primary(links: &Links, suit: fn(IpAddr) -> bool) -> Option<String> {
        links.by_name("eth0").and_then(|link| link.primary(suit)).map(|ip| ip.to_string())
    }

    /// What it is, addresses with flags and the mark, which of them suit, and the primary one.
    type Case<'a> = (&'a str, &'a [(&'a str, AddressFlags, bool)], fn(IpAddr) -> bool, Option<&'a str>);

    /// C-TX-04: the source of adverts is the interface's own primary address, whatever the kernel lists first.
    #[test]
    fn the_primary_address_is_never_a_virtual_one() {
        let (secondary, tentative) = (AddressFlags::Secondary, AddressFlags::Tentative);
        let link_local = |ip| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        let cases: [Case<'_>; 8] = [
            ("only one", &[("10.0.0.1", NONE, false)], |_| true, Some("10.0.0.1")),
            (
                "virtual first",
                &[("10.0.0.9", NONE, true), ("10.0.0.1", NONE, false)],
                |_| true,
                Some("10.0.0.1"),
            ),
            (
                "own is secondary behind a virtual one",
                &[("10.0.0.9", NONE, true), ("10.0.0.1", secondary, false)],
                |_| true,
                Some("10.0.0.1"),
            ),
            ("virtual only", &[("10.0.0.9", NONE, true)], |_| true, None),
            (
                "IPv6, link-local",
                &[("2001:db8::1", NONE, false), ("fe80::9", NONE, true), ("fe80::1", NONE, false)],
                link_local,
                Some("fe80::1"),
            ),
            (
                "IPv6, not made for privacy",
                &[("2001:db8::99", secondary, false), ("2001:db8::1", NONE, false)],
                |_| true,
                Some("2001:db8::1"),
            ),
            ("IPv6, tentative", &[("fe80::1", tentative, false)], link_local, None),
            ("IPv6, taken by another", &[("fe80::1", AddressFlags::Dadfailed, false)], link_local, None),
        ];
        for (name, addresses, suit, expected) in cases {
            assert_eq!(primary(&table(addresses), suit).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn an_address_becomes_usable_when_it_is_tentative_no_longer() {
        let mut links = table(&[("fe80::1", AddressFlags::Tentative, false)]);
        assert!(links.by_index(2).is_some_and(|link| link.carries("fe80::1".parse().expect("an address"))));

        links.apply(&RouteNetlinkMessage::NewAddress(address_message(2, "fe80::1", NONE, false)));

        assert_eq!(primary(&links, |_| true).as_deref(), Some("fe80::1"));
    }

    #[test]
    fn messages_come_and_go() {
        let mut links = table(&[("10.0.0.1", NONE, false)]);
        assert!(links.by_index(2).is_some_and(|link| link.up && link.mac == [2, 0, 0, 0, 0, 1]));

        links.apply(&RouteNetlinkMessage::DelAddress(address_message(2, "10.0.0.1", NONE, false)));
        assert_eq!(primary(&links, |_| true), None);

        links.apply(&link_message(2, "eth0", LinkFlags::Up));
        assert!(links.by_index(2).is_some_and(|link| !link.up), "no carrier");
    }
}
