//! The compiler for the kernel half: one that has `core` for `bpfel-unknown-none`, and the linker for its LLVM.
//!
//! Either rustup's nightly with the component rust-src, which builds `core` itself, or Debian's compiler for web
//! pages, `rustc-web`, which has it ready-made in `libstd-rust-web-dev-bpf`. The compiler of user space cannot serve:
//! stable Rust ships no `core` for this target.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;

/// The target of the kernel half.
pub(crate) const TARGET: &str = "bpfel-unknown-none";
/// Where Debian's compiler keeps its programs.
const DEBIAN: &str = "/usr/bin";

/// A way to build the kernel half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// rustup's nightly, which builds `core` from rust-src.
    Nightly,
    /// Debian's `rustc-web`, with `core` ready-made.
    Debian,
}

impl Toolchain {
    /// The first that this machine has.
    pub(crate) fn find() -> Option<Self> {
        [Self::Nightly, Self::Debian].into_iter().find(|toolchain| toolchain.present())
    }

    fn present(self) -> bool {
        let sysroot = command::output(self.rustc().args(["--print", "sysroot"]));
        let Some(sysroot) = sysroot.map(|text| PathBuf::from(text.trim())) else { return false };
        let core = match self {
            Self::Nightly => sysroot.join("lib/rustlib/src/rust/library/core"),
            Self::Debian => sysroot.join("lib/rustlib").join(TARGET).join("lib"),
        };
        core.is_dir()
    }

    fn rustc(self) -> Command {
        let mut command = match self {
            Self::Nightly => {
                let mut rustup = Command::new("rustup");
                rustup.args(["run", "nightly", "rustc"]);
                rustup
            }
            Self::Debian => Command::new(Path::new(DEBIAN).join("rustc")),
        };
        forget_outer_cargo(&mut command);
        command
    }

    /// This toolchain's `cargo build`, without package and profile.
    pub(crate) fn cargo_build(self) -> Command {
        let mut command = match self {
            Self::Nightly => {
                let mut rustup = Command::new("rustup");
                rustup.args(["run", "nightly", "cargo", "build", "-Zbuild-std=core"]);
                rustup
            }
            Self::Debian => {
                let mut cargo = Command::new(Path::new(DEBIAN).join("cargo"));
                cargo.arg("build");
                cargo
            }
        };
        forget_outer_cargo(&mut command);
        if self == Self::Debian {
            // aya-ebpf names its assembler dialect, which is still a feature of nightly compilers.
            command.env("RUSTC", Path::new(DEBIAN).join("rustc")).env("RUSTC_BOOTSTRAP", "aya_ebpf");
        }
        if let Some(linker) = command::find("bpf-linker") {
            command.env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", linker);
        }
        command.args(["--target", TARGET]).current_dir(command::workspace());
        command
    }
}

/// Takes away what the cargo around this program tells its children: it names another compiler. What says where
/// crates come from and where cargo keeps its files stays.
fn forget_outer_cargo(command: &mut Command) {
    const KEPT: [&str; 6] =
        ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTR", "CARGO_SOURCE_", "CARGO_TERM_"];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let told = ["CARGO", "RUSTC", "RUSTFLAGS", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"];
        let kept = KEPT.iter().any(|prefix| text.starts_with(prefix));
        if told.iter().any(|prefix| text.starts_with(prefix)) && !kept {
            command.env_remove(&name);
        }
    }
}
