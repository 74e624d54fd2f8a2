//! The rights that an agent needs, and those that it does better with.

use std::fs;

/// A right, by its bit in the kernel's set (capabilities(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// `CAP_NET_ADMIN`
    NetAdmin = 12,
    /// `CAP_NET_RAW`
    NetRaw = 13,
    /// `CAP_IPC_LOCK`
    IpcLock = 14,
    /// `CAP_SYS_ADMIN`, which includes the following two
    SysAdmin = 21,
    /// `CAP_SYS_NICE`
    SysNice = 23,
    /// `CAP_PERFMON`
    Perfmon = 38,
    /// `CAP_BPF`
    Bpf = 39,
}

/// Rights without which nothing works.
const NEEDED: [(&str, Right, &str); 2] = [
    ("CAP_NET_ADMIN", Right::NetAdmin, "to put addresses on interfaces"),
    ("CAP_NET_RAW", Right::NetRaw, "to send and receive adverts"),
];

/// Whether this process has a right; true where the kernel does not tell, so that it decides itself.
pub(crate) fn has(right: Right) -> bool {
    holds(effective(), right)
}

/// Checks that this process has the rights that every agent needs.
///
/// # Errors
/// A sentence that names what is missing.
pub(crate) fn check() -> anyhow::Result<()> {
    let missing = missing(effective());
    if missing.is_empty() {
        return Ok(());
    }
    anyhow::bail!(
        "this process lacks {}; start vipd as root, or give it these capabilities",
        missing.join(" and ")
    )
}

/// The rights for the kernel half that are missing, as a sentence. Without `CAP_PERFMON` the verifier forbids the
/// arithmetic with pointers that reading a packet takes.
pub(crate) fn missing_for_kernel() -> Option<String> {
    let named = [("CAP_BPF", Right::Bpf), ("CAP_PERFMON", Right::Perfmon)];
    let missing: Vec<&str> =
        named.into_iter().filter(|(_, right)| !has(*right)).map(|(name, _)| name).collect();
    let (false, false) = (missing.is_empty(), has(Right::SysAdmin)) else { return None };
    Some(format!("{} {} missing", missing.join(" and "), if missing.len() == 1 { "is" } else { "are" }))
}

fn missing(effective: u64) -> Vec<String> {
    let lacks = |(_, right, _): &&(&str, Right, &str)| !holds(effective, *right);
    NEEDED.iter().filter(lacks).map(|(name, _, why)| format!("{name} ({why})")).collect()
}

fn holds(effective: u64, right: Right) -> bool {
    effective >> right as u32 & 1 != 0
}

/// The effective set of this process; all of it where /proc does not tell, so that the kernel decides.
fn effective() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(u64::MAX)
}

/// Whether a test that needs root cannot be made; says so.
#[cfg(test)]
pub(crate) fn needs_root() -> bool {
    let missing = !nix::unistd::geteuid().is_root();
    if missing {
        println!("skipped: this needs root");
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_is_named_with_what_it_is_for() {
        let cases = [(u64::MAX, 0), (0, 2), (1 << 12, 1), (1 << 13, 1)];
        for (effective, count) in cases {
            assert_eq!(missing(effective).len(), count, "{effective:#x}");
        }
        assert_eq!(missing(1 << 12), ["CAP_NET_RAW (to send and receive adverts)"]);
    }
}
