//! Virtual MACs (C-TX-05, C-L2-01, C-ARP-03): vipd's own, Keepalived's and FRR's, which has no other.

use vipd_tests::Make::{Frr, Keepalived, Vipd};
use vipd_tests::Settings;

use super::stories::take_turns;

fn v3(priority: u8) -> Settings {
    Settings::v3(priority).vmac()
}

fn ipv6(priority: u8) -> Settings {
    Settings::ipv6(priority).vmac()
}

#[test]
fn vipd_backs_up_vipd_with_a_virtual_mac() {
    take_turns([Vipd, Vipd], v3);
}

#[test]
fn keepalived_backs_up_vipd_with_a_virtual_mac() {
    take_turns([Vipd, Keepalived], v3);
}

#[test]
fn vipd_backs_up_keepalived_with_a_virtual_mac() {
    take_turns([Keepalived, Vipd], v3);
}

#[test]
fn frr_backs_up_vipd_with_a_virtual_mac() {
    take_turns([Vipd, Frr], v3);
}

#[test]
fn vipd_backs_up_frr_with_a_virtual_mac() {
    take_turns([Frr, Vipd], v3);
}

#[test]
fn vipd_backs_up_vipd_with_a_virtual_mac_over_ipv6() {
    take_turns([Vipd, Vipd], ipv6);
}

#[test]
fn keepalived_backs_up_vipd_with_a_virtual_mac_over_ipv6() {
    take_turns([Vipd, Keepalived], ipv6);
}

#[test]
fn vipd_backs_up_keepalived_with_a_virtual_mac_over_ipv6() {
    take_turns([Keepalived, Vipd], ipv6);
}

#[test]
fn vipd_backs_up_frr_with_a_virtual_mac_over_ipv6() {
    take_turns([Frr, Vipd], ipv6);
}
