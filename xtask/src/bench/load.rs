//! What starves an agent: stress-ng, always with an end of its own, on a host of the lab that can be emptied at once.

use std::fmt::Write;
use std::fs;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::ValueEnum;
use vipd_tests::guide::Conf;
use vipd_tests::{Host, Process};

/// For stress-ng to start its workers, which may be slow because of what they do.
const START: Duration = Duration::from_secs(30);

/// A kind of load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Load {
    /// Nothing: what the others are compared with.
    Idle,
    /// Eight busy processes a core.
    Fair,
    /// Eight processes a core that do nothing but fork.
    Fork,
    /// Eight pairs of processes a core that hand each other a byte.
    Switch,
    /// A busy process a core with real-time priority 10.
    Fifo10,
    /// The same with priority 50, that of Keepalived's real-time setting here.
    Fifo50,
    /// 60 % of the free memory, mapped, written and unmapped again and again.
    Memory,
    /// Writers with and without sync.
    Disk,
    /// Lines of 128 octets to files, as fast as they go.
    Log,
    /// Two processes a core that have as many timer signals as they can.
    Timer,
    /// No load of others: each agent itself runs 200 scripts a second.
    Checks,
}

/// Scripts that each agent runs every second under [`Load::Checks`].
const CHECKS: usize = 200;

impl Load {
    pub(super) const ALL: [Self; 11] = [
        Self::Idle,
        Self::Fair,
        Self::Fork,
        Self::Switch,
        Self::Fifo10,
        Self::Fifo50,
        Self::Memory,
        Self::Disk,
        Self::Log,
        Self::Timer,
        Self::Checks,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Fair => "8 busy a core",
            Self::Fork => "8 forking a core",
            Self::Switch => "8 switching a core",
            Self::Fifo10 => "FIFO 10 a core",
            Self::Fifo50 => "FIFO 50 a core",
            Self::Memory => "60 % of memory",
            Self::Disk => "disk",
            Self::Log => "log lines",
            Self::Timer => "timers",
            Self::Checks => "200 scripts a second",
        }
    }

    /// True if it occupies cores, so that it matters on which one it is.
    pub(super) fn is_local(self) -> bool {
        !matches!(self, Self::Idle | Self::Memory | Self::Disk | Self::Log | Self::Checks)
    }

    /// Arguments for stress-ng on so many cores.
    fn arguments(self, cores: usize) -> String {
        let (eight, two) = (8 * cores, 2 * cores);
        match self {
            Self::Idle | Self::Checks => String::new(),
            Self::Fair => format!("--cpu {eight}"),
            Self::Fork => format!("--fork {eight}"),
            Self::Switch => format!("--switch {eight}"),
            Self::Fifo10 => format!("--cpu {cores} --sched fifo --sched-prio 10"),
            Self::Fifo50 => format!("--cpu {cores} --sched fifo --sched-prio 50"),
            Self::Memory => format!("--vm 2 --vm-bytes {}k", free_kib() * 6 / 10 / 2),
            Self::Disk => "--hdd 2 --hdd-bytes 256m --hdd-opts sync --iomix 2 --iomix-bytes 128m".to_owned(),
            Self::Log => "--hdd 4 --hdd-bytes 64m --hdd-write-size 128".to_owned(),
            Self::Timer => format!("--timer {two}"),
        }
    }

    /// What the agents are configured with under it.
    pub(super) fn conf(self, conf: Conf) -> Conf {
        if self != Self::Checks {
            return conf;
        }
        // Keepalived wants them before they are tracked.
        let (mut scripts, mut tracked) = (String::new(), String::new());
        for number in 0..CHECKS {
            let _ = writeln!(scripts, "vrrp_script s{number} {{\nscript /bin/true\ninterval 1\n}}");
            let _ = writeln!(tracked, "s{number}");
        }
        let instance = "vrrp_instance VI_1 {";
        conf.replace(instance, &format!("{scripts}{instance}\ntrack_script {{\n{tracked}}}"))
    }
}

/// stress-ng at work, until this is dropped.
pub(super) struct Hogs {
    host: Host,
    _process: Option<Process>,
}

impl Hogs {
    /// Starts a load on a host, on one core or on all. It ends by itself after `at_most`.
    pub(super) fn start(host: &Host, load: Load, core: Option<usize>, at_most: Duration) -> Result<Self> {
        if matches!(load, Load::Idle | Load::Checks) {
            return Ok(Self { host: host.clone(), _process: None });
        }
        let cores = if core.is_some() { 1 } else { available_parallelism().map_or(1, usize::from) };
        let bound = core.map_or_else(String::new, |core| format!("--taskset {core}"));
        let line = format!(
            "{} {bound} --timeout {}s --temp-path {}",
            load.arguments(cores),
            at_most.as_secs(),
            host.dir().display()
        );
        let words: Vec<&str> = line.split_whitespace().collect();
        let process = host.spawn("stress-ng", &words)?;
        process.wait_for_line("dispatching hogs", START).context("cargo xtask setup installs stress-ng")?;
        Ok(Self { host: host.clone(), _process: Some(process) })
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        // Workers have process groups of their own; with the host they go in any case.
        let _ = self.host.kill_everything();
    }
}

/// Memory that can be had without swapping.
fn free_kib() -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
