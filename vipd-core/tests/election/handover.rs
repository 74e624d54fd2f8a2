//! Handing the addresses over because an operator wants it.

use std::time::Duration;

use vipd_core::{Cause, Input, State};

use crate::support::{ANNOUNCE, GREATER, ID, LOSER, Node, SMALLER, advert, hold, ms, report, send, us, v3};

/// A Master of priority 100 that has resigned at 4 s and still holds the addresses.
fn handing_over() -> Node {
    let mut node = Node::master(v3(100), us(3_609_375));
    assert_eq!(node.tell(Input::HandOver, ms(4_000)), [send(0)]);
    assert_eq!(node.state(), State::Master);
    node
}

#[test]
fn the_addresses_are_held_until_the_other_is_heard_whatever_its_priority() {
    for priority in [1, 100, 200] {
        let mut node = handing_over();

        let actions = node.hear(advert(SMALLER, priority, ms(4_500)));

        let cause = Cause::HandedOver { to: SMALLER };
        assert_eq!(actions, [report(State::Master, State::Backup, cause, ms(4_500)), hold(false)]);
    }
}

#[test]
fn it_does_not_take_them_back_while_the_other_lives() {
    let mut node = handing_over();
    for second in 5..30 {
        node.hear(advert(SMALLER, 50, ms(second * 1_000)));
    }

    assert_eq!(node.0.alive_from(ID), 1, "neither does who watches for it");
    let (due, _) = node.fire();
    assert_eq!(due, us(29_000_000 + 3_609_375));
    assert!(matches!(node.cause(), Some(Cause::Silence { .. })));
}

#[test]
fn it_goes_on_if_nobody_takes_over() {
    let mut node = handing_over();

    let (due, actions) = node.fire();

    assert_eq!((due, actions), (ms(7_000), vec![send(100)]));
    // From now on a losing advert is answered as ever.
    assert_eq!(node.hear(advert(SMALLER, 50, ms(7_500))), [LOSER, send(100), ANNOUNCE]);
}

#[test]
fn who_resigns_too_does_not_take_over() {
    let mut node = handing_over();

    assert_eq!(node.hear(advert(GREATER, 0, ms(4_500))), []);
    assert_eq!(node.state(), State::Master);
}

#[test]
fn only_a_master_has_something_to_hand_over() {
    let mut node = Node::started(v3(100), us(0));

    assert_eq!(node.tell(Input::HandOver, ms(1_000)), []);

    assert_eq!(node.0.next_deadline(), Some(us(0) + Duration::from_micros(3_609_375)));
}
