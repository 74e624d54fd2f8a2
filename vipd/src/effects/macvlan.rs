//! Interfaces with a virtual MAC (`use_vmac`): macvlans that the agent makes and removes.
//!
//! One is up only while this node holds the addresses on it. So a Backup sends nothing with the virtual MAC, not even what
//! the kernel says by itself (C-L2-02), and takes no frame for it (C-FWD-01). Adverts and announcements leave by the interface
//! below, with the virtual MAC in them, and come in there too.

use std::io;

use anyhow::{Context, bail};
use rtnetlink::packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::link::{
    InfoData, InfoKind, InfoMacVlan, LinkAttribute, LinkInfo, LinkMessage, MacVlanMode,
};
use vipd_common::wire::eth;

use super::parameters::set_for_good;
use super::rtnl::{Request, Rtnl, octets};
use crate::config::{Family, Instance, Vmac};
use crate::link::{Link, sysctl};
use crate::warden::{Undo, Will};

/// What the agent writes beside an interface of its own (`ip link show`): by it, what an agent left behind is told from what
/// an operator has made.
pub(crate) const ALIAS: &str = "made by vipd";

/// What the kernel does by itself on other interfaces, and must not do with a virtual MAC (C-ND-07): give itself addresses,
/// listen to routers, test whether an address is used. And it must take packets of hosts that it would answer by the
/// interface below.
const QUIET: [(&str, &str); 6] = [
    ("ipv6", "addr_gen_mode=1"),
    ("ipv6", "accept_ra=0"),
    ("ipv6", "autoconf=0"),
    ("ipv6", "accept_dad=0"),
    ("ipv6", "dad_transmits=0"),
    ("ipv4", "arp_ignore=1"),
];

/// The macvlans of an agent; dropping it removes them.
pub(crate) struct Macvlans {
    made: Vec<(String, Undo)>,
    will: Will,
    rtnl: Rtnl,
}

impl Macvlans {
    /// None yet.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket.
    pub(super) fn new(will: Will) -> io::Result<Self> {
        Ok(Self { made: Vec::new(), will, rtnl: Rtnl::open()? })
    }

    /// Makes that of a virtual router, down and without addresses, on the interface `below`. What an agent has left under its
    /// name is replaced.
    ///
    /// # Errors
    /// A sentence for people: what is in the way, or what the kernel does not allow.
    pub(super) fn make(
        &mut self,
        instance: &Instance,
        vmac: &Vmac,
        below: &Link,
        there: Option<&Link>,
    ) -> anyhow::Result<()> {
        let name = &vmac.name;
        if let Some(there) = there {
            Self::replace(there)?;
        }
        for (_, gone) in self.made.extract_if(.., |(made, _)| made == name) {
            self.will.undone(&gone);
        }
        let created = self.rtnl.apply(vec![create(name, virtual_mac(instance), below.index)])?;
        created.into_iter().collect::<io::Result<()>>().with_context(|| {
            format!("cannot make the interface {name} with a virtual MAC on {}", below.name)
        })?;
        let index = nix::net::if_::if_nametoindex(name.as_str())?;
        let undo = Undo::Request(octets(delete(index)));
        let noted = self.will.undo(&undo);
        self.made.push((name.clone(), undo));
        if !noted {
            bail!("the will has no room for the interface {name}");
        }
        self.rtnl.apply(vec![named(index)])?.into_iter().collect::<io::Result<()>>()?;
        let settings = QUIET.iter().filter_map(|(family, setting)| Some((*family, setting.split_once('=')?)));
        // Where all interfaces check the way back to a source strictly, this one can only be told to do so loosely.
        let loose =
            if sysctl::read("net/ipv4/conf/all/rp_filter").as_deref() == Some("1") { "2" } else { "0" };
        for (family, (parameter, value)) in settings.chain([("ipv4", ("rp_filter", loose))]) {
            let parameter = format!("net/{family}/conf/{name}/{parameter}");
            set_for_good(&parameter, value).with_context(|| format!("cannot set {parameter}"))?;
        }
        Ok(())
    }

    /// Hands over the care for that of this name, if it was made: tells how it is removed.
    pub(super) fn let_go(&mut self, name: &str) -> Option<Undo> {
        let place = self.made.iter().position(|(made, _)| made == name)?;
        Some(self.made.swap_remove(place).1)
    }

    /// Removes that of this name, if it was made.
    pub(super) fn remove(&mut self, name: &str) {
        for (_, undo) in self.made.extract_if(.., |(made, _)| made == name) {
            remove(&mut self.rtnl, &self.will, &undo);
        }
    }

    /// Removes an interface that an agent has left behind.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub(crate) fn remove_left_over(link: &Link) -> anyhow::Result<()> {
        Rtnl::open()?.apply(vec![delete(link.index)])?.into_iter().collect::<io::Result<()>>()?;
        tracing::warn!("removed the interface {}, which an agent had left behind", link.name);
        Ok(())
    }

    /// Removes an interface that is in the way, if an agent has made it.
    fn replace(there: &Link) -> anyhow::Result<()> {
        if !there.made_by_vipd {
            bail!(
                "there is an interface {0} already, which vipd has not made: remove it (`ip link delete {0}`), or name \
                 another one in `use_vmac`",
                there.name
            );
        }
        Self::remove_left_over(there)
    }
}

impl Drop for Macvlans {
    fn drop(&mut self) {
        for (_, undo) in &self.made {
            remove(&mut self.rtnl, &self.will, undo);
        }
    }
}

fn remove(rtnl: &mut Rtnl, will: &Will, undo: &Undo) {
    if let Undo::Request(octets) = undo
        && let Err(error) = rtnl.send(octets)
    {
        tracing::warn!("cannot remove an interface with a virtual MAC: {error}");
    }
    will.undone(undo);
}

/// The virtual MAC of a virtual router.
pub(crate) fn virtual_mac(instance: &Instance) -> eth::Mac {
    eth::virtual_mac(if instance.family == Family::V4 { 4 } else { 6 }, instance.vrid)
}

fn create(name: &str, mac: eth::Mac, below: u32) -> Request {
    let mut message = LinkMessage::default();
    message.attributes = vec![
        LinkAttribute::IfName(name.to_owned()),
        LinkAttribute::Link(below),
        LinkAttribute::Address(mac.to_vec()),
        LinkAttribute::LinkInfo(vec![
            LinkInfo::Kind(InfoKind::MacVlan),
            // Two virtual routers on one host have nothing to say to each other (C-L2-07).
            LinkInfo::Data(InfoData::MacVlan(vec![InfoMacVlan::Mode(MacVlanMode::Private)])),
        ]),
    ];
    (RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// The kernel takes an alias for an interface that is there only.
fn named(index: u32) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index;
    message.attributes = vec![LinkAttribute::IfAlias(ALIAS.to_owned())];
    (RouteNetlinkMessage::SetLink(message), 0)
}

fn delete(index: u32) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index;
    (RouteNetlinkMessage::DelLink(message), 0)
}
