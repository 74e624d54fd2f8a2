//! FRR's VRRP router on a host: zebra, vrrpd, and the macvlan with the virtual MAC that FRR expects to find.

use std::time::Duration;

use anyhow::Result;

use crate::guide::VRID;
use crate::host::Host;
use crate::lan::Family;
use crate::process::Process;
use crate::settings::Settings;

/// Where Debian puts FRR's programs, which are on nobody's path.
const PROGRAMS: &str = "/usr/lib/frr";
const START: Duration = Duration::from_secs(20);

/// zebra and vrrpd; both are killed on drop.
pub struct Frr {
    vrrpd: Process,
    _zebra: Process,
}

impl Frr {
    /// Starts FRR on a host, with these settings on `eth0`.
    ///
    /// # Errors
    /// If FRR is not installed or does not come up.
    pub fn start(host: &Host, settings: &Settings) -> Result<Self> {
        prepare(host, settings)?;
        host.write_file("/etc/frr/zebra.conf", "", 0o644)?;
        host.write_file("/etc/frr/vrrpd.conf", &settings.frr(), 0o644)?;
        let zebra = daemon(host, "zebra")?;
        zebra.wait_for_line("zebra 8", START)?;
        let vrrpd = daemon(host, "vrrpd")?;
        Ok(Self { vrrpd, _zebra: zebra })
    }

    /// The program that runs the protocol.
    #[must_use]
    pub fn vrrpd(&self) -> &Process {
        &self.vrrpd
    }
}

/// What FRR leaves to the operator: a macvlan that carries the virtual MAC and the virtual addresses, and a kernel that
/// answers ARP for an address on the interface that carries it only.
fn prepare(host: &Host, settings: &Settings) -> Result<()> {
    host.command("install -d -o frr -g frr /run/frr /etc/frr")?;
    for (parameter, value) in [("arp_ignore", "1"), ("arp_announce", "2"), ("rp_filter", "0")] {
        host.sysctl(&format!("net/ipv4/conf/all/{parameter}"), value)?;
    }
    let (device, family, prefix) = match settings.family() {
        Family::V4 => ("vrrp4", 1, 24),
        Family::V6 => ("vrrp6", 2, 64),
    };
    // A second start finds the device of the first.
    if host.command(&format!("ip link show {device}")).is_err() {
        host.ip(&format!(
            "link add {device} link eth0 address 00:00:5e:00:{family:02x}:{VRID:02x} type macvlan mode bridge"
        ))?;
        for ip in settings.addresses() {
            host.ip(&format!("address add {ip}/{prefix} dev {device}"))?;
        }
        host.ip(&format!("link set {device} up"))?;
    }
    Ok(())
}

fn daemon(host: &Host, name: &str) -> Result<Process> {
    let config = format!("/etc/frr/{name}.conf");
    // Port 0: no terminal service.
    host.spawn(format!("{PROGRAMS}/{name}"), &["-f", &config, "-P", "0", "--log", "stdout"])
}
