//! What one router of a LAN is told, whatever program it runs: said once, and written in each program's language.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::guide::{Conf, VRID};
use crate::lan::Family;

/// The virtual address that clients use over IPv6.
pub(crate) const VIP6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0x100);

/// A virtual router, as one node is to run it. vipd and Keepalived read the same `keepalived.conf`; FRR reads its own
/// language.
#[derive(Clone, Debug)]
pub struct Settings {
    version: u8,
    priority: u8,
    interval: Duration,
    preempt: bool,
    password: Option<&'static str>,
    unicast: bool,
    vmac: bool,
    addresses: Vec<IpAddr>,
    lines: Vec<String>,
}

impl Settings {
    /// Version 2 at its shortest interval, 1 s, without a password.
    #[must_use]
    pub fn v2(priority: u8) -> Self {
        Self { version: 2, interval: Duration::from_secs(1), ..Self::v3(priority) }
    }

    /// Version 3 at 200 ms: so fast that tests are short, so slow that a busy machine can keep up.
    #[must_use]
    pub fn v3(priority: u8) -> Self {
        Self {
            version: 3,
            priority,
            interval: Duration::from_millis(200),
            preempt: true,
            password: None,
            unicast: false,
            vmac: false,
            addresses: vec![Ipv4Addr::new(192, 168, 1, 100).into()],
            lines: Vec::new(),
        }
    }

    /// As [`Settings::v3`], over IPv6: a link-local address and 2001:db8:1::100.
    #[must_use]
    pub fn ipv6(priority: u8) -> Self {
        let link_local = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 5, 1);
        Self { addresses: vec![link_local.into(), VIP6.into()], ..Self::v3(priority) }
    }

    /// With these virtual addresses in place of the usual ones.
    #[must_use]
    pub fn addresses_are(self, addresses: Vec<IpAddr>) -> Self {
        Self { addresses, ..self }
    }

    /// With a virtual MAC (`use_vmac`), which FRR always has.
    #[must_use]
    pub fn vmac(self) -> Self {
        Self { vmac: true, ..self }
    }

    /// With a password, which only version 2 has.
    #[must_use]
    pub fn password(self, password: &'static str) -> Self {
        Self { password: Some(password), ..self }
    }

    /// With another advertisement interval: whole centiseconds, and in version 2 whole seconds.
    #[must_use]
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval, ..self }
    }

    /// Without preemption.
    #[must_use]
    pub fn nopreempt(self) -> Self {
        Self { preempt: false, ..self }
    }

    /// With every other node of the LAN as unicast peer.
    #[must_use]
    pub fn unicast(self) -> Self {
        Self { unicast: true, ..self }
    }

    /// With one more line in the `vrrp_instance` block; FRR has no such block.
    #[must_use]
    pub fn line(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    /// Its interval.
    #[must_use]
    pub fn advert_interval(&self) -> Duration {
        self.interval
    }

    /// As `keepalived.conf` for the node with this address among these others.
    #[must_use]
    pub fn keepalived(&self, own: IpAddr, others: &[IpAddr]) -> Conf {
        let mut lines = vec![
            "state BACKUP".to_owned(),
            "interface eth0".to_owned(),
            format!("virtual_router_id {VRID}"),
            format!("version {}", self.version),
            format!("priority {}", self.priority),
            format!("advert_int {}", self.interval.as_secs_f64()),
        ];
        lines.extend((!self.preempt).then(|| "nopreempt".to_owned()));
        if let Some(password) = self.password {
            lines.push(format!("authentication {{\nauth_type PASS\nauth_pass {password}\n}}"));
        }
        if self.unicast {
            lines.push(format!("unicast_src_ip {own}\nunicast_peer {{\n{}\n}}", listed(others.iter())));
        }
        lines.extend(self.vmac.then(|| "use_vmac".to_owned()));
        lines.extend(self.lines.iter().cloned());
        let addresses = self.addresses.iter().map(|ip| match ip {
            IpAddr::V4(_) => format!("{ip}/24"),
            IpAddr::V6(_) => format!("{ip}/64"),
        });
        lines.push(format!("virtual_ipaddress {{\n{}\n}}", listed(addresses)));
        Conf::from(format!("vrrp_instance VI_1 {{\n{}\n}}\n", lines.join("\n")))
    }

    /// As `vrrpd.conf` of FRR.
    #[must_use]
    pub fn frr(&self) -> String {
        let mut lines = vec![
            format!("vrrp {VRID} version {}", self.version),
            format!("vrrp {VRID} priority {}", self.priority),
            format!("vrrp {VRID} advertisement-interval {}", self.interval.as_millis()),
        ];
        lines.extend((!self.preempt).then(|| format!("no vrrp {VRID} preempt")));
        lines.extend(self.addresses.iter().map(|ip| match ip {
            IpAddr::V4(_) => format!("vrrp {VRID} ip {ip}"),
            IpAddr::V6(_) => format!("vrrp {VRID} ipv6 {ip}"),
        }));
        format!("debug vrrp protocol\ninterface eth0\n {}\n", lines.join("\n "))
    }

    /// It has a virtual MAC.
    #[must_use]
    pub fn has_vmac(&self) -> bool {
        self.vmac
    }

    /// The family of its adverts.
    #[must_use]
    pub fn family(&self) -> Family {
        if self.addresses[0].is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// The virtual addresses.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }
}

fn listed(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join("\n")
}
