//! Version 3 over IPv6 (C-PKT-03, C-CK-05, C-TX-03, C-TX-04), multicast and unicast.

use vipd_tests::Make::{Frr, Keepalived, Vipd};
use vipd_tests::Settings;

use super::stories::{die_in_turn, take_turns};

/// Keepalived 2.2.7 lets its kernel choose the hop limit, 64, unless it is told one; vipd takes 255 unless it is told to take
/// less (C-UNI-03).
fn unicast(priority: u8) -> Settings {
    Settings::ipv6(priority).unicast().line("unicast_ttl 255")
}

#[test]
fn vipd_backs_up_vipd_over_ipv6() {
    take_turns([Vipd, Vipd], Settings::ipv6);
}

#[test]
fn keepalived_backs_up_vipd_over_ipv6() {
    take_turns([Vipd, Keepalived], Settings::ipv6);
}

#[test]
fn vipd_backs_up_keepalived_over_ipv6() {
    take_turns([Keepalived, Vipd], Settings::ipv6);
}

#[test]
fn frr_backs_up_vipd_over_ipv6() {
    take_turns([Vipd, Frr], Settings::ipv6);
}

#[test]
fn vipd_backs_up_frr_over_ipv6() {
    take_turns([Frr, Vipd], Settings::ipv6);
}

/// C-UNI-01, C-UNI-02
#[test]
fn vipd_backs_up_vipd_over_ipv6_by_unicast() {
    take_turns([Vipd, Vipd], unicast);
}

/// C-UNI-01, C-UNI-03
#[test]
fn keepalived_backs_up_vipd_over_ipv6_by_unicast() {
    take_turns([Vipd, Keepalived], unicast);
}

/// C-UNI-01, C-UNI-03
#[test]
fn vipd_backs_up_keepalived_over_ipv6_by_unicast() {
    take_turns([Keepalived, Vipd], unicast);
}

#[test]
fn three_nodes_die_in_turn_over_ipv6() {
    die_in_turn([Vipd, Keepalived, Vipd], Settings::ipv6);
}
