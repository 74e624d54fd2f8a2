//! Routes and policy rules.

use super::super::diagnostic::{Checked, Refusal};
use super::super::model::{Family, Prefix, Route, RouteKind, Rule, RuleAction};
use super::super::tree::Item;
use super::address::number_or_name;
use super::cursor::{Context, Cursor};
use super::values::{self, quoted};

/// Table `main`.
const MAIN: u32 = 254;

/// The routes of a list.
pub(super) fn routes(cursor: &Cursor<'_>, cx: &mut Context<'_>, key: &'static str) -> Vec<Route> {
    cursor.list(cx, key, route)
}

fn route(cx: &mut Context<'_>, item: &Item, path: &str) -> Option<Route> {
    let cursor = Cursor::of(cx, item, path, "a route")?;
    let via = cursor.text(cx, "via", values::host);
    let src = cursor.text(cx, "src", values::host);
    let family = via.or(src).map_or(Family::V4, Family::of);
    cursor.demand(cx, "this route", "to", "10.0.0.0/8");
    let to = cursor.text(cx, "to", |text| values::prefix(text, family));
    let route = Route {
        to: to.unwrap_or(Prefix { ip: std::net::Ipv4Addr::UNSPECIFIED.into(), len: 0 }),
        kind: cursor.text(cx, "type", values::route_kind).unwrap_or(RouteKind::Unicast),
        via,
        dev: cursor.text(cx, "dev", values::interface),
        src,
        scope: cursor.value(cx, "scope", |item| number_or_name(item).and_then(values::scope)),
        table: cursor.value(cx, "table", table).unwrap_or(MAIN),
        metric: cursor.number(cx, "metric", values::metric),
        protocol: cursor.value(cx, "proto", |item| number_or_name(item).and_then(values::route_protocol)),
        mtu: cursor.number(cx, "mtu", values::mtu),
        onlink: cursor.switch(cx, "onlink").unwrap_or(false),
        no_track: cursor.switch(cx, "no_track").unwrap_or(false),
    };
    cursor.finish(cx);
    let (to, own) = (to?, route.to);
    for other in [via, src].into_iter().flatten().filter(|ip| Family::of(*ip) != Family::of(own.ip)) {
        let message = format!("{other} and the destination of this route are not of one family");
        cx.findings.error(item.span, message, "use IPv4 addresses only, or IPv6 addresses only");
    }
    if route.kind == RouteKind::Unicast && via.is_none() && route.dev.is_none() {
        let message = "this route leads nowhere: it has neither a gateway nor an interface";
        cx.findings.error(item.span, message, "add `via` with a gateway, or `dev` with an interface");
    }
    Some(Route { to, ..route })
}

/// A routing table, by number or by one of the names that every host has.
fn table(item: &Item) -> Checked<u32> {
    let text = number_or_name(item)?;
    match text {
        "main" => Ok(MAIN),
        "local" => Ok(255),
        "default" => Ok(253),
        number => number.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
            let message = format!("{} is not a routing table", quoted(text));
            Refusal::new(message, "write main, local, default, or a number from 1 to 4294967295")
        }),
    }
}

/// The policy rules of a list.
pub(super) fn rules(cursor: &Cursor<'_>, cx: &mut Context<'_>, key: &'static str) -> Vec<Rule> {
    cursor.list(cx, key, rule)
}

fn rule(cx: &mut Context<'_>, item: &Item, path: &str) -> Option<Rule> {
    let cursor = Cursor::of(cx, item, path, "a rule")?;
    let asked = cursor.text(cx, "family", values::family);
    let network = |text: &str| values::prefix(text, asked.unwrap_or(Family::V4));
    let from = cursor.text(cx, "from", |text| if text == "all" { Ok(None) } else { network(text).map(Some) });
    let to = cursor.text(cx, "to", |text| if text == "all" { Ok(None) } else { network(text).map(Some) });
    let (from, to) = (from.flatten(), to.flatten());
    let families: Vec<Family> =
        [from, to].into_iter().flatten().map(|prefix| Family::of(prefix.ip)).collect();
    let family = asked.or(families.first().copied()).unwrap_or_default();
    if families.iter().any(|other| *other != family) {
        let message = "the networks of this rule are not of one family";
        cx.findings.error(item.span, message, "use IPv4 networks only, or IPv6 networks only");
    }
    let in_table = cursor.value(cx, "table", table).map(RuleAction::Table);
    let kind = cursor.text(cx, "type", values::rule_action);
    if in_table.is_none() && kind.is_none() && !cursor.has("table") && !cursor.has("type") {
        let message = "this rule does nothing";
        cx.findings.error(
            item.span,
            message,
            "add `table` with a routing table, or blackhole, unreachable or prohibit",
        );
    }
    let rule = Rule {
        family,
        from,
        to,
        iif: cursor.text(cx, "iif", values::interface),
        oif: cursor.text(cx, "oif", values::interface),
        fwmark: cursor.value(cx, "fwmark", |item| number_or_name(item).and_then(values::fwmark)),
        priority: cursor.number(cx, "priority", values::metric),
        action: in_table.or(kind).unwrap_or(RuleAction::Table(MAIN)),
        no_track: cursor.switch(cx, "no_track").unwrap_or(false),
    };
    let has_priority = cursor.has("priority");
    cursor.finish(cx);
    if !has_priority {
        let message = "this rule has no place in the list of rules: the kernel puts it before all others";
        cx.findings.warn(item.span, message, "add `priority` with a number");
    }
    Some(rule)
}
