//! `cargo xtask <verb>`: everything that one does with this repository beside editing it. One file per verb.

use anyhow::Result;
use clap::Parser;

mod bench;
mod demo;

/// Builds, tests, demonstrates and measures vipd.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Verb {
    /// Show takeovers on this machine: a whole site in namespaces, crashed in the ways that a site crashes.
    Demo(demo::Options),
    /// Measure vipd beside Keepalived.
    Bench(bench::Options),
}

fn main() -> Result<()> {
    match Verb::parse() {
        Verb::Demo(options) => demo::run(&options),
        Verb::Bench(options) => bench::run(&options),
    }
}
