//! C-TMR: how long is waited, from when on, and at what rate is sent.

use std::time::Duration;

use vipd_core::{Advert, Cause, Input, Instant, Spec, State, Version};

use crate::support::{GREATER, Node, SMALLER, advert, centis, hold, ms, send, us, v2, v3};

/// An advert of the Master with another interval than 100 cs.
fn at_interval(cs: u16, at: Instant) -> Advert {
    Advert { interval: centis(cs), ..advert(GREATER, 200, at) }
}

#[test]
fn skew_and_down_interval_are_exact_to_the_nanosecond() {
    let cases = [
        ("C-TMR-01", Version::V2, 100, 100, 609_375_000, 3_609_375_000),
        ("C-TMR-01", Version::V2, 100, 25_500, 609_375_000, 765_609_375_000),
        ("C-TMR-01", Version::V2, 254, 100, 7_812_500, 3_007_812_500),
        ("C-TMR-02", Version::V3, 100, 100, 609_375_000, 3_609_375_000),
        ("C-TMR-02", Version::V3, 100, 10, 60_937_500, 360_937_500),
        ("C-TMR-02", Version::V3, 100, 1, 6_093_750, 36_093_750),
        ("C-TMR-02", Version::V3, 1, 4095, 40_790_039_062, 163_640_039_062),
        ("C-TMR-03", Version::V3, 254, 10, 781_250, 300_781_250),
        ("C-TMR-03", Version::V3, 254, 1, 78_125, 30_078_125),
        ("C-TMR-03", Version::V3, 255, 1, 39_062, 30_039_062),
    ];
    for (rule, version, priority, cs, skew, down) in cases {
        let node = Node::new(Spec { version, interval: centis(cs), ..v3(priority) });

        let status = node.status();

        assert_eq!(status.skew, Duration::from_nanos(skew), "{rule}: priority {priority} at {cs} cs");
        assert_eq!(
            status.down_interval,
            Duration::from_nanos(down),
            "{rule}: priority {priority} at {cs} cs"
        );
    }
}

#[test]
fn c_tmr_04_waits_by_its_own_interval_at_first() {
    let node = Node::started(Spec { interval: centis(10), ..v3(100) }, ms(1_000));

    assert_eq!(node.status().active_interval, centis(10));
    assert_eq!(node.silence_deadline(), Some(ms(1_000) + Duration::from_nanos(360_937_500)));
}

#[test]
fn c_tmr_04_forgets_what_it_learned_when_it_starts_again() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(at_interval(10, ms(100)));
    node.tell(Input::Shutdown, ms(200));

    node.tell(Input::Startup, ms(300));

    assert_eq!(node.silence_deadline(), Some(us(300_000 + 3_609_375)));
}

#[test]
fn c_tmr_05_backup_learns_the_interval_of_its_master() {
    let mut node = Node::started(v3(100), us(0));

    node.hear(at_interval(10, ms(500)));

    assert_eq!(node.status().active_interval, centis(10));
    assert_eq!(node.silence_deadline(), Some(ms(500) + Duration::from_nanos(360_937_500)));
}

#[test]
fn c_tmr_05_master_that_steps_down_learns_too() {
    let mut node = Node::master(v3(100), ms(4_000));

    node.hear(at_interval(10, ms(4_500)));

    assert_eq!(node.state(), State::Backup);
    assert_eq!(node.silence_deadline(), Some(ms(4_500) + Duration::from_nanos(360_937_500)));
}

#[test]
fn c_tmr_05_skew_after_a_resignation_follows_the_learned_interval() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(at_interval(10, ms(500)));

    node.hear(Advert { priority: 0, ..at_interval(100, ms(550)) });

    assert_eq!(node.silence_deadline(), Some(ms(550) + Duration::from_nanos(60_937_500)));
}

#[test]
fn c_tmr_06_version_2_never_learns() {
    let mut backup = Node::started(v2(100), us(0));
    let mut master = Node::master(v2(100), ms(4_000));

    backup.hear(at_interval(200, ms(5_000)));
    master.hear(at_interval(200, ms(5_000)));

    for node in [backup, master] {
        assert_eq!(node.status().active_interval, centis(100));
        assert_eq!(node.silence_deadline(), Some(us(5_000_000 + 3_609_375)));
    }
}

#[test]
fn c_tmr_07_master_sends_at_its_own_rate() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(at_interval(10, ms(500)));
    let (taken_over, _) = node.fire();

    let (next, actions) = node.fire();

    assert_eq!(next, taken_over + Duration::from_secs(1));
    assert_eq!(actions, [send(100)]);
}

#[test]
fn c_tmr_08_discarded_adverts_do_not_delay_the_takeover() {
    let mut node = Node::started(v3(100), us(0));
    for second in 1..=3 {
        node.hear(advert(GREATER, 50, ms(second * 1_000)));
    }

    let (due, _) = node.fire();

    assert_eq!(due, us(3_609_375));
    assert_eq!(node.cause(), Some(Cause::Preempted { source: GREATER, priority: 50 }));
}

#[test]
fn c_tmr_09_an_advert_read_late_still_stops_the_takeover() {
    let mut node = Node::started(v3(100), us(0));
    let arrived = ms(3_500);

    let actions = node.tell(Input::AdvertSeen(advert(GREATER, 200, arrived)), ms(5_000));
    let late = node.expire(ms(5_000));

    assert_eq!((actions, late), (vec![], vec![]));
    assert_eq!(node.silence_deadline(), Some(arrived + node.status().down_interval));
}

#[test]
fn c_tmr_09_timers_run_from_arrival_and_not_from_reading() {
    let (arrived, read) = (ms(1_000), ms(1_400));
    let cases = [
        ("sign of life", Node::started(v3(100), us(0)), 200, 3_609_375),
        ("resignation", Node::started(v3(100), us(0)), 0, 609_375),
    ];
    for (name, mut node, priority, wait) in cases {
        node.tell(Input::AdvertSeen(advert(GREATER, priority, arrived)), read);

        assert_eq!(node.silence_deadline(), Some(us(1_000_000 + wait)), "{name}");
    }
}

#[test]
fn an_advert_older_than_the_last_sign_of_life_changes_nothing() {
    for priority in [0, 50, 200] {
        let mut node = Node::started(v3(100), us(0));
        node.hear(advert(GREATER, 200, ms(2_000)));
        let before = node.status();

        let old = Advert { interval: centis(1), ..advert(SMALLER, priority, ms(1_999)) };
        node.tell(Input::AdvertSeen(old), ms(2_001));

        assert_eq!(node.silence_deadline(), Some(us(5_609_375)), "priority {priority}");
        assert_eq!(node.status(), before, "priority {priority}");
    }
}

#[test]
fn an_advert_told_twice_does_not_depose_the_master_that_its_silence_made() {
    let mut node = Node::started(v3(100), us(0));
    let last = advert(GREATER, 200, ms(1_000));
    node.hear(last);
    node.fire();

    let actions = node.tell(Input::AdvertSeen(last), ms(4_700));

    assert_eq!(actions, []);
    assert_eq!(node.state(), State::Master);
}

#[test]
fn c_tx_10_a_late_advert_keeps_the_phase() {
    let mut node = Node::master(v3(100), ms(4_000));

    let actions = node.expire(ms(5_400));

    assert_eq!(actions, [send(100)]);
    assert_eq!(node.0.next_deadline(), Some(ms(6_000)));
}

#[test]
fn c_tx_10_a_master_late_by_turns_sends_one_advert_and_no_burst() {
    for late in [ms(6_000), ms(6_500), ms(60_000)] {
        let mut node = Node::master(v3(100), ms(4_000));

        let actions = node.expire(late);

        assert_eq!(actions, [send(100)], "at {late}");
        assert_eq!(node.0.next_deadline(), Some(late + Duration::from_secs(1)), "at {late}");
    }
}

#[test]
fn a_new_priority_moves_the_takeover_from_the_last_sign_of_life() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(advert(GREATER, 240, ms(1_000)));

    let actions = node.tell(Input::PriorityChanged(200), ms(2_000));

    assert_eq!(actions, []);
    assert_eq!(node.silence_deadline(), Some(us(1_000_000 + 3_218_750)));
}

#[test]
fn c_tx_06_a_master_sends_its_new_priority_with_the_next_advert() {
    let mut node = Node::master(v3(100), ms(4_000));

    let at_once = node.tell(Input::PriorityChanged(80), ms(4_100));
    let (due, next) = node.fire();

    assert_eq!(at_once, []);
    assert_eq!((due, next), (ms(5_000), vec![send(80)]));
}

#[test]
fn c_fsm_17_zero_is_never_an_own_priority() {
    let mut node = Node::master(v3(100), ms(4_000));

    node.tell(Input::PriorityChanged(0), ms(4_100));

    assert_eq!(node.fire().1, [send(100)]);
}

#[test]
fn silence_tells_since_when_and_how_long_was_waited() {
    let mut node = Node::started(v3(100), us(0));
    node.hear(advert(GREATER, 200, ms(700)));

    let (due, actions) = node.fire();

    assert_eq!(due, us(700_000 + 3_609_375));
    assert_eq!(
        node.cause(),
        Some(Cause::Silence { since: ms(700), waited: Duration::from_micros(3_609_375) })
    );
    assert_eq!(actions[1..3], [send(100), hold(true)]);
}

#[test]
fn at_the_end_of_the_time_line_no_timer_fires_and_none_spins() {
    let end = Instant::from_nanos(u64::MAX);
    let mut node = Node::master(v3(100), end);

    let actions = node.expire(end);

    assert_eq!(actions, []);
    assert_eq!(node.0.next_deadline(), None);
}
