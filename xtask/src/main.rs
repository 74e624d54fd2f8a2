//! `cargo xtask <verb>`: everything that one does with this repository beside editing it. One file per verb.

use anyhow::Result;
use clap::Parser;

mod bench;
mod build;
mod ci;
mod command;
mod demo;
mod setup;
mod test;
mod toolchain;

/// Builds, tests, demonstrates and measures vipd.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Verb {
    /// Install what building and testing need; does nothing where all is there.
    Setup,
    /// Build the kernel half, then the agent with it inside.
    Build(build::Options),
    /// Run every test, fast levels first; needs root for all but --fast.
    Test(test::Options),
    /// Show takeovers on this machine: a whole site in namespaces, crashed in the ways that a site crashes.
    Demo(demo::Options),
    /// Measure vipd beside Keepalived.
    Bench(bench::Options),
    /// Run what must pass before anything lands: formatting, lints, every test.
    Ci,
}

fn main() -> Result<()> {
    match Verb::parse() {
        Verb::Setup => setup::run(),
        Verb::Build(options) => build::run(&options),
        Verb::Test(options) => test::run(&options),
        Verb::Demo(options) => demo::run(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::Ci => ci::run(),
    }
}
