//! Who is Master when something goes down: the table that everybody should look at before the night.

use serde::Serialize;

use super::super::model::Instance;
use super::Linter;
use super::drift::pairs;
use super::priority::{Effect, Factor, Standing, factors, standing};

/// What becomes of one virtual router in each case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failover {
    /// Its name on the first node.
    pub instance: String,
    /// The nodes, by router id or file.
    pub nodes: [String; 2],
    /// The cases: nothing down, then each thing that is tracked, on each node.
    pub outcomes: Vec<Outcome>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// What happens: "check `chk_haproxy` down on LB1".
    pub scenario: String,
    /// Effective priority of each node; `None` in FAULT.
    pub priorities: [Option<u8>; 2],
    /// Who is Master then; `None` for nobody, and where equal priorities leave it to the addresses.
    pub master: Option<String>,
    /// Why, where the priorities alone do not tell.
    pub because: Option<&'static str>,
}

/// A node in this virtual router.
struct Node<'n> {
    instance: &'n Instance,
    name: String,
    factors: Vec<Factor>,
}

/// Why somebody is Master.
type Verdict = (Option<usize>, Option<&'static str>);

pub(super) fn compare(own: &mut Linter<'_>, peer: &mut Linter<'_>) -> Vec<Failover> {
    let pairs = pairs(own, peer);
    pairs.into_iter().map(|(index, other)| one(own, index, peer, other)).collect()
}

fn one(own: &mut Linter<'_>, index: usize, peer: &mut Linter<'_>, other: usize) -> Failover {
    let mut names = [name(own), name(peer)];
    if names[0] == names[1] {
        names = ["this node".to_owned(), "the peer".to_owned()];
    }
    let [first, second] = names.clone();
    let nodes = [node(own, index, first), node(peer, other, second)];
    let healthy = [state(&nodes[0], |_| false), state(&nodes[1], |_| false)];
    let (master, because) = elected(&nodes, healthy);
    let mut outcomes = vec![outcome(&nodes, "all healthy".to_owned(), healthy, (master, because))];
    for (side, node) in nodes.iter().enumerate() {
        let counted: Vec<usize> =
            (0..node.factors.len()).filter(|at| node.factors[*at].effect != Effect::Nothing).collect();
        let mut cases: Vec<(String, Vec<usize>)> = counted
            .iter()
            .map(|at| {
                (
                    format!("{} {} on {}", node.factors[*at].what, down(&node.factors[*at]), node.name),
                    vec![*at],
                )
            })
            .collect();
        if counted.len() > 1 {
            cases.push((format!("all of these on {}", node.name), counted));
        }
        for (scenario, down) in cases {
            let mut standings = healthy;
            standings[side] = state(node, |at| down.contains(&at));
            outcomes.push(outcome(&nodes, scenario, standings, after(&nodes, master, standings)));
        }
    }
    let [first, second] = &nodes;
    own.weights_with(first, second, master == Some(0));
    peer.weights_with(second, first, master == Some(1));
    own.outvoted(index, first, second, healthy);
    Failover { instance: own.config.instances[index].name.clone(), nodes: names, outcomes }
}

fn name(linter: &Linter<'_>) -> String {
    linter.config.router_id.clone().unwrap_or_else(|| linter.findings.sources.name(0).to_owned())
}

fn node<'n>(linter: &Linter<'n>, index: usize, name: String) -> Node<'n> {
    Node { instance: &linter.config.instances[index], name, factors: factors(linter.config, index) }
}

fn down(factor: &Factor) -> &'static str {
    if factor.what.starts_with("file") { "holding 1" } else { "down" }
}

fn state(node: &Node<'_>, is_down: impl Fn(usize) -> bool) -> Standing {
    standing(node.instance.priority, &node.factors, is_down)
}

/// Who wins when both start.
fn elected(nodes: &[Node<'_>; 2], standings: [Standing; 2]) -> Verdict {
    match standings {
        [Standing::Fault, Standing::Fault] => (None, Some("both are in FAULT")),
        [Standing::Fault, _] => (Some(1), None),
        [_, Standing::Fault] => (Some(0), None),
        [Standing::Priority(one), Standing::Priority(two)] if one == two => {
            match (nodes[0].instance.source, nodes[1].instance.source) {
                (Some(one), Some(two)) => {
                    (Some(usize::from(two > one)), Some("equal priorities: the higher address wins"))
                }
                _ => (None, Some("equal priorities: the higher address wins")),
            }
        }
        [Standing::Priority(one), Standing::Priority(two)] => (Some(usize::from(two > one)), None),
    }
}

/// Who is Master after something has happened while `master` was.
fn after(nodes: &[Node<'_>; 2], master: Option<usize>, standings: [Standing; 2]) -> Verdict {
    let Some(holder) = master else { return elected(nodes, standings) };
    let other = 1 - holder;
    match (standings[holder], standings[other]) {
        (Standing::Fault, Standing::Fault) => (None, Some("both are in FAULT")),
        (Standing::Fault, _) => (Some(other), None),
        (Standing::Priority(own), Standing::Priority(rival)) if rival == own => {
            (Some(holder), Some("equal priorities: the MASTER stays"))
        }
        (Standing::Priority(own), Standing::Priority(rival)) if rival > own => {
            let preempts = nodes[other].instance.preempt || rival == 255;
            if preempts {
                (Some(other), None)
            } else {
                (Some(holder), Some("the other node does not preempt"))
            }
        }
        _ => (Some(holder), None),
    }
}

fn outcome(nodes: &[Node<'_>; 2], scenario: String, standings: [Standing; 2], verdict: Verdict) -> Outcome {
    let priorities = standings.map(|standing| match standing {
        Standing::Priority(priority) => Some(priority),
        Standing::Fault => None,
    });
    let (master, because) = verdict;
    Outcome { scenario, priorities, master: master.map(|side| nodes[side].name.clone()), because }
}

impl Linter<'_> {
    /// Weights of the Master that never hand over to the other node, though they are there for that.
    fn weights_with(&mut self, own: &Node<'_>, other: &Node<'_>, is_master: bool) {
        let healthy = state(other, |_| false);
        for (at, factor) in own.factors.iter().enumerate().filter(|_| is_master) {
            let Effect::Weight { up, down } = factor.effect else { continue };
            let Standing::Priority(lowered) = state(own, |down| down == at) else { continue };
            let Standing::Priority(rival) = healthy else { continue };
            let lowers = i32::from(up) - i32::from(down);
            if lowers <= 0 || rival == 255 || own.instance.priority == 255 {
                continue;
            }
            let what = &factor.what;
            let span = self.places.near(&factor.path);
            if lowered >= rival {
                let needed = i32::from(lowered) - i32::from(rival) + lowers + 1;
                let message = format!(
                    "{what} can never cause a failover: without it the priority is {lowered}, and {} has {rival}",
                    other.name
                );
                self.findings.error(span, message, format!("write a weight of -{needed} or less"));
            } else if !other.instance.preempt {
                let message = format!(
                    "{what} can never cause a failover: {} does not preempt, and lets a MASTER of lower priority be",
                    other.name
                );
                let help = "write weight 0, so that this node goes to FAULT and gives the addresses away";
                self.findings.error(span, message, help);
            }
        }
    }

    /// Weights that turn round what the priorities say while everything is well.
    fn outvoted(&mut self, index: usize, own: &Node<'_>, other: &Node<'_>, healthy: [Standing; 2]) {
        let [Standing::Priority(here), Standing::Priority(there)] = healthy else { return };
        let (base, other_base) = (own.instance.priority, other.instance.priority);
        if base.cmp(&other_base) != here.cmp(&there) {
            let span = self.places.near(&format!("instance[{index}].priority"));
            let message = format!(
                "while everything is well the weights decide, and not the priorities: {here} here, {there} on {}",
                other.name
            );
            self.findings.warn(span, message, "track the same with the same weights on both nodes");
        }
    }
}
