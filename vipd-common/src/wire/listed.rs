//! Virtual routers in a list: what the maps are to the kernel half, for user space.

use super::Table;
use crate::abi::{Addr, InstanceKey, Rules, Ttl};

/// A virtual router.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its number.
    pub number: u32,
    /// Where it runs.
    pub key: InstanceKey,
    /// What its adverts must look like.
    pub rules: Rules,
    /// Its unicast peers.
    pub peers: &'a [(Addr, Ttl)],
}

/// The virtual routers of this host, as seen from one interface.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The interface that received the packet.
    pub ifindex: u32,
    /// 4 or 6.
    pub family: u8,
    /// All virtual routers.
    pub entries: &'a [Entry<'a>],
}

impl Listed<'_> {
    fn on(&self, vlan: u16) -> impl Iterator<Item = &Entry<'_>> {
        self.entries.iter().filter(move |Entry { key, .. }| {
            key.ifindex == self.ifindex && key.vlan == vlan && key.family == self.family
        })
    }
}

impl Table for Listed<'_> {
    fn instance(&self, vlan: u16, vrid: u8) -> Option<(u32, &Rules)> {
        self.on(vlan).find(|entry| entry.key.vrid == vrid).map(|entry| (entry.number, &entry.rules))
    }

    fn serves(&self, vlan: u16) -> bool {
        self.on(vlan).next().is_some()
    }

    fn peer(&self, instance: u32, source: &Addr) -> Option<Ttl> {
        let entry = self.entries.iter().find(|entry| entry.number == instance)?;
        entry.peers.iter().find(|(peer, _)| peer == source).map(|(_, ttl)| *ttl)
    }
}
