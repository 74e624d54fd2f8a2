//! What the priority and the state depend on beside adverts: health checks, files, processes, interfaces.

mod builtin;
mod guide;
mod interfaces;
mod load;
mod processes;
mod same;
mod scripts;
mod weights;

use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Pair, Running, Settings};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);

/// A virtual router with these blocks before it, and these lines in it. Scripts run as root.
fn conf(settings: Settings, blocks: &str, lines: &str) -> Conf {
    let instance = settings.line(lines).keepalived(Pair::vip(), &[]);
    let global = "global_defs {\nscript_user root\nenable_script_security\n}";
    Conf::from(format!("{global}\n{blocks}\n{}", instance.text()))
}

/// A health check: a file is there.
fn exists(name: &str, path: &str, more: &str) -> String {
    format!("vrrp_script {name} {{\nscript \"/usr/bin/test -e {path}\"\ninterval 0.1\n{more}\n}}\n")
}

/// Awaits a change of the effective priority.
fn wait_for_priority(node: &Running, priority: u8) {
    let line = format!("to {priority}:");
    node.process().wait_for_line(&line, SOON).expect("the priority changes");
}
