//! Several nodes against each other, in virtual time.

use std::time::Duration;

use vipd_core::{Cause, Input, Spec, State};

use crate::lan::{LATENCY, Lan};
use crate::support::{centis, v3, v4};

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// Nodes of these priorities with addresses 192.0.2.1 and up.
fn nodes(priorities: &[u8]) -> Vec<Spec> {
    (1..)
        .zip(priorities)
        .map(|(host, priority)| Spec { source: v4(192, 0, 2, host), ..v3(*priority) })
        .collect()
}

/// A network that has elected A.
fn elected(specs: Vec<Spec>) -> Lan {
    let mut lan = Lan::started(specs, 0);
    lan.run_until_master(A);
    lan.run_for(Duration::from_secs(10));
    assert_eq!(lan.masters(0), [A]);
    lan
}

#[test]
fn c_fsm_04_backup_takes_over_three_intervals_and_skew_after_the_last_advert() {
    for (cs, down) in [(100, 3_609_375_000), (10, 360_937_500), (1, 36_093_750)] {
        let specs =
            nodes(&[200, 100]).into_iter().map(|spec| Spec { interval: centis(cs), ..spec }).collect();
        let mut lan = elected(specs);
        lan.kill(A);

        let taken_over = lan.run_until_master(B);

        assert_eq!(taken_over, lan.last_arrival + Duration::from_nanos(down), "at {cs} cs");
    }
}

#[test]
fn c_tmr_05_backup_takes_over_by_the_interval_of_the_dead_master() {
    let mut specs = nodes(&[200, 100]);
    specs[A].interval = centis(10);
    let mut lan = elected(specs);
    lan.kill(A);

    let taken_over = lan.run_until_master(B);

    assert_eq!(taken_over, lan.last_arrival + Duration::from_nanos(360_937_500));
}

#[test]
fn skew_lets_the_highest_backup_go_first() {
    let mut lan = elected(nodes(&[200, 150, 149]));
    lan.kill(A);

    lan.run_until_master(B);
    lan.run_for(Duration::from_secs(20));

    assert_eq!((lan.state(B), lan.state(C)), (State::Master, State::Backup));
    let c_moved = lan.history.iter().filter(|(host, _)| *host == C).count();
    assert_eq!(c_moved, 1, "C only started: {:?}", lan.history);
}

#[test]
fn c_fsm_06_a_higher_node_that_comes_back_preempts_after_one_down_interval() {
    let mut lan = elected(nodes(&[200, 100]));
    lan.kill(A);
    lan.run_until_master(B);
    lan.boot(A);
    let booted = lan.now;

    let taken_back = lan.run_until_master(A);
    lan.run_for(LATENCY);

    assert_eq!(taken_back, booted + Duration::from_micros(3_218_750));
    let cause = |host: usize| lan.hosts[host].node.cause();
    assert_eq!(cause(A), Some(Cause::Preempted { source: v4(192, 0, 2, 2), priority: 100 }));
    assert_eq!(cause(B), Some(Cause::HigherPriority { source: v4(192, 0, 2, 1), priority: 200 }));
}

#[test]
fn c_fsm_13_without_preemption_a_node_that_comes_back_listens() {
    let specs = nodes(&[200, 100]).into_iter().map(|spec| Spec { preempt: false, ..spec }).collect();
    let mut lan = elected(specs);
    lan.kill(A);
    lan.run_until_master(B);

    lan.boot(A);
    lan.run_for(Duration::from_mins(1));

    assert_eq!((lan.state(A), lan.state(B)), (State::Backup, State::Master));
}

#[test]
fn c_fsm_12_of_two_masters_that_meet_the_greater_address_stays() {
    for (greater, smaller) in [("10.0.0.200", "9.255.255.255"), ("192.0.2.1", "10.0.0.200")] {
        let specs =
            [greater, smaller].map(|text| Spec { source: text.parse().expect("an address"), ..v3(100) });
        let mut lan = Lan::started(specs.into(), 0);
        lan.hosts[B].segment = 1;
        lan.run_until_master(A);
        lan.run_until_master(B);

        lan.hosts[B].segment = 0;
        lan.run_for(Duration::from_secs(2));

        assert_eq!(lan.masters(0), [A], "{greater} against {smaller}");
    }
}

/// C-SUB-06
#[test]
fn c_fsm_08_a_resignation_is_followed_after_the_skew_time() {
    let mut lan = elected(nodes(&[200, 100]));
    lan.tell(A, Input::Shutdown);
    let resigned = lan.now + LATENCY;

    let taken_over = lan.run_until_master(B);

    assert_eq!(taken_over, resigned + Duration::from_micros(609_375));
    assert_eq!(lan.hosts[B].node.cause(), Some(Cause::Resigned { source: v4(192, 0, 2, 1) }));
}

#[test]
fn c_fsm_10_a_healed_split_ends_with_the_reply_to_the_first_losing_advert() {
    let mut lan = Lan::started(nodes(&[200, 100]), 0);
    lan.hosts[B].segment = 1;
    lan.run_until_master(A);
    lan.run_until_master(B);
    // A has just sent when the split heals, so that B's turn comes first.
    lan.run_for(Duration::from_millis(700));
    lan.hosts[B].segment = 0;
    let b_sends = lan.hosts[B].node.0.next_deadline().expect("a Master's timer runs");

    lan.run_for(Duration::from_millis(400));

    let (host, last) = *lan.history.last().expect("B stepped down");
    assert_eq!((host, last.to, last.at), (B, State::Backup, b_sends + LATENCY + LATENCY));
    assert_eq!(lan.masters(0), [A]);
}

/// Five nodes as different as they can be.
fn motley() -> Vec<Spec> {
    let mut specs = nodes(&[255, 200, 200, 100, 1]);
    for (spec, cs) in specs.iter_mut().zip([100, 10, 50, 100, 200]) {
        spec.interval = centis(cs);
    }
    specs[1].preempt = false;
    specs[2].preempt_delay = Duration::from_secs(5);
    specs
}

#[test]
fn after_any_trouble_every_segment_has_exactly_one_master() {
    for seed in 0..10 {
        let mut lan = troubled(seed, 10_000);
        lan.loss = 0;

        lan.run_for(Duration::from_mins(1));
        let calm = lan.history.len();
        lan.run_for(Duration::from_mins(1));

        assert_eq!(lan.history.len(), calm, "seed {seed}: restless");
        assert!(calm > 100, "seed {seed}: there was no trouble");
        for segment in 0..3 {
            check_segment(&lan, segment, seed);
        }
    }
}

/// Many steps with loss, splits, stops, faults and new priorities.
fn troubled(seed: u64, steps: usize) -> Lan {
    let mut lan = Lan::started(motley(), seed);
    lan.loss = 20;
    for _ in 0..steps {
        if lan.chance.below(20) == 0 {
            lan.disturb();
        }
        let end = lan.now + Duration::from_secs(1);
        lan.step(end);
    }
    lan
}

/// One Master where anybody takes part, and nobody who ought to displace it.
fn check_segment(lan: &Lan, segment: usize, seed: u64) {
    let present: Vec<usize> = (0..lan.hosts.len())
        .filter(|host| lan.hosts[*host].segment == segment)
        .filter(|host| matches!(lan.state(*host), State::Backup | State::Master))
        .collect();
    let masters = lan.masters(segment);
    assert_eq!(
        masters.len(),
        usize::from(!present.is_empty()),
        "seed {seed}, segment {segment}: {masters:?}"
    );
    for host in present {
        let outranks = lan.hosts[host].node.status().priority > lan.hosts[masters[0]].node.status().priority;
        assert!(!(outranks && lan.hosts[host].spec.preempt), "seed {seed}: {host} lets {masters:?} be");
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let history = |seed| troubled(seed, 2_000).history;

    assert_eq!(history(7), history(7));
    assert_ne!(history(7), history(8));
}
