//! Kernel parameters of this network namespace.

use std::fs;
use std::path::Path;

/// The value of a parameter such as `net/ipv6/conf/eth0/forwarding`; `None` where there is none.
pub(crate) fn read(name: &str) -> Option<String> {
    Some(fs::read_to_string(Path::new("/proc/sys").join(name)).ok()?.trim().to_owned())
}
