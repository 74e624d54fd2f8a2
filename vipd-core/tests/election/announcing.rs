//! C-ARP-07 and C-ARP-08: when addresses are announced, and when no longer; C-FSM-10: the reply of a Master.

use std::time::Duration;

use vipd_core::{Action, Announcing, Fault, Input, InstanceId, Instant, Router, Spec, State};

use crate::support::{ANNOUNCE, GREATER, ID, LOSER, Node, SMALLER, advert, centis, hold, ms, send, us, v3};

/// Three announcements, three more after 5 s, then two every 2 s; adverts every 40 s, out of the way.
fn spec() -> Spec {
    let announcing = Announcing {
        repeat: 3,
        delay: Duration::from_secs(5),
        refresh: Duration::from_secs(2),
        refresh_repeat: 2,
        losing_repeat: 1,
        losing_delay: Duration::ZERO,
    };
    Spec { announcing, interval: centis(4_000), ..v3(255) }
}

#[test]
fn c_arp_07_sets_follow_each_other_as_configured() {
    let mut node = Node::new(spec());

    let first = node.tell(Input::Startup, us(0));
    let later: Vec<(Instant, usize)> = std::iter::repeat_with(|| node.fire())
        .map(|(due, actions)| (due, actions.iter().filter(|action| **action == ANNOUNCE).count()))
        .take(5)
        .collect();

    assert_eq!(first[3..], [ANNOUNCE, ANNOUNCE, ANNOUNCE]);
    assert_eq!(later, [(ms(2_000), 2), (ms(4_000), 2), (ms(5_000), 3), (ms(6_000), 2), (ms(8_000), 2)]);
}

#[test]
fn c_arp_07_sets_that_are_switched_off_do_not_come() {
    let mut node = Node::started(v3(255), us(0));

    let later: Vec<_> = std::iter::repeat_with(|| node.fire().1).take(20).flatten().collect();

    assert!(later.iter().all(|action| *action == send(255)), "{later:?}");
}

#[test]
fn c_arp_07_a_late_master_catches_up_with_one_set_of_each() {
    let mut node = Node::started(spec(), us(0));

    let actions = node.expire(ms(11_000));

    assert_eq!(actions, [ANNOUNCE; 5]);
    assert_eq!(node.0.next_deadline(), Some(ms(13_000)));
}

/// The ways out of MASTER.
fn ways_out() -> [Input; 3] {
    [Input::Shutdown, Input::FaultRaised(Fault::Link), Input::AdvertSeen(advert(GREATER, 255, ms(1_000)))]
}

#[test]
fn c_arp_08_no_set_comes_after_leaving_master() {
    for way_out in ways_out() {
        let mut node = Node::started(spec(), us(0));
        node.tell(way_out, ms(1_000));

        // Two later sets would have come by now, and the Backup's wait is not yet over.
        let later = node.expire(ms(4_000));

        assert_eq!(later, [], "{way_out:?}");
    }
}

#[test]
fn c_arp_08_what_still_waits_is_cancelled_on_leaving_master() {
    let other = InstanceId(1);
    for way_out in ways_out() {
        let mut router = Router::new(vec![spec(), spec()]);
        router.handle(ID, Input::Startup, us(0));
        router.handle(other, Input::Startup, us(0));

        router.handle(ID, way_out, ms(1_000));

        let actions = Node(router).actions();
        let announced = |id| actions.iter().filter(|action| **action == Action::Announce(id)).count();
        assert_eq!((announced(ID), announced(other)), (0, 3), "{way_out:?}");
        let sent = |id| actions.contains(&Action::SendAdvert(id, 255));
        assert_eq!((sent(ID), sent(other)), (false, true), "{way_out:?}");
        assert_eq!(actions.last(), Some(&hold(false)), "{way_out:?}");
    }
}

#[test]
fn c_fsm_10_a_master_replies_once_in_100_ms() {
    let mut node = Node::master(Spec { interval: centis(4_095), ..v3(100) }, ms(200_000));
    let mut replies = vec![];
    for millis in (200_010..200_350).step_by(10) {
        if node.hear(advert(SMALLER, 50, ms(millis))) == [LOSER, send(100), ANNOUNCE] {
            replies.push(millis);
        }
    }

    assert_eq!(replies, [200_010, 200_110, 200_210, 200_310]);
}

#[test]
fn c_fsm_10_a_reply_does_not_shift_the_adverts() {
    let mut node = Node::master(v3(100), ms(4_000));

    node.hear(advert(SMALLER, 50, ms(4_500)));

    assert_eq!((node.state(), node.0.next_deadline()), (State::Master, Some(ms(5_000))));
}

#[test]
fn c_fsm_08_every_resignation_is_answered() {
    let mut node = Node::master(v3(100), ms(4_000));

    for millis in [4_100, 4_110, 4_120] {
        let actions = node.hear(advert(SMALLER, 0, ms(millis)));

        assert_eq!(actions, [send(100)]);
        assert_eq!(node.0.next_deadline(), Some(ms(millis + 1_000)));
    }
}

/// Keepalived's `garp_lower_prio_repeat` and `garp_lower_prio_delay`.
#[test]
fn c_fsm_10_a_losing_advert_causes_sets_of_its_own() {
    let announcing =
        Announcing { losing_repeat: 2, losing_delay: Duration::from_millis(300), ..v3(100).announcing };
    let mut node = Node::master(Spec { announcing, ..v3(100) }, us(3_609_375));

    let at_once = node.hear(advert(SMALLER, 50, ms(4_000)));
    let (due, later) = node.fire();

    assert_eq!(at_once, [LOSER, send(100), ANNOUNCE, ANNOUNCE]);
    assert_eq!((due, later), (ms(4_300), vec![ANNOUNCE, ANNOUNCE]));
}

/// Keepalived's `lower_prio_no_advert`.
#[test]
fn a_losing_advert_may_be_left_unanswered() {
    let mut node = Node::master(Spec { mute_to_losers: true, ..v3(100) }, us(3_609_375));

    assert_eq!(node.hear(advert(SMALLER, 50, ms(4_000))), [LOSER, ANNOUNCE]);
}

/// Keepalived's `higher_prio_send_advert`; C-L2-09.
#[test]
fn a_master_may_have_a_last_word_before_it_makes_way() {
    for (winner, priority) in [(SMALLER, 200), (GREATER, 100)] {
        let mut node = Node::master(Spec { last_word: true, ..v3(100) }, us(3_609_375));

        let actions = node.hear(advert(winner, priority, ms(4_000)));

        assert_eq!(actions[0], send(100), "{winner}");
        assert!(matches!(actions[1..], [Action::Report(..), Action::HoldAddresses(ID, false)]), "{winner}");
    }
}
