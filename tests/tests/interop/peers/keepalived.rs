//! Keepalived 2.2.7, the one of Debian 12.

use vipd_tests::Make::{Keepalived, Vipd};
use vipd_tests::Settings;

use super::stories::{
    PRIORITIES, Two, die_in_turn, does_not_preempt, expect_resignation, follows_a_slower_master,
    is_deaf_to_another_interval, preempts_late, take_turns, two,
};

/// Version 2 with the password of the guide, of which eight octets count.
fn v2_password(priority: u8) -> Settings {
    Settings::v2(priority).password("MySecret123")
}

fn v2_unicast(priority: u8) -> Settings {
    Settings::v2(priority).unicast()
}

/// Version 3 as Keepalived sends it unless told otherwise: the checksum over a pseudo-header too (C-CK-03), in unicast
/// with the peer's address in it (C-UNI-04). 2.2.7 has no other form: `v3_checksum_as_v2` came with 2.2.8.
fn v3_unicast(priority: u8) -> Settings {
    Settings::v3(priority).unicast()
}

/// C-PKT-01, C-CK-01, C-AUTH-01
#[test]
fn keepalived_backs_up_vipd_in_version_2() {
    take_turns([Vipd, Keepalived], Settings::v2);
}

/// C-PKT-01, C-CK-01, C-AUTH-01
#[test]
fn vipd_backs_up_keepalived_in_version_2() {
    take_turns([Keepalived, Vipd], Settings::v2);
}

/// C-AUTH-02
#[test]
fn keepalived_backs_up_vipd_in_version_2_with_a_password() {
    take_turns([Vipd, Keepalived], v2_password);
}

/// C-AUTH-02
#[test]
fn vipd_backs_up_keepalived_in_version_2_with_a_password() {
    take_turns([Keepalived, Vipd], v2_password);
}

/// C-PKT-02, C-CK-03
#[test]
fn keepalived_backs_up_vipd_in_version_3() {
    take_turns([Vipd, Keepalived], Settings::v3);
}

/// C-PKT-02, C-CK-03
#[test]
fn vipd_backs_up_keepalived_in_version_3() {
    take_turns([Keepalived, Vipd], Settings::v3);
}

/// C-UNI-01
#[test]
fn keepalived_backs_up_vipd_in_version_2_by_unicast() {
    take_turns([Vipd, Keepalived], v2_unicast);
}

/// C-UNI-01
#[test]
fn vipd_backs_up_keepalived_in_version_2_by_unicast() {
    take_turns([Keepalived, Vipd], v2_unicast);
}

/// C-UNI-01, C-UNI-04
#[test]
fn keepalived_backs_up_vipd_in_version_3_by_unicast() {
    take_turns([Vipd, Keepalived], v3_unicast);
}

/// C-UNI-01, C-UNI-04
#[test]
fn vipd_backs_up_keepalived_in_version_3_by_unicast() {
    take_turns([Keepalived, Vipd], v3_unicast);
}

/// C-FSM-05, C-FSM-13
#[test]
fn a_better_vipd_with_nopreempt_leaves_keepalived_alone() {
    does_not_preempt([Vipd, Keepalived]);
}

#[test]
fn a_better_keepalived_with_nopreempt_leaves_vipd_alone() {
    does_not_preempt([Keepalived, Vipd]);
}

/// C-FSM-16
#[test]
fn a_better_vipd_displaces_keepalived_when_its_preempt_delay_is_over() {
    preempts_late([Vipd, Keepalived]);
}

#[test]
fn a_better_keepalived_displaces_vipd_when_its_preempt_delay_is_over() {
    preempts_late([Keepalived, Vipd]);
}

/// C-TMR-05, C-TMR-07, C-RX-16
#[test]
fn vipd_follows_a_slower_keepalived_in_version_3() {
    follows_a_slower_master([Keepalived, Vipd]);
}

#[test]
fn keepalived_follows_a_slower_vipd_in_version_3() {
    follows_a_slower_master([Vipd, Keepalived]);
}

/// C-RX-15, C-TMR-06
#[test]
fn vipd_and_keepalived_are_deaf_to_another_interval_in_version_2() {
    is_deaf_to_another_interval([Vipd, Keepalived]);
}

#[test]
fn three_nodes_with_keepalived_as_the_best_die_in_turn() {
    die_in_turn([Keepalived, Vipd, Vipd], Settings::v3);
}

#[test]
fn three_nodes_with_keepalived_as_the_second_die_in_turn() {
    die_in_turn([Vipd, Keepalived, Vipd], Settings::v3);
}

#[test]
fn three_nodes_with_keepalived_as_the_third_die_in_turn() {
    die_in_turn([Vipd, Vipd, Keepalived], Settings::v3);
}

/// C-UNI-01: one copy for each of several peers.
#[test]
fn three_nodes_with_keepalived_as_the_best_die_in_turn_by_unicast() {
    die_in_turn([Keepalived, Vipd, Vipd], v3_unicast);
}

#[test]
fn three_nodes_with_keepalived_as_the_second_die_in_turn_by_unicast() {
    die_in_turn([Vipd, Keepalived, Vipd], v3_unicast);
}

#[test]
fn three_nodes_with_keepalived_as_the_third_die_in_turn_by_unicast() {
    die_in_turn([Vipd, Vipd, Keepalived], v3_unicast);
}

#[test]
fn three_nodes_with_keepalived_as_the_second_die_in_turn_in_version_2() {
    die_in_turn([Vipd, Keepalived, Vipd], v2_password);
}

/// Its parent process starts the child anew: two moves of the address, and vipd serves in between.
#[test]
fn vipd_stands_in_while_a_crashed_keepalived_child_is_started_anew() {
    let Two { lan, better, worse } = two([Keepalived, Vipd], Settings::v3);
    better.process().skip_lines();

    let host = &lan.node(0).host;
    let child = host.read_file("/run/vrrp.pid").expect("it writes its pid");
    host.command(&format!("kill -KILL {child}")).expect("kill");

    worse.wait_for_state("MASTER").expect("takeover after silence");
    better.wait_for_state("MASTER").expect("the new child preempts");
    worse.wait_for_state("BACKUP").expect("the lower priority yields");
    lan.wait_for_master(0).expect("keepalived is alone");
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// The child resigns when its parent is killed.
#[test]
fn vipd_takes_over_from_a_keepalived_whose_parent_process_was_killed() {
    let Two { lan, better, worse } = two([Keepalived, Vipd], Settings::v3);
    let tap = lan.tap().expect("tap");

    better.process().kill_alone().expect("SIGKILL");

    expect_resignation(&tap, &lan, 0);
    worse.wait_for_state("MASTER").expect("takeover after resignation");
    lan.wait_for_master(1).expect("vipd is alone");
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// What is left of vipd resigns, and takes the address off.
#[test]
fn keepalived_stands_in_for_a_killed_vipd_until_it_is_started_anew() {
    let Two { lan, better, worse } = two([Vipd, Keepalived], Settings::v3);
    let tap = lan.tap().expect("tap");

    better.process().kill_alone().expect("SIGKILL");

    expect_resignation(&tap, &lan, 0);
    worse.wait_for_state("MASTER").expect("takeover after resignation");
    lan.wait_for_master(1).expect("keepalived is alone");
    drop(better);
    let _better = lan.start(0, &Settings::v3(PRIORITIES[0])).expect("vipd starts again");
    worse.wait_for_state("BACKUP").expect("the lower priority yields");
    lan.wait_for_master(0).expect("vipd is alone");
    lan.expect_clean_frames().expect("tshark has no complaint");
}
