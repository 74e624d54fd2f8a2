//! The maps. What they hold is told in `vipd_common::abi`.

use aya_ebpf::bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC};
use aya_ebpf::btf_maps::{Array, HashMap, PerCpuArray, RingBuf};
use aya_ebpf::macros::btf_map;
use vipd_common::abi::{self, Counters, Event, InstanceKey, Lease, PeerKey, Rules, Seen, Ttl, VipKey};
use vipd_common::wire::L3;

use crate::watch::Watch;

/// Only user space adds entries, so they need not be set aside beforehand.
const ON_DEMAND: usize = BPF_F_NO_PREALLOC as usize;
/// User space maps these into its memory, and needs no call of the kernel to read and write them.
const SHARED: usize = BPF_F_MMAPABLE as usize;
/// Every virtual router may stand on a VLAN of its own, and then has the VLAN's entry beside it.
const INDEX_SIZE: usize = 2 * abi::MAX_INSTANCES as usize;

/// Which instance an advert is for.
#[btf_map]
pub(crate) static INDEX: HashMap<InstanceKey, u32, INDEX_SIZE, ON_DEMAND> = HashMap::new();

/// What an advert must look like.
#[btf_map]
pub(crate) static INSTANCES: Array<Rules, { abi::MAX_INSTANCES as usize }> = Array::new();

/// Our virtual addresses.
#[btf_map]
pub(crate) static VIPS: HashMap<VipKey, u32, { abi::MAX_VIPS as usize }, ON_DEMAND> = HashMap::new();

/// Unicast peers.
#[btf_map]
pub(crate) static PEERS: HashMap<PeerKey, Ttl, { abi::MAX_PEERS as usize }, ON_DEMAND> = HashMap::new();

/// The last valid advert of each instance. Two CPUs that receive adverts of one instance at the same moment may mix them up;
/// the next advert mends that.
#[btf_map]
pub(crate) static SEEN: Array<Seen, { abi::MAX_INSTANCES as usize }, SHARED> = Array::new();

/// The right to answer for the virtual addresses of each instance.
#[btf_map]
pub(crate) static LEASES: Array<Lease, { abi::MAX_INSTANCES as usize }, SHARED> = Array::new();

/// What silence is waited for.
#[btf_map]
pub(crate) static WATCH: Array<Watch, { abi::MAX_INSTANCES as usize }> = Array::new();

/// Counters.
#[btf_map]
pub(crate) static STATS: PerCpuArray<Counters, { abi::STATS_SIZE as usize }> = PerCpuArray::new();

/// What user space must know.
#[btf_map]
pub(crate) static EVENTS: RingBuf<Event, { abi::EVENTS_SIZE as usize }> = RingBuf::new();

/// Room for one packet: the stack is too small for it.
#[btf_map]
pub(crate) static SCRATCH: PerCpuArray<L3, 1> = PerCpuArray::new();
