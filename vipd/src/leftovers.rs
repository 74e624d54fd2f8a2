//! What an agent left that was killed together with its warden: found and removed by the next one with its run directory.
//!
//! An address is removed when it bears the mark of an agent and is one of this configuration, or one that the record in
//! the run directory names. Other addresses with the mark may be another agent's, with another run directory.

use std::fmt::Write;
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use crate::effects::{Address, Rtnl, remove};
use crate::election::Planned;
use crate::link::Links;

/// An address on an interface: index, address, prefix length.
type Place = (u32, IpAddr, u8);

/// Removes the addresses that are left over. The owner's own address, which no agent has put there, stays.
///
/// # Errors
/// When the kernel refuses to remove one.
pub(crate) fn remove_leftovers(links: &Links, planned: &[Planned], record: &Path) -> anyhow::Result<()> {
    let mut known: Vec<Place> = places(planned).collect();
    known.extend(fs::read_to_string(record).unwrap_or_default().lines().filter_map(parse));
    known.sort_unstable();
    known.dedup();
    let left: Vec<Address> = known.into_iter().filter(|place| is_marked(links, *place)).map(bare).collect();
    for (address, result) in left.iter().zip(remove(&mut Rtnl::open()?, &left)?) {
        result?;
        tracing::warn!("removed {}/{}, which an agent had left behind", address.ip, address.prefix);
    }
    Ok(())
}

/// Records every address that this agent may put on an interface, for the case that nobody removes them.
///
/// # Errors
/// When the record cannot be written.
pub(crate) fn write_record(planned: &[Planned], record: &Path) -> io::Result<()> {
    let mut lines = String::new();
    for (ifindex, ip, prefix) in places(planned) {
        // Writing to a string does not fail.
        let _ = writeln!(lines, "address {ip}/{prefix} interface {ifindex}");
    }
    fs::write(record, lines)
}

fn parse(line: &str) -> Option<Place> {
    let (place, ifindex) = line.strip_prefix("address ")?.split_once(" interface ")?;
    let (ip, prefix) = place.split_once('/')?;
    Some((ifindex.parse().ok()?, ip.parse().ok()?, prefix.parse().ok()?))
}

fn places(planned: &[Planned]) -> impl Iterator<Item = Place> {
    let addresses = planned.iter().flat_map(|planned| &planned.vips).map(|vip| &vip.address);
    addresses.map(|address| (address.ifindex, address.ip, address.prefix))
}

fn is_marked(links: &Links, (ifindex, ip, prefix): Place) -> bool {
    links.by_index(ifindex).is_some_and(|link| link.marked().any(|marked| marked == (ip, prefix)))
}

/// What the kernel needs to find it.
fn bare((ifindex, ip, prefix): Place) -> Address {
    Address { ifindex, ip, prefix, label: None, broadcast: None, scope: 0 }
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
}
