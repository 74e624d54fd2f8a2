//! What the receive checks ask for, as the kernel half has it.

use core::ptr;

use aya_ebpf::helpers::generated::bpf_csum_diff;
use vipd_common::abi::{Addr, InstanceKey, PeerKey, Rules, Ttl};
use vipd_common::wire::ip::{Family, Header, V4, V6};
use vipd_common::wire::{L3, Reason, Table, list_digest};

use crate::maps::{INDEX, INSTANCES, PEERS, SCRATCH};

/// Octets that one call of `bpf_csum_diff` adds up; kernels before 6.13 take no more.
const SUM_MAX: usize = 512;
/// As many calls as the longest message takes: 1448 octets over IPv6.
const MESSAGE_MAX: usize = 3 * SUM_MAX;

/// The virtual routers of one family on one interface.
pub(crate) struct Interface {
    pub(crate) ifindex: u32,
    /// 4 or 6.
    pub(crate) family: u8,
}

impl Interface {
    #[inline(always)]
    fn number(&self, vlan: u16, vrid: u8) -> Option<u32> {
        let key = InstanceKey { ifindex: self.ifindex, vlan, family: self.family, vrid };
        // SAFETY: values are single words, which user space replaces whole.
        unsafe { INDEX.get(&key) }.copied()
    }
}

impl Table for Interface {
    #[inline(always)]
    fn instance(&self, vlan: u16, vrid: u8) -> Option<(u32, &Rules)> {
        // The entry with VRID 0 is no virtual router.
        let number = if vrid == 0 { None } else { self.number(vlan, vrid) }?;
        Some((number, INSTANCES.get(number)?))
    }

    #[inline(always)]
    fn serves(&self, vlan: u16) -> bool {
        self.number(vlan, 0).is_some()
    }

    #[inline(always)]
    fn peer(&self, instance: u32, source: &Addr) -> Option<Ttl> {
        // SAFETY: values are two octets, which user space replaces one by one at worst.
        unsafe { PEERS.get(&PeerKey { instance, addr: *source }) }.copied()
    }

    #[inline(always)]
    fn admit(&self, instance: u32, header: &Header) -> Result<(), Reason> {
        match admitted(instance, header.ttl.into(), self.family.into()) {
            ADMITTED => Ok(()),
            UNFIT => Err(Reason::Ttl),
            _ => Err(Reason::Peer),
        }
    }

    #[inline(always)]
    fn sum(&self, packet: &L3, from: usize, length: usize) -> u64 {
        sum(packet, from, length)
    }

    #[inline(always)]
    fn list_digest<F: Family>(&self, _: &L3, count: u8) -> u64 {
        if F::NUMBER == 4 { listed4(count.into()) } else { listed6(count.into()) }
    }
}

/// What [`admitted`] says of a peer's advert; 0 where it is no peer's.
const ADMITTED: u32 = 1;
const UNFIT: u32 = 2;

/// [`Table::admit`] for the packet at hand.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn admitted(instance: u32, ttl: u32, family: u32) -> u32 {
    let Some(scratch) = SCRATCH.get_ptr(0) else { return 0 };
    // SAFETY: the buffer is this CPU's, and nobody writes it while this runs.
    let packet = unsafe { &*scratch };
    let addr = if family == 4 { V4::source(packet) } else { V6::source(packet) };
    // SAFETY: values are two octets, which user space replaces one by one at worst.
    let Some(bounds) = (unsafe { PEERS.get(&PeerKey { instance, addr }) }) else { return 0 };
    if ttl < bounds.least.into() || ttl > bounds.most.into() { UNFIT } else { ADMITTED }
}

/// [`Table::sum`]
#[inline(always)]
pub(crate) fn sum(packet: &L3, from: usize, length: usize) -> u64 {
    let mut sum = 0;
    let mut done = 0;
    while done < MESSAGE_MAX && done < length {
        let left = length - done;
        let size = if left > SUM_MAX { SUM_MAX } else { left };
        // SAFETY: the octets lie within the buffer; the helper only reads them.
        let added = unsafe {
            let octets = packet.0.as_ptr().add(from + done).cast_mut().cast();
            bpf_csum_diff(ptr::null_mut(), 0, octets, size as u32, sum)
        };
        sum = added as u32;
        done += SUM_MAX;
    }
    sum.into()
}

/// The digest of the packet at hand. A global function: the verifier goes through its loop once, and behind it there is
/// nothing to go through again for every turn at which it may end.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn listed4(count: u32) -> u64 {
    listed::<V4>(count as u8)
}

/// The same over IPv6.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn listed6(count: u32) -> u64 {
    listed::<V6>(count as u8)
}

#[inline(always)]
fn listed<F: Family>(count: u8) -> u64 {
    let Some(scratch) = SCRATCH.get_ptr(0) else { return 0 };
    // SAFETY: the buffer is this CPU's, and nobody writes it while this runs.
    list_digest::<F>(unsafe { &*scratch }, count)
}
