//! Every state against every input, each row with the rule that it keeps.

use vipd_core::{Action, Cause, Fault, Input, Instant, State};

use crate::support::{ANNOUNCE, GREATER, LOSER, Node, OWN, SMALLER, advert, hold, ms, report, send, us, v3};
use State::{Backup, Initialize, Master};

/// When the input is told.
const NOW: Instant = ms(4_000);
/// When the Backup of the matrix began to listen.
const LISTENING_SINCE: Instant = ms(3_000);
/// When its down interval ends: 3 x 1 s + 156/256 s later.
const SILENCE: Instant = us(6_609_375);
/// When the Master of the matrix became one, and sends next.
const MASTER_SINCE: Instant = us(3_609_375);
const NEXT_ADVERT: Instant = us(4_609_375);

struct Row {
    rule: &'static str,
    from: State,
    when: When,
    to: State,
    /// The next deadline afterwards.
    due: Option<Instant>,
    then: Vec<Action>,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Told(Input),
    /// The timer of the state fires on time.
    Timer,
}

/// A node of priority 100 in this state at [`NOW`].
fn node_in(state: State) -> Node {
    match state {
        Initialize => Node::new(v3(100)),
        Backup => Node::started(v3(100), LISTENING_SINCE),
        Master => Node::master(v3(100), MASTER_SINCE),
        State::Fault => {
            let mut node = Node::new(v3(100));
            node.tell(Input::FaultRaised(Fault::Link), us(0));
            node.tell(Input::Startup, us(0));
            node
        }
    }
}

fn row(
    rule: &'static str,
    from: State,
    when: When,
    to: State,
    due: Option<Instant>,
    then: Vec<Action>,
) -> Row {
    Row { rule, from, when, to, due, then }
}

/// A row whose input changes nothing.
fn kept(rule: &'static str, state: State, input: Input) -> Row {
    let due = match state {
        Backup => Some(SILENCE),
        Master => Some(NEXT_ADVERT),
        Initialize | State::Fault => None,
    };
    row(rule, state, When::Told(input), state, due, vec![])
}

fn heard(source: std::net::IpAddr, priority: u8) -> Input {
    Input::AdvertSeen(advert(source, priority, NOW))
}

const RAISED: Input = Input::FaultRaised(Fault::Link);
const CLEARED: Input = Input::FaultCleared(Fault::Link);
const SOURCE: Input = Input::SourceChanged(GREATER);
const PRIORITY: Input = Input::PriorityChanged(100);

fn check(rows: Vec<Row>) {
    for Row { rule, from, when, to, due, then } in rows {
        let mut node = node_in(from);

        let actions = match when {
            When::Told(input) => node.tell(input, NOW),
            When::Timer => node.fire().1,
        };

        let context = format!("{rule}: {when:?} in {from:?}");
        assert_eq!(actions, then, "{context}");
        assert_eq!(node.state(), to, "{context}");
        assert_eq!(node.0.next_deadline(), due, "{context}");
    }
}

#[test]
fn initialize_only_starts_up() {
    check(vec![
        row(
            "C-FSM-02",
            Initialize,
            When::Told(Input::Startup),
            Backup,
            Some(us(7_609_375)),
            vec![report(Initialize, Backup, Cause::Started, NOW)],
        ),
        kept("C-FSM-03", Initialize, Input::Shutdown),
        kept("C-RX-21", Initialize, heard(GREATER, 0)),
        kept("C-RX-21", Initialize, heard(SMALLER, 99)),
        kept("C-RX-21", Initialize, heard(GREATER, 200)),
        kept("C-FSM-14", Initialize, RAISED),
        kept("C-FSM-14", Initialize, CLEARED),
        kept("C-FSM-12", Initialize, SOURCE),
        kept("C-FSM-17", Initialize, PRIORITY),
    ]);
}

#[test]
fn backup_listens_and_takes_over() {
    // A sign of life at NOW: full down interval, and after a resignation the skew time alone.
    let alive = Some(us(7_609_375));
    let resigned = Some(us(4_609_375));
    let silence = Cause::Silence { since: LISTENING_SINCE, waited: SILENCE - LISTENING_SINCE };
    let followed = |rule, input| row(rule, Backup, When::Told(input), Backup, alive, vec![]);
    check(vec![
        kept("C-FSM-02", Backup, Input::Startup),
        row(
            "C-FSM-03",
            Backup,
            When::Told(Input::Shutdown),
            Initialize,
            None,
            vec![report(Backup, Initialize, Cause::Stopped, NOW)],
        ),
        row(
            "C-FSM-04",
            Backup,
            When::Timer,
            Master,
            Some(us(7_609_375)),
            vec![report(Backup, Master, silence, SILENCE), send(100), hold(true), ANNOUNCE],
        ),
        followed("C-FSM-05", heard(GREATER, 200)),
        followed("C-FSM-05", heard(GREATER, 100)),
        followed("C-FSM-05", heard(SMALLER, 100)),
        kept("C-FSM-06", Backup, heard(GREATER, 99)),
        row("C-FSM-08", Backup, When::Told(heard(GREATER, 0)), Backup, resigned, vec![]),
        row(
            "C-FSM-14",
            Backup,
            When::Told(RAISED),
            State::Fault,
            None,
            vec![report(Backup, State::Fault, Cause::Faulted(Fault::Link), NOW)],
        ),
        kept("C-FSM-14", Backup, CLEARED),
        kept("C-FSM-12", Backup, SOURCE),
        kept("C-FSM-17", Backup, PRIORITY),
    ]);
}

#[test]
fn master_adverts_defends_and_makes_way() {
    let higher = Cause::HigherPriority { source: SMALLER, priority: 101 };
    let makes_way = |rule, input, cause| {
        let then = vec![report(Master, Backup, cause, NOW), hold(false)];
        row(rule, Master, When::Told(input), Backup, Some(us(7_609_375)), then)
    };
    let asserts = |input| {
        row(
            "C-FSM-10",
            Master,
            When::Told(input),
            Master,
            Some(NEXT_ADVERT),
            vec![LOSER, send(100), ANNOUNCE],
        )
    };
    let resigns = |rule, input, to, cause| {
        row(
            rule,
            Master,
            When::Told(input),
            to,
            None,
            vec![report(Master, to, cause, NOW), send(0), hold(false)],
        )
    };
    check(vec![
        kept("C-FSM-01", Master, Input::Startup),
        resigns("C-FSM-11", Input::Shutdown, Initialize, Cause::Stopped),
        row("C-FSM-07", Master, When::Timer, Master, Some(us(5_609_375)), vec![send(100)]),
        row("C-FSM-08", Master, When::Told(heard(GREATER, 0)), Master, Some(ms(5_000)), vec![send(100)]),
        makes_way("C-FSM-09", heard(SMALLER, 101), higher),
        makes_way("C-FSM-12", heard(GREATER, 100), Cause::GreaterAddress { source: GREATER }),
        asserts(heard(SMALLER, 100)),
        asserts(heard(OWN, 100)),
        asserts(heard(GREATER, 99)),
        resigns("C-FSM-14", RAISED, State::Fault, Cause::Faulted(Fault::Link)),
        kept("C-FSM-14", Master, CLEARED),
        kept("C-FSM-12", Master, SOURCE),
        kept("C-FSM-17", Master, PRIORITY),
    ]);
}

#[test]
fn fault_waits_for_what_is_missing() {
    check(vec![
        kept("C-FSM-14", State::Fault, Input::Startup),
        row(
            "C-FSM-03",
            State::Fault,
            When::Told(Input::Shutdown),
            Initialize,
            None,
            vec![report(State::Fault, Initialize, Cause::Stopped, NOW)],
        ),
        kept("C-RX-21", State::Fault, heard(GREATER, 0)),
        kept("C-RX-21", State::Fault, heard(SMALLER, 99)),
        kept("C-RX-21", State::Fault, heard(GREATER, 200)),
        kept("C-FSM-14", State::Fault, RAISED),
        kept("C-FSM-14", State::Fault, Input::FaultCleared(Fault::Source)),
        row(
            "C-FSM-14",
            State::Fault,
            When::Told(CLEARED),
            Backup,
            Some(us(7_609_375)),
            vec![report(State::Fault, Backup, Cause::Recovered, NOW)],
        ),
        kept("C-FSM-12", State::Fault, SOURCE),
        kept("C-FSM-17", State::Fault, PRIORITY),
    ]);
}
