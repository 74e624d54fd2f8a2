//! What goes wrong in the demo: the ways in which the guide has its readers test their site.

use anyhow::Result;
use clap::ValueEnum;
use vipd_tests::guide::{Conf, VIP};

use super::site::{LIMIT, Node, Site};

/// One way in which the first load balancer fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Fault {
    /// The agent's service is stopped (SIGTERM).
    Stop,
    /// The agent is killed with every process of its group (SIGKILL).
    Kill,
    /// Frames vanish, and the link stays up.
    Cut,
    /// The cable is pulled.
    Cable,
    /// The interface is set down.
    Interface,
    /// The machine reboots.
    Reboot,
    /// Both agents start at the same time.
    Startup,
    /// HAProxy dies; the guide's own scripts have to notice.
    Haproxy,
    /// HAProxy dies; a check of vipd's own has to notice, and adverts come every 100 ms.
    HaproxyBuiltin,
}

impl Fault {
    /// The fault as a headline.
    pub(super) fn headline(self) -> &'static str {
        match self {
            Self::Stop => "The agent on lb1 is stopped",
            Self::Kill => "The agent on lb1 is killed",
            Self::Cut => "Frames from and to lb1 vanish",
            Self::Cable => "The cable of lb1 is pulled",
            Self::Interface => "The interface of lb1 is set down",
            Self::Reboot => "lb1 reboots",
            Self::Startup => "Both agents start together",
            Self::Haproxy => "HAProxy on lb1 dies (guide's checks)",
            Self::HaproxyBuiltin => "HAProxy on lb1 dies (built-in)",
        }
    }

    /// The guide prints a timeline of it.
    pub(super) fn is_in_the_guide(self) -> bool {
        matches!(self, Self::Haproxy | Self::HaproxyBuiltin)
    }

    /// Who has to hold the address afterwards.
    pub(super) fn successor(self) -> Node {
        if self == Self::Startup { Node::Lb1 } else { Node::Lb2 }
    }

    /// What has to be done before the moment of the fault.
    pub(super) fn prepare(self, site: &mut Site) -> Result<()> {
        if self == Self::Startup {
            site.stop(Node::Lb2)?;
            site.stop(Node::Lb1)?;
        }
        Ok(())
    }

    /// The configurations that it is about, where those are others than the site's.
    pub(super) fn confs(self) -> Option<[Conf; 2]> {
        let quick = |conf: Conf| conf.without_scripts().version_3().advert("0.1");
        let check = "vrrp_check haproxy {\nprocess haproxy\ninterval 0.05\n}\nvrrp_instance VI_1 {";
        let watched = |conf: Conf| {
            quick(conf).replace("vrrp_instance VI_1 {", check).with_line("track_check {\nhaproxy\n}")
        };
        (self == Self::HaproxyBuiltin).then(|| [watched(Conf::lb1()), watched(Conf::lb2())])
    }

    /// Lets it happen.
    pub(super) fn strike(self, site: &mut Site) -> Result<()> {
        let lb1 = &site.pair.lb1;
        match self {
            Self::Stop => site.agent(Node::Lb1)?.process().stop(),
            Self::Kill => site.agent(Node::Lb1)?.process().kill(),
            Self::Cut => lb1.port.cut(),
            Self::Cable => lb1.port.link_down(),
            Self::Interface => lb1.host.command("ip link set eth0 down").map(drop),
            Self::Reboot => {
                lb1.port.link_down()?;
                lb1.host.kill_everything()
            }
            Self::Startup => {
                site.start(Node::Lb1)?;
                site.start(Node::Lb2)
            }
            Self::Haproxy | Self::HaproxyBuiltin => site.kill_haproxy(),
        }
    }

    /// Repairs what broke.
    pub(super) fn repair(self, site: &mut Site) -> Result<()> {
        let lb1 = &site.pair.lb1;
        match self {
            Self::Stop | Self::Kill => {
                site.agent(Node::Lb1)?.process().wait(LIMIT)?;
                site.start(Node::Lb1)
            }
            Self::Cut => lb1.port.heal(),
            Self::Cable => lb1.port.link_up(),
            Self::Interface => lb1.host.command("ip link set eth0 up").map(drop),
            Self::Reboot => {
                // Memory is lost in a reboot, and so is every address that no file names.
                lb1.host.command(&format!("ip address flush dev eth0 to {VIP}"))?;
                lb1.port.link_up()?;
                site.start_services_again()?;
                site.start(Node::Lb1)
            }
            Self::Startup => Ok(()),
            Self::Haproxy | Self::HaproxyBuiltin => site.start_services_again(),
        }
    }
}
