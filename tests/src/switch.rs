//! A switch: a host with a bridge. Its ports are where faults are made.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::host::Host;

/// A learning switch without spanning tree and without multicast snooping. Clones are handles to the same switch.
#[derive(Clone)]
pub struct Switch {
    host: Host,
}

impl Switch {
    /// Name of the bridge device.
    pub(crate) const BRIDGE: &'static str = "bridge";
    /// Name of the one on the far side of a split.
    const FAR: &'static str = "far";

    pub(crate) fn boot(host: Host) -> Result<Self> {
        host.sysctl("net/ipv6/conf/default/disable_ipv6", "1")?;
        host.ip(&format!(
            "link add {0} type bridge stp_state 0 mcast_snooping 0 forward_delay 0\nlink set {0} up",
            Self::BRIDGE
        ))?;
        Ok(Self { host })
    }

    /// The machine below.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Puts ports on the far side of a split: they still reach each other, and nobody else. Carrier stays everywhere.
    ///
    /// # Errors
    /// If a port is gone.
    pub fn split(&self, ports: &[&Port]) -> Result<()> {
        if self.host.command(&format!("ip link show {}", Self::FAR)).is_err() {
            self.host.ip(&format!(
                "link add {0} type bridge stp_state 0 mcast_snooping 0 forward_delay 0\nlink set {0} up",
                Self::FAR
            ))?;
        }
        self.plug(ports, Self::FAR)
    }

    /// Takes ports back from the far side of a split.
    ///
    /// # Errors
    /// If a port is gone.
    pub fn join(&self, ports: &[&Port]) -> Result<()> {
        self.plug(ports, Self::BRIDGE)
    }

    fn plug(&self, ports: &[&Port], bridge: &str) -> Result<()> {
        ports.iter().try_for_each(|port| self.host.ip(&format!("link set {} master {bridge}", port.name)))
    }

    /// The port behind which the bridge has learned a MAC address, such as `02:00:00:00:00:01`.
    ///
    /// # Errors
    /// If `bridge` cannot be run.
    pub fn port_of(&self, mac: &str) -> Result<Option<String>> {
        let table: Value = serde_json::from_str(&self.host.command("bridge -j fdb show dynamic")?)?;
        let entries = table.as_array().context("bridge fdb: not a list")?;
        let entry = entries.iter().find(|entry| entry["mac"] == mac && entry["master"] == Self::BRIDGE);
        Ok(entry.and_then(|entry| entry["ifname"].as_str()).map(str::to_owned))
    }
}

/// The switch's end of a cable, and the faults that can be made there.
pub struct Port {
    switch: Switch,
    name: String,
    index: u32,
}

impl Port {
    pub(crate) fn new(switch: Switch, name: String) -> Result<Self> {
        let device = name.clone();
        let index = switch.host.run(move || nix::net::if_::if_nametoindex(device.as_str()))?;
        Ok(Self { switch, name, index })
    }

    /// Its name at the switch: the host's, for the host's `eth0`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its interface index at the switch.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Pulls the cable: the host loses carrier.
    ///
    /// # Errors
    /// If the port is gone.
    pub fn link_down(&self) -> Result<()> {
        self.switch.host.ip(&format!("link set {} down", self.name))
    }

    /// Puts the cable back.
    ///
    /// # Errors
    /// If the port is gone.
    pub fn link_up(&self) -> Result<()> {
        self.switch.host.ip(&format!("link set {} up", self.name))
    }

    /// Swallows every frame in both directions; carrier stays, so that only silence tells of the fault.
    ///
    /// # Errors
    /// If the port is gone.
    pub fn cut(&self) -> Result<()> {
        self.set_state("disabled")
    }

    /// Ends [`Port::cut`].
    ///
    /// # Errors
    /// If the port is gone or its link is down.
    pub fn heal(&self) -> Result<()> {
        self.set_state("forwarding")
    }

    /// Whether frames to a group that come in elsewhere are sent on to this port: without, the host behind it is heard by
    /// the others and does not hear them.
    ///
    /// # Errors
    /// If the port is gone.
    pub fn hear_groups(&self, hear: bool) -> Result<()> {
        let flood = if hear { "on" } else { "off" };
        let told =
            self.switch.host.command(&format!("bridge link set dev {} mcast_flood {flood}", self.name))?;
        if !told.is_empty() {
            bail!("bridge link set dev {} mcast_flood {flood}: {told}", self.name);
        }
        Ok(())
    }

    fn set_state(&self, state: &str) -> Result<()> {
        let told = self.switch.host.command(&format!("bridge link set dev {} state {state}", self.name))?;
        if !told.is_empty() {
            bail!("bridge link set dev {} state {state}: {told}", self.name);
        }
        Ok(())
    }
}
