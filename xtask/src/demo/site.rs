//! The guide's site: the network, the services on it, and an agent on each load balancer.

use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Balancer, Pair, Running, Services, facts, services, start_talkative_vipd};

/// For any step of the demo; it is far more than any of them takes.
pub(super) const LIMIT: Duration = Duration::from_secs(30);

/// One of the two load balancers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Lb1,
    Lb2,
}

impl Node {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Lb1, Self::Lb2];
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lb1 => "lb1",
            Self::Lb2 => "lb2",
        })
    }
}

/// The site at work.
pub(super) struct Site {
    running: [Option<Running>; 2],
    services: Services,
    agents: [Agent; 2],
    confs: [Conf; 2],
    /// The network.
    pub(super) pair: Pair,
}

impl Site {
    /// Builds the site and starts everything on it.
    pub(super) fn open(agents: [Agent; 2], confs: [Conf; 2]) -> Result<Self> {
        let pair = Pair::new()?;
        let services = pair.start_services()?;
        let mut site = Self { running: [None, None], services, agents, confs, pair };
        for node in Node::ALL {
            site.start(node)?;
        }
        site.wait_until_settled()?;
        Ok(site)
    }

    /// A load balancer.
    pub(super) fn balancer(&self, node: Node) -> &Balancer {
        match node {
            Node::Lb1 => &self.pair.lb1,
            Node::Lb2 => &self.pair.lb2,
        }
    }

    /// The agent on it.
    pub(super) fn agent(&self, node: Node) -> Result<&Running> {
        self.running[node as usize].as_ref().with_context(|| format!("no agent on {node}"))
    }

    /// Starts the agent on it.
    pub(super) fn start(&mut self, node: Node) -> Result<()> {
        let at = node as usize;
        let (host, conf) = (&self.balancer(node).host, &self.confs[at]);
        self.running[at] = Some(match self.agents[at] {
            // Each result of a check belongs to the guide's timeline.
            Agent::Vipd(_) => start_talkative_vipd(host, conf)?,
            Agent::Keepalived => Agent::Keepalived.start(host, conf)?,
        });
        Ok(())
    }

    /// Stops the agent on it and awaits its end.
    pub(super) fn stop(&self, node: Node) -> Result<()> {
        let process = self.agent(node)?.process();
        process.stop()?;
        process.wait(LIMIT).map(drop)
    }

    /// Has both agents run by other configurations from now on; what they ran by before.
    pub(super) fn reconfigure(&mut self, confs: [Conf; 2]) -> Result<[Conf; 2]> {
        let before = std::mem::replace(&mut self.confs, confs);
        for node in Node::ALL {
            self.stop(node)?;
            self.start(node)?;
        }
        self.wait_until_settled()?;
        Ok(before)
    }

    /// Kills HAProxy on the first load balancer.
    pub(super) fn kill_haproxy(&self) -> Result<()> {
        self.services.lb1.kill()
    }

    /// Starts HAProxy on the first load balancer anew.
    pub(super) fn start_services_again(&mut self) -> Result<()> {
        self.services.lb1 = services::haproxy(&self.pair.lb1.host, &self.services.servers)?;
        Ok(())
    }

    /// Awaits the state from which every chapter starts: `lb1` alone holds the address.
    pub(super) fn wait_until_settled(&self) -> Result<()> {
        self.pair.wait_for_holder(&self.pair.lb1, LIMIT).context("lb1 does not take the address back")?;
        Ok(())
    }

    /// Who holds the address now.
    pub(super) fn holders(&self) -> Result<Vec<Node>> {
        let mut holders = Vec::new();
        for node in Node::ALL {
            if facts::address(&self.balancer(node).host, Pair::vip())?.is_some() {
                holders.push(node);
            }
        }
        Ok(holders)
    }
}
