//! The configuration held against the host: which interfaces and addresses its words mean.

use std::net::{IpAddr, Ipv4Addr};

use vipd_core::Spec;

use crate::config::{Config, Instance};
use crate::effects::Address;
use crate::link::{Link, Links};

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
    pub source: Option<Ipv4Addr>,
    /// The interface can send and receive.
    pub up: bool,
    /// Its virtual addresses, each on its interface, with that interface's hardware address.
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

    /// Its virtual addresses.
    #[must_use]
    pub fn list(&self) -> Vec<Address> {
        self.addresses.iter().map(|(address, _)| address.clone()).collect()
    }

    /// Takes over what its interface looks like now; tells whether anything is different.
    pub fn refresh(&mut self, links: &Links) -> bool {
        let link = links.by_index(self.ifindex);
        let up = link.is_some_and(|link| link.up);
        let source = link.and_then(|link| source(&self.config, link));
        let mac = link.map_or(self.mac, |link| link.mac);
        let changed = (up, source, mac) != (self.up, self.source, self.mac);
        (self.up, self.source, self.mac) = (up, source, mac);
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
    let addresses = instance
        .addresses
        .iter()
        .filter_map(|address| match address.ip {
            IpAddr::V4(ip) => Some((address, ip)),
            IpAddr::V6(_) => None,
        })
        .map(|(address, ip)| {
            let link = address.dev.as_deref().map_or(Ok(link), |dev| find(instance, dev, links))?;
            let address = Address {
                ifindex: link.index,
                ip,
                prefix: address.prefix,
                label: address.label.clone(),
                broadcast: address.broadcast.and_then(|broadcast| match broadcast {
                    IpAddr::V4(broadcast) => Some(broadcast),
                    IpAddr::V6(_) => None,
                }),
                scope: address.scope,
            };
            Ok((address, link.mac))
        })
        .collect::<Result<_, _>>()?;
    Ok(Planned {
        config: instance.clone(),
        group,
        ifindex: link.index,
        mac: link.mac,
        source: source(instance, link),
        up: link.up,
        addresses,
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
fn source(instance: &Instance, link: &Link) -> Option<Ipv4Addr> {
    match instance.source {
        Some(IpAddr::V4(ip)) => link.carries(ip).then_some(ip),
        Some(IpAddr::V6(_)) => None,
        None => link.primary(),
    }
}
