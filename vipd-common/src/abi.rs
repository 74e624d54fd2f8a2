//! Keys, values and records of the BPF maps, as both halves see them.
//!
//! Every type is `repr(C)` without padding, so that it is plain bytes on both sides. Times are nanoseconds of
//! `CLOCK_MONOTONIC` (`bpf_ktime_get_ns`). Addresses are 16 octets in network order, an IPv4 address as an IPv4-mapped
//! one (RFC 4291 §2.5.5.2). Multi-octet numbers are in host order unless said otherwise.

use crate::wire::Reason;

/// Virtual routers that one agent can run: the size of the maps keyed by instance.
pub const MAX_INSTANCES: u32 = 1024;
/// Virtual addresses that one agent can hold: the size of VIPS.
pub const MAX_VIPS: u32 = 16 * 1024;
/// Unicast peers of all virtual routers together: the size of PEERS.
pub const MAX_PEERS: u32 = 16 * 1024;
/// Octets of the EVENTS ring; a record is [`Event`].
pub const EVENTS_SIZE: u32 = 256 * 1024;

/// An address: IPv6, or IPv4-mapped.
pub type Addr = [u8; 16];

/// Key of INDEX: where an advert belongs (C-RX-04, C-FSM-15). The value is the instance's number, a `u32`.
///
/// Beside every virtual router stands an entry with VRID 0, which no virtual router has: it says that some run there, and
/// so tells an unknown VRID from a foreign VLAN (C-L2-06). Its value means nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InstanceKey {
    /// Receiving interface.
    pub ifindex: u32,
    /// VLAN id, 0 for an untagged frame. A frame with two VLAN ids belongs nowhere: [`crate::wire::eth::STACKED`].
    pub vlan: u16,
    /// 4 or 6.
    pub family: u8,
    /// Virtual router id.
    pub vrid: u8,
}

/// Key of VIPS: a virtual address on its interface. The value is the instance's number, a `u32`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VipKey {
    /// Interface that carries the address, and receives what asks for it.
    pub ifindex: u32,
    /// VLAN id, 0 for an untagged frame, as in [`InstanceKey`].
    pub vlan: u16,
    /// Zero.
    pub reserved: u16,
    /// The virtual address.
    pub addr: Addr,
}

/// Key of PEERS: a configured unicast peer of an instance (C-UNI-02). The value is [`Ttl`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerKey {
    /// The instance's number.
    pub instance: u32,
    /// The peer's address.
    pub addr: Addr,
}

/// Value of PEERS: the TTL or hop limit that a peer's adverts may arrive with, both 255 unless configuration says otherwise
/// (C-UNI-03).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ttl {
    /// Lowest.
    pub least: u8,
    /// Highest.
    pub most: u8,
}

/// Which checksum forms a v3/IPv4 advert may carry (C-CK-04), for [`Rules::checksum`].
pub mod checksum {
    /// Both forms.
    pub const EITHER: u8 = 0;
    /// The message only (RFC 9568).
    pub const MESSAGE: u8 = 1;
    /// With a pseudo-header (one reading of RFC 5798; keepalived and FRR by default).
    pub const PSEUDO: u8 = 2;
}

/// Value of INSTANCES: what an advert for an instance must look like, and what silence is. Written by the daemon only.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Own primary address; adverts from it are reflections (C-RX-19).
    pub own: Addr,
    /// The VRRP group.
    pub group: Addr,
    /// Sum over the virtual addresses of [`crate::wire::address_digest`], which does not depend on their order.
    pub list_digest: u64,
    /// Password of version 2, zero-filled (C-AUTH-02).
    pub auth_data: [u8; 8],
    /// Own interval in centiseconds.
    pub interval_cs: u16,
    /// 2 or 3; 0 where there is no virtual router.
    pub version: u8,
    /// Own effective priority.
    pub priority: u8,
    /// Version 2: 0 none, 1 password.
    pub auth_type: u8,
    /// One of [`checksum`].
    pub checksum: u8,
    /// 1: adverts come from configured peers to our own address; 0: to the group (C-RX-20).
    pub unicast: u8,
    /// 1: the first address of a list must be a link-local one (C-RX-17), as it is in our own.
    pub local_first: u8,
    /// Number of virtual addresses in the advert.
    pub list_len: u8,
    /// 1: an advert of version 2 with another list does not count, unless it is the owner's (C-RX-14). Otherwise, and in
    /// version 3, another list is only told by the counter (C-RX-13).
    pub check_list: u8,
    /// 1 while this node is Master: every valid advert of another node goes up.
    pub master: u8,
    /// While this node is not Master: the least priority, but for 0, that keeps it waiting (C-FSM-05, C-FSM-06). Its own
    /// when it preempts, 1 when it does not or must not yet.
    pub alive_from: u8,
    /// Intervals without a sign of life, beside the skew time, after which this node may take over: 3 (C-TMR-01, C-TMR-02).
    pub down_adverts: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

/// An advert as SEEN keeps it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// When it arrived; 0 when none has.
    pub at: u64,
    /// Its source.
    pub source: Addr,
    /// Its interval in centiseconds.
    pub interval_cs: u16,
    /// Its priority.
    pub priority: u8,
    /// Its checksum form, one of [`checksum`]: MESSAGE or PSEUDO; EITHER where there is but one form.
    pub checksum: u8,
    /// Zero.
    pub reserved: [u8; 4],
}

/// Value of SEEN: what was heard of an instance. Written by the kernel; the daemon clears it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The last valid advert.
    pub last: Stamp,
    /// The last one that keeps this node waiting, by [`crate::wait::sign`]; other nodes' adverts may have come after it. Of a
    /// resignation, the interval is that of the advert which was followed before (C-FSM-08).
    pub sign: Stamp,
    /// Valid adverts so far.
    pub count: u64,
    /// 1 while the kernel waits for the silence that `sign` leaves: an [`Event`] will tell of it. 0 when nothing is waited
    /// for, or the kernel has no timers.
    pub watched: u8,
    /// 1 when `sign` came while this node was Master, which it then must not stay.
    pub yielded: u8,
    /// Zero.
    pub reserved: [u8; 6],
}

/// Value of LEASES: until when this node may answer for the virtual addresses of an instance, in nanoseconds. What is not one
/// of the values below is such a moment, and the largest number never comes.
///
/// The daemon replaces what it wrote last and nothing else; the kernel writes [`lease::ENDED`](lease) only.
pub type Lease = u64;

/// Values of a [`Lease`] that are no moment to come.
pub mod lease {
    /// There is no gate: the node answers.
    pub const OPEN: u64 = 0;
    /// The kernel heard a node that goes before this one (C-FSM-09).
    pub const ENDED: u64 = 1;
    /// The daemon closed the gate.
    pub const CLOSED: u64 = 2;
}

/// Value of STATS, per CPU: counters by [`Reason`]. Place 0 is for frames that belong to no instance, place `n` + 1 for
/// those of instance `n`.
pub type Counters = [u64; Reason::COUNT];
/// Places of STATS.
pub const STATS_SIZE: u32 = MAX_INSTANCES + 1;

/// What an [`Event`] tells.
pub mod kind {
    /// An advert that changes something: the first, another sender, priority or interval than the last, a new checksum form,
    /// priority 0, or any while we are Master.
    pub const ADVERT: u8 = 1;
    /// A gratuitous ARP or a neighbour advertisement for one of our virtual addresses from another node.
    pub const CLAIM: u8 = 2;
    /// No sign of life came for as long as this node waits for one. Nothing is waited for any more until the next one.
    pub const SILENT: u8 = 3;
}

/// Record of the EVENTS ring.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// When the frame arrived. SILENT: when the silence was noticed.
    pub at: u64,
    /// SILENT: when the last sign of life arrived.
    pub since: u64,
    /// The instance's number.
    pub instance: u32,
    /// One of [`kind`].
    pub kind: u8,
    /// ADVERT: its priority. SILENT: that of the last sign of life.
    pub priority: u8,
    /// ADVERT: its interval in centiseconds. SILENT: the one that was followed.
    pub interval_cs: u16,
    /// ADVERT: source of the IP header. CLAIM: the address claimed. SILENT: source of the last sign of life.
    pub addr: Addr,
    /// ADVERT: source of the Ethernet header. CLAIM: the hardware address that the address is claimed for.
    pub mac: [u8; 6],
    /// ADVERT: as [`Stamp::checksum`].
    pub checksum: u8,
    /// ADVERT: as [`Seen::watched`], from this advert on.
    pub watched: u8,
}

const _: () = {
    assert!(size_of::<InstanceKey>() == 8);
    assert!(size_of::<VipKey>() == 24);
    assert!(size_of::<PeerKey>() == 20);
    assert!(size_of::<Ttl>() == 2);
    assert!(size_of::<Rules>() == 64);
    assert!(size_of::<Stamp>() == 32);
    assert!(size_of::<Seen>() == 80);
    assert!(size_of::<Event>() == 48);
};

#[cfg(feature = "user")]
mod user {
    use super::{Event, Seen};

    impl Event {
        /// Reads a record as the ring holds it; `None` if it has not the size of one.
        #[must_use]
        pub fn from_octets(octets: &[u8]) -> Option<Self> {
            let octets: &[u8; size_of::<Self>()] = octets.try_into().ok()?;
            // SAFETY: as many octets as a record has, and every pattern of them is one.
            Some(unsafe { octets.as_ptr().cast::<Self>().read_unaligned() })
        }
    }

    impl Seen {
        /// Reads a value as the map holds it.
        #[must_use]
        pub fn from_words(words: [u64; size_of::<Self>() / 8]) -> Self {
            // SAFETY: as many octets as a value has, and every pattern of them is one.
            unsafe { core::mem::transmute::<[u64; size_of::<Self>() / 8], Self>(words) }
        }
    }

    // SAFETY: repr(C), Copy, of integers and arrays of them only, and without padding (asserted above by size).
    unsafe impl aya::Pod for super::InstanceKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for super::VipKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for super::PeerKey {}
    // SAFETY: as above.
    unsafe impl aya::Pod for super::Ttl {}
    // SAFETY: as above.
    unsafe impl aya::Pod for super::Rules {}
}
