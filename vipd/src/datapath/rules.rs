//! A virtual router in the terms of the receive checks.

use vipd_common::abi::{Addr, InstanceKey, Rules, Ttl, checksum};
use vipd_common::wire::ipv6::is_link_local;
use vipd_common::wire::{address_digest, from_ip};
use vipd_core::Version;

use super::Standing;
use crate::config::{Checksum, Family};
use crate::election::Planned;

/// Version as it stands on the wire.
#[must_use]
pub fn version_number(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}

/// What adverts for a virtual router must look like, and what it waits for, as it stands now.
pub(super) fn rules(planned: &Planned, standing: Standing) -> Rules {
    let config = &planned.config;
    let list: Vec<Addr> = planned.listed().map(from_ip).collect();
    Rules {
        own: planned.source.map_or([0; 16], from_ip),
        group: from_ip(config.group),
        list_digest: list.iter().map(address_digest).fold(0, u64::wrapping_add),
        auth_data: config.password.map_or([0; 8], |password| password.0),
        interval_cs: config.interval.as_centis(),
        version: version_number(config.version),
        priority: standing.priority,
        auth_type: u8::from(config.password.is_some()),
        checksum: match config.checksum {
            Checksum::Either => checksum::EITHER,
            Checksum::Message => checksum::MESSAGE,
            Checksum::Pseudo => checksum::PSEUDO,
        },
        unicast: u8::from(!config.peers.is_empty()),
        local_first: list.first().is_some_and(is_link_local).into(),
        list_len: list.len().try_into().unwrap_or(u8::MAX),
        // keepalived and FRR take another list of equal length; a rolling change of the list must not split the pair.
        check_list: 0,
        master: standing.master.into(),
        alive_from: standing.alive_from,
        down_adverts: config.down_timer_adverts,
        reserved: [0; 3],
    }
}

/// Where adverts for a virtual router belong.
pub(super) fn key(planned: &Planned) -> InstanceKey {
    let family = match planned.config.family {
        Family::V4 => 4,
        Family::V6 => 6,
    };
    InstanceKey { ifindex: planned.ifindex, vlan: 0, family, vrid: planned.config.vrid }
}

/// The virtual addresses of a virtual router, each with the interface that hears claims to it.
pub(super) fn vips(planned: &Planned) -> Vec<(u32, Addr)> {
    planned.vips.iter().map(|vip| (vip.on, from_ip(vip.address.ip))).collect()
}

/// The unicast peers of a virtual router.
pub(super) fn peers(planned: &Planned) -> Vec<(Addr, Ttl)> {
    let peers = planned.config.peers.iter();
    peers.map(|peer| (from_ip(peer.ip), Ttl { least: peer.min_ttl, most: peer.max_ttl })).collect()
}
