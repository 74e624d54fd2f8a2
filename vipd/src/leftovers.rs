//! What an agent left that was killed together with its warden: found and undone by the next one with its run directory.
//!
//! An address is removed when it bears the mark of an agent and is one of this configuration, or one that the record in
//! the run directory names. Other addresses with the mark may be another agent's, with another run directory. Routes and
//! rules bear a mark too, without which the kernel does not remove them; kernel parameters stand in the record as they were.

use std::fmt::Write;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use crate::effects::{self, Address, Ground, Macvlans, Rtnl, Thing};
use crate::link::Links;

/// An address on an interface: index, address, prefix length.
type Place = (u32, IpAddr, u8);

/// Removes the things that are left over. The owner's own address, which no agent has put there, stays.
///
/// # Errors
/// When the kernel refuses to remove one.
pub(crate) fn remove(links: &Links, things: &[Thing], record: &Path) -> anyhow::Result<()> {
    let mut known: Vec<Place> = things.iter().filter_map(place).collect();
    let recorded = fs::read_to_string(record).unwrap_or_default();
    known.extend(recorded.lines().filter_map(parse));
    known.sort_unstable();
    known.dedup();
    let marked = known.into_iter().filter(|place| is_marked(links, *place));
    let left: Vec<Thing> = marked.map(|place| Thing::Address(bare(place))).collect();
    let mut rtnl = Rtnl::open()?;
    for (thing, result) in left.iter().zip(effects::remove(&mut rtnl, &left)?) {
        result?;
        tracing::warn!("removed {thing}, which an agent had left behind");
    }
    // A route with a mark of its own may be anybody's.
    let ours = |thing: &&Thing| match thing {
        Thing::Route(route) => route.config.protocol.is_none(),
        Thing::Rule(_) => true,
        Thing::Address(_) | Thing::Up(..) => false,
    };
    let others: Vec<Thing> = things.iter().filter(ours).cloned().collect();
    for result in effects::remove(&mut rtnl, &others)? {
        result?;
    }
    Ok(())
}

/// The record: every address that this agent may put on an interface, its own interfaces, and kernel parameters as they were
/// before it, for the case that nobody removes the ones and puts back the others.
pub(crate) fn record(things: &[Thing], ground: &Ground) -> String {
    let mut lines = String::new();
    // Writing to a string does not fail.
    for (ifindex, ip, prefix) in things.iter().filter_map(place) {
        let _ = writeln!(lines, "address {ip}/{prefix} interface {ifindex}");
    }
    for thing in things {
        if let Thing::Up(_, name) = thing {
            let _ = writeln!(lines, "link {name}");
        }
    }
    for (path, value) in ground.parameters() {
        let _ = writeln!(lines, "parameter {path} was {value}");
    }
    lines
}

/// Removes interfaces that an agent has made.
///
/// # Errors
/// When the kernel refuses.
pub(crate) fn remove_links(links: &Links, record: &Path) -> anyhow::Result<()> {
    let recorded = fs::read_to_string(record).unwrap_or_default();
    let names = recorded.lines().filter_map(|line| line.strip_prefix("link "));
    let left = names.filter_map(|name| links.by_name(name)).filter(|link| link.made_by_vipd);
    for link in left {
        Macvlans::remove_left_over(link)?;
    }
    Ok(())
}

/// Puts kernel parameters back that an agent has set.
pub(crate) fn put_parameters_back(record: &Path) {
    let recorded = fs::read_to_string(record).unwrap_or_default();
    for (path, value) in recorded.lines().filter_map(parameter) {
        match fs::write(path, value) {
            Ok(()) => tracing::warn!("put {path} back to {value}, which an agent had set"),
            // Its interface may be gone.
            Err(error) => tracing::debug!("cannot put {path} back to {value}: {error}"),
        }
    }
}

fn parameter(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("parameter ")?
        .split_once(" was ")
        .filter(|(path, _)| path.starts_with("/proc/sys/net/"))
}

fn parse(line: &str) -> Option<Place> {
    let (place, ifindex) = line.strip_prefix("address ")?.split_once(" interface ")?;
    let (ip, prefix) = place.split_once('/')?;
    Some((ifindex.parse().ok()?, ip.parse().ok()?, prefix.parse().ok()?))
}

fn place(thing: &Thing) -> Option<Place> {
    match thing {
        Thing::Address(address) => Some((address.ifindex, address.ip, address.prefix)),
        _ => None,
    }
}

fn is_marked(links: &Links, (ifindex, ip, prefix): Place) -> bool {
    links.by_index(ifindex).is_some_and(|link| link.marked().any(|marked| marked == (ip, prefix)))
}

/// What the kernel needs to find it.
fn bare((ifindex, ip, prefix): Place) -> Address {
    Address { ifindex, ip, prefix, label: None, broadcast: None, scope: 0, tracked: true }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written_and_what_is_none_is_passed_over() {
        let cases = [
            ("address 192.0.2.1/24 interface 7", Some((7, Ipv4Addr::new(192, 0, 2, 1).into(), 24))),
            ("address fe80::5:1/64 interface 7", Some((7, "fe80::5:1".parse().expect("an address"), 64))),
            ("address 192.0.2.1/24", None),
            ("address 192.0.2.1 interface 7", None),
            ("address 192.0.2.1/24 interface", None),
            ("link 7", None),
            ("", None),
        ];
        for (line, place) in cases {
            assert_eq!(parse(line), place, "{line:?}");
        }
    }

    #[test]
    fn a_parameter_of_the_network_is_put_back_and_nothing_else_is_written() {
        let path = "/proc/sys/net/ipv4/conf/eth0/arp_ignore";
        let cases = [
            (format!("parameter {path} was 0"), Some((path, "0"))),
            ("parameter /etc/passwd was 0".to_owned(), None),
            (format!("parameter {path}"), None),
            ("address 192.0.2.1/24 interface 7".to_owned(), None),
        ];
        for (line, expected) in &cases {
            assert_eq!(parameter(line), *expected, "{line:?}");
        }
    }
}
