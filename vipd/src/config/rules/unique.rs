//! What only one virtual router, group or line may have.

use std::collections::HashMap;
use std::hash::Hash;

use super::super::diagnostic::Findings;
use super::super::places::of_instance;
use super::super::read::quoted;
use super::super::source::Span;
use super::Judge;

impl Judge<'_> {
    /// Reports every name, virtual router id and address that is used twice.
    pub(super) fn unique(&mut self) {
        self.names();
        self.routers();
        self.addresses();
        self.groups();
    }

    fn names(&mut self) {
        let mut names = First::new();
        for (index, instance) in self.config.instances.iter().enumerate() {
            let Some(span) = self.places.given(&of_instance(index, "name")) else { continue };
            if let Some(line) = names.seen_on(&instance.name, span, self.findings) {
                let message =
                    format!("the name {} is taken by the instance on {line}", quoted(&instance.name));
                self.findings.error(span, message, "give every instance a name of its own");
            }
        }
    }

    /// A virtual router is known by its interface, its family and its id (C-FSM-15).
    fn routers(&mut self) {
        let mut routers = First::new();
        for (index, instance) in self.config.instances.iter().enumerate() {
            let given = |key| self.places.given(&of_instance(index, key));
            let (Some(_), Some(span)) = (given("interface"), given("virtual_router_id")) else { continue };
            let key = (&instance.interface, instance.vrid, instance.family);
            if let Some(line) = routers.seen_on(key, span, self.findings) {
                let (id, interface) = (instance.vrid, quoted(&instance.interface));
                let message = format!("virtual router {id} on {interface} is already configured on {line}");
                self.findings.error(span, message, "give every virtual router on a network an id of its own");
            }
        }
    }

    /// An address is on one instance only; a link-local one may be on each link.
    fn addresses(&mut self) {
        let mut addresses = First::new();
        for (index, instance) in self.config.instances.iter().enumerate() {
            let lists = [
                ("virtual_ipaddress", &instance.addresses),
                ("virtual_ipaddress_excluded", &instance.excluded),
            ];
            let listed = lists.into_iter().flat_map(|(key, list)| {
                list.iter().enumerate().map(move |(at, address)| (format!("{key}[{at}]"), address))
            });
            for (key, address) in listed {
                let span = self.places.near(&of_instance(index, &key));
                let link = match address.ip {
                    std::net::IpAddr::V6(ip) if ip.is_unicast_link_local() => {
                        Some(address.dev.as_ref().unwrap_or(&instance.interface))
                    }
                    _ => None,
                };
                if let Some(line) = addresses.seen_on((address.ip, link), span, self.findings) {
                    let message = format!("{} is already listed on {line}", address.ip);
                    self.findings.error(span, message, "list every virtual address once, in one instance");
                }
            }
        }
    }

    fn groups(&mut self) {
        let (mut names, mut members) = (First::new(), First::new());
        for (index, group) in self.config.sync_groups.iter().enumerate() {
            let path = format!("sync_group[{index}].name");
            if let Some(span) = self.places.given(&path)
                && let Some(line) = names.seen_on(&group.name, span, self.findings)
            {
                let message = format!("the name {} is taken by the group on {line}", quoted(&group.name));
                self.findings.error(span, message, "give every group a name of its own");
            }
            for (at, member) in group.members.iter().enumerate() {
                let span = self.places.near(&format!("sync_group[{index}].members[{at}]"));
                if let Some(line) = members.seen_on(member, span, self.findings) {
                    let message = format!("{} is already in a group, on {line}", quoted(member));
                    self.findings.error(span, message, "put every instance into one group only");
                }
            }
        }
    }
}

/// Where something was met first.
struct First<K>(HashMap<K, Span>);

impl<K: Hash + Eq> First<K> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    /// The line on which `key` was met before; otherwise this is its first place.
    fn seen_on(&mut self, key: K, span: Span, findings: &Findings) -> Option<String> {
        if let Some(first) = self.0.get(&key) {
            return Some(findings.sources.line_from(first.start, span.start));
        }
        self.0.insert(key, span);
        None
    }
}
