//! `cargo xtask test`: every level, fast ones first.

use anyhow::{Result, ensure};

use crate::{build, command, setup};

/// What to test.
#[derive(Default, clap::Args)]
pub(crate) struct Options {
    /// Only what needs no root: the parsers, the election, the configuration
    #[arg(long)]
    fast: bool,
}

/// Levels that need no root, in their order.
const FAST: [&str; 4] = ["vipd-common", "vipd-core", "vipd", "xtask"];
/// Tests of the whole that need no root either: the ledger of rules against the sources, and `vipd check`.
const FAST_TESTS: [&str; 2] = ["ledger", "refused"];
/// The lab's tests at once: each is a few machines on the two cores of a small host.
const LABS_AT_ONCE: &str = "2";
/// Those that mostly wait, by their modules: with routers that others wrote, for intervals of 1 s and for silence; with the
/// guide's own files, for its checks.
const WAITING: [&str; 2] = ["peers::", "six::"];
const WAITING_AT_ONCE: &str = "8";

/// Sets up, builds, and runs the tests.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure!(
        options.fast || nix::unistd::geteuid().is_root(),
        "programs are loaded and namespaces made: run this as root, or with --fast"
    );
    setup::run()?;
    build::run(&build::Options::default())?;
    for package in FAST {
        println!("== {package}");
        command::run(command::cargo().args(["test", "--package", package]))?;
    }
    for test in FAST_TESTS {
        command::run(command::cargo().args(["test", "--package", "vipd-tests", "--test", test]))?;
    }
    if !options.fast {
        println!("== vipd-tests");
        let lab = ["test", "--package", "vipd-tests"];
        let skipped = WAITING.iter().flat_map(|module| ["--skip", module]);
        let most = ["--", "--test-threads", LABS_AT_ONCE].into_iter().chain(skipped);
        command::run(command::cargo().args(lab).args(most))?;
        let waiting = ["--test", "interop", "--test", "guide", "--", "--test-threads", WAITING_AT_ONCE];
        command::run(command::cargo().args(lab).args(waiting).args(WAITING))?;
    }
    Ok(())
}
