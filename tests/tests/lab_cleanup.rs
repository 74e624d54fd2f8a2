//! A lab leaves nothing behind, also when the process that made it is killed.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use vipd_tests::{Host, Lab, facts};

const SOON: Duration = Duration::from_mins(1);

/// Starts a lab in a process of its own; its hosts by name and first process.
fn start_lab() -> (Child, Vec<(String, u32)>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_hold-lab"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("hold-lab starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines().map(|line| line.expect("text"));
    let hosts: Vec<(String, u32)> = lines
        .take_while(|line| line != "ready")
        .map(|line| {
            let (name, pid) = line.split_once(' ').expect("name and pid");
            (name.to_owned(), pid.parse().expect("a pid"))
        })
        .collect();
    assert_eq!(hosts.len(), 4, "hold-lab failed");
    (child, hosts)
}

/// Lays a cable from `observer` into each namespace. A cable vanishes when the namespace at its other end does, and
/// that it does only after the last process and the last socket in it.
fn lay_cables(observer: &Host, hosts: &[(String, u32)]) {
    for (name, pid) in hosts {
        let (near, far) = (observer.init_pid().to_string(), pid.to_string());
        let laid = Command::new("ip")
            .args(["link", "add", "name", name, "netns", &near, "type", "veth", "peer", "name", "cable"])
            .args(["netns", &far])
            .status()
            .expect("ip runs");
        assert!(laid.success(), "no cable to {name}");
    }
}

fn links(observer: &Host) -> Vec<String> {
    let listed = observer.command("ip -o link show").expect("ip link");
    listed.lines().filter_map(|line| line.split(": ").nth(1)).map(str::to_owned).collect()
}

/// Ends a lab's process by `signal`, awaits that its networks and processes are gone, and returns where its files were.
fn end_lab(signal: Signal) -> PathBuf {
    let lab = Lab::new().expect("lab");
    let observer = lab.host("observer").expect("host");
    let (mut holder, hosts) = start_lab();
    lay_cables(&observer, &hosts);
    assert_eq!(links(&observer).len(), 1 + hosts.len());
    let files = std::env::temp_dir().join(format!("vipd-lab-{}-0", holder.id()));
    assert!(files.exists());

    kill(Pid::from_raw(holder.id().cast_signed()), signal).expect("signal");

    holder.wait().expect("its end");
    facts::wait_until(&observer, SOON, || Ok((links(&observer) == ["lo"]).then_some(())))
        .unwrap_or_else(|error| panic!("{error}: {:?} still there", links(&observer)));
    files
}

#[test]
fn a_killed_lab_takes_its_processes_and_networks_with_it_and_the_next_one_sweeps_its_files() {
    let files = end_lab(Signal::SIGKILL);

    drop(Lab::new().expect("lab"));
    assert!(!files.exists(), "{} was not swept", files.display());
}

#[test]
fn an_interrupted_lab_leaves_nothing_at_all() {
    let files = end_lab(Signal::SIGINT);

    assert!(!files.exists(), "{} is left", files.display());
}

#[test]
fn a_dropped_lab_takes_its_processes_and_networks_with_it() {
    // Arrange
    let lab = Lab::new().expect("lab");
    let observer = lab.host("observer").expect("host");
    let other = Lab::new().expect("a second lab");
    let host = other.host("host").expect("host");
    let sleeper = host.spawn("sleep", &["infinity"]).expect("sleep");
    lay_cables(&observer, &[("host".to_owned(), host.init_pid())]);

    // Act: the host goes first, so that it has to take the process along.
    drop(host);
    drop(other);

    // Assert
    sleeper.wait(SOON).expect("killed with its host");
    facts::wait_until(&observer, SOON, || Ok((links(&observer) == ["lo"]).then_some(())))
        .expect("network is gone");
}
