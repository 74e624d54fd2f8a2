//! `cargo xtask bench`: vipd beside Keepalived, by the clock.

mod failover;
mod report;
mod round;

use anyhow::Result;
use clap::{Args, Subcommand};

/// What is to be measured.
#[derive(Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// How long a takeover takes, and how far it is from what the protocol allows.
    Failover(failover::Options),
}

/// Runs a measurement.
///
/// # Errors
/// If the lab cannot be built, or a takeover did not come.
pub(crate) fn run(options: &Options) -> Result<()> {
    match &options.what {
        What::Failover(options) => failover::run(options),
    }
}
