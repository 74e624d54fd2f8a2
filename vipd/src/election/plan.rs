//! The configuration held against the host: which interfaces and addresses its words mean.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vipd_core::Spec;

use crate::config::{Config, Family, Instance, Peer, VirtualAddress};
use crate::effects::Address;
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
    /// It is put back when somebody takes it away.
    pub tracked: bool,
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
    /// Hardware address of its interface.
    pub mac: [u8; 6],
    /// Source of its adverts, while there is one.
    pub source: Option<IpAddr>,
    /// The interface can send and receive.
    pub up: bool,
    /// Its virtual addresses: those that adverts list, in the order of the configuration, then the others.
    pub vips: Vec<Vip>,
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

    /// Its virtual addresses whose interface is there.
    #[must_use]
    pub fn list(&self) -> Vec<Address> {
        self.vips.iter().filter(|vip| vip.on != 0).map(|vip| vip.address.clone()).collect()
    }

    /// It cannot send and receive, and that is a fault.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.ifindex == 0 || !self.up && !self.config.dont_track_primary
    }

    /// Takes over what its interfaces look like now: they may have come, gone, or been made again since. Tells whether
    /// anything is different.
    pub fn refresh(&mut self, links: &Links) -> bool {
        let link = find(&self.config.interface, links);
        let mut changed = replace(&mut self.ifindex, link.map_or(0, |link| link.index));
        changed |= replace(&mut self.up, link.is_some_and(|link| link.up));
        changed |= replace(&mut self.source, link.and_then(|link| source(&self.config, link, links)));
        if let Some(link) = link {
            changed |= replace(&mut self.mac, link.mac);
        }
        changed |= replace(&mut self.vips, vips(&self.config, links));
        changed
    }

    /// Whether its interfaces carry all its addresses that are to be put back.
    #[must_use]
    pub fn carried(&self, links: &Links) -> bool {
        let on_link =
            |address: &Address| links.by_index(address.ifindex).is_none_or(|link| link.carries(address.ip));
        self.vips.iter().filter(|vip| vip.tracked).all(|vip| on_link(&vip.address))
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
    let group = |name: &String| {
        let groups = (0..).zip(&config.sync_groups);
        let mine = groups.into_iter().find(|(_, group)| group.members.contains(name));
        mine.map(|(number, group)| Group { number, name: group.name.clone() })
    };
    config.instances.iter().map(|instance| plan_one(instance, group(&instance.name), links)).collect()
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
        source: None,
        up: false,
        vips: Vec::new(),
    };
    planned.refresh(links);
    Ok(planned)
}

/// The addresses of a virtual router on the interfaces that are there; those whose interface is not have index 0.
fn vips(instance: &Instance, links: &Links) -> Vec<Vip> {
    let vip = |(config, listed): (&VirtualAddress, bool)| {
        let link = find(config.dev.as_ref().unwrap_or(&instance.interface), links);
        let on = link.map_or(0, |link| link.index);
        let address = Address::new(config, on);
        let forwards = |link: &Link| sysctl::is_on(&format!("net/ipv6/conf/{}/forwarding", link.name));
        let router = address.ip.is_ipv6() && link.is_some_and(forwards);
        let mac = link.map_or([0; 6], |link| link.mac);
        Vip { address, on, mac, router, listed, tracked: !config.no_track }
    };
    let listed = instance.addresses.iter().map(|address| (address, true));
    let excluded = instance.excluded.iter().map(|address| (address, false));
    listed.chain(excluded).map(vip).collect()
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
