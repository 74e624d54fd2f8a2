//! Addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::super::super::model::Family;
use super::{Checked, Refusal, quoted, whole};

/// An address that a host can have.
pub(in super::super) fn host(text: &str) -> Checked<IpAddr> {
    let address: IpAddr = text.parse().map_err(|_| {
        let message = format!("{} is not an IP address", quoted(text));
        Refusal::new(message, "write an address such as 192.168.1.100 or fd00::100")
    })?;
    let is_broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    let is_mapped = matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some());
    if address.is_unspecified()
        || address.is_multicast()
        || is_broadcast
        || address.is_loopback()
        || is_mapped
    {
        let message = format!("{} is not the address of one host on a network", quoted(text));
        return Err(Refusal::new(message, "write an address of the network, such as 192.168.1.100"));
    }
    Ok(address)
}

/// A virtual address with its prefix length; without one it stands alone (32 or 128).
pub(in super::super) fn virtual_address(text: &str) -> Checked<(IpAddr, u8)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address = host(address)?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Ok(most), |prefix| whole(prefix, "a prefix length", 1..=most))?;
    Ok((address, prefix))
}

/// Broadcast address of a virtual address: spelt out, or `+` and `-` for its network with the host bits set or cleared,
/// as ip-address(8) has it.
pub(in super::super) fn broadcast(text: &str, address: IpAddr, prefix: u8) -> Checked<IpAddr> {
    let IpAddr::V4(address) = address else {
        return Err(Refusal::new("an IPv6 address has no broadcast address", "take `brd` out"));
    };
    let host_bits = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
    let bits = match text {
        "+" => address.to_bits() | host_bits,
        "-" => address.to_bits() & !host_bits,
        _ => text.parse::<Ipv4Addr>().map(Ipv4Addr::to_bits).map_err(|_| {
            let message = format!("{} is not a broadcast address", quoted(text));
            Refusal::new(message, "write an IPv4 address, or + for the last address of the network")
        })?,
    };
    Ok(Ipv4Addr::from_bits(bits).into())
}

/// Scope of an address: a name of iproute2's or a number (`rtm_scope` in linux/rtnetlink.h).
pub(in super::super) fn scope(text: &str) -> Checked<u8> {
    match text {
        "global" => Ok(0),
        "site" => Ok(200),
        "link" => Ok(253),
        "host" => Ok(254),
        "nowhere" => Ok(255),
        number => number.parse().map_err(|_| {
            let help = "write global, site, link, host, nowhere, or a number from 0 to 255";
            Refusal::new(format!("{} is not a scope", quoted(text)), help)
        }),
    }
}

/// A multicast group of a family; IPv6 groups stay on the link (RFC 9568 section 5.1.2.2).
pub(in super::super) fn group(text: &str, family: Family) -> Checked<IpAddr> {
    let example = if family == Family::V4 { "224.0.0.18" } else { "ff02::12" };
    let fits = |group: &IpAddr| match group {
        IpAddr::V4(_) => family == Family::V4 && group.is_multicast(),
        IpAddr::V6(group) => family == Family::V6 && group.is_multicast() && group.segments()[0] & 0xf == 2,
    };
    text.parse().ok().filter(fits).ok_or_else(|| {
        let message = format!("{} is not a group that adverts can be sent to", quoted(text));
        Refusal::new(message, format!("write a multicast address such as {example}"))
    })
}

/// TTL or hop limit.
pub(in super::super) fn ttl(text: &str) -> Checked<u8> {
    whole(text, "a TTL", 0..=255)
}

/// TTL of frames that are to arrive.
pub(in super::super) fn ttl_sent(text: &str) -> Checked<u8> {
    whole(text, "a TTL", 1..=255)
}

/// An address with a port.
pub(in super::super) fn socket_address(text: &str) -> Checked<SocketAddr> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
    numeric
        .as_deref()
        .unwrap_or(text)
        .parse()
        .ok()
        .filter(|address: &SocketAddr| address.port() != 0)
        .ok_or_else(|| {
            let message = format!("{} is not an address with a port", quoted(text));
            Refusal::new(message, "write both, such as 127.0.0.1:80 or [::1]:80; no check waits for DNS")
        })
}

/// Port.
pub(in super::super) fn port(text: &str) -> Checked<u16> {
    whole(text, "a port", 1..=u16::MAX)
}
