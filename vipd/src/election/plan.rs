//! The configuration held against the host: which interfaces and addresses its words mean.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vipd_core::Spec;

use crate::config::{self, Config, Family, Instance, Peer, StaticAddress, VirtualAddress};
use crate::effects::{Address, Route, Thing, virtual_mac};
use crate::link::{Link, Links, sysctl};

/// Why a configuration cannot run on this host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The interface has no Ethernet address.
    #[error("interface {interface} of {instance} has no Ethernet address; VRRP needs an Ethernet interface")]
    NotEthernet {
        /// The interface.
        interface: String,
        /// Whose it is.
        instance: String,
    },
}

/// A sync group, seen from one of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its place in the configuration.
    pub number: u16,
    /// Its name.
    pub name: String,
}

/// A virtual address on its interface, and how it is announced.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Vip {
    /// The address.
    pub address: Address,
    /// Interface that it is announced on, and on which claims of others are heard.
    pub on: u32,
    /// The hardware address that it is announced for.
    pub mac: [u8; 6],
    /// This host forwards IPv6 there, and says so to its neighbours.
    pub router: bool,
    /// Adverts list it.
    pub listed: bool,
}

/// A virtual router with the interface that it runs on.
#[derive(Clone, Debug)]
pub struct Planned {
    /// As configured.
    pub config: Instance,
    /// The sync group that it belongs to.
    pub group: Option<Group>,
    /// Index of its interface; 0 while there is none.
    pub ifindex: u32,
    /// Source of the frames with its adverts: the hardware address of its interface, or its virtual one (C-TX-05).
    pub mac: [u8; 6],
    /// Index of the interface with its virtual MAC, if it is to have one and that is there.
    pub vmac: Option<u32>,
    /// Source of its adverts, while there is one.
    pub source: Option<IpAddr>,
    /// The interface can send and receive.
    pub up: bool,
    /// Its virtual addresses: those that adverts list, in the order of the configuration, then the others.
    pub vips: Vec<Vip>,
    /// Routes that come and go with the addresses.
    pub routes: Vec<Route>,
}

impl Planned {
    /// What the election is told of it.
    #[must_use]
    pub fn spec(&self) -> Spec {
        Spec {
            version: self.config.version,
            priority: self.config.priority,
            interval: self.config.interval,
            preempt: self.config.preempt,
            preempt_delay: self.config.preempt_delay,
            mute_to_losers: self.config.lower_prio_no_advert,
            last_word: self.config.higher_prio_send_advert,
            down_adverts: self.config.down_timer_adverts,
            group: self.group.as_ref().map(|group| group.number),
            fenced: self.config.fence.is_some(),
            source: self.source.unwrap_or(match self.config.family {
                Family::V4 => Ipv4Addr::UNSPECIFIED.into(),
                Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
            }),
            announcing: self.config.garp.announcing(),
        }
    }

    /// The addresses that adverts list (C-PKT-06).
    pub fn listed(&self) -> impl Iterator<Item = IpAddr> {
        self.vips.iter().filter(|vip| vip.listed).map(|vip| vip.address.ip)
    }

    /// All that it holds as Master whose interface is there, in the order in which it is put in place.
    #[must_use]
    pub fn things(&self) -> Vec<Thing> {
        let name = || self.config.vmac.as_ref().map_or_else(String::new, |vmac| vmac.name.clone());
        let up = self.vmac.map(|ifindex| Thing::Up(ifindex, name()));
        let there = self.vips.iter().map(|vip| &vip.address).filter(|address| address.ifindex != 0);
        let addresses = there.cloned().map(Thing::Address);
        let routes = self.routes.iter().cloned().map(Thing::Route);
        let rules = self.config.rules.iter().cloned().map(Thing::Rule);
        up.into_iter().chain(addresses).chain(routes).chain(rules).collect()
    }

    /// It cannot send and receive, or cannot hold its addresses, and that is a fault.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        let lacks_vmac = self.config.vmac.is_some() && self.vmac.is_none();
        self.ifindex == 0 || lacks_vmac || !self.up && !self.config.dont_track_primary
    }

    /// Whether there is no difference to another plan for it but where that stands in the file.
    #[must_use]
    pub fn is_as(&self, other: &Self) -> bool {
        let config = Instance { line: self.config.line, ..other.config.clone() };
        self.config == config && self.group == other.group
    }

    /// Takes over what its interfaces look like now: they may have come, gone, or been made again since. Tells whether
    /// anything is different.
    pub fn refresh(&mut self, links: &Links) -> bool {
        let link = find(&self.config.interface, links);
        let mut changed = replace(&mut self.ifindex, link.map_or(0, |link| link.index));
        changed |= replace(&mut self.up, link.is_some_and(|link| link.up));
        changed |= self.refresh_source(links);
        if let Some(link) = link {
            changed |= replace(&mut self.mac, source_mac(&self.config, link));
        }
        let vmac = self.config.vmac.as_ref().and_then(|vmac| links.by_name(&vmac.name));
        let vmac = vmac.filter(|link| link.mac == virtual_mac(&self.config));
        changed |= replace(&mut self.vmac, vmac.map(|link| link.index));
        changed |= replace(&mut self.vips, vips(&self.config, vmac, links));
        changed |= replace(&mut self.routes, on_host(&self.config.routes, links));
        changed
    }

    /// Takes over what addresses its interface has now; tells whether its source is another one.
    pub fn refresh_source(&mut self, links: &Links) -> bool {
        let source = find(&self.config.interface, links).and_then(|link| source(&self.config, link, links));
        replace(&mut self.source, source)
    }

    /// Whether its interfaces carry all its addresses that are to be put back, and one with a virtual MAC is up.
    #[must_use]
    pub fn carried(&self, links: &Links) -> bool {
        let on_link =
            |address: &Address| links.by_index(address.ifindex).is_none_or(|link| link.carries(address.ip));
        let mut tracked = self.vips.iter().map(|vip| &vip.address).filter(|address| address.tracked);
        tracked.all(on_link)
            && self.vmac.and_then(|ifindex| links.by_index(ifindex)).is_none_or(|link| link.set_up)
    }

    /// Its unicast peers, each with the interface that a link-local one is behind.
    pub fn peers(&self) -> impl Iterator<Item = (IpAddr, u32)> {
        self.config.peers.iter().map(|peer| (peer.ip, self.ifindex))
    }

    /// Whether an interface is one of those that its addresses are on.
    #[must_use]
    pub fn has_addresses_on(&self, ifindex: u32) -> bool {
        self.vips.iter().any(|vip| vip.address.ifindex == ifindex)
    }

    /// Whether routes or rules come with its addresses.
    #[must_use]
    pub fn has_routes(&self) -> bool {
        !self.routes.is_empty() || !self.config.rules.is_empty()
    }

    /// Whether routes that come with its addresses may lead by an interface.
    #[must_use]
    pub fn leads_by(&self, ifindex: u32) -> bool {
        self.routes.iter().any(|route| route.oif.is_none_or(|oif| oif == ifindex))
    }
}

/// Puts a value in the place of another; tells whether it is another one.
fn replace<T: PartialEq>(place: &mut T, value: T) -> bool {
    let changed = *place != value;
    *place = value;
    changed
}

/// Finds the interfaces of every virtual router. One that is not there may come later.
///
/// # Errors
/// When one is not an Ethernet interface.
pub fn plan(config: &Config, links: &Links) -> Result<Vec<Planned>, Error> {
    let group = |instance| {
        let (number, group) = config.group_of(instance)?;
        Some(Group { number: u16::try_from(number).unwrap_or(u16::MAX), name: group.name.clone() })
    };
    config.instances.iter().map(|instance| plan_one(instance, group(instance), links)).collect()
}

fn plan_one(instance: &Instance, group: Option<Group>, links: &Links) -> Result<Planned, Error> {
    let named = std::iter::once(&instance.interface);
    for interface in named
        .chain(instance.addresses.iter().chain(&instance.excluded).filter_map(|address| address.dev.as_ref()))
    {
        if links.by_name(interface).is_some_and(|link| link.mac == [0; 6]) {
            return Err(Error::NotEthernet { interface: interface.clone(), instance: instance.name.clone() });
        }
    }
    let mut planned = Planned {
        config: instance.clone(),
        group,
        ifindex: 0,
        mac: [0; 6],
        vmac: None,
        source: None,
        up: false,
        vips: Vec::new(),
        routes: Vec::new(),
    };
    planned.refresh(links);
    Ok(planned)
}

/// The protocols of the configuration's routes, where it gives them one (`proto`).
pub(crate) fn protocols(config: &Config) -> BTreeSet<u8> {
    let routes = config.instances.iter().flat_map(|instance| &instance.routes).chain(&config.static_routes);
    routes.filter_map(|route| route.protocol).collect()
}

/// The addresses of a virtual router on the interfaces that are there; those whose interface is not have index 0.
fn vips(instance: &Instance, vmac: Option<&Link>, links: &Links) -> Vec<Vip> {
    let link = find(&instance.interface, links);
    let own = match &instance.vmac {
        Some(_) => Carrier { mac: virtual_mac(instance), ..Carrier::new(vmac, link) },
        None => Carrier::new(link, link),
    };
    let is_own =
        |dev: &str| dev == instance.interface || instance.vmac.as_ref().is_some_and(|vmac| vmac.name == dev);
    let vip = |(config, listed): (&VirtualAddress, bool)| {
        let dev = config.dev.as_deref().filter(|dev| !is_own(dev));
        let other = dev.map(|dev| find(dev, links)).map(|link| Carrier::new(link, link));
        let Carrier { ifindex, on, mac, forwards } = other.unwrap_or(own);
        let address = Address::new(config, ifindex);
        let router = address.ip.is_ipv6() && forwards;
        Vip { address, on, mac, router, listed }
    };
    let listed = instance.addresses.iter().map(|address| (address, true));
    let excluded = instance.excluded.iter().map(|address| (address, false));
    listed.chain(excluded).map(vip).collect()
}

/// An interface that addresses are put on.
#[derive(Clone, Copy)]
struct Carrier {
    ifindex: u32,
    on: u32,
    mac: [u8; 6],
    forwards: bool,
}

impl Carrier {
    /// `on` is where the addresses are announced.
    fn new(link: Option<&Link>, on: Option<&Link>) -> Self {
        let forwarding =
            link.and_then(|link| sysctl::read(&format!("net/ipv6/conf/{}/forwarding", link.name)));
        Self {
            ifindex: link.map_or(0, |link| link.index),
            on: on.map_or(0, |link| link.index),
            mac: link.map_or([0; 6], |link| link.mac),
            forwards: forwarding.is_some_and(|value| value != "0"),
        }
    }
}

/// Those routes whose interface is there.
fn on_host(routes: &[config::Route], links: &Links) -> Vec<Route> {
    let route = |route: &config::Route| {
        let oif = match &route.dev {
            Some(dev) => Some(links.by_name(dev)?.index),
            None => None,
        };
        Some(Route { config: route.clone(), oif })
    };
    routes.iter().filter_map(route).collect()
}

/// What is there while the agent runs, whatever the election says (`static_ipaddress`, `static_routes`, `static_rules`), as
/// far as its interfaces are.
#[must_use]
pub fn statics(config: &Config, links: &Links) -> Vec<Thing> {
    let address = |StaticAddress { dev, address }: &StaticAddress| {
        Some(Thing::Address(Address::new(address, links.by_name(dev)?.index)))
    };
    let addresses = config.static_addresses.iter().filter_map(address);
    let routes = on_host(&config.static_routes, links).into_iter().map(Thing::Route);
    addresses.chain(routes).chain(config.static_rules.iter().cloned().map(Thing::Rule)).collect()
}

/// The source of frames with adverts: the virtual MAC, unless they are to leave with that of the interface (C-TX-05).
fn source_mac(instance: &Instance, link: &Link) -> [u8; 6] {
    match &instance.vmac {
        Some(vmac) if !vmac.xmit_base => virtual_mac(instance),
        _ => link.mac,
    }
}

/// An Ethernet interface of this name.
fn find<'a>(interface: &str, links: &'a Links) -> Option<&'a Link> {
    links.by_name(interface).filter(|link| link.mac != [0; 6])
}

/// A configured source counts only while this host has it: an advert from elsewhere would not be answered.
fn source(instance: &Instance, link: &Link, links: &Links) -> Option<IpAddr> {
    match instance.source {
        Some(ip) => links.send_from(ip).then_some(ip),
        None => link.primary(|ip| suits(instance, ip)),
    }
}

/// Whether adverts may come from an address: over IPv6 from a link-local one (C-TX-04), but from one that is valid beyond
/// the link to peers that are.
fn suits(instance: &Instance, ip: IpAddr) -> bool {
    let beyond = |peer: &Peer| !matches!(peer.ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    match ip {
        IpAddr::V4(_) => instance.family == Family::V4,
        IpAddr::V6(ip) => {
            instance.family == Family::V6 && ip.is_unicast_link_local() != instance.peers.iter().any(beyond)
        }
    }
}
