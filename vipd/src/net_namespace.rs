//! The network namespace that an agent runs in (`net_namespace`).

use std::fs::File;

use anyhow::Context;
use nix::sched::{CloneFlags, setns};

/// Where `ip netns` keeps namespaces by name.
const DIR: &str = "/run/netns";

/// Enters the network namespace of this name: this thread, and all threads and processes that it starts from now on.
///
/// # Errors
/// A sentence that names what is missing.
pub(crate) fn enter(name: &str) -> anyhow::Result<()> {
    let path = format!("{DIR}/{name}");
    let namespace = File::open(&path).with_context(|| {
        format!("cannot open {path}: make it by `ip netns add {name}`, or mend `net_namespace`")
    })?;
    setns(namespace, CloneFlags::CLONE_NEWNET)
        .with_context(|| format!("cannot enter {path} (`net_namespace`); that takes CAP_SYS_ADMIN"))
}
