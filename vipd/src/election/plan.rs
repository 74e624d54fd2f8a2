//! The configuration held against the host: which interfaces and addresses its words mean.

use std::net::{IpAddr, Ipv4Addr};

use vipd_core::Spec;

use crate::config::{Config, Instance};
use crate::effects::Address;
use crate::link::{Link, Links};

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
    pub source: Option<Ipv4Addr>,
    /// The interface can send and receive.
    pub up: bool,
    /// Its virtual addresses, each on its interface, with that interface's hardware address. Those whose interface is not
    /// there have index 0.
    pub addresses: Vec<(Address, [u8; 6])>,
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
            source: IpAddr::V4(self.source.unwrap_or(Ipv4Addr::UNSPECIFIED)),
            announcing: self.config.garp.announcing(),
        }
    }

    /// Its virtual addresses whose interface is there.
    #[must_use]
    pub fn list(&self) -> Vec<Address> {
        let there = self.addresses.iter().filter(|(address, _)| address.ifindex != 0);
        there.map(|(address, _)| address.clone()).collect()
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
        let ifindex = link.map_or(0, |link| link.index);
        let up = link.is_some_and(|link| link.up);
        let source = link.and_then(|link| source(&self.config, link, links));
        let mac = link.map_or(self.mac, |link| link.mac);
        let addresses = addresses(&self.config, links);
        let changed = (ifindex, up, source, mac) != (self.ifindex, self.up, self.source, self.mac)
            || addresses != self.addresses;
        (self.ifindex, self.up, self.source, self.mac, self.addresses) =
            (ifindex, up, source, mac, addresses);
        changed
    }

    /// Whether its interfaces carry all its addresses.
    #[must_use]
    pub fn carried(&self, links: &Links) -> bool {
        self.addresses
            .iter()
            .all(|(address, _)| links.by_index(address.ifindex).is_none_or(|link| link.carries(address.ip)))
    }
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
    for interface in named.chain(instance.addresses.iter().filter_map(|address| address.dev.as_ref())) {
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
        addresses: Vec::new(),
    };
    planned.refresh(links);
    Ok(planned)
}

/// The addresses of a virtual router on the interfaces that are there.
fn addresses(instance: &Instance, links: &Links) -> Vec<(Address, [u8; 6])> {
    let addresses = instance.addresses.iter().filter_map(|address| match address.ip {
        IpAddr::V4(ip) => Some((address, ip)),
        IpAddr::V6(_) => None,
    });
    let placed = addresses.map(|(address, ip)| {
        let link = find(address.dev.as_ref().unwrap_or(&instance.interface), links);
        let address = Address {
            ifindex: link.map_or(0, |link| link.index),
            ip,
            prefix: address.prefix,
            label: address.label.clone(),
            broadcast: address.broadcast.and_then(|broadcast| match broadcast {
                IpAddr::V4(broadcast) => Some(broadcast),
                IpAddr::V6(_) => None,
            }),
            scope: address.scope,
        };
        (address, link.map_or([0; 6], |link| link.mac))
    });
    placed.collect()
}

/// An Ethernet interface of this name.
fn find<'a>(interface: &str, links: &'a Links) -> Option<&'a Link> {
    links.by_name(interface).filter(|link| link.mac != [0; 6])
}

/// A configured source counts only while this host has it: an advert from elsewhere would not be answered.
fn source(instance: &Instance, link: &Link, links: &Links) -> Option<Ipv4Addr> {
    match instance.source {
        Some(IpAddr::V4(ip)) => links.carry(ip).then_some(ip),
        Some(IpAddr::V6(_)) => None,
        None => link.primary(),
    }
}
