//! Differences between the two nodes of a pair that matter.

use std::fmt::{Debug, Display};
use std::net::IpAddr;

use vipd_core::Version;

use super::super::model::{Checksum, Instance, StartState};
use super::Linter;

/// The instances of two nodes that are one virtual router: their places in the files.
pub(super) fn pairs(own: &Linter<'_>, peer: &Linter<'_>) -> Vec<(usize, usize)> {
    let same = |one: &Instance, other: &Instance| one.vrid == other.vrid && one.family == other.family;
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (index, instance) in own.config.instances.iter().enumerate() {
        let others = peer.config.instances.iter().enumerate().filter(|(_, other)| same(instance, other));
        let free = others.filter(|(at, _)| pairs.iter().all(|(_, taken)| taken != at));
        // One id can be used on several networks.
        let name_first = free
            .min_by_key(|(_, other)| (other.name != instance.name, other.interface != instance.interface));
        pairs.extend(name_first.map(|(at, _)| (index, at)));
    }
    pairs
}

pub(super) fn compare(own: &mut Linter<'_>, peer: &mut Linter<'_>) {
    let pairs = pairs(own, peer);
    alone(own, &pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    alone(peer, &pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    for (index, other) in pairs {
        Pair { own, peer, index, other }.compare();
    }
}

/// Reports instances that the other node does not have.
fn alone(linter: &mut Linter<'_>, paired: &[usize]) {
    for (index, instance) in
        linter.config.instances.iter().enumerate().filter(|(index, _)| !paired.contains(index))
    {
        let span = linter.places.near(&format!("instance[{index}].virtual_router_id"));
        let message = format!(
            "the other node has no virtual router {}: nobody takes over for `{}`",
            instance.vrid, instance.name
        );
        linter.findings.error(span, message, "give both nodes the same `virtual_router_id`");
    }
}

/// One virtual router on both nodes.
struct Pair<'p, 'o, 'q> {
    own: &'p mut Linter<'o>,
    peer: &'p mut Linter<'q>,
    index: usize,
    other: usize,
}

impl Pair<'_, '_, '_> {
    fn nodes(&self) -> (&Instance, &Instance) {
        (&self.own.config.instances[self.index], &self.peer.config.instances[self.other])
    }

    fn compare(&mut self) {
        let (own, other) = self.nodes();
        let (own, other) = (&own.clone(), &other.clone());
        self.wire(own, other);
        self.unicast(own, other);
        self.addresses(own, other);
        self.election(own, other);
        self.behaviour(own, other);
    }

    /// What both must say the same of, else one drops the adverts of the other.
    fn wire(&mut self, own: &Instance, other: &Instance) {
        let dropped = "each drops the adverts of the other, and both become MASTER";
        if own.version != other.version {
            let number = |version| if version == Version::V2 { 2 } else { 3 };
            return self.error("version", "version", number(own.version), number(other.version), dropped);
        }
        let seconds = |instance: &Instance| instance.interval.as_duration().as_secs_f64();
        let (here, there) = (seconds(own), seconds(other));
        if own.interval != other.interval {
            match own.version {
                Version::V2 => self.error("advert_int", "advert_int", here, there, dropped),
                Version::V3 => {
                    let follows =
                        "each waits as the MASTER of the moment says, so takeovers take longer or shorter";
                    self.warn("advert_int", "advert_int", here, there, follows);
                }
            }
        }
        match (own.password, other.password) {
            (Some(one), Some(two)) if one != two => {
                self.report("auth_pass", true, "the passwords differ", dropped);
            }
            (Some(_), None) | (None, Some(_)) => {
                self.report("auth_pass", true, "only one node has a password", dropped);
            }
            _ => {}
        }
        let exclude = |one, two| {
            matches!(
                (one, two),
                (Checksum::Message, Checksum::Pseudo) | (Checksum::Pseudo, Checksum::Message)
            )
        };
        if own.version == Version::V3 && exclude(own.checksum, other.checksum) {
            self.report(
                "checksum",
                true,
                "each demands the form of checksum that the other does not send",
                dropped,
            );
        }
        if own.peers.is_empty() && other.peers.is_empty() && own.group != other.group {
            self.error("mcast_dst_ip", "group", own.group, other.group, dropped);
        }
    }

    /// Unicast addresses point at each other.
    fn unicast(&mut self, own: &Instance, other: &Instance) {
        if own.peers.is_empty() != other.peers.is_empty() {
            let (key, message) =
                ("unicast_peer", "one node sends adverts by unicast, the other by multicast");
            return self.report(key, true, message, "neither hears the other, and both become MASTER");
        }
        if own.peers.is_empty() {
            return;
        }
        let lists = |peers: &Instance, source: Option<IpAddr>| {
            source.is_some_and(|ip| !peers.peers.iter().any(|peer| peer.ip == ip))
        };
        if lists(own, other.source) {
            let source = other.source.map(|ip| ip.to_string()).unwrap_or_default();
            let message = format!("the other node sends from {source}, which is not among the peers here");
            self.report("unicast_peer", true, message, "its adverts are dropped; list that address");
        }
        if lists(other, own.source) {
            let source = own.source.map(|ip| ip.to_string()).unwrap_or_default();
            let (place, message) =
                (self.peer.place(&format!("instance[{}].unicast_peer", self.other)), "this node sends from");
            let message = format!("{message} {source}, which is not among the peers there ({place})");
            self.report("unicast_src_ip", true, message, "its adverts are dropped; list that address there");
        }
    }

    /// Both hold the same addresses.
    fn addresses(&mut self, own: &Instance, other: &Instance) {
        for (key, here, there) in [
            ("virtual_ipaddress", &own.addresses, &other.addresses),
            ("virtual_ipaddress_excluded", &own.excluded, &other.excluded),
        ] {
            for (at, address) in here.iter().enumerate() {
                let path = format!("{key}[{at}]");
                match there.iter().find(|other| other.ip == address.ip) {
                    None => {
                        let message = format!("{} is not on the other node", address.ip);
                        self.report(
                            &path,
                            true,
                            message,
                            "nobody serves it while that node is MASTER; list it there",
                        );
                    }
                    Some(other) if other.prefix != address.prefix => {
                        let message = format!(
                            "{} has prefix length {} here and {} there",
                            address.ip, address.prefix, other.prefix
                        );
                        self.report(&path, false, message, "write the same on both nodes");
                    }
                    Some(_) => {}
                }
            }
            for (at, address) in
                there.iter().enumerate().filter(|(_, address)| here.iter().all(|own| own.ip != address.ip))
            {
                let span = self.peer.near(&format!("instance[{}].{key}[{at}]", self.other));
                let message = format!("{} is not on the first node", address.ip);
                self.peer.findings.error(
                    span,
                    message,
                    "nobody serves it while that node is MASTER; list it there",
                );
            }
        }
    }

    /// Who wins is the same on both.
    fn election(&mut self, own: &Instance, other: &Instance) {
        if own.priority == other.priority {
            let follows =
                "the higher address wins, which nobody sees in the files; write different priorities";
            let message = format!("both nodes have priority {}", own.priority);
            self.report("priority", own.priority == 255, message, follows);
        }
        if own.state == StartState::Master && other.state == StartState::Master {
            let message = "both nodes have `state MASTER`";
            self.report("state", false, message, "write it on the node with the higher priority, or on none");
        }
        if own.preempt != other.preempt {
            let word = |preempts: bool| if preempts { "preempts" } else { "does not preempt" };
            let message = format!("this node {}, the other {}", word(own.preempt), word(other.preempt));
            self.report(
                "preempt",
                false,
                message,
                "write `nopreempt` and `state BACKUP` on both nodes, or on none",
            );
        }
        if own.down_timer_adverts != other.down_timer_adverts {
            let follows = "a node with a lower number takes over from a MASTER that is still there";
            self.warn(
                "down_timer_adverts",
                "down_timer_adverts",
                own.down_timer_adverts,
                other.down_timer_adverts,
                follows,
            );
        }
    }

    /// What should be the same though neither node depends on it.
    fn behaviour(&mut self, own: &Instance, other: &Instance) {
        if own.garp != other.garp {
            let (one, two) = (own.garp, other.garp);
            let fields = [
                ("garp_master_delay", one.delay != two.delay),
                ("garp_master_repeat", one.repeat != two.repeat),
                ("garp_master_refresh", one.refresh != two.refresh),
                ("garp_master_refresh_repeat", one.refresh_repeat != two.refresh_repeat),
                ("garp_interval", one.interval != two.interval),
                ("gna_interval", one.gna_interval != two.gna_interval),
                ("garp_lower_prio_delay", one.lower_prio_delay != two.lower_prio_delay),
                ("garp_lower_prio_repeat", one.lower_prio_repeat != two.lower_prio_repeat),
            ];
            if let Some((key, _)) = fields.into_iter().find(|(_, differs)| *differs) {
                let message = format!("the nodes announce addresses differently (`{key}`)");
                self.report(
                    key,
                    false,
                    message,
                    "write the same on both nodes: switches forget on both sides",
                );
            }
        }
        if own.vmac.is_some() != other.vmac.is_some() {
            let message = "only one node uses a virtual MAC";
            self.report(
                "use_vmac",
                false,
                message,
                "a takeover changes the MAC of the addresses; use it on both or on none",
            );
        }
        if own.accept != other.accept {
            let message = "only one node takes traffic to the addresses";
            self.report("accept", true, message, "write `no_accept` on both nodes, or on none");
        }
        if own.fence.is_some() != other.fence.is_some() {
            let message = "only one node tests whether it is the isolated one";
            self.report("fence", false, message, "add `fence` to both nodes");
        }
        for (key, here, there) in [
            ("track_check", &own.track.checks, &other.track.checks),
            ("track_interface", &own.track.interfaces, &other.track.interfaces),
            ("track_file", &own.track.files, &other.track.files),
            ("track_process", &own.track.processes, &other.track.processes),
        ] {
            for (at, tracked) in here.iter().enumerate() {
                let path = format!("{key}[{at}]");
                match there.iter().find(|other| other.name == tracked.name) {
                    // Interfaces have their own names on each node.
                    None if key == "track_interface" && here.len() == there.len() => {}
                    None => {
                        let message = format!("the other node does not track `{}`", tracked.name);
                        self.report(
                            &path,
                            false,
                            message,
                            "track the same on both nodes: else a broken node can win",
                        );
                    }
                    Some(other) if other.weight != tracked.weight => {
                        let message = format!(
                            "`{}` weighs {} here and {} there",
                            tracked.name, tracked.weight.value, other.weight.value
                        );
                        self.report(&path, false, message, "write the same weight on both nodes");
                    }
                    Some(_) => {}
                }
            }
        }
    }

    fn error<T: Debug + Display>(&mut self, key: &str, what: &str, here: T, there: T, follows: &str) {
        self.report(key, true, format!("{what} is {here} here and {there} there"), follows);
    }

    fn warn<T: Debug + Display>(&mut self, key: &str, what: &str, here: T, there: T, follows: &str) {
        self.report(key, false, format!("{what} is {here} here and {there} there"), follows);
    }

    /// Reports a difference at its place in the own file, with its place in the other one.
    fn report(&mut self, key: &str, is_error: bool, message: impl Display, help: &str) {
        let span = self.own.near(&format!("instance[{}].{key}", self.index));
        let place = self.peer.place(&format!("instance[{}].{key}", self.other));
        let message = format!("{message} ({place})");
        if is_error {
            self.own.findings.error(span, message, help);
        } else {
            self.own.findings.warn(span, message, help);
        }
    }
}
