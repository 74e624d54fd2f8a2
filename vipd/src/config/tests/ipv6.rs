//! What a configuration must say of addresses of IPv6.

use std::fmt::Write;

use super::super::Family;
use super::{accepted, only, position, refused};

/// A keepalived.conf with one instance. Its addresses begin on line 5, the other lines behind them.
fn with(addresses: &str, lines: &str) -> String {
    format!(
        "vrrp_instance VI_6 {{\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {{\n{addresses}\n}}\n{lines}\n}}\n"
    )
}

/// The address of every virtual router in a row, the first link-local.
fn list(count: usize) -> String {
    let mut lines = "fe80::1:1/64".to_owned();
    for number in 1..count {
        write!(lines, "\n2001:db8::{number:x}/64").expect("memory");
    }
    lines
}

/// C-PKT-03, C-PKT-08: version 3 by itself, the link-local address first, and no more than fit an Ethernet frame.
#[test]
fn a_link_local_address_and_89_others_fill_an_advert() {
    let loaded = accepted(&with(&list(90), ""));

    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let instance = only(&loaded);
    assert_eq!((instance.family, instance.addresses.len()), (Family::V6, 90));
    assert_eq!(instance.group.to_string(), "ff02::12");
}

/// C-PKT-03: such a pair works, and other routers drop its adverts.
#[test]
fn a_list_that_begins_with_a_global_address_is_warned_of() {
    let loaded = accepted(&with("2001:db8::1/64\nfe80::1:1/64", ""));

    let [warning] = loaded.warnings.iter().as_slice() else { panic!("{}", loaded.warnings) };
    assert_eq!(position(warning), (5, 1), "{warning}");
    assert!(warning.message.contains("2001:db8::1 is not link-local"), "{warning}");
    assert!(warning.help.contains("fe80::1:1 first, on every node"), "{warning}");
}

/// C-PKT-08, C-TX-04, C-PKT-05
#[test]
fn what_adverts_over_ipv6_cannot_say_or_do_is_refused() {
    for (addresses, lines, line, message, help) in [
        (list(91), "", 95, "at most 90 addresses", "virtual_ipaddress_excluded"),
        (
            list(2),
            "mcast_src_ip 2001:db8::9",
            8,
            "which is not link-local",
            "a link-local address of the interface",
        ),
        (list(2), "mcast_src_ip 10.0.0.1", 8, "cannot come from 10.0.0.1", "family of the virtual addresses"),
        (list(2), "unicast_peer { 10.0.0.2 }", 8, "cannot go to 10.0.0.2", "family of the virtual addresses"),
        (list(2), "version 2", 8, "version 2", ""),
        (
            "fe80::1:1/64\n10.0.0.1/24".to_owned(),
            "",
            6,
            "10.0.0.1 is of another family",
            "virtual_ipaddress_excluded",
        ),
    ] {
        let found = refused(&with(&addresses, lines));
        let error = found.iter().find(|found| found.message.contains(message));
        let error = error.unwrap_or_else(|| panic!("{message:?} is not said:\n{}", found.render(false)));
        assert_eq!(position(error).0, line, "{error}");
        assert!(error.help.contains(help), "{help:?} is no remedy in: {error}");
    }
}

/// To peers beyond the link, adverts come from an address that is valid there.
#[test]
fn unicast_adverts_may_come_from_a_global_address() {
    let loaded = accepted(&with(&list(2), "unicast_src_ip 2001:db8::9\nunicast_peer {\n2001:db8::8\n}"));

    let instance = only(&loaded);
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    assert_eq!(instance.source.map(|source| source.to_string()).as_deref(), Some("2001:db8::9"));
    assert_eq!(instance.peers.len(), 1);
}
