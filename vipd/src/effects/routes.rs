//! Routes and policy rules in rtnetlink's terms.

use std::fmt;
use std::net::IpAddr;

use rtnetlink::packet_route::route::{
    RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteProtocol, RouteScope, RouteType, RouteVia,
};
use rtnetlink::packet_route::rule::{RuleAction as Action, RuleAttribute, RuleMessage};
use rtnetlink::packet_route::{AddressFamily, RouteNetlinkMessage};

use super::rtnl::Request;
use super::things::{CREATE, ROUTE_PROTOCOL};
use crate::config::{self, Family, Prefix, RouteKind, RuleAction};

/// The scope of routes whose destination is on the link (`RT_SCOPE_LINK`).
const LINK_SCOPE: u8 = 253;

/// A route of the configuration on this host.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// As configured.
    pub config: config::Route,
    /// Index of its interface, where it names one.
    pub oif: Option<u32>,
}

impl Route {
    /// Who the kernel says has put it there.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.config.protocol.unwrap_or(ROUTE_PROTOCOL)
    }

    pub(super) fn add(&self) -> Request {
        (RouteNetlinkMessage::NewRoute(self.message()), CREATE)
    }

    pub(super) fn remove(&self) -> Request {
        (RouteNetlinkMessage::DelRoute(self.message()), 0)
    }

    fn message(&self) -> RouteMessage {
        let config = &self.config;
        let mut message = RouteMessage::default();
        let header = &mut message.header;
        header.address_family = family(config.to.ip);
        header.destination_prefix_length = config.to.len;
        // Tables that do not fit stand in the attribute alone.
        header.table = config.table.try_into().unwrap_or(0);
        header.protocol = RouteProtocol::from(self.protocol());
        header.scope = RouteScope::from(config.scope.unwrap_or(self.usual_scope()));
        header.kind = match config.kind {
            RouteKind::Unicast => RouteType::Unicast,
            RouteKind::Blackhole => RouteType::BlackHole,
            RouteKind::Unreachable => RouteType::Unreachable,
            RouteKind::Prohibit => RouteType::Prohibit,
            RouteKind::Throw => RouteType::Throw,
        };
        if config.onlink {
            header.flags |= RouteFlags::Onlink;
        }
        let attributes = &mut message.attributes;
        attributes.push(RouteAttribute::Table(config.table));
        if config.to.len > 0 {
            attributes.push(RouteAttribute::Destination(config.to.ip.into()));
        }
        attributes.extend(config.via.map(|via| match (via, config.to.ip) {
            (IpAddr::V6(via), IpAddr::V4(_)) => RouteAttribute::Via(RouteVia::Inet6(via)),
            _ => RouteAttribute::Gateway(via.into()),
        }));
        attributes.extend(self.oif.map(RouteAttribute::Oif));
        attributes.extend(config.src.map(|src| RouteAttribute::PrefSource(src.into())));
        attributes.extend(config.metric.map(RouteAttribute::Priority));
        attributes.extend(config.mtu.map(|mtu| RouteAttribute::Metrics(vec![RouteMetric::Mtu(mtu)])));
        message
    }

    /// As `ip route` has it: what needs no gateway is on the link.
    fn usual_scope(&self) -> u8 {
        let config = &self.config;
        let on_link = config.kind == RouteKind::Unicast && config.via.is_none() && config.to.ip.is_ipv4();
        if on_link { LINK_SCOPE } else { 0 }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config::Route { to, via, dev, table, .. } = &self.config;
        write!(f, "route to {}/{}", to.ip, to.len)?;
        if let Some(via) = via {
            write!(f, " via {via}")?;
        }
        if let Some(dev) = dev {
            write!(f, " dev {dev}")?;
        }
        write!(f, " in table {table}")
    }
}

pub(super) fn add_rule(rule: &config::Rule) -> Request {
    (RouteNetlinkMessage::NewRule(rule_message(rule)), CREATE)
}

pub(super) fn remove_rule(rule: &config::Rule) -> Request {
    (RouteNetlinkMessage::DelRule(rule_message(rule)), 0)
}

fn rule_message(rule: &config::Rule) -> RuleMessage {
    let mut message = RuleMessage::default();
    let header = &mut message.header;
    header.family = if rule.family == Family::V4 { AddressFamily::Inet } else { AddressFamily::Inet6 };
    header.src_len = rule.from.map_or(0, |prefix| prefix.len);
    header.dst_len = rule.to.map_or(0, |prefix| prefix.len);
    let attributes = &mut message.attributes;
    header.action = match rule.action {
        RuleAction::Table(table) => {
            header.table = table.try_into().unwrap_or(0);
            attributes.push(RuleAttribute::Table(table));
            Action::ToTable
        }
        RuleAction::Blackhole => Action::Blackhole,
        RuleAction::Unreachable => Action::Unreachable,
        RuleAction::Prohibit => Action::Prohibit,
    };
    let network = |prefix: Option<Prefix>| prefix.filter(|prefix| prefix.len > 0).map(|prefix| prefix.ip);
    attributes.extend(network(rule.from).map(RuleAttribute::Source));
    attributes.extend(network(rule.to).map(RuleAttribute::Destination));
    attributes.extend(rule.iif.clone().map(RuleAttribute::Iifname));
    attributes.extend(rule.oif.clone().map(RuleAttribute::Oifname));
    if let Some((mark, mask)) = rule.fwmark {
        attributes.extend([RuleAttribute::FwMark(mark), RuleAttribute::FwMask(mask)]);
    }
    attributes.extend(rule.priority.map(RuleAttribute::Priority));
    attributes.push(RuleAttribute::Protocol(RouteProtocol::from(ROUTE_PROTOCOL)));
    message
}

/// A policy rule for people.
pub(super) fn show_rule(rule: &config::Rule, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("rule")?;
    for (word, prefix) in [("from", rule.from), ("to", rule.to)] {
        if let Some(Prefix { ip, len }) = prefix {
            write!(f, " {word} {ip}/{len}")?;
        }
    }
    match rule.action {
        RuleAction::Table(table) => write!(f, " for table {table}"),
        RuleAction::Blackhole => f.write_str(" blackhole"),
        RuleAction::Unreachable => f.write_str(" unreachable"),
        RuleAction::Prohibit => f.write_str(" prohibit"),
    }
}

fn family(ip: IpAddr) -> AddressFamily {
    if ip.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}
