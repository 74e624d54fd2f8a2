//! The agents that can hold the virtual address: vipd, and Keepalived beside it.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::guide::{self, Conf};
use crate::host::Host;
use crate::process::{Line, Process};
use crate::procs;

/// Where vipd on a host has its run-time files.
const RUN_DIR: &str = "/run/vipd";

/// How vipd is told to receive adverts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Datapath {
    /// The best there is.
    #[default]
    Auto,
    /// XDP in the driver.
    XdpNative,
    /// XDP in the stack.
    XdpGeneric,
    /// A tcx classifier.
    Tcx,
    /// A packet socket.
    Socket,
}

impl Datapath {
    /// Its name on vipd's command line and in its status.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::XdpNative => "xdp-native",
            Self::XdpGeneric => "xdp-generic",
            Self::Tcx => "tcx",
            Self::Socket => "socket",
        }
    }
}

/// A kind of agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agent {
    /// vipd, with this way to receive.
    Vipd(Datapath),
    /// Keepalived's VRRP half, as installed.
    Keepalived,
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vipd(Datapath::Auto) => f.write_str("vipd"),
            Self::Vipd(datapath) => write!(f, "vipd ({})", datapath.name()),
            Self::Keepalived => f.write_str("keepalived"),
        }
    }
}

impl Agent {
    /// Installs the configuration on a host and starts the agent there.
    ///
    /// # Errors
    /// If the program is missing or cannot be started.
    pub fn start(self, host: &Host, conf: &Conf) -> Result<Running> {
        match self {
            Self::Vipd(datapath) => start_vipd_by(&[&vipd_binary()?.to_string_lossy()], host, conf, datapath),
            Self::Keepalived => {
                conf.install(host)?;
                let pids = ["-p", "/run/keepalived.pid", "-r", "/run/vrrp.pid"];
                let own = ["-n", "-l", "-D", "-P", "-f", guide::PATH];
                let process = host.spawn("keepalived", &[own.as_slice(), &pids].concat())?;
                Ok(Running { host: host.clone(), process })
            }
        }
    }
}

/// As [`Agent::start`], for a vipd that tells of every result of a check (`--log-level debug`).
///
/// # Errors
/// As [`Agent::start`].
pub fn start_talkative_vipd(host: &Host, conf: &Conf) -> Result<Running> {
    let vipd = vipd_binary()?;
    let command = ["sh", "-c", "exec \"$0\" \"$@\" --log-level debug", &vipd.to_string_lossy()];
    start_vipd_by(&command, host, conf, Datapath::Auto)
}

/// Installs the configuration on a host and starts vipd there by a command line to which vipd's own arguments are added:
/// a program around vipd, or one that takes rights from it.
///
/// # Errors
/// If the program is missing or cannot be started.
///
/// # Panics
/// If the command line is empty.
pub fn start_vipd_by(command: &[&str], host: &Host, conf: &Conf, datapath: Datapath) -> Result<Running> {
    conf.install(host)?;
    let own = ["run", "--config", guide::PATH, "--run-dir", RUN_DIR, "--datapath", datapath.name()];
    let (program, given) = command.split_first().expect("a program");
    let process = host.spawn(program, &[given, &own].concat())?;
    Ok(Running { host: host.clone(), process })
}

/// An agent at work on a host; killed on drop.
pub struct Running {
    host: Host,
    process: Process,
}

impl Running {
    /// Its process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Its processes, the one that was started first.
    #[must_use]
    pub fn processes(&self) -> Vec<i32> {
        procs::tree(self.process.pid())
    }

    /// Freezes all of its processes (SIGSTOP).
    ///
    /// # Errors
    /// If it has ended already.
    pub fn freeze(&self) -> Result<()> {
        self.signal_all(Signal::SIGSTOP)
    }

    /// Lets all of its processes run again (SIGCONT).
    ///
    /// # Errors
    /// If it has ended already.
    pub fn thaw(&self) -> Result<()> {
        self.signal_all(Signal::SIGCONT)
    }

    /// Kills all of its processes (SIGKILL), so fast that none can do anything about it. Does not await the end.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn kill_all(&self) -> Result<()> {
        // Frozen first: one that sees another die could still act.
        self.freeze()?;
        self.signal_all(Signal::SIGKILL)
    }

    /// Ends what still runs of it, in good order: of a vipd that is killed with its warden the lease stays in the kernel, and
    /// silences whoever serves there next.
    ///
    /// # Errors
    /// If it takes longer than `within`.
    pub fn put_down(&self, within: Duration) -> Result<()> {
        let doomed = self.processes();
        if self.process.is_running() {
            self.process.stop()?;
        }
        procs::wait_for_end(&doomed, within)
    }

    fn signal_all(&self, signal: Signal) -> Result<()> {
        let first = self.process.pid();
        let others = self.processes().into_iter().filter(|pid| *pid != first);
        for pid in others {
            match kill(Pid::from_raw(pid), signal) {
                // It has ended by itself.
                Ok(()) | Err(Errno::ESRCH) => {}
                Err(error) => return Err(error).context("signal"),
            }
        }
        self.process.signal(signal)
    }

    /// Awaits the next log line that tells of a change to `state`, such as `MASTER`.
    ///
    /// # Errors
    /// If it does not come `within` this time.
    pub fn wait_for_state(&self, state: &str, within: Duration) -> Result<Line> {
        self.process.wait_for_line(&format!("(VI_1) Entering {state} STATE"), within)
    }

    /// What `vipd status` says to people; only vipd has it.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub fn status_table(&self) -> Result<String> {
        self.host.command(&format!("{} status --run-dir {RUN_DIR}", vipd_binary()?.display()))
    }

    /// What `vipd status --json` says; only vipd has it.
    ///
    /// # Errors
    /// If the agent does not answer.
    pub fn status(&self) -> Result<Value> {
        let answer =
            self.host.command(&format!("{} status --run-dir {RUN_DIR} --json", vipd_binary()?.display()))?;
        serde_json::from_str(&answer).with_context(|| format!("status is not JSON: {answer}"))
    }

    /// Has vipd read its configuration anew, and returns when that is done: `vipd reload`.
    ///
    /// # Errors
    /// If it is refused; the error carries why.
    pub fn reload(&self) -> Result<String> {
        self.host.command(&format!("{} reload --run-dir {RUN_DIR}", vipd_binary()?.display()))
    }

    /// Files that the agent has in its directory for run-time files.
    ///
    /// # Errors
    /// If the directory cannot be listed.
    pub fn run_files(&self) -> Result<Vec<String>> {
        // The agent may have removed the directory itself.
        let listed = self.host.command("find /run -path /run/vipd*")?;
        Ok(listed.lines().map(str::to_owned).collect())
    }
}

static VIPD: OnceLock<PathBuf> = OnceLock::new();

/// Has the lab start this vipd from now on. The first call counts.
pub fn use_vipd(binary: PathBuf) {
    VIPD.get_or_init(|| binary);
}

/// vipd with an allocator that counts and a way to make it panic: `examples/instrumented-vipd.rs`.
///
/// # Errors
/// If it was not built; `cargo test` does so, unless it is told which tests to build.
pub fn instrumented_vipd() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own.ancestors().skip(1).take(2).map(|dir| dir.join("examples/instrumented-vipd"));
    let Some(found) = found.into_iter().find(|path| path.is_file()) else {
        bail!("no instrumented-vipd: cargo build --package vipd-tests --example instrumented-vipd");
    };
    Ok(found)
}

/// vipd's binary: the one named to [`use_vipd`] or by `VIPD_BIN`, else the one that cargo put beside the program that
/// asks.
///
/// # Errors
/// If it is not there.
pub fn vipd_binary() -> Result<PathBuf> {
    if let Some(path) = VIPD.get() {
        return Ok(path.clone());
    }
    if let Some(path) = std::env::var_os("VIPD_BIN") {
        return Ok(PathBuf::from(path));
    }
    let own = std::env::current_exe()?;
    // Tests lie one directory deeper than binaries.
    let found = own.ancestors().skip(1).take(2).map(|dir| dir.join("vipd")).find(|path| path.is_file());
    let Some(found) = found else {
        bail!("no vipd beside {}: build it first, or name it in VIPD_BIN", own.display());
    };
    Ok(found)
}
