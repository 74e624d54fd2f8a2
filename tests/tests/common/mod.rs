//! What several tests look at.

use anyhow::Result;
use aya::programs::{SchedClassifier, TcAttachType};
use vipd_tests::Host;

/// The kinds of programs at a host's interface. The kernel is asked for tcx: bpftool of Debian 12 does not know it.
pub(crate) fn attached(host: &Host) -> Vec<String> {
    let net: serde_json::Value =
        serde_json::from_str(&host.command("bpftool -j net show").expect("bpftool")).expect("JSON");
    let xdp = net[0]["xdp"].as_array().is_some_and(|list| !list.is_empty());
    let tcx = host.run(|| SchedClassifier::query_tcx("eth0", TcAttachType::Ingress).expect("tcx"));
    let kinds = [("xdp", xdp), ("tcx", !tcx.1.is_empty())];
    kinds.into_iter().filter(|(_, there)| *there).map(|(kind, _)| kind.to_owned()).collect()
}

/// Everything that an agent can leave on a host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Traces {
    addresses: String,
    qdiscs: String,
    programs: Vec<String>,
    /// Besides the host's first process, that one's `cat`, and the `ps` that looks; without what has ended, and whose end
    /// the host's first process has yet to take note of.
    processes: Vec<String>,
    files: String,
}

impl Traces {
    /// Looks.
    pub(crate) fn of(host: &Host) -> Result<Self> {
        let processes = host.command("ps -A -o state=,comm=")?;
        let running =
            processes.lines().filter_map(|line| line.split_once(' ')).filter(|(state, _)| *state != "Z");
        let others = running.map(|(_, name)| name).filter(|name| !["sh", "cat", "ps"].contains(name));
        Ok(Self {
            addresses: host.command("ip -o address show")?,
            qdiscs: host.command("tc qdisc show")?,
            programs: attached(host),
            processes: others.map(str::to_owned).collect(),
            files: host.command("find /run /sys/fs/bpf -not -path /run/mount*")?,
        })
    }
}
