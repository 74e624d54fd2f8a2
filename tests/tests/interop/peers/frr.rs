//! FRR's vrrpd 8.4.4.

use vipd_tests::Make::{Frr, Keepalived, Vipd};
use vipd_tests::Settings;

use super::stories::{
    die_in_turn, does_not_preempt, follows_a_slower_master, is_deaf_to_another_interval, take_turns,
};

#[test]
fn vipd_backs_up_frr_in_version_3() {
    take_turns([Frr, Vipd], Settings::v3);
}

#[test]
fn frr_backs_up_vipd_in_version_3() {
    take_turns([Vipd, Frr], Settings::v3);
}

#[test]
fn vipd_backs_up_frr_in_version_2() {
    take_turns([Frr, Vipd], Settings::v2);
}

#[test]
fn frr_backs_up_vipd_in_version_2() {
    take_turns([Vipd, Frr], Settings::v2);
}

#[test]
fn a_better_vipd_with_nopreempt_leaves_frr_alone() {
    does_not_preempt([Vipd, Frr]);
}

#[test]
fn a_better_frr_without_preemption_leaves_vipd_alone() {
    does_not_preempt([Frr, Vipd]);
}

/// C-TMR-05, C-TMR-07, C-RX-16
#[test]
fn vipd_follows_a_slower_frr_in_version_3() {
    follows_a_slower_master([Frr, Vipd]);
}

#[test]
fn frr_follows_a_slower_vipd_in_version_3() {
    follows_a_slower_master([Vipd, Frr]);
}

/// C-RX-15, C-TMR-06
#[test]
fn vipd_and_frr_are_deaf_to_another_interval_in_version_2() {
    is_deaf_to_another_interval([Vipd, Frr]);
}

#[test]
fn three_nodes_with_one_of_each_make_die_in_turn() {
    die_in_turn([Frr, Keepalived, Vipd], Settings::v3);
}
