//! Puts the kernel half where the agent can embed it.

use std::path::{Path, PathBuf};
use std::{env, fs};

/// Names the object of the kernel half, for those who build it elsewhere.
const OBJECT: &str = "VIPD_EBPF_OBJECT";

fn main() {
    println!("cargo::rerun-if-env-changed={OBJECT}");
    let object = env::var_os(OBJECT).map_or_else(built_here, PathBuf::from);
    println!("cargo::rerun-if-changed={}", object.display());
    let embedded = Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("vipd-ebpf.o");
    if let Err(error) = fs::copy(&object, embedded) {
        println!(
            "cargo::error=the kernel half of vipd is missing ({}: {error}); `cargo xtask build` builds it and then the agent",
            object.display()
        );
    }
}

/// Where `cargo xtask build` leaves it.
fn built_here() -> PathBuf {
    let package = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    Path::new(&package).join("../target/bpf/bpfel-unknown-none/ebpf/vipd-ebpf")
}
