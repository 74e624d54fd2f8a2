//! C-FSM-14 and C-FSM-01: what is missing keeps a node out, and the owner comes back as Master.

use vipd_core::{Cause, Fault, Input, State};

use crate::support::{ANNOUNCE, GREATER, Node, advert, hold, ms, report, send, us, v2, v3};

#[test]
fn c_fsm_01_the_owner_starts_as_master() {
    for spec in [v3(255), v2(255)] {
        let mut node = Node::new(spec);

        let actions = node.tell(Input::Startup, ms(7));

        let report = report(State::Initialize, State::Master, Cause::Owner, ms(7));
        assert_eq!(actions, [report, send(255), hold(true), ANNOUNCE]);
        assert_eq!(node.0.next_deadline(), Some(ms(1_007)));
    }
}

#[test]
fn c_fsm_14_a_node_comes_back_when_the_last_fault_is_gone() {
    let mut node = Node::started(v3(100), us(0));
    node.tell(Input::FaultRaised(Fault::Source), ms(100));
    let second = node.tell(Input::FaultRaised(Fault::Link), ms(200));
    let first_gone = node.tell(Input::FaultCleared(Fault::Source), ms(300));
    assert_eq!((second, first_gone, node.state()), (vec![], vec![], State::Fault));

    let actions = node.tell(Input::FaultCleared(Fault::Link), ms(400));

    assert_eq!(actions, [report(State::Fault, State::Backup, Cause::Recovered, ms(400))]);
    assert_eq!(node.silence_deadline(), Some(us(400_000 + 3_609_375)));
}

#[test]
fn c_fsm_14_the_owner_comes_back_as_master() {
    let mut node = Node::started(v3(255), us(0));
    node.tell(Input::FaultRaised(Fault::Link), ms(100));

    let actions = node.tell(Input::FaultCleared(Fault::Link), ms(400));

    let report = report(State::Fault, State::Master, Cause::Recovered, ms(400));
    assert_eq!(actions, [report, send(255), hold(true), ANNOUNCE]);
}

#[test]
fn c_fsm_14_startup_without_what_is_needed_is_a_fault() {
    let mut node = Node::new(v3(255));
    node.tell(Input::FaultRaised(Fault::Source), us(0));

    let actions = node.tell(Input::Startup, ms(1));

    assert_eq!(actions, [report(State::Initialize, State::Fault, Cause::Faulted(Fault::Source), ms(1))]);
    assert_eq!(node.0.next_deadline(), None);
}

#[test]
fn c_fsm_14_of_two_faults_at_startup_the_link_is_told() {
    let mut node = Node::new(v3(100));
    node.tell(Input::FaultRaised(Fault::Source), us(0));
    node.tell(Input::FaultRaised(Fault::Link), us(0));

    node.tell(Input::Startup, ms(1));

    assert_eq!(node.cause(), Some(Cause::Faulted(Fault::Link)));
}

#[test]
fn c_fsm_14_a_fault_after_shutdown_is_remembered_for_the_next_startup() {
    let mut node = Node::started(v3(100), us(0));
    node.tell(Input::Shutdown, ms(100));
    let raised = node.tell(Input::FaultRaised(Fault::Link), ms(200));

    node.tell(Input::Startup, ms(300));

    assert_eq!(raised, []);
    assert_eq!(node.state(), State::Fault);
}

#[test]
fn c_fsm_03_after_shutdown_nothing_but_startup_counts() {
    let mut node = Node::master(v3(100), ms(4_000));
    node.tell(Input::Shutdown, ms(4_100));

    let inputs =
        [Input::Shutdown, Input::AdvertSeen(advert(GREATER, 0, ms(4_200))), Input::PriorityChanged(90)];
    for input in inputs {
        assert_eq!(node.tell(input, ms(4_200)), [], "{input:?}");
    }

    assert_eq!(node.expire(ms(60_000)), []);
    assert_eq!((node.state(), node.0.next_deadline()), (State::Initialize, None));
}

#[test]
fn c_fsm_17_a_priority_that_changed_before_startup_counts() {
    let mut node = Node::new(v3(100));
    node.tell(Input::PriorityChanged(90), us(0));

    node.tell(Input::Startup, us(0));

    assert_eq!(node.status().priority, 90);
    assert_eq!(node.fire().1[1], send(90));
}

#[test]
fn status_tells_the_last_advert_judged_and_the_last_transition() {
    let mut node = Node::started(v3(100), us(0));
    let discarded = advert(GREATER, 50, ms(100));

    node.hear(discarded);

    let status = node.status();
    assert_eq!(status.last_advert, Some(discarded));
    assert_eq!(status.last_transition.map(|transition| transition.to), Some(State::Backup));
}
