//! Virtual routers and the groups that they move in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use vipd_core::{Announcing, Interval, Version};

use super::super::toml::form;
use super::{Family, Fence, Notify, Password, Route, Rule, Trackers, VirtualAddress};

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of Keepalived's")]
pub struct Instance {
    /// Its name in logs and status.
    pub name: String,
    /// Line of the configuration file where it begins, from 1.
    #[serde(skip)]
    pub line: usize,
    /// Interface for adverts, and for addresses without `dev`.
    pub interface: String,
    /// Virtual router id, 1 to 255.
    #[serde(rename = "virtual_router_id")]
    pub vrid: u8,
    /// Its family: that of its addresses and of its adverts. IPv6 is always version 3.
    #[serde(skip)]
    pub family: Family,
    /// Version of its adverts.
    #[serde(serialize_with = "form::version")]
    #[schemars(with = "u8")]
    pub version: Version,
    /// The state that it is wished to start in (`state`). Wins nothing: the agent listens first.
    pub state: StartState,
    /// 1 to 255, before trackers move it.
    pub priority: u8,
    /// Own advertisement interval; whole seconds in version 2.
    #[serde(rename = "advert_int", serialize_with = "form::interval")]
    #[schemars(with = "form::Seconds")]
    pub interval: Interval,
    /// Own intervals without an advert after which the Master is down, before the skew (`down_timer_adverts`), 1 to
    /// 100; 3 by default (RFC 9568 section 6.1).
    pub down_timer_adverts: u8,
    /// Displace a Master of lower priority.
    pub preempt: bool,
    /// Wait before displacing it, from its first advert on (seconds, 0 to 1000); none by default.
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub preempt_delay: Duration,
    /// As Master, leave an advert of lower priority unanswered (`lower_prio_no_advert`); off by default.
    pub lower_prio_no_advert: bool,
    /// As Master, send one more advert before giving way to a higher priority (`higher_prio_send_advert`); on by
    /// default, so that two Masters that meet after a split know of each other.
    pub higher_prio_send_advert: bool,
    /// Password of version 2.
    #[serde(rename = "auth_pass", serialize_with = "form::password")]
    #[schemars(with = "Option<String>")]
    pub password: Option<Password>,
    /// Source of adverts (`unicast_src_ip`, `mcast_src_ip`); the interface's primary address where none is given.
    #[serde(rename = "unicast_src_ip")]
    pub source: Option<IpAddr>,
    /// FAULT while no interface carries [`source`](Self::source) (`track_src_ip`); off by default.
    #[serde(rename = "track_src_ip")]
    pub track_source: bool,
    /// Group that adverts are sent to where there are no peers (`vrrp_mcast_group4`, `vrrp_mcast_group6`,
    /// `mcast_dst_ip`); 224.0.0.18 or ff02::12 by default.
    #[serde(rename = "mcast_dst_ip")]
    pub group: IpAddr,
    /// Unicast peers; adverts go to the group where there are none. Adverts from anybody else are never accepted
    /// (C-UNI-02; Keepalived needs `check_unicast_src` for that).
    #[serde(rename = "unicast_peer")]
    pub peers: Vec<Peer>,
    /// TTL of unicast adverts (`unicast_ttl`), 1 to 255; 255 by default (C-UNI-03).
    pub unicast_ttl: u8,
    /// Checksum form of v3/IPv4 adverts that are sent and accepted (C-CK-04).
    pub checksum: Checksum,
    /// The virtual addresses that adverts list, in the order of the file; all of one family.
    #[serde(rename = "virtual_ipaddress")]
    pub addresses: Vec<VirtualAddress>,
    /// Addresses of either family that come and go with the others, but are in no advert
    /// (`virtual_ipaddress_excluded`).
    #[serde(rename = "virtual_ipaddress_excluded")]
    pub excluded: Vec<VirtualAddress>,
    /// Routes that come and go with the addresses (`virtual_routes`).
    #[serde(rename = "virtual_routes")]
    pub routes: Vec<Route>,
    /// Policy rules that come and go with the addresses (`virtual_rules`).
    #[serde(rename = "virtual_rules")]
    pub rules: Vec<Rule>,
    /// Keep the other addresses of a network when its first one is removed (`promote_secondaries`: the interface's
    /// sysctl); off by default.
    pub promote_secondaries: bool,
    /// Take traffic to the virtual addresses although this node does not own them (`accept`, `no_accept`;
    /// `Accept_Mode` of RFC 9568 section 6.1); on by default.
    pub accept: bool,
    /// Use a virtual MAC on an interface of its own (`use_vmac`); the interface's own MAC by default.
    #[serde(flatten)]
    pub vmac: Option<Vmac>,
    /// When addresses are announced.
    #[serde(flatten)]
    pub garp: Garp,
    /// What it tracks.
    #[serde(flatten)]
    pub track: Trackers,
    /// Go on while its own interface is down (`dont_track_primary`); off by default.
    pub dont_track_primary: bool,
    /// The test whether this node is the isolated one; none by default.
    pub fence: Option<Fence>,
    /// Whom to tell of its changes.
    #[serde(flatten)]
    pub notify: Notify,
}

impl Instance {
    /// The group that adverts of a family are sent to where the file names none (RFC 9568 sections 5.1.1.2, 5.1.2.2).
    #[must_use]
    pub const fn standard_group(family: Family) -> IpAddr {
        match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::new(224, 0, 0, 18)),
            Family::V6 => IpAddr::V6(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
        }
    }

    /// A virtual router of which the file says no more than this: an IPv4 one without addresses.
    #[must_use]
    pub fn new(name: String, interface: String, vrid: u8) -> Self {
        Self {
            name,
            line: 0,
            interface,
            vrid,
            family: Family::V4,
            version: Version::V2,
            state: StartState::Backup,
            priority: 100,
            interval: Interval::from_centis(100).unwrap_or_else(|| unreachable!("100 is not zero")),
            down_timer_adverts: 3,
            preempt: true,
            preempt_delay: Duration::ZERO,
            lower_prio_no_advert: false,
            higher_prio_send_advert: true,
            password: None,
            source: None,
            track_source: false,
            group: Self::standard_group(Family::V4),
            peers: Vec::new(),
            unicast_ttl: 255,
            checksum: Checksum::Either,
            addresses: Vec::new(),
            excluded: Vec::new(),
            routes: Vec::new(),
            rules: Vec::new(),
            promote_secondaries: false,
            accept: true,
            vmac: None,
            garp: Garp::default(),
            track: Trackers::default(),
            dont_track_primary: false,
            fence: None,
            notify: Notify::default(),
        }
    }
}

impl Instance {
    /// Whether the other one is the same virtual router, with other settings perhaps: on the wire, and as an interface of its
    /// own. A reload lets it go on.
    #[must_use]
    pub fn is_same_router(&self, other: &Self) -> bool {
        let identity = |instance: &Self| {
            let vmac = instance.vmac.as_ref().map(|vmac| vmac.name.clone());
            (instance.interface.clone(), instance.vrid, instance.family, instance.version, vmac)
        };
        !self.is_vacant() && identity(self) == identity(other)
    }

    /// What stays of a virtual router that a reload has taken away, until another one takes its place: a name, and whom to
    /// tell. It has no interface, and so it is nowhere.
    #[must_use]
    pub fn vacated(&self) -> Self {
        // Where it is vacant already, everybody has been told.
        let notify = if self.is_vacant() { Notify::default() } else { self.notify.clone() };
        Self { notify, state: self.state, ..Self::new(self.name.clone(), String::new(), self.vrid) }
    }

    /// Whether this is only the place of one that a reload has taken away.
    #[must_use]
    pub fn is_vacant(&self) -> bool {
        self.interface.is_empty()
    }
}

/// The state that a node is wished to start in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum StartState {
    /// `MASTER`.
    Master,
    /// `BACKUP`.
    #[default]
    Backup,
}

/// Checksum form of v3/IPv4 adverts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Checksum {
    /// Accept both and send what the others do: every form that was heard, and until then that with a pseudo-header, which
    /// keepalived and FRR read.
    #[default]
    Either,
    /// Send and accept the message-only form of RFC 9568.
    Message,
    /// Send and accept the form with pseudo-header.
    Pseudo,
}

/// Another node that adverts are exchanged with by unicast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address, the source of its adverts.
    pub ip: IpAddr,
    /// Lowest TTL or hop limit that its adverts may arrive with (`min_ttl`); 255 by default (C-UNI-03), where
    /// Keepalived takes any.
    pub min_ttl: u8,
    /// Highest (`max_ttl`); 255 by default.
    pub max_ttl: u8,
}

/// A virtual MAC: 00:00:5e:00:01:VRID, or 00:00:5e:00:02:VRID for IPv6 (RFC 9568 section 7.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Vmac {
    /// Name of the macvlan (`use_vmac NAME`); `vrrp.VRID`, or `vrrp6.VRID` for IPv6, by default.
    #[serde(rename = "use_vmac")]
    pub name: String,
    /// Send and receive adverts on the interface below, with its own MAC (`vmac_xmit_base`); off by default.
    #[serde(rename = "vmac_xmit_base")]
    pub xmit_base: bool,
}

/// When a Master announces its addresses by gratuitous ARP or unsolicited NA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Garp {
    /// From becoming Master to the second set (`garp_master_delay`, seconds); zero for none; 5 s by default.
    #[serde(rename = "garp_master_delay", serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub delay: Duration,
    /// Announcements of every address in one set (`garp_master_repeat`), at least 1; 5 by default.
    #[serde(rename = "garp_master_repeat")]
    pub repeat: u8,
    /// Between later sets while Master (`garp_master_refresh`, seconds); zero for none, 10 s by default: what ends a split
    /// is not always heard (C-L2-09, decision 45), and hosts must find who stayed.
    #[serde(rename = "garp_master_refresh", serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub refresh: Duration,
    /// Announcements of every address in each of these (`garp_master_refresh_repeat`); 1 by default.
    #[serde(rename = "garp_master_refresh_repeat")]
    pub refresh_repeat: u8,
    /// From a losing advert to the second set that it causes (`garp_lower_prio_delay`, seconds); zero for none; as
    /// `delay` by default.
    #[serde(rename = "garp_lower_prio_delay", serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub lower_prio_delay: Duration,
    /// Announcements of every address in each set that a losing advert causes (`garp_lower_prio_repeat`); 0 for none;
    /// as `repeat` by default.
    #[serde(rename = "garp_lower_prio_repeat")]
    pub lower_prio_repeat: u8,
    /// Least time between two gratuitous ARP on one interface (`garp_interval`, seconds with fraction); none by
    /// default.
    #[serde(rename = "garp_interval", serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub interval: Duration,
    /// The same for unsolicited NA (`gna_interval`); none by default.
    #[serde(rename = "gna_interval", serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub gna_interval: Duration,
}

impl Default for Garp {
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(5),
            repeat: 5,
            refresh: Duration::from_secs(10),
            refresh_repeat: 1,
            lower_prio_delay: Duration::from_secs(5),
            lower_prio_repeat: 5,
            interval: Duration::ZERO,
            gna_interval: Duration::ZERO,
        }
    }
}

impl Garp {
    /// What the election is told of it.
    #[must_use]
    pub fn announcing(&self) -> Announcing {
        Announcing {
            repeat: self.repeat,
            delay: self.delay,
            refresh: self.refresh,
            refresh_repeat: self.refresh_repeat,
            losing_repeat: self.lower_prio_repeat,
            losing_delay: self.lower_prio_delay,
        }
    }
}

/// Instances that become MASTER, BACKUP and FAULT together (`vrrp_sync_group`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SyncGroup {
    /// Its name.
    pub name: String,
    /// Line of the configuration file where it begins, from 1.
    #[serde(skip)]
    pub line: usize,
    /// Names of instances; at least one, each in one group only.
    pub members: Vec<String>,
    /// What the group tracks, for all of its members.
    #[serde(flatten)]
    pub track: Trackers,
    /// A member's own weights count too, and move it alone (`sync_group_tracking_weight`). Off by default: then what a
    /// member tracks itself has weight 0, and scripts that have a weight it does not track. Weights of the group always
    /// count, for all members alike.
    #[serde(rename = "sync_group_tracking_weight")]
    pub tracking_weight: bool,
    /// Whom to tell of its changes.
    #[serde(flatten)]
    pub notify: Notify,
}
