//! `cargo xtask setup`: installs what building and testing need, on Debian and its relatives.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;
use crate::toolchain::Toolchain;

/// Debian's compiler with `core` for the kernel's target, and the LLVM that its linker is built with.
const COMPILER: [&str; 4] = ["rustc-web", "cargo-web", "libstd-rust-web-dev-bpf", LLVM_PACKAGE];
const LLVM_PACKAGE: &str = "llvm-22-dev";
const LLVM_PREFIX: &str = "/usr/lib/llvm-22";
/// Newest that was tried; its LLVM must be that of the compiler.
const LINKER: [&str; 6] =
    ["bpf-linker", "--version", "0.13.0", "--no-default-features", "--features", "llvm-22"];
/// What the lab runs: peers, load balancers and instruments.
const LAB: [&str; 20] = [
    "keepalived",
    "frr",
    "haproxy",
    "nginx-light",
    "radvd",
    "tshark",
    "tcpdump",
    "iproute2",
    "procps",
    "psmisc",
    "curl",
    "openssl",
    "python3-aiosmtpd",
    "python3-jinja2",
    "python3-jsonschema",
    "iputils-arping",
    "iputils-ping",
    "socat",
    "bpftool",
    "stress-ng",
];
/// Services that come with packages of the lab. The lab starts its own copies in its own namespaces; on the machine
/// itself none may run because of us.
const SERVICES: [(&str, &str); 5] = [
    ("keepalived", "keepalived"),
    ("frr", "frr"),
    ("haproxy", "haproxy"),
    ("nginx-light", "nginx"),
    ("radvd", "radvd"),
];

/// Installs what is missing; an error if something cannot be installed.
pub(crate) fn run() -> Result<()> {
    // With a compiler of the user's own, Debian's is not needed.
    let compiler: &[&str] = if Toolchain::find() == Some(Toolchain::Nightly) { &[] } else { &COMPILER };
    let wanted: Vec<&str> = compiler.iter().chain(&LAB).copied().collect();
    let missing = missing_packages(&wanted)?;
    if missing.is_empty() {
        println!("setup: all {} packages are installed", wanted.len());
    } else {
        install(&missing)?;
        stop_services(&missing)?;
    }
    install_linker()
}

/// Those of `wanted` that dpkg does not have in order.
fn missing_packages(wanted: &[&'static str]) -> Result<Vec<&'static str>> {
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${db:Status-Abbrev} ${Package}\n"])
        .args(wanted)
        .output()
        .with_context(|| format!("this is no Debian; please install by hand: {}", wanted.join(" ")))?;
    let listing = String::from_utf8_lossy(&output.stdout);
    let installed: Vec<&str> =
        listing.lines().filter_map(|line| line.strip_prefix("ii ")).map(str::trim).collect();
    Ok(wanted.iter().filter(|package| !installed.contains(package)).copied().collect())
}

fn install(missing: &[&str]) -> Result<()> {
    println!("setup: installing {}", missing.join(" "));
    let simulated = as_root("apt-get").args(["install", "--simulate", "--quiet=2"]).args(missing).output();
    if !simulated.is_ok_and(|output| output.status.success()) {
        println!("setup: apt does not know all of them yet, so its lists are brought up to date first");
        command::run(as_root("apt-get").args(["update", "--quiet"]))?;
    }
    command::run(
        as_root("apt-get").args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(missing),
    )
    .context("apt could not install all packages; Debian 12 with its updates has them")
}

/// Packages of Debian start what they bring. Only services that came just now are stopped: one that was there before
/// is somebody's.
fn stop_services(installed: &[&str]) -> Result<()> {
    let systemd = Path::new("/run/systemd/system").is_dir();
    for (_, service) in SERVICES.iter().filter(|(package, _)| installed.contains(package)) {
        println!("setup: stopping the service {service}, which its package has started");
        if systemd {
            command::run(as_root("systemctl").args(["disable", "--quiet", "--now", service]))?;
        } else {
            command::run(as_root("service").args([service, "stop"]))?;
        }
    }
    Ok(())
}

fn install_linker() -> Result<()> {
    if let Some(linker) = command::find("bpf-linker") {
        println!("setup: bpf-linker is {}", linker.display());
        return Ok(());
    }
    if !Path::new(LLVM_PREFIX).is_dir() {
        bail!(
            "bpf-linker is missing; install the one that fits your nightly compiler's LLVM (cargo install bpf-linker)"
        );
    }
    println!("setup: building bpf-linker, about a minute");
    command::run(command::cargo().arg("install").args(LINKER).env("LLVM_PREFIX", LLVM_PREFIX))
}

/// A command run as root, by sudo where this user is another.
fn as_root(program: &str) -> Command {
    const QUIET: &str = "DEBIAN_FRONTEND=noninteractive";
    let root = command::output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let mut command = Command::new(if root { "env" } else { "sudo" });
    if !root {
        command.arg("env");
    }
    command.args([QUIET, program]);
    command
}
