//! Kernel parameters of this network namespace.

use std::fs;
use std::path::Path;

/// Whether a switch such as `net/ipv6/conf/eth0/forwarding` is on; one that is not there is off.
pub(crate) fn is_on(name: &str) -> bool {
    fs::read_to_string(Path::new("/proc/sys").join(name)).is_ok_and(|value| value.trim() != "0")
}
