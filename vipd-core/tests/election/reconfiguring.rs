//! Another configuration while virtual routers run: no change of state without a cause.

use std::time::Duration;

use vipd_core::{Advert, Input, InstanceId, Router, Spec, State};

use crate::support::{GREATER, ID, Node, SMALLER, advert, centis, ms, send, us, v3};

#[test]
fn a_master_goes_on_and_sends_by_the_shorter_interval_at_once() {
    let mut node = Node::master(v3(100), ms(4_000));

    node.0.reconfigure(ID, Spec { interval: centis(10), ..v3(100) }, ms(4_100));

    assert_eq!(node.fire(), (ms(4_200), vec![send(100)]));
    assert_eq!(node.fire().0, ms(4_300));
}

#[test]
fn a_master_of_a_longer_interval_keeps_the_promise_of_its_last_advert() {
    let mut node = Node::master(Spec { interval: centis(10), ..v3(100) }, ms(4_000));

    node.0.reconfigure(ID, v3(100), ms(4_050));

    assert_eq!(node.fire(), (ms(4_100), vec![send(100)]));
    assert_eq!(node.fire().0, ms(5_100));
}

#[test]
fn an_unchanged_configuration_moves_no_deadline_in_any_state() {
    let mut backup = Node::started(v3(100), us(0));
    backup.hear(advert(GREATER, 200, ms(700)));
    for mut node in [Node::master(v3(100), ms(4_000)), backup, Node::new(v3(100))] {
        let (state, due) = (node.state(), node.0.next_deadline());

        node.0.reconfigure(ID, v3(100), ms(4_321));

        assert_eq!((node.state(), node.0.next_deadline()), (state, due));
        assert_eq!(node.actions(), []);
    }
}

#[test]
fn a_backup_waits_by_what_its_master_said_or_else_by_the_new_interval() {
    let mut learned = Node::started(v3(100), us(0));
    learned.hear(Advert { interval: centis(20), ..advert(GREATER, 200, ms(100)) });
    let mut silent = Node::started(v3(100), us(0));

    for node in [&mut learned, &mut silent] {
        node.0.reconfigure(ID, Spec { interval: centis(50), ..v3(100) }, ms(200));
    }

    assert_eq!(learned.status().active_interval, centis(20));
    assert_eq!(silent.status().active_interval, centis(50));
}

#[test]
fn a_new_priority_has_a_new_skew() {
    let mut node = Node::started(v3(100), us(0));

    node.0.reconfigure(ID, v3(50), ms(100));
    node.hear(advert(SMALLER, 60, ms(1_000)));

    assert_eq!(node.silence_deadline(), Some(ms(1_000) + Duration::from_nanos(3_804_687_500)));
}

#[test]
fn virtual_routers_come_and_go_beside_others_that_run() {
    let mut router = Router::new(vec![v3(100)]);
    router.handle(ID, Input::Startup, us(0));
    router.expire(us(3_609_375));
    let before = router.next_deadline();

    let added = InstanceId(1);
    router.replace(added, v3(90));
    router.handle(added, Input::Startup, us(3_700_000));
    assert_eq!((router.state(ID), router.state(added)), (State::Master, State::Backup));
    assert_eq!(router.next_deadline(), before);

    router.handle(added, Input::Shutdown, us(3_800_000));
    router.replace(added, v3(80));
    assert_eq!((router.state(added), router.status(added).priority), (State::Initialize, 80));
}

#[test]
#[should_panic(expected = "while it runs")]
fn a_virtual_router_that_runs_is_not_replaced() {
    let mut node = Node::master(v3(100), ms(4_000));

    node.0.replace(ID, v3(100));
}
