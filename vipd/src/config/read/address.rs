//! Addresses that are put on interfaces, and peers.

use std::net::IpAddr;

use super::super::diagnostic::{Checked, Refusal};
use super::super::model::{Peer, StaticAddress, VirtualAddress};
use super::super::source::Span;
use super::super::tree::{Item, Value};
use super::cursor::{Context, Cursor, text};
use super::values;

/// The addresses of a list: each an address alone, or a table that says more of it. One that is listed twice counts
/// once.
pub(super) fn addresses(cursor: &Cursor<'_>, cx: &mut Context<'_>, key: &'static str) -> Vec<VirtualAddress> {
    let mut seen = Vec::new();
    cursor.list(cx, key, |cx, item, path| {
        let address = address(cx, item, path)?;
        let key = (address.ip, address.dev.clone());
        first_of(cx, item, &mut seen, key, address.ip).then_some(address)
    })
}

/// Whether `key` has not been met before; otherwise that is reported.
fn first_of<K: PartialEq>(
    cx: &mut Context<'_>,
    item: &Item,
    seen: &mut Vec<(K, Span)>,
    key: K,
    ip: IpAddr,
) -> bool {
    if let Some((_, first)) = seen.iter().find(|(known, _)| *known == key) {
        let line = cx.findings.sources.line_from(first.start, item.span.start);
        cx.findings.warn(
            item.span,
            format!("{ip} is already listed on {line}"),
            "remove one of the two lines",
        );
        return false;
    }
    seen.push((key, item.span));
    true
}

fn address(cx: &mut Context<'_>, item: &Item, path: &str) -> Option<VirtualAddress> {
    let plain = |(ip, prefix)| VirtualAddress {
        ip,
        prefix,
        dev: None,
        label: None,
        broadcast: None,
        scope: 0,
        no_track: false,
    };
    if !matches!(item.value, Value::Table(_)) {
        return cx.accept(item, text("an address", item).and_then(values::virtual_address)).map(plain);
    }
    let cursor = Cursor::of(cx, item, path, "an address")?;
    if !cursor.has("ip") {
        let help = "add `ip = \"192.168.1.100/24\"`, with your own";
        cx.findings.error(cursor.span, "this address has no `ip`", help);
    }
    let address = cursor.text(cx, "ip", values::virtual_address).map(plain);
    let dev = cursor.text(cx, "dev", values::interface);
    let mut label = cursor.text(cx, "label", values::label);
    let scope = cursor.value(cx, "scope", |item| number_or_name(item).and_then(values::scope));
    let no_track = cursor.switch(cx, "no_track").unwrap_or(false);
    let broadcast = match &address {
        Some(VirtualAddress { ip, prefix, .. }) => {
            cursor.text(cx, "brd", |text| values::broadcast(text, *ip, *prefix))
        }
        None => cursor.item("brd").and(None),
    };
    cursor.finish(cx);
    if let Some(VirtualAddress { ip: IpAddr::V6(_), .. }) = address
        && label.take().is_some()
    {
        let span = cx.places.near(&format!("{path}.label"));
        cx.findings.warn(span, "an IPv6 address has no label; it is left out", "remove it");
    }
    Some(VirtualAddress { dev, label, broadcast, scope: scope.unwrap_or(0), no_track, ..address? })
}

/// The word of a value that is a number, or has a name.
pub(super) fn number_or_name(item: &Item) -> Checked<&str> {
    match &item.value {
        Value::Word(word) | Value::Text(word) | Value::Number(word) => Ok(word),
        _ => Err(Refusal::new("this is neither a number nor a name", "write one of them")),
    }
}

/// `static_ipaddress`; where a line names no interface, `default_interface` carries the address.
pub(super) fn statics(
    root: &Cursor<'_>,
    cx: &mut Context<'_>,
    default_interface: Option<&str>,
) -> Vec<StaticAddress> {
    root.list(cx, "static_ipaddress", |cx, item, path| {
        let mut address = address(cx, item, path)?;
        // Keepalived's default.
        let dev = address.dev.take().unwrap_or_else(|| default_interface.unwrap_or("eth0").to_owned());
        Some(StaticAddress { dev, address })
    })
}

/// Unicast peers: each an address alone, or a table with its limits.
pub(super) fn peers(cursor: &Cursor<'_>, cx: &mut Context<'_>) -> Vec<Peer> {
    let mut seen = Vec::new();
    cursor.list(cx, "unicast_peer", |cx, item, path| {
        let peer = peer(cx, item, path)?;
        first_of(cx, item, &mut seen, peer.ip, peer.ip).then_some(peer)
    })
}

fn peer(cx: &mut Context<'_>, item: &Item, path: &str) -> Option<Peer> {
    if !matches!(item.value, Value::Table(_)) {
        let ip = cx.accept(item, text("a peer", item).and_then(values::host))?;
        return Some(Peer { ip, min_ttl: 255, max_ttl: 255 });
    }
    let peer = Cursor::of(cx, item, path, "a peer")?;
    peer.demand(cx, "this peer", "ip", "192.168.1.20");
    let ip = peer.text(cx, "ip", values::host);
    let min_ttl = peer.number(cx, "min_ttl", values::ttl);
    let max_ttl = peer.number(cx, "max_ttl", values::ttl);
    peer.finish(cx);
    // Where only the highest is given, any below it is meant.
    let least = if max_ttl.is_some() { 0 } else { 255 };
    Some(Peer { ip: ip?, min_ttl: min_ttl.unwrap_or(least), max_ttl: max_ttl.unwrap_or(255) })
}
