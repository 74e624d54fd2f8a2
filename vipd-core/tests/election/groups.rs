//! Sync groups: virtual routers that move together, as Keepalived has it.

use vipd_core::{Action, Cause, Fault, Input, InstanceId, Instant, Router, Spec, State};

use crate::support::{GREATER, advert, ms, us, v3};

const A: InstanceId = InstanceId(0);
const B: InstanceId = InstanceId(1);
/// Not in the group of the other two.
const LONER: InstanceId = InstanceId(2);
const DOWN: u64 = 3_609_375;

/// Three started virtual routers, of which two are a group.
fn started(spec: &Spec) -> Router {
    let grouped = Spec { group: Some(7), ..spec.clone() };
    let mut router = Router::new(vec![grouped.clone(), grouped, spec.clone()]);
    for id in [A, B, LONER] {
        router.handle(id, Input::Startup, us(0));
    }
    drain(&mut router);
    router
}

fn masters() -> Router {
    let mut router = started(&v3(100));
    router.expire(us(DOWN));
    assert_eq!(states(&router), [State::Master; 3]);
    drain(&mut router);
    router
}

fn drain(router: &mut Router) -> Vec<Action> {
    std::iter::from_fn(|| router.poll_action()).collect()
}

fn states(router: &Router) -> [State; 3] {
    [A, B, LONER].map(|id| router.state(id))
}

fn cause(router: &Router, id: InstanceId) -> Option<Cause> {
    router.status(id).last_transition.map(|transition| transition.cause)
}

fn hear(router: &mut Router, id: InstanceId, priority: u8, at: Instant) -> Vec<Action> {
    router.handle(id, Input::AdvertSeen(advert(GREATER, priority, at)), at);
    drain(router)
}

#[test]
fn nobody_takes_over_before_all_members_want_to() {
    let mut router = started(&v3(100));
    hear(&mut router, B, 200, ms(2_000));

    router.expire(us(DOWN));
    assert_eq!(states(&router), [State::Backup, State::Backup, State::Master], "B still hears its Master");

    router.expire(us(2_000_000 + DOWN));
    assert_eq!(states(&router), [State::Master; 3]);
}

#[test]
fn a_member_that_waits_for_its_group_stops_waiting_when_its_master_lives() {
    let mut router = started(&v3(100));
    hear(&mut router, B, 200, ms(2_000));
    router.expire(us(DOWN));
    hear(&mut router, A, 200, ms(4_000));

    router.expire(us(2_000_000 + DOWN));

    assert_eq!(states(&router)[..2], [State::Backup, State::Backup]);
    assert_eq!(router.next_deadline().map(|due| due.min(us(4_000_000 + DOWN))), router.next_deadline());
}

#[test]
fn when_one_makes_way_the_others_resign() {
    let mut router = masters();

    let actions = hear(&mut router, A, 200, ms(4_000));

    assert_eq!(states(&router), [State::Backup, State::Backup, State::Master]);
    assert_eq!(cause(&router, B), Some(Cause::Group(A)));
    let resigned = actions.iter().filter(|action| matches!(action, Action::SendAdvert(_, _)));
    assert_eq!(resigned.collect::<Vec<_>>(), [&Action::SendAdvert(B, 0)], "A is silent: its better is there");
}

#[test]
fn a_fault_of_one_is_a_fault_of_all_and_ends_for_all() {
    let mut router = masters();

    router.handle(A, Input::FaultRaised(Fault::Link), ms(4_000));

    assert_eq!(states(&router), [State::Fault, State::Fault, State::Master]);
    assert_eq!(cause(&router, B), Some(Cause::Faulted(Fault::Group(A))));
    router.handle(B, Input::FaultRaised(Fault::Source), ms(4_100));
    router.handle(A, Input::FaultCleared(Fault::Link), ms(4_200));
    assert_eq!(states(&router)[..2], [State::Fault, State::Fault], "B has one of its own now");
    router.handle(B, Input::FaultCleared(Fault::Source), ms(4_300));
    assert_eq!(states(&router)[..2], [State::Backup, State::Backup]);
}

#[test]
fn members_are_told_from_others_by_their_number_alone() {
    let member = |group| Spec { group, ..v3(100) };
    let mut router = Router::new(vec![member(Some(1)), member(Some(2)), member(Some(1))]);
    for id in [A, B, LONER] {
        router.handle(id, Input::Startup, us(0));
    }

    router.handle(A, Input::FaultRaised(Fault::Link), ms(1));

    assert_eq!(states(&router), [State::Fault, State::Backup, State::Fault]);
}

#[test]
fn a_fenced_group_asks_for_all_and_moves_when_all_are_proven() {
    let mut router = started(&Spec { fenced: true, ..v3(100) });

    router.expire(us(DOWN));
    assert_eq!(drain(&mut router), [A, B, LONER].map(Action::ProveConnected));
    router.handle(A, Input::Connected(true), ms(3_610));
    assert_eq!(states(&router), [State::Backup; 3]);
    router.handle(B, Input::Connected(true), ms(3_610));

    assert_eq!(states(&router), [State::Master, State::Master, State::Backup]);
}
