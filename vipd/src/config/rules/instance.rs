//! What the values of one virtual router must be to each other.

use std::net::IpAddr;

use vipd_core::Version;

use super::super::model::{Family, Instance};
use super::super::places::of_instance;
use super::super::read::{Language, quoted};
use super::super::source::Span;
use super::Judge;

/// Most addresses that one advert can list: its count is one octet (C-PKT-08), and it must fit into 1500 octets.
const ADDRESSES_MAX: [(Family, usize); 2] = [(Family::V4, 255), (Family::V6, (1500 - 40 - 8) / 16)];

impl Judge<'_> {
    pub(super) fn instance(&mut self, index: usize) {
        let instance = &self.config.instances[index];
        self.addresses_of(index, instance);
        self.families(index, instance);
        self.unicast(index, instance);
        if instance.version == Version::V3
            && let Some(span) = self.given(index, "auth_pass")
        {
            let message = "version 3 carries no password: it would protect nothing";
            let help = match self.language {
                Language::Keepalived => "remove the `authentication` block, or use version 2 on every node",
                Language::Toml => "remove `auth_pass`, or use version 2 on every node",
            };
            self.findings.error(span, message, help);
        }
        if let Some(span) = self.given(index, "track_src_ip").filter(|_| instance.source.is_none()) {
            let message = "`track_src_ip` has no effect without a source address";
            self.findings.warn(span, message, "add `unicast_src_ip` or `mcast_src_ip`, or remove it");
        }
    }

    fn given(&self, index: usize, key: &str) -> Option<Span> {
        self.places.given(&of_instance(index, key))
    }

    fn near(&self, index: usize, key: &str) -> Span {
        self.places.near(&of_instance(index, key))
    }

    fn addresses_of(&mut self, index: usize, instance: &Instance) {
        let title = format!("instance {}", quoted(&instance.name));
        let refused = self.places.refused(&of_instance(index, "virtual_ipaddress"));
        if instance.addresses.is_empty() && !refused {
            let example = self.language.list("virtual_ipaddress", "192.168.1.100/24");
            let help = format!("add {example}, with your own address");
            let span = self.near(index, "virtual_ipaddress");
            self.findings.error(span, format!("{title} has no virtual address"), help);
        }
        let most = ADDRESSES_MAX
            .into_iter()
            .find(|(family, _)| *family == instance.family)
            .map_or(0, |(_, most)| most);
        if instance.addresses.len() > most {
            let span = self.near(index, &format!("virtual_ipaddress[{most}]"));
            let message = format!("an advert lists at most {most} addresses");
            let help =
                "move this address and those after it to `virtual_ipaddress_excluded` or another instance";
            self.findings.error(span, message, help);
        }
        for (at, address) in instance.addresses.iter().enumerate() {
            if Family::of(address.ip) != instance.family {
                let span = self.near(index, &format!("virtual_ipaddress[{at}]"));
                let message =
                    format!("{} is of another family than the first address of its instance", address.ip);
                let help = "move it to `virtual_ipaddress_excluded`, or to an instance of its own";
                self.findings.error(span, message, help);
            }
        }
    }

    /// Adverts, their source and their peers are of the family of the addresses.
    fn families(&mut self, index: usize, instance: &Instance) {
        let help = "use addresses of the family of the virtual addresses";
        if let Some(source) = instance.source.filter(|source| Family::of(*source) != instance.family) {
            let key =
                if self.given(index, "unicast_src_ip").is_some() { "unicast_src_ip" } else { "mcast_src_ip" };
            let message = format!("adverts for these addresses cannot come from {source}");
            self.findings.error(self.places.near(&of_instance(index, key)), message, help);
        }
        if instance.family == Family::V6 {
            self.link_local(index, instance);
        }
        for (at, peer) in instance.peers.iter().enumerate() {
            if Family::of(peer.ip) != instance.family {
                let span = self.near(index, &format!("unicast_peer[{at}]"));
                let message = format!("adverts for these addresses cannot go to {}", peer.ip);
                self.findings.error(span, message, help);
            }
        }
    }

    /// IPv6 adverts to the group come from a link-local address, and list one first (C-TX-04, C-PKT-03).
    fn link_local(&mut self, index: usize, instance: &Instance) {
        let link_local = |ip: IpAddr| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
        if let Some(first) = instance.addresses.first().filter(|first| !link_local(first.ip)) {
            let span = self.near(index, "virtual_ipaddress[0]");
            let message =
                format!("{} is not link-local, and the first address of a list should be", first.ip);
            let help = "put a link-local address such as fe80::1:1 first, on every node: routers that follow RFC 9568 \
                        to the letter drop the adverts otherwise";
            self.findings.warn(span, message, help);
        }
        if let Some(source) =
            instance.source.filter(|source| instance.peers.is_empty() && !link_local(*source))
        {
            let span = self.places.near(&of_instance(index, "mcast_src_ip"));
            let message = format!("adverts to a group cannot come from {source}, which is not link-local");
            self.findings.error(span, message, "name a link-local address of the interface, or none");
        }
    }

    /// Peers are other nodes, and there is at least one (C-UNI-01).
    fn unicast(&mut self, index: usize, instance: &Instance) {
        if let Some(list) = self.given(index, "unicast_peer")
            && instance.peers.is_empty()
            && !self.places.refused(&of_instance(index, "unicast_peer"))
        {
            let help = "list the addresses of the other nodes, or remove it to use multicast";
            self.findings.error(list, "`unicast_peer` names no peer", help);
        }
        for (at, peer) in instance.peers.iter().enumerate() {
            let span = self.near(index, &format!("unicast_peer[{at}]"));
            if Some(peer.ip) == instance.source {
                let message = format!("the peer {} is this node's own `unicast_src_ip`", peer.ip);
                self.findings.error(span, message, "list the other nodes only");
            }
            if peer.min_ttl > peer.max_ttl {
                let message = "no advert can arrive: its lowest TTL is above its highest";
                self.findings.error(span, message, "write a `min_ttl` that is not above `max_ttl`");
            }
        }
    }
}
