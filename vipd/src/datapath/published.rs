//! What the maps hold for each virtual router, so that it can be changed and taken back.

use std::borrow::BorrowMut;
use std::collections::BTreeSet;

use aya::maps::{Array, HashMap, MapData, MapError};
use vipd_common::abi::{Addr, InstanceKey, PeerKey, Rules, VipKey};

/// A virtual router as published.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) key: InstanceKey,
    pub(super) rules: Rules,
    vips: BTreeSet<(u32, Addr)>,
    peers: BTreeSet<Addr>,
}

impl Published {
    pub(super) fn new(key: InstanceKey, rules: Rules, vips: &[(u32, Addr)], peers: &[Addr]) -> Self {
        Self { key, rules, vips: vips.iter().copied().collect(), peers: peers.iter().copied().collect() }
    }

    pub(super) fn vip_keys(&self) -> impl Iterator<Item = VipKey> {
        let InstanceKey { ifindex, vlan, .. } = self.key;
        self.vips.iter().map(move |(own, addr)| {
            // An interface that only carries addresses is not looked at for VLANs.
            let vlan = if *own == ifindex { vlan } else { 0 };
            VipKey { ifindex: *own, vlan, reserved: 0, addr: *addr }
        })
    }

    pub(super) fn peer_keys(&self, instance: u32) -> impl Iterator<Item = PeerKey> {
        self.peers.iter().map(move |addr| PeerKey { instance, addr: *addr })
    }

    /// The entry that says that virtual routers run on this interface and VLAN.
    pub(super) fn place(&self) -> InstanceKey {
        InstanceKey { vrid: 0, ..self.key }
    }
}

/// The maps that the daemon writes.
pub(super) struct Maps {
    pub(super) index: HashMap<MapData, InstanceKey, u32>,
    pub(super) instances: Array<MapData, Rules>,
    pub(super) vips: HashMap<MapData, VipKey, u32>,
    pub(super) peers: HashMap<MapData, PeerKey, u8>,
}

impl Maps {
    /// Writes a virtual router. INDEX comes last: an advert never meets half of one.
    pub(super) fn write(&mut self, instance: u32, router: &Published) -> Result<(), MapError> {
        self.instances.set(instance, router.rules, 0)?;
        for key in router.peer_keys(instance) {
            self.peers.insert(key, 1, 0)?;
        }
        for key in router.vip_keys() {
            self.vips.insert(key, instance, 0)?;
        }
        self.index.insert(router.place(), 0, 0)?;
        self.index.insert(router.key, instance, 0)
    }

    /// Takes away what `router` had and `kept` has not.
    pub(super) fn erase(
        &mut self,
        instance: u32,
        router: &Published,
        kept: Option<&Published>,
    ) -> Result<(), MapError> {
        if kept.is_none_or(|kept| kept.key != router.key) {
            remove(&mut self.index, &router.key)?;
        }
        let vips: BTreeSet<_> = kept.into_iter().flat_map(Published::vip_keys).map(vip_order).collect();
        for key in router.vip_keys().filter(|key| !vips.contains(&vip_order(*key))) {
            remove(&mut self.vips, &key)?;
        }
        for addr in router.peers.iter().filter(|addr| kept.is_none_or(|kept| !kept.peers.contains(*addr))) {
            remove(&mut self.peers, &PeerKey { instance, addr: *addr })?;
        }
        Ok(())
    }
}

fn vip_order(key: VipKey) -> (u32, u16, Addr) {
    (key.ifindex, key.vlan, key.addr)
}

/// Removes an entry; that there is none is fine.
pub(super) fn remove<M, K, V>(map: &mut HashMap<M, K, V>, key: &K) -> Result<(), MapError>
where
    M: BorrowMut<MapData>,
    K: aya::Pod,
    V: aya::Pod,
{
    match map.remove(key) {
        Err(MapError::KeyNotFound) => Ok(()),
        Err(MapError::SyscallError(error)) if error.io_error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
        result => result,
    }
}
