//! The configuration held against the host: which interfaces and addresses its words mean.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vipd_core::Spec;

use crate::config::{self, Config, Family, Instance, Peer, StaticAddress, VirtualAddress};
use crate::effects::{Address, Route, Thing, virtual_mac};
use crate::link::{Link, Links, sysctl};

/// Why a configuration cannot run on this host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An interface that it names is not there.
    #[error(
        "interface {interface} of {instance}{} does not exist here; there is {}. \
         Create it first, or correct the name", InLine(*line), present.join(", ")
    )]
    NoInterface {
        /// The missing interface.
        interface: String,
        /// Whose it is.
        instance: String,
        /// Line of the configuration where that virtual router begins; 0 where that is not known.
        line: usize,
        /// The interfaces that are there.
        present: Vec<String>,
    },
    /// The interface has no Ethernet address.
    #[error("interface {interface} of {instance} has no Ethernet address; VRRP needs an Ethernet interface")]
    NotEthernet {
        /// The interface.
        interface: String,
        /// Whose it is.
        instance: String,
    },
}

/// A line for people, if it is known.
struct InLine(usize);

impl fmt::Display for InLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { Ok(()) } else { write!(f, " (line {})", self.0) }
    }
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Index of its interface.
    pub ifindex: u32,
    /// Source of the frames with its adverts: the hardware address of its interface, or its virtual one (C-TX-05).
    pub mac: [u8; 6],
    /// Index of the interface with its virtual MAC.
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
            fenced: false,
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

    /// All that it holds as Master, in the order in which it is put in place.
    #[must_use]
    pub fn things(&self) -> Vec<Thing> {
        let name = || self.config.vmac.as_ref().map_or_else(String::new, |vmac| vmac.name.clone());
        let up = self.vmac.map(|ifindex| Thing::Up(ifindex, name()));
        let addresses = self.vips.iter().map(|vip| Thing::Address(vip.address.clone()));
        let routes = self.routes.iter().cloned().map(Thing::Route);
        let rules = self.config.rules.iter().cloned().map(Thing::Rule);
        up.into_iter().chain(addresses).chain(routes).chain(rules).collect()
    }

    /// Takes over what its interfaces look like now; tells whether anything is different.
    pub fn refresh(&mut self, links: &Links) -> bool {
        let link = links.by_index(self.ifindex);
        let up = link.is_some_and(|link| link.up) && self.has_vmac(links);
        let mut changed = replace(&mut self.up, up);
        changed |= replace(&mut self.source, link.and_then(|link| source(&self.config, link)));
        if let Some(link) = link {
            changed |= replace(&mut self.mac, source_mac(&self.config, link));
        }
        for vip in &mut self.vips {
            // An address on another interface than it is announced on has a virtual MAC, which does not change.
            if let Some(link) = links.by_index(vip.on).filter(|_| vip.on == vip.address.ifindex) {
                changed |= replace(&mut vip.mac, link.mac);
            }
        }
        changed
    }

    /// Whether the interface with its virtual MAC is there, if it is to have one.
    fn has_vmac(&self, links: &Links) -> bool {
        self.vmac.is_none_or(|ifindex| links.by_index(ifindex).is_some())
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

    /// Whether adverts or addresses are on an interface.
    #[must_use]
    pub fn stands_on(&self, ifindex: u32) -> bool {
        self.ifindex == ifindex || self.vmac == Some(ifindex) || self.vips.iter().any(|vip| vip.on == ifindex)
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

/// Finds the interfaces of every virtual router.
///
/// # Errors
/// When one is missing or is not an Ethernet interface.
pub fn plan(config: &Config, links: &Links) -> Result<Vec<Planned>, Error> {
    let group = |name: &String| {
        let groups = (0..).zip(&config.sync_groups);
        let mine = groups.into_iter().find(|(_, group)| group.members.contains(name));
        mine.map(|(number, group)| Group { number, name: group.name.clone() })
    };
    config.instances.iter().map(|instance| plan_one(instance, group(&instance.name), links)).collect()
}

fn plan_one(instance: &Instance, group: Option<Group>, links: &Links) -> Result<Planned, Error> {
    let link = find(instance, &instance.interface, links)?;
    let vmac = instance.vmac.as_ref().map(|vmac| find(instance, &vmac.name, links)).transpose()?;
    let vip = |(config, listed): (&VirtualAddress, bool)| {
        let dev = config.dev.as_deref().filter(|dev| *dev != instance.interface);
        let (carrier, on) = match (dev, vmac) {
            (Some(dev), _) => (find(instance, dev, links)?, find(instance, dev, links)?),
            (None, Some(vmac)) => (vmac, link),
            (None, None) => (link, link),
        };
        let forwarding = format!("net/ipv6/conf/{}/forwarding", carrier.name);
        let router = config.ip.is_ipv6() && sysctl::read(&forwarding).is_some_and(|value| value != "0");
        let address = Address::new(config, carrier.index);
        Ok(Vip { address, on: on.index, mac: carrier.mac, router, listed })
    };
    let listed = instance.addresses.iter().map(|address| (address, true));
    let excluded = instance.excluded.iter().map(|address| (address, false));
    Ok(Planned {
        config: instance.clone(),
        group,
        ifindex: link.index,
        mac: source_mac(instance, link),
        vmac: vmac.map(|vmac| vmac.index),
        source: source(instance, link),
        up: link.up,
        vips: listed.chain(excluded).map(vip).collect::<Result<_, _>>()?,
        routes: instance
            .routes
            .iter()
            .map(|route| on_host(route, instance, links))
            .collect::<Result<_, _>>()?,
    })
}

fn on_host(route: &config::Route, instance: &Instance, links: &Links) -> Result<Route, Error> {
    let dev =
        route.dev.as_deref().map(|dev| find_any(&instance.name, instance.line, dev, links)).transpose()?;
    Ok(Route { config: route.clone(), oif: dev.map(|link| link.index) })
}

/// What is there while the agent runs, whatever the election says (`static_ipaddress`, `static_routes`, `static_rules`).
///
/// # Errors
/// When an interface is missing.
pub fn statics(config: &Config, links: &Links) -> Result<Vec<Thing>, Error> {
    let mut things = Vec::new();
    for StaticAddress { dev, address } in &config.static_addresses {
        let link = find_any("static_ipaddress", 0, dev, links)?;
        things.push(Thing::Address(Address::new(address, link.index)));
    }
    for route in &config.static_routes {
        let dev = route.dev.as_deref().map(|dev| find_any("static_routes", 0, dev, links)).transpose()?;
        things.push(Thing::Route(Route { config: route.clone(), oif: dev.map(|link| link.index) }));
    }
    things.extend(config.static_rules.iter().cloned().map(Thing::Rule));
    Ok(things)
}

/// The source of frames with adverts: the virtual MAC, unless they are to leave with that of the interface (C-TX-05).
fn source_mac(instance: &Instance, link: &Link) -> [u8; 6] {
    match &instance.vmac {
        Some(vmac) if !vmac.xmit_base => virtual_mac(instance),
        _ => link.mac,
    }
}

/// An interface of whatever kind.
fn find_any<'a>(whose: &str, line: usize, interface: &str, links: &'a Links) -> Result<&'a Link, Error> {
    links.by_name(interface).ok_or_else(|| Error::NoInterface {
        interface: interface.to_owned(),
        instance: whose.to_owned(),
        line,
        present: links.names().into_iter().map(str::to_owned).collect(),
    })
}

fn find<'a>(instance: &Instance, interface: &str, links: &'a Links) -> Result<&'a Link, Error> {
    let link = find_any(&instance.name, instance.line, interface, links)?;
    if link.mac == [0; 6] {
        return Err(Error::NotEthernet { interface: interface.to_owned(), instance: instance.name.clone() });
    }
    Ok(link)
}

/// A configured source counts only while the interface carries it: an advert from elsewhere would not be answered.
fn source(instance: &Instance, link: &Link) -> Option<IpAddr> {
    match instance.source {
        Some(ip) => link.sends_from(ip).then_some(ip),
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
