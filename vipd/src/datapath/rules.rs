//! A virtual router in the terms of the receive checks.

use std::net::IpAddr;

use vipd_common::abi::{Addr, InstanceKey, Rules, checksum};
use vipd_common::wire::{address_digest, from_ipv4};
use vipd_core::Version;

use super::Standing;
use crate::config::{Checksum, Peer};
use crate::election::Planned;

/// Version as it stands on the wire.
#[must_use]
pub fn version_number(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}

/// The checksum form of adverts that are sent: what keepalived and FRR hear, unless the other is demanded (C-CK-04).
#[must_use]
pub fn checksum_sent(policy: Checksum) -> u8 {
    match policy {
        Checksum::Message => checksum::MESSAGE,
        Checksum::Either | Checksum::Pseudo => checksum::PSEUDO,
    }
}

/// What adverts for a virtual router must look like, and what it waits for, as it stands now.
pub(super) fn rules(planned: &Planned, standing: Standing) -> Rules {
    let config = &planned.config;
    let digest = |sum: u64, addr: Addr| sum.wrapping_add(address_digest(&addr));
    let list = planned.addresses.iter().map(|(address, _)| from_ipv4(address.ip));
    Rules {
        own: planned.source.map_or([0; 16], from_ipv4),
        list_digest: list.fold(0, digest),
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
        min_ttl: 255,
        list_len: planned.addresses.len().try_into().unwrap_or(u8::MAX),
        // keepalived and FRR take another list of equal length; a rolling change of the list must not split the pair.
        check_list: 0,
        master: standing.master.into(),
        alive_from: standing.alive_from,
        down_adverts: 3,
        reserved: [0; 3],
    }
}

/// Where adverts for a virtual router belong.
pub(super) fn key(planned: &Planned) -> InstanceKey {
    InstanceKey { ifindex: planned.ifindex, vlan: 0, family: 4, vrid: planned.config.vrid }
}

/// The unicast peers of a virtual router.
pub(super) fn peers(planned: &Planned) -> Vec<Addr> {
    let v4 = |peer: &Peer| match peer.ip {
        IpAddr::V4(peer) => Some(from_ipv4(peer)),
        IpAddr::V6(_) => None,
    };
    planned.config.peers.iter().filter_map(v4).collect()
}
