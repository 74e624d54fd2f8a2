//! Where and with what figures were taken: without that they say little.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::command::{output, workspace};

/// The machine, the programs, the call.
pub(super) struct Machine {
    cpu: String,
    memory_mib: u64,
    kernel: String,
    vipd: String,
    keepalived: String,
    date: String,
    call: String,
}

impl Machine {
    /// This one, now.
    pub(super) fn look() -> Self {
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
            value.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let memory = field("/proc/meminfo", "MemTotal");
        let kib: u64 = memory.split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
        let commit =
            output(Command::new("git").current_dir(workspace()).args(["describe", "--always", "--dirty"]));
        Self {
            cpu: format!("{cores} cores, {}", field("/proc/cpuinfo", "model name")),
            memory_mib: kib / 1024,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            vipd: commit.unwrap_or_default().trim().to_owned(),
            keepalived: keepalived(),
            date: output(Command::new("date").args(["-u", "+%F %R UTC"]))
                .unwrap_or_default()
                .trim()
                .to_owned(),
            call: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        }
    }

    /// A sentence each.
    pub(super) fn facts(&self) -> Vec<String> {
        vec![
            format!("cargo xtask {}, {}", self.call, self.date),
            format!("{}; {} MiB of memory; Linux {}", self.cpu, self.memory_mib, self.kernel),
            format!("vipd at commit {}; {}", self.vipd, self.keepalived),
            "Both nodes, the switch, the client and what loads or floods them are namespaces of this one machine and \
             share its cores."
                .to_owned(),
        ]
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "call": self.call,
            "date": self.date,
            "cpu": self.cpu,
            "memory_mib": self.memory_mib,
            "kernel": self.kernel,
            "vipd": self.vipd,
            "keepalived": self.keepalived,
        })
    }
}

/// Keepalived tells its version on standard error.
fn keepalived() -> String {
    let told = Command::new("keepalived").arg("--version").output();
    let told = told.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    told.lines().next().unwrap_or_default().to_owned()
}
