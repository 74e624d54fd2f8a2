//! What vipd says of another node whose adverts are right, but that does not go well together with it.

use std::time::Duration;

use vipd_tests::Make::{Keepalived, Vipd};
use vipd_tests::{Lan, Router, Settings};

use super::stories::{SOON, Two, two};

/// Awaits that this is said, wherever other lines are.
fn wait_for_remark(router: &Router, words: &str) {
    while !router.process().lines().iter().any(|line| line.text.contains(words)) {
        router.process().wait_for_line("", SOON).expect(words);
    }
}

/// C-MIX-05
#[test]
fn another_version_with_our_id_is_said_to_make_two_masters() {
    let lan = Lan::new(&[Vipd, Keepalived]).expect("lab");
    let vipd = lan.start(0, &Settings::v3(110)).expect("vipd");
    vipd.wait_for_state("MASTER").expect("it hears nobody");

    let keepalived = lan.start(1, &Settings::v2(100)).expect("keepalived");
    keepalived.wait_for_state("MASTER").expect("it hears nobody");

    wait_for_remark(&vipd, "version-errors");
    wait_for_remark(&vipd, "two Masters are likely");
}

/// The second owner is another vipd: Keepalived makes itself 254 when it hears one.
///
/// C-FSM-18
#[test]
fn a_node_with_our_own_priority_is_named() {
    for (other, priority, words) in [
        (Keepalived, 100, "has the priority of this node, 100"),
        (Vipd, 255, "only one can own the addresses"),
    ] {
        let lan = Lan::new(&[Vipd, other]).expect("lab");
        let other = lan.start(1, &Settings::v3(priority)).expect("it starts");
        other.wait_for_state("MASTER").expect("nobody else is there");

        let vipd = lan.start(0, &Settings::v3(priority)).expect("vipd");

        wait_for_remark(&vipd, words);
        wait_for_remark(&vipd, &lan.node(1).ip.to_string());
    }
}

/// C-SUB-04
#[test]
fn a_slower_master_is_named() {
    let settings = |priority| {
        let usual = Settings::v3(priority);
        if priority == 110 { usual.interval(Duration::from_millis(500)) } else { usual }
    };

    let Two { lan, worse, better: _better } = two([Keepalived, Vipd], settings);

    wait_for_remark(&worse, "sends adverts less often");
    wait_for_remark(&worse, &lan.node(0).ip.to_string());
}

/// C-SUB-02
#[test]
fn takeovers_for_nothing_are_named_as_such_by_both() {
    // So slow that the cable is back within a down interval, whatever the machine does.
    let settings = |priority| Settings::v3(priority).interval(Duration::from_millis(500));
    let Two { lan, better, worse } = two([Vipd, Vipd], settings);
    lan.wait_for_master(0).expect("the better node is alone");

    for _ in 0..3 {
        lan.node(1).port.hear_groups(false).expect("deaf");
        worse.wait_for_state("MASTER").expect("takeover after silence");
        lan.node(1).port.hear_groups(true).expect("no longer deaf");
        worse.wait_for_state("BACKUP").expect("the lower priority yields");
    }

    for router in [&better, &worse] {
        wait_for_remark(router, "for nothing");
    }
}
