//! A lab: makes hosts and switches and plugs them together.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, bail};

use crate::dir::LabDir;
use crate::host::Host;
use crate::switch::{Port, Switch};

/// First interface index of switch ports. A veth whose peer has the same index in another namespace is taken by the
/// kernel's link watch for a plain device, and loss of carrier is then told up to a second late.
const FIRST_PORT_INDEX: u32 = 1000;

/// One set of hosts and switches. Any number of labs can exist at once, in one process and in several.
pub struct Lab {
    dir: Arc<LabDir>,
    ports: AtomicU32,
}

impl Lab {
    /// An empty lab.
    ///
    /// # Errors
    /// If the caller is not root, or the temporary directory cannot be written.
    pub fn new() -> Result<Self> {
        if !nix::unistd::geteuid().is_root() {
            bail!("a lab makes namespaces and network devices, which only root may do");
        }
        Ok(Self { dir: Arc::new(LabDir::create()?), ports: AtomicU32::new(0) })
    }

    /// Boots a host. Its name also names files and its switch ports, so it must be short, plain and its own.
    ///
    /// # Errors
    /// If the kernel lacks namespaces, overlay or tmpfs, or the name is taken.
    pub fn host(&self, name: &str) -> Result<Host> {
        let host = Host::boot(name, Arc::clone(&self.dir))?;
        // Addresses are usable at once and come only from the lab.
        host.sysctl("net/ipv6/conf/default/accept_dad", "0")?;
        host.sysctl("net/ipv6/conf/default/accept_ra", "0")?;
        Ok(host)
    }

    /// Boots a switch.
    ///
    /// # Errors
    /// As for [`Lab::host`], or if the kernel has no bridge.
    pub fn switch(&self, name: &str) -> Result<Switch> {
        Switch::boot(Host::boot(name, Arc::clone(&self.dir))?)
    }

    /// Plugs a new interface of a host, with an address such as `192.168.1.10/24`, into a switch.
    ///
    /// # Errors
    /// If the interface exists, or the address is none.
    pub fn connect(&self, host: &Host, interface: &str, address: &str, switch: &Switch) -> Result<Port> {
        let number = self.ports.fetch_add(1, Ordering::Relaxed);
        let port =
            if interface == "eth0" { host.name().to_owned() } else { format!("{}-{number}", host.name()) };
        // Only a process outside of both hosts sees the pids of both.
        let output = Command::new("ip")
            .args(["link", "add", "name", &port, "index", &(FIRST_PORT_INDEX + number).to_string()])
            .args(["netns", &switch.host().init_pid().to_string()])
            .args(["type", "veth", "peer", "name", interface])
            .args(["netns", &host.init_pid().to_string()])
            .output()
            .context("cannot run ip")?;
        if !output.status.success() {
            bail!("cable {}/{interface}: {}", host.name(), String::from_utf8_lossy(&output.stderr).trim());
        }
        switch.host().ip(&format!("link set {port} master {} up", Switch::BRIDGE))?;
        host.ip(&format!("link set {interface} up\naddress add {address} dev {interface}"))?;
        Port::new(switch.clone(), port)
    }
}
