//! The rules that need more than one value: from the draft to the model. The same for both languages, and none depends
//! on the order of the file.

use std::net::IpAddr;
use std::time::Duration;

use vipd_common::abi::MAX_INSTANCES;
use vipd_core::{Interval, Version};

use super::diagnostic::Findings;
use super::draft::{Draft, GarpDraft, Given, InstanceDraft, Language};
use super::model::{Checksum, Config, Datapath, Garp, Instance, Peer};
use super::source::{At, Span};
use super::unique;
use super::values::{StartState, quoted};

/// Priority of a node that owns the addresses (RFC 9568 section 5.2.4).
const OWNER: u8 = 255;
/// Priority where none is given (RFC 9568 section 6.1).
const PRIORITY: u8 = 100;
/// Most addresses that one advert can list: its count is one octet (C-PKT-08). An Ethernet frame has room for them.
const ADDRESSES_MAX: usize = 255;

/// Judges the draft as a whole. What it returns is a configuration only if `findings` holds no error.
pub(super) fn check(draft: &Draft, findings: &mut Findings<'_>) -> Config {
    if draft.instances.is_empty() {
        let help = match draft.language {
            Language::Keepalived => "add a `vrrp_instance NAME { ... }` block",
            Language::Toml => "add an `[[instance]]` table",
        };
        findings.error(Span::default(), "the file configures no virtual router", help);
    }
    if let Some(excess) = draft.instances.get(MAX_INSTANCES as usize) {
        let message = format!("one agent runs at most {MAX_INSTANCES} virtual routers");
        findings.error(excess.span, message, "leave the rest to other nodes");
    }
    unique::check(&draft.instances, findings);
    let instances =
        draft.instances.iter().filter_map(|instance| Checker { draft, instance, findings }.run()).collect();
    Config {
        router_id: draft.router_id.get().map(|given| given.value.clone()),
        datapath: draft.datapath.or(Datapath::Auto),
        instances,
        ..Config::default()
    }
}

struct Checker<'c, 'f, 'a> {
    draft: &'c Draft,
    instance: &'c InstanceDraft,
    findings: &'f mut Findings<'a>,
}

impl Checker<'_, '_, '_> {
    fn run(&mut self) -> Option<Instance> {
        let given = self.instance;
        self.required();
        self.addresses();
        self.unicast();
        self.authentication();
        let priority = self.priority();
        let (preempt, preempt_delay) = self.preemption(priority);
        let version = self.version();
        let interval = version.and_then(|version| self.interval(version));
        let (name, interface) = (given.name.get()?.value.clone(), given.interface.get()?.value.clone());
        Some(Instance {
            line: self.findings.source.line(given.span.start),
            version: version?,
            priority,
            interval: interval?,
            preempt,
            preempt_delay,
            password: given.password.get().map(|given| given.value),
            source: given.source.get().map(|given| given.value),
            peers: given
                .peers
                .items
                .iter()
                .map(|peer| Peer { ip: peer.value, min_ttl: 255, max_ttl: 255 })
                .collect(),
            checksum: given.checksum.or(Checksum::Either),
            addresses: given.addresses.items.iter().map(|address| address.value.clone()).collect(),
            garp: garp(&given.garp, &self.draft.garp),
            ..Instance::new(name, interface, given.vrid.get()?.value)
        })
    }

    /// What no virtual router can do without.
    fn required(&mut self) {
        let given = self.instance;
        let language = self.draft.language;
        for (missing, keyword, example) in [
            (given.name.is_missing(), "name", "VI_1"),
            (given.interface.is_missing(), "interface", "eth0"),
            (given.vrid.is_missing(), "virtual_router_id", "51"),
        ] {
            if missing {
                let help = format!("add {}, with your own value", language.setting(keyword, example));
                self.findings.error(given.span, format!("{} has no `{keyword}`", self.title()), help);
            }
        }
    }

    fn addresses(&mut self) {
        let addresses = &self.instance.addresses;
        if addresses.items.is_empty() && !addresses.refused {
            let example = self.draft.language.list("virtual_ipaddress", "192.168.1.100/24");
            let message = format!("{} has no virtual address", self.title());
            let help = format!("add {example}, with your own address");
            self.findings.error(addresses.given.unwrap_or(self.instance.span), message, help);
        }
        if let Some(excess) = addresses.items.get(ADDRESSES_MAX) {
            let message = format!("an advert lists at most {ADDRESSES_MAX} addresses");
            self.findings.error(
                excess.span,
                message,
                "move this address and those after it to another instance",
            );
        }
    }

    /// Peers are other nodes, and there is at least one (C-UNI-01).
    fn unicast(&mut self) {
        let peers = &self.instance.peers;
        if let Some(list) = peers.given.filter(|_| peers.items.is_empty() && !peers.refused) {
            let help = "list the addresses of the other nodes, or remove it to use multicast";
            self.findings.error(list, "`unicast_peer` names no peer", help);
        }
        let own: Option<IpAddr> = self.instance.source.get().map(|source| source.value);
        for peer in peers.items.iter().filter(|peer| Some(peer.value) == own) {
            let message = format!("the peer {} is this node's own `unicast_src_ip`", peer.value);
            self.findings.error(peer.span, message, "list the other nodes only");
        }
    }

    /// A password needs its type, and version 2 (C-AUTH-05).
    fn authentication(&mut self) {
        let given = self.instance;
        let Some(span) =
            given.password.get().map(|given| given.span).or(given.auth_type.get().map(|given| given.span))
        else {
            return;
        };
        if self.version() == Some(Version::V3) {
            let message = "version 3 carries no password: it would protect nothing";
            let help = match self.draft.language {
                Language::Keepalived => "remove the `authentication` block, or use version 2 on every node",
                Language::Toml => "remove `auth_pass`, or use version 2 on every node",
            };
            self.findings.error(span, message, help);
        }
        if given.password.is_missing() {
            let help = "add `auth_pass` with the password, or remove the `authentication` block";
            self.findings.error(span, "`auth_type PASS` has no password", help);
        }
        if given.auth_type.is_missing() && self.draft.language == Language::Keepalived {
            let message = "`auth_pass` has no `auth_type`: Keepalived would send no password";
            self.findings.error(span, message, "add `auth_type PASS`, or remove `auth_pass`");
        }
    }

    /// 100 where none is given, and 255 with `state MASTER`, as in Keepalived.
    fn priority(&self) -> u8 {
        self.instance.priority.or(if self.starts_as_master() { OWNER } else { PRIORITY })
    }

    /// Whether and when the node preempts; without regard to `nopreempt` where Keepalived has none.
    fn preemption(&mut self, priority: u8) -> (bool, Duration) {
        let given = self.instance;
        let mut preempt = given.preempt.or(true);
        let mut delay = given.preempt_delay.or(Duration::ZERO);
        if let Some(At { value: false, span }) = given.preempt.get() {
            if self.starts_as_master() {
                let message = "`nopreempt` has no effect with `state MASTER`: the node preempts all the same";
                self.findings.warn(*span, message, "write `state BACKUP` on every node to use `nopreempt`");
                preempt = true;
            } else if priority == OWNER {
                let message = "priority 255 preempts always: it is that of the owner of the addresses";
                self.findings.warn(*span, message, "use a priority below 255 not to preempt");
                preempt = true;
            }
        }
        if let Some(At { span, .. }) = given.preempt_delay.get() {
            if self.starts_as_master() {
                let message = "`preempt_delay` has no effect with `state MASTER`: the node preempts at once";
                self.findings.warn(*span, message, "write `state BACKUP` to use `preempt_delay`");
                delay = Duration::ZERO;
            } else if !preempt {
                let message = "`preempt_delay` has no effect on a node that never preempts";
                self.findings.warn(*span, message, "remove it, or let the node preempt");
            }
        }
        (preempt, delay)
    }

    fn starts_as_master(&self) -> bool {
        self.instance.state.get().is_some_and(|state| state.value == StartState::Master)
    }

    /// 2 where none is given, as in Keepalived; `None` where one was refused.
    fn version(&self) -> Option<Version> {
        match (&self.instance.version, &self.draft.version) {
            (Given::Value(version), _) | (Given::Missing, Given::Value(version)) => Some(version.value),
            (Given::Missing, Given::Missing) => Some(Version::V2),
            (Given::Refused, _) | (Given::Missing, Given::Refused) => None,
        }
    }

    /// The interval in the unit of the version (C-PKT-07); one second where none is given.
    fn interval(&mut self, version: Version) -> Option<Interval> {
        let language = self.draft.language;
        let (value, span) = match &self.instance.interval {
            Given::Value(given) => (given.value, given.span),
            Given::Missing => (Duration::from_secs(1), self.instance.span),
            Given::Refused => return None,
        };
        let centis = u16::try_from(value.as_millis() / 10).ok()?;
        if version == Version::V2 && value.subsec_nanos() != 0 {
            let message = "version 2 carries whole seconds only; Keepalived would round this interval";
            let version = match language {
                Language::Keepalived => "`vrrp_version 3` in global_defs",
                Language::Toml => "`version = 3`",
            };
            let help = format!("set {version} on every node, or write whole seconds from 1 to 255");
            self.findings.error(span, message, help);
        }
        if version == Version::V3 && centis > 4095 {
            let message = "version 3 carries intervals up to 40.95 seconds";
            self.findings.error(span, message, "write 0.01 to 40.95 seconds, or use version 2 on every node");
        }
        Interval::from_centis(centis)
    }

    /// What the instance is called in a sentence.
    fn title(&self) -> String {
        let name = self.instance.name.get();
        name.map_or_else(|| "this instance".to_owned(), |name| format!("instance {}", quoted(&name.value)))
    }
}

/// When addresses are announced: as the instance says, else as the file says, else as Keepalived does.
fn garp(own: &GarpDraft, global: &GarpDraft) -> Garp {
    let default = Garp::default();
    let delay = own.delay.or(global.delay.or(default.delay));
    let repeat = own.repeat.or(global.repeat.or(default.repeat));
    Garp {
        delay,
        repeat,
        refresh: own.refresh.or(global.refresh.or(default.refresh)),
        refresh_repeat: own.refresh_repeat.or(global.refresh_repeat.or(default.refresh_repeat)),
        lower_prio_delay: delay,
        lower_prio_repeat: repeat,
        ..default
    }
}
