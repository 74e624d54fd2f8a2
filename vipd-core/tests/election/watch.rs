//! A Backup whose silence is timed by the kernel, and a Master that comes too late: promises 1 and 2.

use std::time::Duration;

use vipd_core::{Advert, Cause, Input, Instant, Seen, Spec, State};

use crate::support::{
    ANNOUNCE, GREATER, ID, LOSER, Node, SMALLER, advert, centis, hold, ms, report, send, us, v2, v3,
};

/// The down interval of priority 100 at 100 cs.
const DOWN: Duration = Duration::from_micros(3_609_375);

/// A Backup of `spec` that heard a Master at `at`, watched since.
fn watched(spec: Spec, at: Instant) -> Node {
    let mut node = Node::started(spec, us(0));
    node.hear(advert(GREATER, 200, at));
    node.tell(Input::Watched, at);
    node
}

/// Expires with this as the newest advert that the kernel has seen.
fn expire_by(node: &mut Node, now: Instant, last: Advert) {
    node.0.expire_by(now, |_| Seen { sign: Some(last), last: Some(last), watched: false });
}

#[test]
fn promise_2_a_watched_backup_is_not_woken_by_its_own_timer() {
    for (spec, cs, backstop) in
        [(v3(100), 1, 640), (v3(100), 10, 6_400), (v3(100), 100, 10_000), (v2(100), 100, 10_000)]
    {
        let mut node = Node::started(Spec { interval: centis(cs), ..spec }, us(0));
        node.hear(Advert { interval: centis(cs), ..advert(GREATER, 200, ms(10)) });

        node.tell(Input::Watched, ms(10));

        let silence = node.silence_deadline().expect("a Backup");
        assert_eq!(node.0.next_deadline(), Some(silence + Duration::from_millis(backstop)), "{cs} cs");
    }
}

#[test]
fn promise_3_the_watchs_word_makes_a_master_at_once() {
    let mut node = watched(v3(100), ms(1_000));
    let silence = ms(1_000) + DOWN;

    node.tell(Input::Silent, silence);
    let actions = node.expire(silence);

    let cause = Cause::Silence { since: ms(1_000), waited: DOWN };
    let expected = [report(State::Backup, State::Master, cause, silence), send(100), hold(true), ANNOUNCE];
    assert_eq!(actions, expected);
}

#[test]
fn promise_2_a_word_of_silence_that_a_fresher_sign_of_life_overtook_changes_nothing() {
    let mut node = watched(v3(100), ms(1_000));
    let fresh = ms(4_000);

    node.tell(Input::Silent, ms(4_700));
    expire_by(&mut node, ms(4_700), advert(GREATER, 200, fresh));

    assert_eq!(node.state(), State::Backup);
    // Nobody watches any more, so that its own timer must.
    assert_eq!(node.0.next_deadline(), Some(fresh + DOWN));
}

/// C-SUB-03
#[test]
fn promise_2_a_backup_that_was_not_scheduled_takes_nothing_over_while_its_master_lives() {
    let mut node = watched(v3(100), ms(1_000));
    let late = ms(60_000);

    expire_by(&mut node, late, advert(GREATER, 200, ms(59_900)));

    assert_eq!(node.state(), State::Backup);
    assert_eq!(node.0.next_deadline(), Some(ms(59_900) + DOWN + Duration::from_secs(10)), "still watched");
}

#[test]
fn a_watch_that_failed_is_noticed_by_the_backstop() {
    let mut node = watched(v3(100), ms(1_000));

    let (due, _) = node.fire();

    assert_eq!((due, node.state()), (ms(1_000) + DOWN + Duration::from_secs(10), State::Master));
}

#[test]
fn c_fsm_08_a_resignation_is_timed_by_the_backup_itself() {
    let mut node = watched(v3(100), ms(1_000));

    node.hear(advert(GREATER, 0, ms(1_500)));
    node.tell(Input::Watched, ms(1_500));

    assert_eq!(node.0.next_deadline(), Some(us(1_500_000 + 609_375)));
}

#[test]
fn a_new_priority_has_another_skew_than_the_watch_knows() {
    let mut node = watched(v3(100), ms(1_000));

    node.tell(Input::PriorityChanged(200), ms(1_100));

    assert_eq!(node.0.next_deadline(), node.silence_deadline());
}

#[test]
fn c_fsm_06_the_watch_is_told_which_priorities_are_signs_of_life() {
    let delayed = Spec { preempt_delay: Duration::from_secs(4), ..v3(100) };
    let cases = [
        ("preempts", v3(100), 100),
        ("does not preempt", Spec { preempt: false, ..v3(100) }, 1),
        ("preempts after a delay", delayed.clone(), 1),
        ("owner", v3(255), 255),
    ];
    for (name, spec, expected) in cases {
        let mut node = Node::new(spec);

        node.tell(Input::Startup, us(0));

        assert_eq!(node.0.alive_from(ID), expected, "{name}");
    }
}

#[test]
fn c_fsm_16_when_the_preempt_delay_is_over_the_watch_is_told_so() {
    let mut node = Node::started(Spec { preempt_delay: Duration::from_secs(4), ..v3(100) }, us(0));
    node.hear(advert(SMALLER, 50, ms(1_000)));
    node.tell(Input::Watched, ms(1_000));

    let due = node.0.next_deadline().expect("the end of the delay");
    expire_by(&mut node, due, advert(SMALLER, 50, ms(4_900)));

    assert_eq!(due, ms(5_000));
    assert_eq!((node.state(), node.0.alive_from(ID)), (State::Backup, 100));
    node.tell(Input::Silent, us(4_900_000 + 3_609_375));
    node.expire(us(4_900_000 + 3_609_375));
    assert_eq!(node.state(), State::Master);
}

#[test]
fn promise_1_a_master_that_was_frozen_yields_to_who_took_over_before_it_sends() {
    for priority in [1, 99, 100] {
        let mut node = Node::master(v3(100), ms(4_000));
        let thawed = ms(9_000);
        let usurper = advert(SMALLER, priority, ms(8_000));

        let actions = node.tell(Input::AdvertSeen(usurper), thawed);

        let cause = Cause::Late { source: SMALLER, silent: Duration::from_secs(5) };
        assert_eq!(actions, [report(State::Master, State::Backup, cause, thawed), hold(false)]);
        assert_eq!(node.silence_deadline(), Some(ms(8_000) + DOWN));
    }
}

#[test]
fn promise_2_a_master_that_was_starved_goes_on_if_nobody_took_over() {
    let mut node = Node::master(v3(100), ms(4_000));

    let actions = node.expire(ms(9_000));

    assert_eq!((actions, node.state()), (vec![send(100)], State::Master));
}

#[test]
fn c_fsm_10_a_master_on_time_answers_a_losing_advert() {
    let mut node = Node::master(v3(100), ms(4_000));

    // Its lease would be over at 7 s.
    let actions = node.tell(Input::AdvertSeen(advert(SMALLER, 99, us(6_999_999))), us(6_999_999));

    assert_eq!((actions, node.state()), (vec![LOSER, send(100), ANNOUNCE], State::Master));
}
