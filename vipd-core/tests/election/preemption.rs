//! C-FSM-06, C-FSM-13, C-FSM-16: who displaces whom, and when not.

use std::time::Duration;

use vipd_core::{Cause, Input, Spec, State};

use crate::support::{GREATER, Node, SMALLER, advert, ms, us, v2, v3};

fn delayed(priority: u8) -> Spec {
    Spec { preempt_delay: Duration::from_secs(5), ..v3(priority) }
}

#[test]
fn c_fsm_13_without_preemption_a_lower_master_is_followed() {
    let mut node = Node::started(Spec { preempt: false, ..v3(100) }, us(0));

    node.hear(advert(SMALLER, 1, ms(2_000)));

    assert_eq!(node.silence_deadline(), Some(us(5_609_375)));
}

#[test]
fn c_fsm_13_preemption_plays_no_part_in_a_master() {
    let mut node = Node::master(Spec { preempt: false, ..v3(100) }, ms(4_000));

    node.hear(advert(SMALLER, 101, ms(4_100)));

    assert_eq!(node.state(), State::Backup);
}

#[test]
fn c_fsm_13_the_owner_preempts_whatever_it_is_told() {
    let spec = Spec { preempt: false, preempt_delay: Duration::from_secs(5), ..v3(100) };
    let mut node = Node::started(spec, us(0));
    node.tell(Input::PriorityChanged(255), ms(100));

    node.hear(advert(GREATER, 254, ms(1_000)));
    let (due, _) = node.fire();

    assert_eq!(due, us(3_003_906) + Duration::from_nanos(250));
    assert_eq!(node.cause(), Some(Cause::Preempted { source: GREATER, priority: 254 }));
}

/// A Master whose checks fail speaks with a lower priority, and is displaced. What the kernel keeps of it from before, as its
/// last sign of life, is no news.
#[test]
fn c_fsm_06_who_was_followed_before_his_priority_fell_is_not_followed_again() {
    let mut node = Node::started(v3(100), us(0));
    let followed = advert(SMALLER, 110, ms(1_000));
    node.hear(followed);
    node.hear(advert(SMALLER, 60, ms(2_000)));
    node.fire();
    assert_eq!(node.state(), State::Master);

    node.tell(Input::AdvertSeen(followed), ms(5_000));

    assert_eq!(node.state(), State::Master);
}

#[test]
fn c_fsm_16_lower_adverts_count_until_the_delay_is_over() {
    let mut node = Node::started(delayed(100), us(0));
    for second in 1..=8 {
        node.hear(advert(SMALLER, 50, ms(second * 1_000)));
    }

    let (due, _) = node.fire();

    // Heard first at 1 s: the advert at 5 s is the last within the delay.
    assert_eq!(due, us(5_000_000 + 3_609_375));
    assert_eq!(node.cause(), Some(Cause::Preempted { source: SMALLER, priority: 50 }));
}

#[test]
fn c_fsm_16_an_advert_of_no_lower_priority_restarts_the_delay() {
    let mut node = Node::started(delayed(100), us(0));
    node.hear(advert(SMALLER, 50, ms(1_000)));
    node.hear(advert(GREATER, 100, ms(4_000)));
    node.hear(advert(SMALLER, 50, ms(5_000)));

    node.hear(advert(SMALLER, 50, ms(9_999)));

    assert_eq!(node.silence_deadline(), Some(us(9_999_000 + 3_609_375)));
    node.hear(advert(SMALLER, 50, ms(10_000)));
    assert_eq!(node.silence_deadline(), Some(us(9_999_000 + 3_609_375)));
}

#[test]
fn c_fsm_16_entering_backup_restarts_the_delay() {
    let mut node = Node::started(delayed(100), us(0));
    node.hear(advert(SMALLER, 50, ms(1_000)));
    node.fire();
    node.hear(advert(GREATER, 200, ms(6_000)));

    node.hear(advert(SMALLER, 50, ms(7_000)));

    assert_eq!(node.silence_deadline(), Some(us(7_000_000 + 3_609_375)));
}

#[test]
fn c_fsm_16_the_delay_is_nothing_to_the_silence_of_all() {
    let mut node = Node::started(delayed(100), us(0));

    let (due, _) = node.fire();

    assert_eq!(due, us(3_609_375));
}

#[test]
fn a_rival_heard_after_a_resignation_is_the_one_displaced() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(advert(GREATER, 0, ms(1_000)));
    node.hear(advert(SMALLER, 50, ms(1_100)));

    let (due, _) = node.fire();

    assert_eq!(due, us(1_609_375));
    assert_eq!(node.cause(), Some(Cause::Preempted { source: SMALLER, priority: 50 }));
}

#[test]
fn c_fsm_08_a_resignation_is_remembered_as_the_cause() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(advert(GREATER, 0, ms(1_000)));

    let (due, _) = node.fire();

    assert_eq!(due, us(1_609_375));
    assert_eq!(node.cause(), Some(Cause::Resigned { source: GREATER }));
}

#[test]
fn c_fsm_08_a_new_master_ends_the_wait_after_a_resignation() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(advert(GREATER, 0, ms(1_000)));

    node.hear(advert(SMALLER, 150, ms(1_200)));
    let (due, _) = node.fire();

    assert_eq!(due, us(1_200_000 + 3_609_375));
    assert!(matches!(node.cause(), Some(Cause::Silence { since, .. }) if since == ms(1_200)));
}

#[test]
fn a_sign_of_life_forgets_the_rival() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(advert(SMALLER, 50, ms(1_000)));
    node.hear(advert(GREATER, 100, ms(1_500)));

    node.fire();

    assert!(matches!(node.cause(), Some(Cause::Silence { since, .. }) if since == ms(1_500)));
}

#[test]
fn a_node_whose_priority_falls_below_its_rival_follows_it() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(advert(SMALLER, 50, ms(3_000)));

    node.tell(Input::PriorityChanged(40), ms(3_500));

    assert_eq!(node.silence_deadline(), Some(ms(3_000) + node.status().down_interval));
}

#[test]
fn a_node_whose_priority_stays_above_its_rival_still_displaces_it() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(advert(SMALLER, 50, ms(3_000)));

    node.tell(Input::PriorityChanged(60), ms(3_500));
    let (due, _) = node.fire();

    assert_eq!(due, us(3_765_625));
    assert_eq!(node.cause(), Some(Cause::Preempted { source: SMALLER, priority: 50 }));
}

#[test]
fn c_rx_12_the_owner_of_version_2_discards_every_advert() {
    let mut node = Node::started(v2(255), us(0));

    for priority in [0, 100, 255] {
        assert_eq!(node.hear(advert(GREATER, priority, ms(500))), [], "priority {priority}");
    }

    assert_eq!(node.state(), State::Master);
    assert_eq!(node.status().last_advert, None);
}

#[test]
fn c_rx_12_two_owners_of_version_3_settle_it_by_address() {
    for (rival, state) in [(GREATER, State::Backup), (SMALLER, State::Master)] {
        let mut node = Node::started(v3(255), us(0));

        node.hear(advert(rival, 255, ms(500)));

        assert_eq!(node.state(), state, "against {rival}");
    }
}
