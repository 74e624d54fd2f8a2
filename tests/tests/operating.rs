//! What an operator can tell a running agent: `vipd handoff`, `hold` and `release`.

use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Balancer, Datapath, Pair, Running, vipd_binary};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);

/// Two nodes at 100 ms, `lb1` being master.
struct Nodes {
    lb1: Running,
    lb2: Running,
    pair: Pair,
}

fn nodes() -> Nodes {
    let pair = Pair::new().expect("lab");
    let quick = |conf: Conf| conf.without_scripts().version_3().advert("0.1");
    let lb1 = pair.lb1.start(VIPD, &quick(Conf::lb1())).expect("vipd");
    let lb2 = pair.lb2.start(VIPD, &quick(Conf::lb2())).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("the higher priority wins");
    pair.wait_for_holder(&pair.lb1, SOON).expect("the master holds the address");
    Nodes { lb1, lb2, pair }
}

/// Runs a `vipd` command against the agent on a host.
fn operate(balancer: &Balancer, words: &str) -> anyhow::Result<String> {
    balancer.host.command(&format!("{} {words} --run-dir /run/vipd", vipd_binary()?.display()))
}

#[test]
fn a_handoff_returns_when_the_other_is_master_and_loses_no_request() {
    let nodes = nodes();
    let services = nodes.pair.start_services().expect("nginx and haproxy");
    let client = nodes.pair.start_client().expect("client");
    client.wait_for_answer(vipd_tests::Moment::now(), SOON).expect("an answer");

    let said = operate(&nodes.pair.lb1, "handoff VI_1").expect("handed over");

    assert!(said.contains("VI_1 handed over"), "{said}");
    nodes.pair.wait_for_holder(&nodes.pair.lb2, SOON).expect("lb2 alone holds the address");
    let from = vipd_tests::Moment::now();
    while client.wait_for_answer(from, SOON).expect("an answer").outcome.as_deref() != Ok("lb2") {}
    let lost: Vec<_> = client.requests().into_iter().filter(|request| request.outcome.is_err()).collect();
    assert!(lost.is_empty(), "{lost:?}");
    drop(services);
}

#[test]
fn what_was_handed_over_is_taken_back_only_when_the_other_is_gone() {
    let nodes = nodes();
    operate(&nodes.pair.lb1, "handoff VI_1").expect("handed over");
    nodes.lb1.wait_for_state("BACKUP", SOON).expect("it listens");

    let status = nodes.lb1.status().expect("status");
    assert_eq!(status["instances"][0]["priority"], 110, "its priority is still the higher one");
    nodes.lb2.process().stop().expect("SIGTERM");

    nodes.lb1.wait_for_state("MASTER", SOON).expect("it takes over");
    nodes.pair.wait_for_holder(&nodes.pair.lb1, SOON).expect("lb1 alone holds the address");
}

#[test]
fn a_held_node_stays_out_until_it_is_released() {
    let nodes = nodes();

    operate(&nodes.pair.lb1, "hold").expect("held");
    nodes.lb1.wait_for_state("FAULT", SOON).expect("it takes no part");
    nodes.pair.wait_for_holder(&nodes.pair.lb2, SOON).expect("lb2 alone holds the address");

    operate(&nodes.pair.lb1, "release VI_1").expect("released");
    nodes.lb1.wait_for_state("MASTER", SOON).expect("the higher priority preempts");
    nodes.pair.wait_for_holder(&nodes.pair.lb1, SOON).expect("lb1 alone holds the address");
}

/// Promise 5: a wrong request changes nothing, and says what is wrong.
#[test]
fn what_cannot_be_done_is_refused_with_a_sentence() {
    let nodes = nodes();

    let unknown = operate(&nodes.pair.lb1, "hold VI_7").expect_err("refused").to_string();
    let nothing = operate(&nodes.pair.lb2, "handoff VI_1").expect_err("refused").to_string();

    assert!(unknown.contains("there is no virtual router VI_7; there is VI_1"), "{unknown}");
    assert!(nothing.contains("nothing to hand over"), "{nothing}");
    nodes.pair.wait_for_holder(&nodes.pair.lb1, SOON).expect("nothing has changed");
}

#[test]
fn a_handoff_to_nobody_fails_and_the_node_goes_on() {
    let nodes = nodes();
    nodes.lb2.process().stop().expect("SIGTERM");
    nodes.lb2.process().wait(SOON).expect("it ends");

    let refused = operate(&nodes.pair.lb1, "handoff").expect_err("nobody is there").to_string();

    assert!(refused.contains("nobody took VI_1 over"), "{refused}");
    nodes.pair.wait_for_holder(&nodes.pair.lb1, SOON).expect("it holds the address");
}
