//! Facts about hosts and switches, and waiting until they hold: subscribe to changes, look, await a change, look again.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::host::Host;
use crate::rtnl::Rtnl;
use crate::{Moment, Switch};

/// An address on an interface, as `ip address` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Interface that carries it.
    pub interface: String,
    /// The address.
    pub ip: IpAddr,
    /// Its prefix length.
    pub prefix: u8,
    /// Its label; IPv4 addresses have their interface's name as label if no other was given.
    pub label: Option<String>,
}

/// Every address of a host.
///
/// # Errors
/// If `ip` cannot be run or says something unknown.
pub fn addresses(host: &Host) -> Result<Vec<Address>> {
    let links: Value = serde_json::from_str(&host.command("ip -j address show")?)?;
    let mut found = Vec::new();
    for link in links.as_array().context("ip address: not a list")? {
        let interface = link["ifname"].as_str().unwrap_or_default();
        for address in link["addr_info"].as_array().into_iter().flatten() {
            found.push(Address {
                interface: interface.to_owned(),
                ip: address["local"].as_str().context("address without local")?.parse()?,
                prefix: u8::try_from(address["prefixlen"].as_u64().context("address without prefixlen")?)?,
                label: address["label"].as_str().map(str::to_owned),
            });
        }
    }
    Ok(found)
}

/// The address `ip` on a host, if it is there.
///
/// # Errors
/// As for [`addresses`].
pub fn address(host: &Host, ip: IpAddr) -> Result<Option<Address>> {
    Ok(addresses(host)?.into_iter().find(|address| address.ip == ip))
}

/// Awaits that a host holds `ip`, and returns the address.
///
/// # Errors
/// If it does not come `within` this time.
pub fn wait_for_address(host: &Host, ip: IpAddr, within: Duration) -> Result<Address> {
    wait_until(host, within, || address(host, ip))
        .with_context(|| format!("{} does not hold {ip}: {:?}", host.name(), addresses(host)))
}

/// Awaits that a host does not hold `ip`.
///
/// # Errors
/// If it still does after this time.
pub fn wait_for_no_address(host: &Host, ip: IpAddr, within: Duration) -> Result<()> {
    wait_until(host, within, || Ok(address(host, ip)?.is_none().then_some(())))
        .with_context(|| format!("{} still holds {ip}", host.name()))
}

/// Awaits that the switch has learned `mac` behind `port`.
///
/// # Errors
/// If it has not `within` this time.
pub fn wait_for_learned(switch: &Switch, mac: &str, port: &str, within: Duration) -> Result<()> {
    wait_until(switch.host(), within, || Ok((switch.port_of(mac)?.as_deref() == Some(port)).then_some(())))
        .with_context(|| format!("the switch has {mac} behind {:?}, not {port}", switch.port_of(mac)))
}

/// MAC address of an interface, such as `02:00:00:00:00:01`.
///
/// # Errors
/// If there is no such interface.
pub fn mac(host: &Host, interface: &str) -> Result<String> {
    Ok(host.read_file(&format!("/sys/class/net/{interface}/address"))?.trim().to_owned())
}

/// The MAC address that a host would send to for `ip`, from its ARP table.
///
/// # Errors
/// If `ip` cannot be run or says something unknown.
pub fn neighbour(host: &Host, ip: IpAddr) -> Result<Option<String>> {
    let table: Value = serde_json::from_str(&host.command("ip -j neighbour show")?)?;
    let entries = table.as_array().context("ip neighbour: not a list")?;
    let entry = entries.iter().find(|entry| entry["dst"].as_str() == Some(&ip.to_string()));
    Ok(entry.and_then(|entry| entry["lladdr"].as_str()).map(str::to_owned))
}

/// Awaits that `look` finds something; it is asked now and after each change to the host's addresses, links,
/// neighbours and bridge.
///
/// # Errors
/// If `look` fails, or has found nothing `within` this time.
pub fn wait_until<T>(
    host: &Host,
    within: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Moment::now() + within;
    let changes = Rtnl::open(host)?;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if changes.next(deadline.remaining())?.is_empty() {
            bail!("not within {within:?}");
        }
    }
}
