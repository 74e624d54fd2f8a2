//! A LAN of routers of several makes, and what can be seen of them from outside: who speaks, who answers for the virtual
//! address, and whether a protocol analyser finds fault with what vipd says.

use std::cell::Cell;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::agent::{Agent, Datapath, Running};
use crate::facts;
use crate::frame::show_mac;
use crate::frr::Frr;
use crate::guide::VRID;
use crate::host::Host;
use crate::lab::Lab;
use crate::pair::{Balancer, Pair};
use crate::process::{Line, Process};
use crate::settings::{Settings, VIP6};
use crate::switch::Switch;
use crate::tap::{Frame, Tap};
use crate::tshark;

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);

/// Adverts in a row by which one Master is known to be alone: between the first and the last of them lies more than the
/// down interval of any other router.
const ALONE: usize = 5;

/// The port that takes anything and answers nothing (RFC 863).
const DISCARD: u16 = 9;

/// Who made a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    /// This project.
    Vipd,
    /// Keepalived, as Debian 12 has it: 2.2.7.
    Keepalived,
    /// FRRouting's vrrpd, as Debian 12 has it: 8.4.4.
    Frr,
}

impl fmt::Display for Make {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vipd => "vipd",
            Self::Keepalived => "keepalived",
            Self::Frr => "FRR",
        })
    }
}

/// A router at work; killed on drop.
pub enum Router {
    /// vipd or Keepalived.
    Agent(Running),
    /// FRR.
    Frr(Frr),
}

impl Router {
    /// Awaits the next log line that tells of a change to `state`: `MASTER` or `BACKUP`.
    ///
    /// # Errors
    /// If it does not come in a minute.
    pub fn wait_for_state(&self, state: &str) -> Result<Line> {
        match self {
            Self::Agent(running) => running.wait_for_state(state, SOON),
            Self::Frr(frr) => {
                let entered = if state == "MASTER" { " -> Master" } else { " -> Backup" };
                frr.vrrpd().wait_for_line(entered, SOON)
            }
        }
    }

    /// The program that runs the protocol.
    #[must_use]
    pub fn process(&self) -> &Process {
        match self {
            Self::Agent(running) => running.process(),
            Self::Frr(frr) => frr.vrrpd(),
        }
    }

    /// What `vipd status --json` says of its one virtual router.
    ///
    /// # Errors
    /// If it is not vipd, or does not answer.
    pub fn status(&self) -> Result<serde_json::Value> {
        match self {
            Self::Agent(running) => Ok(running.status()?["instances"][0].take()),
            Self::Frr(_) => bail!("only vipd has a status"),
        }
    }
}

struct Node {
    balancer: Balancer,
    /// Where its unicast adverts come from.
    unicast: IpAddr,
    make: Make,
    dead: Cell<bool>,
    /// It serves the virtual address under the virtual MAC.
    vmac: Cell<bool>,
}

/// Family of a LAN's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Routers 192.168.1.10, .20 and so on, and a client 192.168.1.50, at one switch; or over IPv6 fe80::a, fe80::14 and
/// 2001:db8:1::32.
pub struct Lan {
    family: Family,
    /// Everything is plugged in here.
    pub switch: Switch,
    /// A host that uses the virtual address.
    pub client: Host,
    nodes: Vec<Node>,
    /// What everybody has sent, for the analyser.
    record: Tap,
    _lab: Lab,
}

impl Lan {
    /// Builds the network, with a node for each of `makes`; nothing runs on it yet.
    ///
    /// # Errors
    /// As for [`Lab::new`] and [`Lab::host`].
    pub fn new(makes: &[Make]) -> Result<Self> {
        Self::of(Family::V4, makes)
    }

    /// As [`Lan::new`], with addresses of this family.
    ///
    /// # Errors
    /// As for [`Lan::new`].
    pub fn of(family: Family, makes: &[Make]) -> Result<Self> {
        let lab = Lab::new()?;
        let switch = lab.switch("sw")?;
        let record = Tap::open(switch.host())?;
        let node = |(number, make): (u8, &Make)| -> Result<_> {
            let (name, octet) = (format!("lb{number}"), 10 * number);
            let balancer = match family {
                Family::V4 => Balancer::connect(&lab, &switch, &name, octet)?,
                Family::V6 => Balancer::connect_ipv6(&lab, &switch, &name, octet)?,
            };
            let unicast = if family == Family::V4 { balancer.ip } else { Balancer::global(octet) };
            let vmac = Cell::new(*make == Make::Frr);
            Ok(Node { balancer, unicast, make: *make, dead: Cell::new(false), vmac })
        };
        let nodes = (1..).zip(makes).map(node).collect::<Result<_>>()?;
        let client = lab.host("client")?;
        let address = match family {
            Family::V4 => format!("{}/24", Pair::address(50)),
            Family::V6 => format!("{}/64", Balancer::global(50)),
        };
        lab.connect(&client, "eth0", &address, &switch)?;
        Ok(Self { family, switch, client, nodes, record, _lab: lab })
    }

    /// The virtual address that the client uses.
    #[must_use]
    pub fn vip(&self) -> IpAddr {
        match self.family {
            Family::V4 => Pair::vip(),
            Family::V6 => VIP6.into(),
        }
    }

    /// A node: its machine, port and address.
    #[must_use]
    pub fn node(&self, node: usize) -> &Balancer {
        &self.nodes[node].balancer
    }

    /// Pulls the cable of a node and kills every process there, as a power cut does.
    ///
    /// # Errors
    /// If the machine is gone.
    pub fn kill(&self, node: usize) -> Result<()> {
        let Node { balancer, dead, .. } = &self.nodes[node];
        balancer.port.link_down()?;
        balancer.host.kill_everything()?;
        dead.set(true);
        Ok(())
    }

    /// Starts the router of a node.
    ///
    /// # Errors
    /// If the program is missing or does not start.
    pub fn start(&self, node: usize, settings: &Settings) -> Result<Router> {
        let Node { balancer, unicast, make, vmac, .. } = &self.nodes[node];
        vmac.set(*make == Make::Frr || settings.has_vmac());
        let others: Vec<IpAddr> =
            self.nodes.iter().map(|other| other.unicast).filter(|ip| ip != unicast).collect();
        let agent = match make {
            Make::Vipd => Agent::Vipd(Datapath::Auto),
            Make::Keepalived => Agent::Keepalived,
            Make::Frr => return Ok(Router::Frr(Frr::start(&balancer.host, settings)?)),
        };
        Ok(Router::Agent(agent.start(&balancer.host, &settings.keepalived(*unicast, &others))?))
    }

    /// Opens a tap at the switch.
    ///
    /// # Errors
    /// If the kernel gives no packet socket.
    pub fn tap(&self) -> Result<Tap> {
        Tap::open(self.switch.host())
    }

    /// The node that a frame came from, if it came from one.
    #[must_use]
    pub fn sender(&self, frame: &Frame) -> Option<usize> {
        self.nodes.iter().position(|node| frame.came_from(&node.balancer.port))
    }

    /// Awaits that a node is the only Master: it alone sends adverts for longer than anybody would bear its silence, it
    /// alone holds the virtual address, and the client is answered by it.
    ///
    /// # Errors
    /// If that does not come true in a minute.
    pub fn wait_for_master(&self, node: usize) -> Result<()> {
        self.wait_for_speaker(node)?;
        for (number, other) in self.nodes.iter().enumerate() {
            let host = &other.balancer.host;
            // A macvlan of FRR carries the address all the time, and so does an interface of a machine that died with it.
            if number == node && other.make != Make::Frr {
                facts::wait_for_address(host, self.vip(), SOON)?;
            } else if other.make != Make::Frr && !other.dead.get() {
                facts::wait_for_no_address(host, self.vip(), SOON)?;
            }
        }
        self.expect_answer_from(node)
    }

    /// Awaits adverts in a row from this node, with none from another in between.
    ///
    /// # Errors
    /// If they do not come in a minute.
    pub fn wait_for_speaker(&self, node: usize) -> Result<()> {
        let tap = self.tap()?;
        let mut row = 0;
        let mut spoke = Vec::new();
        let mut heard = |frame: &Frame| {
            frame.advert()?;
            let sender = self.sender(frame)?;
            spoke.push(sender);
            row = if sender == node { row + 1 } else { 0 };
            (row == ALONE).then_some(())
        };
        tap.wait_for(SOON, &mut heard)
            .with_context(|| format!("node {node} is not the only Master; adverts came from {spoke:?}"))
    }

    /// The MAC address under which a node serves the virtual address.
    #[must_use]
    pub fn mac(&self, node: usize) -> String {
        let Node { balancer, vmac, .. } = &self.nodes[node];
        if vmac.get() { self.virtual_mac() } else { balancer.mac.clone() }
    }

    /// The virtual MAC (RFC 9568 7.3).
    #[must_use]
    pub fn virtual_mac(&self) -> String {
        let family = if self.family == Family::V4 { 1 } else { 2 };
        format!("00:00:5e:00:{family:02x}:{VRID:02x}")
    }

    /// Sends a datagram to the virtual address, so that the client has to know where it is, and awaits that it takes this
    /// node to have it.
    ///
    /// # Errors
    /// If it does not in a minute.
    pub fn wait_for_client(&self, node: usize) -> Result<()> {
        let vip = self.vip();
        self.client.run(move || -> std::io::Result<_> {
            let any: IpAddr =
                if vip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
            UdpSocket::bind((any, 0))?.send_to(&[0], (vip, DISCARD))
        })?;
        let mac = self.mac(node);
        facts::wait_until(&self.client, SOON, || {
            Ok((facts::neighbour(&self.client, vip)?.as_ref() == Some(&mac)).then_some(()))
        })
        .with_context(|| format!("the client has {:?} for {vip}", facts::neighbour(&self.client, vip)))
    }

    /// The client asks who has the virtual address: this node says that it has, and nobody else.
    fn expect_answer_from(&self, node: usize) -> Result<()> {
        let tap = self.tap()?;
        let (vip, seconds) = (self.vip(), SOON.as_secs());
        match self.family {
            Family::V4 => {
                self.client.command(&format!("arping -q -I eth0 -c 1 -w {seconds} {vip}"))?;
            }
            Family::V6 => {
                self.client.command("ip -6 neighbour flush dev eth0")?;
                self.client.command(&format!("ping -6 -q -c 1 -w {seconds} {vip}"))?;
            }
        }
        let answers: Vec<(Option<usize>, String)> = tap
            .drain()?
            .iter()
            .filter_map(|frame| {
                let (_, mac) = answer(frame).filter(|(ip, _)| *ip == vip)?;
                let sender = self.sender(frame)?;
                Some((Some(sender), show_mac(mac)))
            })
            .collect();
        let mac = self.mac(node);
        ensure!(answers == [(Some(node), mac.clone())], "not {node} with {mac} answers alone: {answers:?}");
        Ok(())
    }

    /// Has tshark decode every frame that the nodes with vipd have sent since the LAN was built.
    ///
    /// # Errors
    /// If vipd has sent no advert, tshark decodes fewer of them than have passed the switch, or it finds fault with a
    /// frame; the error tells with which and why.
    pub fn expect_clean_frames(&self) -> Result<()> {
        let ours = |frame: &Frame| self.sender(frame).is_some_and(|node| self.nodes[node].make == Make::Vipd);
        let frames: Vec<Frame> = self.record.drain()?.into_iter().filter(ours).collect();
        let adverts = frames.iter().filter(|frame| frame.advert().is_some()).count();
        ensure!(adverts > 0, "vipd has sent no advert");
        let report = tshark::read(self.switch.host(), &frames)?;
        ensure!(report.adverts == adverts, "{adverts} adverts were sent, tshark knows {}", report.adverts);
        ensure!(report.complaints.is_empty(), "tshark complains:\n{}", report.complaints.join("\n"));
        Ok(())
    }
}

/// What a frame answers to a question who has an address.
fn answer(frame: &Frame) -> Option<(IpAddr, [u8; 6])> {
    if let Some(reply) = frame.arp_reply() {
        return Some((reply.ip.into(), reply.mac));
    }
    let advertisement = frame.neighbour_advertisement().filter(|message| message.flags[1])?;
    Some((advertisement.ip.into(), advertisement.mac?))
}
