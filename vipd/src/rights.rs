//! The rights that an agent needs.

use std::fs;

/// Rights without which nothing works, with their bit in the kernel's set (capabilities(7)).
const NEEDED: [(&str, u32, &str); 2] = [
    ("CAP_NET_ADMIN", 12, "to put addresses on interfaces"),
    ("CAP_NET_RAW", 13, "to send and receive adverts"),
];

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

fn missing(effective: u64) -> Vec<String> {
    let lacks = |(_, bit, _): &&(&str, u32, &str)| effective >> bit & 1 == 0;
    NEEDED.iter().filter(lacks).map(|(name, _, why)| format!("{name} ({why})")).collect()
}

/// The effective set of this process; all of it where /proc does not tell, so that the kernel decides.
fn effective() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).unwrap_or(u64::MAX)
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
