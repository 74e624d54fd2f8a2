//! Who is told of what: commands, pipes, mail and webhooks, each with a real receiver. The configuration is the guide's.

mod differential;
mod fifo;
mod mail;
mod scripts;
mod webhook;

use std::time::Duration;

use serde_json::Value;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Host, Moment, Pair, Process, Running};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);

/// The guide's node without its own scripts, quick, with these lines in `global_defs` and in the instance, and these blocks
/// behind all.
fn conf(node: Conf, global: &str, instance: &str, blocks: &str) -> Conf {
    let node = node.without_scripts().version_3().advert("0.1").with_line(instance);
    node.replace("enable_script_security\n", &format!("enable_script_security\n{global}\n"))
        .with_block(blocks)
}

/// A pair on which only `lb1` runs, which is MASTER.
fn master(global: &str, instance: &str, blocks: &str) -> (Pair, Running) {
    let pair = Pair::new().expect("lab");
    let lb1 = pair.lb1.start(VIPD, &conf(Conf::lb1(), global, instance, blocks)).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    (pair, lb1)
}

/// The lines of a file that comes to be on a host, as they are written.
fn follow(host: &Host, path: &str) -> Process {
    host.spawn("tail", &["-n", "+1", "--sleep-interval=0.05", "-F", path]).expect("tail")
}

/// The counters of a channel: sent, failed, dropped.
fn counted(agent: &Running, channel: &str) -> [u64; 3] {
    let status = agent.status().expect("status");
    let channels = status["notify"]["channels"].as_array().expect("a list");
    let found = channels.iter().find(|found| found["name"] == channel).expect("a channel");
    ["sent", "failed", "dropped"].map(|counter| found[counter].as_u64().expect("a number"))
}

/// Awaits that a channel has counted this: a receiver can be done a little before the agent has counted it.
fn wait_for_counts(agent: &Running, channel: &str, expected: [u64; 3]) {
    let deadline = Moment::now() + SOON;
    while counted(agent, channel) != expected {
        assert!(!deadline.remaining().is_zero(), "{channel}: {:?}", counted(agent, channel));
    }
}

/// Lines of the agent's log that hold all of these words.
fn logged(agent: &Running, words: &[&str]) -> usize {
    let lines = agent.process().lines();
    lines.iter().filter(|line| words.iter().all(|word| line.text.contains(word))).count()
}

/// Awaits a line of the agent's log with this text, wherever other lines are.
fn wait_for_log(agent: &Running, needle: &str) {
    while logged(agent, &[needle]) == 0 {
        agent.process().wait_for_line("", SOON).expect(needle);
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
