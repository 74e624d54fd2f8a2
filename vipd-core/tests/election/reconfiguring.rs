//! Another configuration while virtual routers run: no change of state without a cause.

use std::time::Duration;

use vipd_core::{Advert, Announcing, Fault, Input, InstanceId, Router, Spec, State};

use crate::support::{ANNOUNCE, GREATER, ID, Node, SMALLER, advert, centis, ms, send, us, v3};

#[test]
fn a_master_goes_on_and_sends_by_the_shorter_interval_at_once() {
    let mut node = Node::master(v3(100), ms(4_000));

    node.0.reconfigure([(ID, Spec { interval: centis(10), ..v3(100) })], ms(4_100));

    assert_eq!(node.fire(), (ms(4_200), vec![send(100)]));
    assert_eq!(node.fire().0, ms(4_300));
}

#[test]
fn a_master_of_a_longer_interval_keeps_the_promise_of_its_last_advert() {
    let mut node = Node::master(Spec { interval: centis(10), ..v3(100) }, ms(4_000));

    node.0.reconfigure([(ID, v3(100))], ms(4_050));

    assert_eq!(node.fire(), (ms(4_100), vec![send(100)]));
    assert_eq!(node.fire().0, ms(5_100));
}

#[test]
fn an_unchanged_configuration_moves_no_deadline_in_any_state() {
    let mut backup = Node::started(v3(100), us(0));
    backup.hear(advert(GREATER, 200, ms(700)));
    for mut node in [Node::master(v3(100), ms(4_000)), backup, Node::new(v3(100))] {
        let (state, due) = (node.state(), node.0.next_deadline());

        node.0.reconfigure([(ID, v3(100))], ms(4_321));

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
        node.0.reconfigure([(ID, Spec { interval: centis(50), ..v3(100) })], ms(200));
    }

    assert_eq!(learned.status().active_interval, centis(20));
    assert_eq!(silent.status().active_interval, centis(50));
}

/// The Master was about to be displaced; its advert is a sign of life by what is configured now.
#[test]
fn a_master_that_is_to_be_let_be_is_heard_as_if_it_always_was() {
    for spec in [Spec { preempt: false, ..v3(100) }, v3(50)] {
        let mut node = Node::started(v3(100), us(0));
        node.hear(advert(SMALLER, 60, ms(3_000)));

        node.0.reconfigure([(ID, spec)], ms(3_100));

        assert_eq!(node.expire(us(3_609_375)), [], "no takeover");
        assert!(node.silence_deadline() > Some(ms(6_000)));
    }
}

#[test]
fn announcements_that_are_repeated_begin_and_end_with_the_configuration() {
    let refreshing = |seconds| {
        let announcing = Announcing { refresh: Duration::from_secs(seconds), ..v3(100).announcing };
        Spec { announcing, interval: centis(4000), ..v3(100) }
    };
    let mut node = Node::master(refreshing(0), ms(150_000));

    node.0.reconfigure([(ID, refreshing(2))], ms(151_000));
    assert_eq!(node.fire(), (ms(153_000), vec![ANNOUNCE]));
    assert_eq!(node.fire(), (ms(155_000), vec![ANNOUNCE]));

    node.0.reconfigure([(ID, refreshing(0))], ms(156_000));
    assert_eq!(node.fire(), (ms(190_000), vec![send(100)]));
}

#[test]
fn who_leaves_a_group_is_kept_by_it_no_more_and_who_joins_shares_its_faults() {
    let of = |group: Option<u16>| Spec { group, ..v3(100) };
    let both = [ID, InstanceId(1)];
    let mut router = Router::new(vec![of(Some(1)), of(Some(1))]);
    router.handle(both[0], Input::FaultRaised(Fault::Link), us(0));
    for id in both {
        router.handle(id, Input::Startup, us(0));
    }
    assert_eq!(both.map(|id| router.state(id)), [State::Fault, State::Fault]);

    router.reconfigure(both.map(|id| (id, of(None))), ms(10));
    assert_eq!(both.map(|id| router.state(id)), [State::Fault, State::Backup]);

    router.reconfigure(both.map(|id| (id, of(Some(3)))), ms(20));
    assert_eq!(both.map(|id| router.state(id)), [State::Fault, State::Fault]);
}

/// Sync groups are numbered by the configuration, and another one may number them otherwise.
#[test]
fn a_group_with_another_number_is_the_same_group() {
    let of = |group| Spec { group: Some(group), ..v3(100) };
    let both = [ID, InstanceId(1)];
    let mut router = Router::new(vec![of(1), of(1)]);
    for id in both {
        router.handle(id, Input::Startup, us(0));
    }
    router.handle(both[1], Input::AdvertSeen(advert(GREATER, 200, ms(3_000))), ms(3_000));
    router.expire(us(3_609_375));
    while router.poll_action().is_some() {}

    router.reconfigure(both.map(|id| (id, of(2))), ms(3_700));

    assert_eq!(router.poll_action(), None, "the first one still waits for the other");
}

#[test]
fn a_new_priority_has_a_new_skew() {
    let mut node = Node::started(v3(100), us(0));

    node.0.reconfigure([(ID, v3(50))], ms(100));
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
