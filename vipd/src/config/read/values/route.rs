//! Parts of routes and policy rules.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::super::super::model::{Family, Prefix, RouteKind, RuleAction};
use super::{Checked, Refusal, quoted, whole};

/// A network, or one address, or `default` of a family.
pub(in super::super) fn prefix(text: &str, family: Family) -> Checked<Prefix> {
    let whole_family = match family {
        Family::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    if text == "default" {
        return Ok(Prefix { ip: whole_family, len: 0 });
    }
    let (address, len) = text.split_once('/').map_or((text, None), |(address, len)| (address, Some(len)));
    let ip: IpAddr = address.parse().map_err(|_| {
        let message = format!("{} is not a network", quoted(text));
        Refusal::new(message, "write it such as 10.0.0.0/8, or `default`")
    })?;
    let most = if ip.is_ipv4() { 32 } else { 128 };
    let len: u8 = len.map_or(Ok(most), |len| whole(len, "a prefix length", 0..=most))?;
    let network = Prefix { ip: masked(ip, len), len };
    if network.ip != ip {
        let message = format!("{} has bits behind its prefix", quoted(text));
        return Err(Refusal::new(message, format!("write {}/{len}", network.ip)));
    }
    Ok(network)
}

fn masked(ip: IpAddr, len: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
            Ipv4Addr::from_bits(ip.to_bits() & mask).into()
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
            Ipv6Addr::from_bits(ip.to_bits() & mask).into()
        }
    }
}

/// `ipv4` or `ipv6`.
pub(in super::super) fn family(text: &str) -> Checked<Family> {
    match text {
        "ipv4" => Ok(Family::V4),
        "ipv6" => Ok(Family::V6),
        _ => {
            Err(Refusal::new(format!("{} is not a family of addresses", quoted(text)), "write ipv4 or ipv6"))
        }
    }
}

/// What becomes of packets that a route takes.
pub(in super::super) fn route_kind(text: &str) -> Checked<RouteKind> {
    match text {
        "unicast" => Ok(RouteKind::Unicast),
        "blackhole" => Ok(RouteKind::Blackhole),
        "unreachable" => Ok(RouteKind::Unreachable),
        "prohibit" => Ok(RouteKind::Prohibit),
        "throw" => Ok(RouteKind::Throw),
        _ => {
            let message = format!("{} is not a type of route", quoted(text));
            Err(Refusal::new(message, "write unicast, blackhole, unreachable, prohibit or throw"))
        }
    }
}

/// What a rule does instead of looking into a table.
pub(in super::super) fn rule_action(text: &str) -> Checked<RuleAction> {
    match text {
        "blackhole" => Ok(RuleAction::Blackhole),
        "unreachable" => Ok(RuleAction::Unreachable),
        "prohibit" => Ok(RuleAction::Prohibit),
        _ => {
            let message = format!("{} is not a type of rule", quoted(text));
            Err(Refusal::new(message, "write blackhole, unreachable or prohibit"))
        }
    }
}

/// Who put a route there: a name of iproute2's that every host has, or a number.
pub(in super::super) fn route_protocol(text: &str) -> Checked<u8> {
    match text {
        "kernel" => Ok(2),
        "boot" => Ok(3),
        "static" => Ok(4),
        "keepalived" => Ok(18),
        number => whole(number, "a protocol that puts routes in", 0..=255),
    }
}

/// Place among routes or rules.
pub(in super::super) fn metric(text: &str) -> Checked<u32> {
    whole(text, "a place in the list", 0..=u32::MAX)
}

/// Path MTU.
pub(in super::super) fn mtu(text: &str) -> Checked<u32> {
    whole(text, "an MTU", 68..=65535)
}

/// A mark, perhaps with a mask: `0x1`, `1/0xff`.
pub(in super::super) fn fwmark(text: &str) -> Checked<(u32, u32)> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    };
    let (value, mask) = text.split_once('/').unwrap_or((text, "0xffffffff"));
    number(value).zip(number(mask)).ok_or_else(|| {
        Refusal::new(
            format!("{} is not a mark", quoted(text)),
            "write a number, and perhaps a mask: 0x1/0xff",
        )
    })
}
