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
    links: String,
    routes: String,
    rules: String,
    /// Those that an agent may set.
    parameters: String,
    qdiscs: String,
    programs: Vec<String>,
    /// Besides the host's first process, that one's `cat`, and the `ps` that looks; without what has ended, and whose end
    /// the host's first process has yet to take note of.
    processes: Vec<String>,
    pub(crate) files: String,
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
            links: host.command("ip -o link show")?,
            routes: ["-4", "-6"].map(|family| listed(host, family, "route show table all")).concat(),
            rules: ["-4", "-6"].map(|family| listed(host, family, "rule show")).concat(),
            parameters: ["arp_ignore", "arp_announce", "promote_secondaries"]
                .map(|name| host.read_file(&format!("/proc/sys/net/ipv4/conf/eth0/{name}")).expect("sysctl"))
                .concat(),
            qdiscs: host.command("tc qdisc show")?,
            programs: attached(host),
            processes: others.map(str::to_owned).collect(),
            files: host.command("find /run /sys/fs/bpf -not -path /run/mount*")?,
        })
    }
}

/// What `ip` lists, whatever its order.
fn listed(host: &Host, family: &str, what: &str) -> String {
    let listed = host.command(&format!("ip {family} {what}")).expect("ip");
    let mut lines: Vec<&str> = listed.lines().collect();
    lines.sort_unstable();
    lines.concat()
}
