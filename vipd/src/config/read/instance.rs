//! One virtual router.

use std::net::IpAddr;
use std::time::Duration;

use vipd_core::{Interval, Version};

use super::super::model::{Family, Instance, Password, StartState, VirtualAddress, Vmac};
use super::super::tree::{Item, Value};
use super::cursor::{Context, Cursor, Language, text};
use super::defaults::{self, Defaults};
use super::track::{self, Known};
use super::values::{self, quoted};
use super::{address, fence, notify, route};

/// Priority of a node that owns the addresses (RFC 9568 section 5.2.4).
const OWNER: u8 = 255;
/// Priority where none is given (RFC 9568 section 6.1).
const PRIORITY: u8 = 100;

pub(super) fn instance(
    cursor: &Cursor<'_>,
    cx: &mut Context<'_>,
    defaults: &Defaults,
    known: &Known<'_>,
) -> Instance {
    let name = cursor.text(cx, "name", values::name).unwrap_or_default();
    let title =
        if name.is_empty() { "this instance".to_owned() } else { format!("instance {}", quoted(&name)) };
    for (key, example) in [("name", "VI_1"), ("interface", "eth0"), ("virtual_router_id", "51")] {
        cursor.demand(cx, &title, key, example);
    }
    let interface = cursor.text(cx, "interface", values::interface).unwrap_or_default();
    let vrid = cursor.number(cx, "virtual_router_id", values::vrid).unwrap_or_default();
    let addresses = address::addresses(cursor, cx, "virtual_ipaddress");
    let peers = address::peers(cursor, cx);
    let source = source(cursor, cx);
    let family = family(&addresses, peers.first().map(|peer| peer.ip).or(source));
    let version = version(cursor, cx, family, defaults);
    let state = cursor.text(cx, "state", values::start_state).unwrap_or_default();
    let priority = cursor.number(cx, "priority", values::priority);
    let implied = if state == StartState::Master { OWNER } else { PRIORITY };
    let strict = cursor.switch(cx, "strict_mode").unwrap_or(defaults.strict);
    let lower_prio_no_advert = cursor.switch(cx, "lower_prio_no_advert");
    let higher_prio_send_advert = cursor.switch(cx, "higher_prio_send_advert");
    let accept = cursor.switch(cx, "accept");
    let group = cursor.text(cx, "mcast_dst_ip", |text| values::group(text, family));
    let new = Instance::new(name, interface, vrid);
    let mut instance = Instance {
        line: cx.findings.sources.line(cursor.span.start),
        family,
        version,
        state,
        priority: priority.unwrap_or(implied),
        interval: interval(cursor, cx, version).unwrap_or(new.interval),
        down_timer_adverts: cursor
            .number(cx, "down_timer_adverts", values::down_timer_adverts)
            .unwrap_or(defaults.down_timer_adverts),
        preempt: cursor.switch(cx, "preempt").unwrap_or(true),
        preempt_delay: cursor.number(cx, "preempt_delay", values::preempt_delay).unwrap_or(Duration::ZERO),
        lower_prio_no_advert: lower_prio_no_advert.unwrap_or(defaults.lower_prio_no_advert),
        higher_prio_send_advert: higher_prio_send_advert.unwrap_or(defaults.higher_prio_send_advert),
        password: password(cursor, cx),
        source,
        track_source: cursor.switch(cx, "track_src_ip").unwrap_or(false),
        group: group.unwrap_or_else(|| defaults.group(family)),
        peers,
        unicast_ttl: cursor.number(cx, "unicast_ttl", values::ttl_sent).unwrap_or(255),
        checksum: defaults::checksum(cursor, cx, defaults.checksum),
        addresses,
        excluded: address::addresses(cursor, cx, "virtual_ipaddress_excluded"),
        routes: route::routes(cursor, cx, "virtual_routes"),
        rules: route::rules(cursor, cx, "virtual_rules"),
        promote_secondaries: cursor.switch(cx, "promote_secondaries").unwrap_or(false),
        accept: accept.unwrap_or(true),
        vmac: vmac(cursor, cx, family, vrid),
        garp: defaults.garp(cursor, cx),
        track: track::trackers(cursor, cx, known, Some(new.interface.as_str())),
        dont_track_primary: cursor.switch(cx, "dont_track_primary").unwrap_or(false),
        fence: fence::fence(cursor, cx),
        notify: notify::notify(cursor, cx, defaults),
        ..new
    };
    if let Some(vmac) = instance.vmac.as_mut().filter(|vmac| !vmac.xmit_base && !instance.peers.is_empty()) {
        let span = cx.places.near(&cursor.at("use_vmac"));
        let message = "unicast adverts are sent on the interface below the virtual MAC, as in Keepalived";
        cx.findings.warn(span, message, "add `vmac_xmit_base`");
        vmac.xmit_base = true;
    }
    preemption(cursor, cx, &mut instance);
    if strict {
        strict_mode(cursor, cx, &mut instance);
    }
    instance
}

/// The family of an instance: that of its addresses, else of those that it exchanges adverts with.
fn family(addresses: &[VirtualAddress], other: Option<IpAddr>) -> Family {
    addresses.first().map(|address| address.ip).or(other).map_or(Family::V4, Family::of)
}

/// `unicast_src_ip` or `mcast_src_ip`, which mean the same.
fn source(cursor: &Cursor<'_>, cx: &mut Context<'_>) -> Option<IpAddr> {
    let unicast = cursor.text(cx, "unicast_src_ip", values::host);
    let multicast = cursor.text(cx, "mcast_src_ip", values::host);
    if let (Some(one), Some(other)) = (unicast, multicast)
        && one != other
    {
        let span = cx.places.near(&cursor.at("mcast_src_ip"));
        let message = "this is another source than `unicast_src_ip` says";
        cx.findings.error(span, message, "keep one of the two");
    }
    unicast.or(multicast)
}

/// 2 where none is given, as in Keepalived; IPv6 is always 3.
fn version(cursor: &Cursor<'_>, cx: &mut Context<'_>, family: Family, defaults: &Defaults) -> Version {
    let own = cursor.number(cx, "version", values::version);
    match family {
        Family::V6 => {
            if own == Some(Version::V2) {
                let span = cx.places.near(&cursor.at("version"));
                let message = "version 2 carries no IPv6 addresses";
                cx.findings.error(span, message, "remove it, or write version 3");
            }
            Version::V3
        }
        Family::V4 => own.or(defaults.version).unwrap_or(Version::V2),
    }
}

/// The interval in the unit of the version (C-PKT-07); one second where none is given.
fn interval(cursor: &Cursor<'_>, cx: &mut Context<'_>, version: Version) -> Option<Interval> {
    let value = cursor.number(cx, "advert_int", values::advert_int)?;
    let span = cx.places.near(&cursor.at("advert_int"));
    let centis = u16::try_from(value.as_millis() / 10).ok()?;
    if version == Version::V2 && value.subsec_nanos() != 0 {
        let message = "version 2 carries whole seconds only; Keepalived would round this interval";
        let version = match cx.language {
            Language::Keepalived => "`vrrp_version 3` in global_defs",
            Language::Toml => "`version = 3`",
        };
        let help = format!("set {version} on every node, or write whole seconds from 1 to 255");
        cx.findings.error(span, message, help);
    }
    if version == Version::V3 && centis > 4095 {
        let message = "version 3 carries intervals up to 40.95 seconds";
        cx.findings.error(span, message, "write 0.01 to 40.95 seconds, or use version 2 on every node");
    }
    Interval::from_centis(centis)
}

/// The password; one that is too long is cut, as in Keepalived (C-AUTH-02).
fn password(cursor: &Cursor<'_>, cx: &mut Context<'_>) -> Option<Password> {
    if let Some(item) = cursor.item("auth_pass") {
        cx.findings.sources.hide(item.span);
    }
    let (password, cut) = cursor.text(cx, "auth_pass", values::password)?;
    if cut {
        let span = cx.places.near(&cursor.at("auth_pass"));
        let message = "the password is longer than 8 octets; adverts carry only the first 8";
        cx.findings.warn(span, message, "shorten it to 8 octets: what is behind them protects nothing");
    }
    Some(password)
}

/// The virtual MAC, with the name that Keepalived gives its interface.
fn vmac(cursor: &Cursor<'_>, cx: &mut Context<'_>, family: Family, vrid: u8) -> Option<Vmac> {
    let xmit_base = cursor.switch(cx, "vmac_xmit_base").unwrap_or(false);
    let default = match family {
        Family::V4 => format!("vrrp.{vrid}"),
        Family::V6 => format!("vrrp6.{vrid}"),
    };
    let name = match cursor.item("use_vmac") {
        Some(Item { value: Value::Switch(_), .. }) => cursor.switch(cx, "use_vmac")?.then_some(default),
        _ => cursor.value(cx, "use_vmac", |item| text("use_vmac", item).and_then(values::interface)),
    };
    if name.is_none() && xmit_base && !cursor.has("use_vmac") {
        let span = cx.places.near(&cursor.at("vmac_xmit_base"));
        let message = "`vmac_xmit_base` has no effect without `use_vmac`";
        cx.findings.warn(span, message, "add `use_vmac`, or remove it");
    }
    name.map(|name| Vmac { name, xmit_base })
}

/// Whether and when the node preempts; without regard to `nopreempt` where Keepalived has none.
fn preemption(cursor: &Cursor<'_>, cx: &mut Context<'_>, instance: &mut Instance) {
    let starts_as_master = instance.state == StartState::Master;
    if let Some(span) = cx.places.given(&cursor.at("preempt")).filter(|_| !instance.preempt) {
        if starts_as_master {
            let message = "`nopreempt` has no effect with `state MASTER`: the node preempts all the same";
            cx.findings.warn(span, message, "write `state BACKUP` on every node to use `nopreempt`");
            instance.preempt = true;
        } else if instance.priority == OWNER {
            let message = "priority 255 preempts always: it is that of the owner of the addresses";
            cx.findings.warn(span, message, "use a priority below 255 not to preempt");
            instance.preempt = true;
        }
    }
    if let Some(span) = cx.places.given(&cursor.at("preempt_delay")) {
        if starts_as_master {
            let message = "`preempt_delay` has no effect with `state MASTER`: the node preempts at once";
            cx.findings.warn(span, message, "write `state BACKUP` to use `preempt_delay`");
            instance.preempt_delay = Duration::ZERO;
        } else if !instance.preempt {
            let message = "`preempt_delay` has no effect on a node that never preempts";
            cx.findings.warn(span, message, "remove it, or let the node preempt");
        }
    }
}

/// What the RFCs leave no room for, by Keepalived's reading of them (`vrrp_strict`, `strict_mode`).
fn strict_mode(cursor: &Cursor<'_>, cx: &mut Context<'_>, instance: &mut Instance) {
    for (key, given) in [
        ("unicast_peer", !instance.peers.is_empty()),
        ("auth_pass", instance.password.is_some()),
        ("preempt_delay", !instance.preempt_delay.is_zero()),
    ] {
        if given {
            let span = cx.places.near(&cursor.at(key));
            let message = format!("strict mode allows no `{key}`");
            cx.findings.error(span, message, "remove one of the two: `vrrp_strict`, or this");
        }
    }
    instance.lower_prio_no_advert = true;
    instance.garp.lower_prio_repeat = 0;
    instance.higher_prio_send_advert = false;
    instance.down_timer_adverts = 3;
    if cx.places.given(&cursor.at("accept")).is_none() {
        instance.accept = instance.priority == OWNER;
    }
}
