//! The configuration held against the host: which interfaces and addresses its words mean.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vipd_core::Spec;

use crate::config::{Config, Family, Instance, Peer, VirtualAddress};
use crate::effects::Address;
use crate::link::{Link, Links, sysctl};

/// Why a configuration cannot run on this host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An interface that it names is not there.
    #[error(
        "interface {interface} of {instance} (line {line}) does not exist here; there is {}. \
         Create it first, or correct the name", present.join(", ")
    )]
    NoInterface {
        /// The missing interface.
        interface: String,
        /// Whose it is.
        instance: String,
        /// Line of the configuration where that virtual router begins.
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
    /// Index of its interface.
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

    /// Its virtual addresses.
    #[must_use]
    pub fn list(&self) -> Vec<Address> {
        self.vips.iter().map(|vip| vip.address.clone()).collect()
    }

    /// Takes over what its interfaces look like now; tells whether anything is different.
    pub fn refresh(&mut self, links: &Links) -> bool {
        let link = links.by_index(self.ifindex);
        let mut changed = replace(&mut self.up, link.is_some_and(|link| link.up));
        changed |= replace(&mut self.source, link.and_then(|link| source(&self.config, link)));
        if let Some(link) = link {
            changed |= replace(&mut self.mac, link.mac);
        }
        for vip in &mut self.vips {
            if let Some(link) = links.by_index(vip.on) {
                changed |= replace(&mut vip.mac, link.mac);
            }
        }
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
    let vip = |(config, listed): (&VirtualAddress, bool)| {
        let link = config.dev.as_deref().map_or(Ok(link), |dev| find(instance, dev, links))?;
        let address = Address::new(config, link.index);
        let router =
            address.ip.is_ipv6() && sysctl::is_on(&format!("net/ipv6/conf/{}/forwarding", link.name));
        Ok(Vip { address, on: link.index, mac: link.mac, router, listed, tracked: !config.no_track })
    };
    let listed = instance.addresses.iter().map(|address| (address, true));
    let excluded = instance.excluded.iter().map(|address| (address, false));
    Ok(Planned {
        config: instance.clone(),
        group,
        ifindex: link.index,
        mac: link.mac,
        source: source(instance, link),
        up: link.up,
        vips: listed.chain(excluded).map(vip).collect::<Result<_, _>>()?,
    })
}

fn find<'a>(instance: &Instance, interface: &str, links: &'a Links) -> Result<&'a Link, Error> {
    let link = links.by_name(interface).ok_or_else(|| Error::NoInterface {
        interface: interface.to_owned(),
        instance: instance.name.clone(),
        line: instance.line,
        present: links.names().into_iter().map(str::to_owned).collect(),
    })?;
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
