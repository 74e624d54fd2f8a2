//! What the agent puts into the kernel and takes out again: addresses, routes, rules, and interfaces that are up meanwhile.

use std::fmt;
use std::io;

use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{LinkFlags, LinkMessage};

use super::addresses::Address;
use super::routes::{self, Route};
use super::rtnl::{Request, Rtnl};
use crate::config;

/// The mark on routes and rules that this agent adds (`rtm_protocol`, `FRA_PROTOCOL`): VRRP's own protocol number. The kernel
/// removes on request only what bears it.
pub const ROUTE_PROTOCOL: u8 = 112;
/// To be made, and not found.
pub(super) const CREATE: u16 = NLM_F_CREATE | NLM_F_EXCL;

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Thing {
    /// The interface of this index and name is up: a macvlan of the agent's own.
    Up(u32, String),
    /// An address.
    Address(Address),
    /// A route.
    Route(Route),
    /// A policy rule.
    Rule(config::Rule),
}

impl Thing {
    fn add(&self) -> Request {
        match self {
            Self::Up(ifindex, _) => flags(*ifindex, LinkFlags::Up),
            Self::Address(address) => address.add(),
            Self::Route(route) => route.add(),
            Self::Rule(rule) => routes::add_rule(rule),
        }
    }

    pub(crate) fn remove(&self) -> Request {
        match self {
            Self::Up(ifindex, _) => flags(*ifindex, LinkFlags::empty()),
            Self::Address(address) => address.remove(),
            Self::Route(route) => route.remove(),
            Self::Rule(rule) => routes::remove_rule(rule),
        }
    }

    pub(super) fn is_address(&self) -> bool {
        matches!(self, Self::Address(_))
    }

    /// Whether the kernel takes it for another one when it is added again: to a rule without a priority it gives one that is
    /// free.
    pub(super) fn can_be_there_twice(&self) -> bool {
        matches!(self, Self::Rule(rule) if rule.priority.is_none())
    }

    /// Whether it is put back when somebody else removes it.
    pub(super) fn is_tracked(&self) -> bool {
        match self {
            Self::Up(..) => true,
            Self::Address(address) => address.tracked,
            Self::Route(route) => !route.config.no_track,
            Self::Rule(rule) => !rule.no_track && !self.can_be_there_twice(),
        }
    }

    /// Whether the kernel refused to remove it because it is not there, or is somebody else's.
    fn was_gone(error: &io::Error) -> bool {
        let errors = [libc::EADDRNOTAVAIL, libc::ENODEV, libc::ESRCH, libc::ENOENT];
        error.raw_os_error().is_some_and(|error| errors.contains(&error))
    }
}

fn flags(ifindex: u32, flags: LinkFlags) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = ifindex;
    message.header.flags = flags;
    message.header.change_mask = LinkFlags::Up;
    (RouteNetlinkMessage::SetLink(message), 0)
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Up(_, name) => write!(f, "interface {name}"),
            Self::Address(Address { ip, prefix, .. }) => write!(f, "{ip}/{prefix}"),
            Self::Route(route) => write!(f, "{route}"),
            Self::Rule(rule) => routes::show_rule(rule, f),
        }
    }
}

/// Adds all things, in their order. The result tells for each whether it was added (`true`) or was there before (`false`).
///
/// # Errors
/// As for [`Rtnl::apply`].
pub(super) fn add(rtnl: &mut Rtnl, things: &[Thing]) -> io::Result<Vec<io::Result<bool>>> {
    let outcomes = rtnl.apply(things.iter().map(Thing::add).collect())?;
    let added = |outcome: io::Result<()>| match outcome {
        Ok(()) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::EEXIST) => Ok(false),
        Err(error) => Err(error),
    };
    Ok(outcomes.into_iter().map(added).collect())
}

/// Removes all things, in their order; one that is not there counts as removed.
///
/// # Errors
/// As for [`Rtnl::apply`].
pub(crate) fn remove(rtnl: &mut Rtnl, things: &[Thing]) -> io::Result<Vec<io::Result<()>>> {
    let outcomes = rtnl.apply(things.iter().map(Thing::remove).collect())?;
    let removed = |outcome: io::Result<()>| match outcome {
        Err(error) if !Thing::was_gone(&error) => Err(error),
        _ => Ok(()),
    };
    Ok(outcomes.into_iter().map(removed).collect())
}
