//! `cargo xtask build`: the kernel half, then the agent with it inside.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::command;
use crate::toolchain::Toolchain;

/// What to build, and how.
#[derive(clap::Args, Default)]
pub(crate) struct Options {
    /// Optimise the agent (the kernel half always is)
    #[arg(long)]
    pub(crate) release: bool,
    /// Build only the kernel half
    #[arg(long)]
    pub(crate) kernel_only: bool,
    /// Let the kernel half tell what it does, one line per VRRP or ARP frame: for debugging only
    #[arg(long)]
    pub(crate) kernel_log: bool,
}

/// Builds; cargo skips what has not changed.
pub(crate) fn run(options: &Options) -> Result<()> {
    kernel(options)?;
    if options.kernel_only {
        return Ok(());
    }
    let mut cargo = command::cargo();
    cargo.args(["build", "--package", "vipd"]);
    if options.release {
        cargo.arg("--release");
    }
    if options.kernel_log {
        cargo.args(["--features", "kernel-log"]);
    }
    command::run(&mut cargo)
}

/// Builds the agent for the lab to start, unless `VIPD_BIN` names one.
pub(crate) fn for_lab(release: bool) -> Result<()> {
    if std::env::var_os("VIPD_BIN").is_some() {
        return Ok(());
    }
    run(&Options { release, ..Options::default() })?;
    let profile = if release { "release" } else { "debug" };
    vipd_tests::use_vipd(command::workspace().join("target").join(profile).join("vipd"));
    Ok(())
}

/// Builds vipd in a program that panics when it is told to, and tells where it is.
pub(crate) fn fragile_vipd() -> Result<PathBuf> {
    let example =
        ["build", "--quiet", "--release", "--package", "vipd-tests", "--example", "instrumented-vipd"];
    command::run(command::cargo().args(example))?;
    Ok(command::workspace().join("target/release/examples/instrumented-vipd"))
}

fn kernel(options: &Options) -> Result<()> {
    let toolchain = Toolchain::find()
        .context("no compiler for the kernel half was found; `cargo xtask setup` installs one")?;
    command::find("bpf-linker").context("bpf-linker was not found; `cargo xtask setup` installs it")?;
    let mut cargo = toolchain.cargo_build();
    cargo.args(["--package", "vipd-ebpf", "--profile", "ebpf"]);
    cargo.arg("--target-dir").arg(command::workspace().join("target/bpf"));
    if options.kernel_log {
        cargo.args(["--features", "log"]);
    }
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags());
    command::run(&mut cargo)
}

/// Packets are read by whole words wherever these lie.
const MISALIGNED: &str = "-Clink-arg=--cpu-features=+allows-misaligned-mem-access";

/// Flags of the kernel half: aya-ebpf wants to know the machine, the verifier's messages and typed maps need BTF, which
/// the linker makes from debug information.
fn flags() -> OsString {
    let machine = format!("--cfg=bpf_target_arch=\"{}\"", std::env::consts::ARCH);
    [machine.as_str(), "-Cdebuginfo=2", "-Clink-arg=--btf", MISALIGNED].join("\u{1f}").into()
}
