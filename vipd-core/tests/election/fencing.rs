//! Fencing: a virtual router that must prove that its node is not the one that is cut off.

use vipd_core::{Action, Cause, Fault, Input, Spec, State};

use crate::support::{ANNOUNCE, GREATER, ID, Node, advert, hold, ms, report, send, us, v3};

const ASK: Action = Action::ProveConnected(ID);

fn fenced() -> Spec {
    Spec { fenced: true, ..v3(100) }
}

/// A Backup whose down interval has just passed.
fn asking() -> Node {
    let mut node = Node::started(fenced(), us(0));
    let (due, actions) = node.fire();
    assert_eq!((due, actions, node.state()), (us(3_609_375), vec![ASK], State::Backup));
    node
}

#[test]
fn silence_makes_a_master_only_after_the_proof() {
    let mut node = asking();

    let actions = node.tell(Input::Connected(true), ms(3_610));

    assert_eq!(node.state(), State::Master);
    assert!(matches!(node.cause(), Some(Cause::Silence { .. })), "the silence is the reason, not the proof");
    assert_eq!(actions[1..], [send(100), hold(true), ANNOUNCE]);
}

#[test]
fn promise_1_an_isolated_node_takes_nothing_over_and_gives_up_what_it_has() {
    let mut backup = asking();
    let mut master = asking();
    master.tell(Input::Connected(true), ms(3_610));

    let held_back = backup.tell(Input::Connected(false), ms(4_000));
    let given_up = master.tell(Input::Connected(false), ms(4_000));

    let cause = Cause::Faulted(Fault::Isolated);
    assert_eq!(held_back, [report(State::Backup, State::Fault, cause, ms(4_000))]);
    assert_eq!(given_up, [report(State::Master, State::Fault, cause, ms(4_000)), send(0), hold(false)]);
}

#[test]
fn a_node_that_is_connected_again_listens_first_and_asks_anew() {
    let mut node = asking();
    node.tell(Input::Connected(false), ms(4_000));

    node.tell(Input::Connected(true), ms(5_000));

    assert_eq!((node.state(), node.cause()), (State::Backup, Some(Cause::Recovered)));
    assert_eq!(node.fire(), (us(5_000_000 + 3_609_375), vec![ASK]));
}

#[test]
fn a_sign_of_life_while_it_asks_makes_the_answer_worthless() {
    let mut node = asking();
    node.hear(advert(GREATER, 200, ms(3_610)));

    node.tell(Input::Connected(true), ms(3_611));

    assert_eq!(node.state(), State::Backup);
    assert_eq!(node.0.next_deadline(), Some(us(3_610_000 + 3_609_375)));
}

#[test]
fn good_news_that_nobody_asked_for_is_no_proof() {
    let mut node = Node::started(fenced(), us(0));
    node.tell(Input::Connected(true), ms(1_000));

    let (_, actions) = node.fire();

    assert_eq!((actions, node.state()), (vec![ASK], State::Backup));
}

#[test]
fn the_owner_proves_it_too() {
    let mut node = Node::started(Spec { fenced: true, ..v3(255) }, us(0));
    assert_eq!(node.state(), State::Backup);

    node.tell(Input::Connected(true), us(10));

    assert_eq!((node.state(), node.cause()), (State::Master, Some(Cause::Owner)));
}
