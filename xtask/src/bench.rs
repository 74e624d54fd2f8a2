//! `cargo xtask bench`: vipd beside Keepalived, by the clock.

mod answer;
mod axis;
mod contender;
mod cpu;
mod failover;
mod fleet;
mod flood;
mod hostile;
mod html;
mod kernel;
mod load;
mod machine;
mod plot;
mod report;
mod round;
mod scale;
mod setting;
mod spread;
mod starve;
mod steady;
mod table;
mod wire;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use vipd_tests::clean_up_when_interrupted;

use self::machine::Machine;
use self::report::Report;
use crate::build;

/// What is to be measured, and where figures go beside the terminal.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
    /// Also write every sample to this file
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,
    /// Also write a page with plots, which needs nothing else, to this file
    #[arg(long, value_name = "FILE", global = true)]
    html: Option<PathBuf>,
    /// Only as much as shows the shape, in minutes
    #[arg(long, global = true)]
    quick: bool,
}

#[derive(Subcommand)]
enum What {
    /// How long a takeover takes, and how far it is from what the protocol allows
    Failover(failover::Options),
    /// Who loses or takes an address only because it does not get to run
    Starve(starve::Options),
    /// What many virtual routers cost, and how fast all of them move
    Scale(scale::Options),
    /// What hostile frames do, as many as this machine can send
    Flood(flood::Options),
    /// Who answers for the virtual address when things go wrong
    Answer(answer::Options),
    /// What a frame costs in the kernel half
    Kernel(kernel::Options),
    /// All of them, with their defaults
    All,
}

type Bench<'a> = Box<dyn Fn(bool) -> Result<Report> + 'a>;

/// Runs a measurement, or all.
///
/// # Errors
/// If vipd or the lab cannot be built, or a takeover did not come.
pub(crate) fn run(options: &Options) -> Result<()> {
    build::for_lab(true)?;
    clean_up_when_interrupted()?;
    let benches: Vec<Bench> = match &options.what {
        What::Failover(options) => vec![Box::new(|quick| failover::run(options, quick))],
        What::Starve(options) => vec![Box::new(|quick| starve::run(options, quick))],
        What::Scale(options) => vec![Box::new(|quick| scale::run(options, quick))],
        What::Flood(options) => vec![Box::new(|quick| flood::run(options, quick))],
        What::Answer(options) => vec![Box::new(|quick| answer::run(options, quick))],
        What::Kernel(options) => vec![Box::new(|quick| kernel::run(options, quick))],
        What::All => vec![
            Box::new(|quick| failover::run(&failover::Options::default(), quick)),
            Box::new(|quick| starve::run(&starve::Options::default(), quick)),
            Box::new(|quick| scale::run(&scale::Options::default(), quick)),
            Box::new(|quick| flood::run(&flood::Options::default(), quick)),
            Box::new(|quick| answer::run(&answer::Options::default(), quick)),
            Box::new(|quick| kernel::run(&kernel::Options::default(), quick)),
        ],
    };
    let machine = Machine::look();
    let mut reports = Vec::new();
    for bench in benches {
        let report = bench(options.quick)?;
        table::print(&report);
        reports.push(report);
        // What was measured so far is kept, whatever becomes of the next one.
        options.write(&machine, &reports)?;
    }
    Ok(())
}

impl Options {
    fn write(&self, machine: &Machine, reports: &[Report]) -> Result<()> {
        if let Some(path) = &self.json {
            let benches: Vec<Value> = reports.iter().map(Report::json).collect();
            save(path, &format!("{:#}\n", json!({ "machine": machine.json(), "benches": benches })))?;
        }
        if let Some(path) = &self.html {
            save(path, &html::page(machine, reports))?;
        }
        Ok(())
    }
}

fn save(path: &Path, content: &str) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

/// In milliseconds.
fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

/// A span that may be negative, in nanoseconds, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "no span in a measurement comes near 2^52 ns, 52 days")]
fn signed_millis(nanos: i64) -> f64 {
    nanos as f64 / 1e6
}
