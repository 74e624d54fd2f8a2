//! The processes of this host, read from /proc.

use std::fs;
use std::os::fd::{AsFd, OwnedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

use super::pattern::Pattern;
use crate::exec::open_process;

/// The process ids that there are.
pub(super) fn all() -> Vec<i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// A descriptor of a process that has this name (`/proc/PID/comm`).
pub(in crate::track) fn first_named(name: &str) -> Option<OwnedFd> {
    let pattern = Pattern::named(name);
    all()
        .into_iter()
        .find_map(|pid| matching(pid, std::slice::from_ref(&pattern)).map(|(process, _)| process))
}

/// A descriptor of a process, and which of the patterns it matches; `None` where it matches none, or is gone.
pub(super) fn matching(pid: i32, patterns: &[Pattern]) -> Option<(OwnedFd, Vec<bool>)> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    let name = name.strip_suffix('\n').unwrap_or(&name);
    let mut words = None;
    let mut matches = |pattern: &Pattern| {
        // The command line is read only for whom it matters: it lies in the memory of the process.
        pattern.matches(name, || words.get_or_insert_with(|| command_line(pid)).clone())
    };
    let matches: Vec<bool> = patterns.iter().map(&mut matches).collect();
    if !matches.contains(&true) {
        return None;
    }
    let process = open_process(Pid::from_raw(pid)).ok()?;
    // It has the number only while it lives: then what was read was its own, or that of one that ended a moment ago.
    let again = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    (again.trim_end_matches('\n') == name && is_alive(&process)).then_some((process, matches))
}

/// Whether a process lives: its descriptor becomes readable when it ends.
pub(in crate::track) fn is_alive(process: &OwnedFd) -> bool {
    let mut look = [PollFd::new(process.as_fd(), PollFlags::POLLIN)];
    poll(&mut look, PollTimeout::ZERO) == Ok(0)
}

fn command_line(pid: i32) -> Vec<String> {
    let octets = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = octets.strip_suffix(b"\0").unwrap_or(&octets);
    words.split(|octet| *octet == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_is_found_by_its_name_until_it_ends() {
        // A name of its own, so that nobody else's is found: the first 15 octets count.
        let dir = std::env::temp_dir().join(format!("vipd-list-{}", std::process::id()));
        fs::create_dir(&dir).expect("writable");
        let program = dir.join(format!("t{}-long-name", std::process::id()));
        fs::copy("/bin/cat", &program).expect("copied");
        let name = program.file_name().and_then(|name| name.to_str()).expect("plain").to_owned();
        assert!(first_named(&name).is_none());
        let mut child =
            Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
        // It answers only when it runs: its name is set a moment after `spawn` comes back.
        child.stdin.as_mut().expect("piped").write_all(b"?").expect("read");
        child.stdout.as_mut().expect("piped").read_exact(&mut [0]).expect("answered");

        let found = first_named(&name).expect("found");
        assert!(is_alive(&found));
        child.kill().expect("ours");
        // Not yet waited for: a zombie is not alive.
        let mut end = [PollFd::new(found.as_fd(), PollFlags::POLLIN)];
        assert_eq!(poll(&mut end, PollTimeout::from(u16::MAX)), Ok(1));
        assert!(!is_alive(&found) && first_named(&name).is_none());

        child.wait().expect("ours");
        fs::remove_dir_all(&dir).expect("ours");
    }
}
