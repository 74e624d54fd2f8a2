//! The guide's network: two load balancers and a client at one switch, and three application servers if wanted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Result;

use crate::agent::{Agent, Running};
use crate::facts::{self, Address};
use crate::guide::Conf;
use crate::host::Host;
use crate::http::{Client, Plan};
use crate::lab::Lab;
use crate::process::Process;
use crate::services;
use crate::switch::{Port, Switch};

/// One load balancer.
pub struct Balancer {
    /// The machine.
    pub host: Host,
    /// Its port at the switch.
    pub port: Port,
    /// Its own address.
    pub ip: IpAddr,
    /// MAC address of its `eth0`.
    pub mac: String,
}

impl Balancer {
    /// A node over IPv6: fe80::`last_octet`, which it is known by, and 2001:db8:1::`last_octet`, both read as hexadecimal.
    pub(crate) fn connect_ipv6(lab: &Lab, switch: &Switch, name: &str, last_octet: u8) -> Result<Self> {
        let host = lab.host(name)?;
        // No addresses but these: what is sent from is known.
        host.sysctl("net/ipv6/conf/default/addr_gen_mode", "1")?;
        let port = lab.connect(&host, "eth0", &format!("{}/64", Self::global(last_octet)), switch)?;
        let ip = IpAddr::V6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, last_octet.into()));
        host.ip(&format!("address add {ip}/64 dev eth0"))?;
        let mac = facts::mac(&host, "eth0")?;
        Ok(Self { host, port, ip, mac })
    }

    pub(crate) fn global(last_octet: u8) -> IpAddr {
        Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, last_octet.into()).into()
    }

    pub(crate) fn connect(lab: &Lab, switch: &Switch, name: &str, last_octet: u8) -> Result<Self> {
        let host = lab.host(name)?;
        // As the guide sets it.
        host.sysctl("net/ipv4/ip_nonlocal_bind", "1")?;
        let ip = Pair::address(last_octet);
        let port = lab.connect(&host, "eth0", &format!("{ip}/24"), switch)?;
        let mac = facts::mac(&host, "eth0")?;
        Ok(Self { host, port, ip, mac })
    }

    /// Starts an agent on it.
    ///
    /// # Errors
    /// As for [`Agent::start`].
    pub fn start(&self, agent: Agent, conf: &Conf) -> Result<Running> {
        agent.start(&self.host, conf)
    }
}

/// What runs on the guide's network besides the agents; it ends on drop.
pub struct Services {
    /// HAProxy on `lb1`.
    pub lb1: Process,
    /// HAProxy on `lb2`.
    pub lb2: Process,
    /// Addresses of the application servers.
    pub servers: Vec<IpAddr>,
    apps: Vec<(Host, Process)>,
}

impl Services {
    /// Ends every application server.
    ///
    /// # Errors
    /// If one has ended already.
    pub fn stop_applications(&self) -> Result<()> {
        self.apps.iter().try_for_each(|(_, nginx)| nginx.kill())
    }
}

/// The guide's network 192.168.1.0/24.
pub struct Pair {
    /// What it is made in.
    pub lab: Lab,
    /// Everything is plugged in here.
    pub switch: Switch,
    /// 192.168.1.10
    pub lb1: Balancer,
    /// 192.168.1.20
    pub lb2: Balancer,
    /// 192.168.1.50
    pub client: Host,
}

impl Pair {
    /// Builds the network; nothing runs on it yet.
    ///
    /// # Errors
    /// As for [`Lab::new`] and [`Lab::host`].
    pub fn new() -> Result<Self> {
        let lab = Lab::new()?;
        let switch = lab.switch("sw")?;
        let lb1 = Balancer::connect(&lab, &switch, "lb1", 10)?;
        let lb2 = Balancer::connect(&lab, &switch, "lb2", 20)?;
        let client = lab.host("client")?;
        lab.connect(&client, "eth0", &format!("{}/24", Self::address(50)), &switch)?;
        Ok(Self { lab, switch, lb1, lb2, client })
    }

    pub(crate) fn address(last_octet: u8) -> IpAddr {
        IpAddr::V4(Ipv4Addr::new(192, 168, 1, last_octet))
    }

    /// The virtual address, [`crate::guide::VIP`].
    #[must_use]
    pub fn vip() -> IpAddr {
        Self::address(100)
    }

    /// Awaits that `holder` alone holds the virtual address.
    ///
    /// # Errors
    /// If that does not come true `within` this time.
    pub fn wait_for_holder(&self, holder: &Balancer, within: Duration) -> Result<Address> {
        let other = if holder.ip == self.lb1.ip { &self.lb2 } else { &self.lb1 };
        let held = facts::wait_for_address(&holder.host, Self::vip(), within)?;
        facts::wait_for_no_address(&other.host, Self::vip(), within)?;
        Ok(held)
    }

    /// Takes the virtual address off both load balancers, as nobody does for an agent that was killed, and mends the
    /// first one's cable.
    ///
    /// # Errors
    /// If `ip` or `bridge` cannot be run.
    pub fn restore(&self) -> Result<()> {
        self.lb1.port.link_up()?;
        self.lb1.port.heal()?;
        for balancer in [&self.lb1, &self.lb2] {
            balancer.host.command(&format!("ip address flush to {} dev eth0", Self::vip()))?;
        }
        Ok(())
    }

    /// Starts three application servers (192.168.1.31 to 33) and HAProxy on both load balancers.
    ///
    /// # Errors
    /// If a program is missing or does not come up.
    pub fn start_services(&self) -> Result<Services> {
        let mut apps = Vec::new();
        let mut servers = Vec::new();
        for number in 1..=3 {
            let host = self.lab.host(&format!("app{number}"))?;
            let address = Self::address(30 + number);
            self.lab.connect(&host, "eth0", &format!("{address}/24"), &self.switch)?;
            let nginx = services::nginx(&host)?;
            apps.push((host, nginx));
            servers.push(address);
        }
        let lb1 = services::haproxy(&self.lb1.host, &servers)?;
        let lb2 = services::haproxy(&self.lb2.host, &servers)?;
        Ok(Services { lb1, lb2, servers, apps })
    }

    /// Starts a client that asks the virtual address for `/health` every 20 ms and gives up after 50 ms.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start_client(&self) -> Result<Client> {
        let plan = Plan {
            server: SocketAddr::new(Self::vip(), 80),
            every: Duration::from_millis(20),
            patience: Duration::from_millis(50),
        };
        Client::start(&self.client, plan)
    }
}
