//! Two Masters that meet when the network between them is whole again (C-L2-09): the loser withdraws within one advert,
//! and the winner announces the addresses again, so that every host finds it.

use vipd_tests::Make::{self, Frr, Keepalived, Vipd};
use vipd_tests::{Frame, Lan, Settings, Tap};

use super::stories::{SOON, Two, advert_from, two};

/// Which of the two is heard first by the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum First {
    /// Whoever speaks first.
    Either,
    /// The loser: it hears the winner only when that has answered.
    Loser,
    /// The winner: it hears nothing of the loser, which has withdrawn before.
    Winner,
}

/// The better node is cut off and comes back; the client is on the worse one's side.
fn meet(makes: [Make; 2], first: First) {
    // Arrange: there is no second set of announcements. What the client learns, it learns because the Masters have met, or
    // because who stays says from time to time where the address is.
    let refresh = if first == First::Winner { "" } else { "garp_master_refresh 0" };
    let settings = |priority| Settings::v3(priority).line("garp_master_delay 0").line(refresh);
    let Two { lan, better: _better, worse } = two(makes, settings);
    lan.wait_for_master(0).expect("the better node is alone");
    lan.node(0).port.cut().expect("cut");
    worse.wait_for_state("MASTER").expect("takeover after silence");
    lan.wait_for_client(1).expect("the client has found the worse node");
    let tap = lan.tap().expect("tap");

    // Act
    if first == First::Loser {
        lan.node(1).port.hear_groups(false).expect("deaf");
    }
    if first == First::Winner {
        lan.node(0).port.hear_groups(false).expect("deaf");
    }
    lan.node(0).port.heal().expect("heal");
    if first == First::Loser {
        // The winner announces the address whenever it hears the loser, which may be busy announcing it too.
        lan.wait_for_client(0).expect("the client has found the better node");
        lan.node(1).port.hear_groups(true).expect("no longer deaf");
    }

    // Assert
    expect_withdrawal(&lan, &tap);
    worse.wait_for_state("BACKUP").expect("it has withdrawn");
    if first == First::Winner {
        lan.node(0).port.hear_groups(true).expect("no longer deaf");
    }
    if makes[0] != Frr {
        lan.wait_for_client(0).expect("the client has found the better node");
    }
    lan.wait_for_master(0).expect("the better node is alone");
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// From the first advert on that reaches it, the worse node says no more than a last word.
fn expect_withdrawal(lan: &Lan, tap: &Tap) {
    let heard = |frame: &Frame| {
        let from_better = frame.advert().filter(|advert| advert.source == lan.node(0).ip);
        from_better.filter(|_| frame.went_to(&lan.node(1).port))
    };
    tap.wait_for(SOON, heard).expect("the better node is heard");
    let (mut better, mut worse) = (0, 0);
    let goes_on = |frame: &Frame| {
        better += usize::from(advert_from(lan, frame, 0).is_some());
        worse += usize::from(advert_from(lan, frame, 1).is_some());
        (better == 5).then_some(())
    };
    tap.wait_for(SOON, goes_on).expect("the better node goes on");
    assert!(worse <= 1, "the worse node said {worse} more adverts");
}

/// C-L2-09, C-FSM-09, C-FSM-10
#[test]
fn vipd_meets_vipd_after_a_split() {
    meet([Vipd, Vipd], First::Either);
}

/// C-L2-09, C-FSM-10
#[test]
fn vipd_hears_a_worse_vipd_first_after_a_split() {
    meet([Vipd, Vipd], First::Loser);
}

/// C-L2-09, C-FSM-10
#[test]
fn vipd_hears_a_worse_keepalived_first_after_a_split() {
    meet([Vipd, Keepalived], First::Loser);
}

/// C-L2-09, C-FSM-09
#[test]
fn vipd_meets_a_better_keepalived_after_a_split() {
    meet([Keepalived, Vipd], First::Either);
}

/// C-L2-09, C-FSM-10
#[test]
fn vipd_hears_a_worse_frr_first_after_a_split() {
    meet([Vipd, Frr], First::Loser);
}

/// A Keepalived that loses is silent at once (decision 45).
///
/// C-L2-09
#[test]
fn vipd_is_heard_first_by_a_worse_keepalived_after_a_split() {
    meet([Vipd, Keepalived], First::Winner);
}

/// So is FRR.
///
/// C-L2-09
#[test]
fn vipd_is_heard_first_by_a_worse_frr_after_a_split() {
    meet([Vipd, Frr], First::Winner);
}

/// C-FSM-09; FRR does not announce again: the client finds it when its neighbour entry has expired.
#[test]
fn vipd_meets_a_better_frr_after_a_split() {
    meet([Frr, Vipd], First::Either);
}
