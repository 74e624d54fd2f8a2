//! `cargo xtask ci`: what must pass before anything lands.

use anyhow::Result;

use crate::{build, command, setup, test};

/// Formatting, lints, then every test.
pub(crate) fn run() -> Result<()> {
    setup::run()?;
    build::run(&build::Options::default())?;
    command::run(command::cargo().args(["fmt", "--all", "--check"]))?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    command::run(command::cargo().args(clippy))?;
    test::run(&test::Options::default())
}
