//! Two Masters that meet when the network between them is whole again (C-L2-09): the loser withdraws within one advert,
//! and the winner announces the addresses again, so that every host finds it.

use vipd_tests::Make::{self, Frr, Keepalived, Vipd};
use vipd_tests::{Frame, Settings};

use crate::stories::{SOON, Two, advert_from, two};

fn meet(makes: [Make; 2]) {
    // Arrange: the client is on the worse node's side of the split.
    // Nothing is announced later on: what the client learns, it learns because the Masters have met.
    let settings = |priority| Settings::v3(priority).line("garp_master_delay 0");
    let Two { lan, better: _better, worse } = two(makes, settings);
    lan.wait_for_master(0).expect("the better node is alone");
    lan.node(0).port.cut().expect("cut");
    worse.wait_for_state("MASTER").expect("takeover after silence");
    lan.wait_for_client(1).expect("the client has found the worse node");
    let tap = lan.tap().expect("tap");

    // Act
    lan.node(0).port.heal().expect("heal");

    // Assert
    let arrived = |frame: &Frame| {
        let from_better = frame.advert().filter(|advert| advert.source == lan.node(0).ip);
        from_better.filter(|_| frame.went_to(&lan.node(1).port)).map(drop)
    };
    tap.wait_for(SOON, arrived).expect("the better node is heard");
    let mut said = 0;
    let mut withdrawn = 0;
    let settled = |frame: &Frame| {
        said += usize::from(advert_from(&lan, frame, 1).is_some());
        withdrawn += usize::from(advert_from(&lan, frame, 0).is_some());
        (withdrawn == 5).then_some(())
    };
    tap.wait_for(SOON, settled).expect("the better node goes on");
    assert!(said <= 1, "the worse node said {said} more adverts");
    worse.wait_for_state("BACKUP").expect("it has withdrawn");
    lan.wait_for_client(0).expect("the client has found the better node");
    lan.wait_for_master(0).expect("the better node is alone");
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// C-L2-09, C-FSM-09, C-FSM-10
#[test]
fn vipd_meets_vipd_after_a_split() {
    meet([Vipd, Vipd]);
}

#[test]
fn vipd_meets_a_worse_keepalived_after_a_split() {
    meet([Vipd, Keepalived]);
}

#[test]
fn vipd_meets_a_better_keepalived_after_a_split() {
    meet([Keepalived, Vipd]);
}

#[test]
fn vipd_meets_a_worse_frr_after_a_split() {
    meet([Vipd, Frr]);
}

#[test]
fn vipd_meets_a_better_frr_after_a_split() {
    meet([Frr, Vipd]);
}
