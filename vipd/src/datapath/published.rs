//! What the maps hold for each virtual router, so that it can be changed and taken back.

use std::borrow::BorrowMut;
use std::collections::{BTreeMap, BTreeSet};

use aya::maps::{Array, HashMap, MapData, MapError};
use vipd_common::abi::{Addr, InstanceKey, PeerKey, Rules, Ttl, VipKey};

/// A virtual router as published.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) key: InstanceKey,
    pub(super) rules: Rules,
    vips: BTreeSet<(u32, Addr)>,
    peers: BTreeMap<Addr, (u8, u8)>,
}

impl Published {
    pub(super) fn new(key: InstanceKey, rules: Rules, vips: &[(u32, Addr)], peers: &[(Addr, Ttl)]) -> Self {
        let peers = peers.iter().map(|(addr, ttl)| (*addr, (ttl.least, ttl.most))).collect();
        Self { key, rules, vips: vips.iter().copied().collect(), peers }
    }

    fn vip_key(&self, (ifindex, addr): (u32, Addr)) -> VipKey {
        // An interface that only carries addresses is not looked at for VLANs.
        let vlan = if ifindex == self.key.ifindex { self.key.vlan } else { 0 };
        VipKey { ifindex, vlan, reserved: 0, addr }
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
    pub(super) peers: HashMap<MapData, PeerKey, Ttl>,
}

impl Maps {
    /// Writes a virtual router, as far as it is not there as `old`. INDEX comes last: an advert never meets half of one.
    pub(super) fn write(
        &mut self,
        instance: u32,
        router: &Published,
        old: Option<&Published>,
    ) -> Result<(), MapError> {
        self.instances.set(instance, router.rules, 0)?;
        for (addr, ttl) in &router.peers {
            if old.is_none_or(|old| old.peers.get(addr) != Some(ttl)) {
                let (least, most) = *ttl;
                self.peers.insert(PeerKey { instance, addr: *addr }, Ttl { least, most }, 0)?;
            }
        }
        // On another VLAN they have other keys.
        let same = old.filter(|old| old.place() == router.place());
        for vip in &router.vips {
            if same.is_none_or(|old| !old.vips.contains(vip)) {
                self.vips.insert(router.vip_key(*vip), instance, 0)?;
            }
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
            remove_own(&mut self.index, &router.key, instance)?;
        }
        let same = kept.filter(|kept| kept.place() == router.place());
        for vip in &router.vips {
            if same.is_none_or(|kept| !kept.vips.contains(vip)) {
                remove_own(&mut self.vips, &router.vip_key(*vip), instance)?;
            }
        }
        for addr in router.peers.keys() {
            if kept.is_none_or(|kept| !kept.peers.contains_key(addr)) {
                remove(&mut self.peers, &PeerKey { instance, addr: *addr })?;
            }
        }
        Ok(())
    }
}

/// Removes an entry that says `instance`; another virtual router may have it by now.
fn remove_own<K: aya::Pod>(
    map: &mut HashMap<MapData, K, u32>,
    key: &K,
    instance: u32,
) -> Result<(), MapError> {
    match map.get(key, 0) {
        Ok(holder) if holder != instance => Ok(()),
        _ => remove(map, key),
    }
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
