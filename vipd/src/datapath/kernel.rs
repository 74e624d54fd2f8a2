//! The kernel half, loaded.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread;

use aya::maps::{Map, MapData, MapError, PerCpuArray, RingBuf};
use aya::programs::{ProgramError, ProgramType, SchedClassifier, Xdp};
use aya::sys::{BpfHelper, is_helper_supported};
use aya::{Ebpf, EbpfError, EbpfLoader};
use nix::sched::{CloneFlags, unshare};
use nix::sys::resource::{RLIM_INFINITY, Resource, setrlimit};
use nix::unistd::chroot;
use tracing::debug;
use vipd_common::abi::{self, Addr, Counters, InstanceKey, Rules, Seen, Ttl};
use vipd_common::wire::Reason;

use super::events::Events;
use super::ladder::{self, Attached, Refused};
use super::leases::Leases;
use super::page::SeenPage;
use super::pins::Pins;
use super::published::{Maps, Published, remove};
use crate::config::Datapath;

static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/vipd-ebpf.o"));
const XDP: &str = "vipd_xdp";
const TCX: &str = "vipd_tcx";
/// The kernel half's switch for what needs timers.
const TIMERS: &str = "TIMERS";

/// Why the kernel half cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The object cannot be read, or a map cannot be made.
    #[error("the kernel half cannot be prepared: {0}")]
    Object(#[source] Box<EbpfError>),
    /// A program or map is not what this agent expects.
    #[error("the kernel half does not fit this agent: {0}")]
    Unfit(String),
}

/// Why the maps cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There are places for [`abi::MAX_INSTANCES`] virtual routers.
    #[error("virtual router {0} has no place in the kernel's tables")]
    Instance(u32),
    /// This virtual router was never published.
    #[error("virtual router {0} is not in the kernel's tables")]
    Unknown(u32),
    /// The kernel refused.
    #[error("the kernel's tables cannot be written: {0}")]
    Map(#[from] MapError),
}

/// The kernel half, attached nowhere at first. When it is dropped, or the process ends however it may, the kernel
/// drops it too, but for what is pinned: [`Pins`].
pub struct Kernel {
    ebpf: Ebpf,
    maps: Maps,
    seen: SeenPage,
    leases: Leases,
    stats: Arc<Stats>,
    events: Option<Events>,
    published: BTreeMap<u32, Published>,
    timers: bool,
}

impl Kernel {
    /// Makes the maps. A program is loaded when it is first attached: most interfaces need but one of the two.
    ///
    /// # Errors
    ///
    /// [`LoadError`]: without the capabilities `CAP_BPF` and `CAP_NET_ADMIN`, or on a kernel that is too old.
    pub fn load() -> Result<Self, LoadError> {
        Self::load_with(
            is_helper_supported(ProgramType::Xdp, BpfHelper::BPF_FUNC_timer_start).unwrap_or(false),
        )
    }

    /// As [`load`](Self::load), with or without timers for silence, whatever this kernel has.
    ///
    /// # Errors
    ///
    /// [`LoadError`]
    pub fn load_with(timers: bool) -> Result<Self, LoadError> {
        raise_memlock();
        let switch = u8::from(timers);
        let loaded = loader().btf(None).override_global(TIMERS, &switch, true).load(OBJECT);
        let mut ebpf = loaded.map_err(|error| LoadError::Object(Box::new(error)))?;
        #[cfg(feature = "kernel-log")]
        super::kernel_log::forward(&mut ebpf);
        Ok(Self {
            maps: Maps {
                index: map(&mut ebpf, "INDEX")?,
                instances: map(&mut ebpf, "INSTANCES")?,
                vips: map(&mut ebpf, "VIPS")?,
                peers: map(&mut ebpf, "PEERS")?,
            },
            seen: page(&mut ebpf, "SEEN", |map| SeenPage::map(map, abi::MAX_INSTANCES))?,
            leases: page(&mut ebpf, "LEASES", Leases::map)?,
            stats: Arc::new(Stats(map(&mut ebpf, "STATS")?)),
            events: Some(Events::new(map::<RingBuf<_>>(&mut ebpf, "EVENTS")?)),
            published: BTreeMap::new(),
            timers,
            ebpf,
        })
    }

    /// Makes a virtual router known, or changes it: from now on its adverts are taken. `instance` is its number, below
    /// [`abi::MAX_INSTANCES`]; `vips` are its virtual addresses, each with the
    /// interface that carries it, and `peers` its unicast peers.
    ///
    /// # Errors
    ///
    /// [`PublishError`]
    pub fn publish(
        &mut self,
        instance: u32,
        key: InstanceKey,
        rules: &Rules,
        vips: &[(u32, Addr)],
        peers: &[(Addr, Ttl)],
    ) -> Result<(), PublishError> {
        if instance >= abi::MAX_INSTANCES {
            return Err(PublishError::Instance(instance));
        }
        let router = Published::new(key, *rules, vips, peers);
        self.maps.write(instance, &router, self.published.get(&instance))?;
        let place = router.place();
        if let Some(old) = self.published.insert(instance, router) {
            self.maps.erase(instance, &old, self.published.get(&instance))?;
            if old.place() != place {
                self.leave(old.place())?;
            }
        }
        Ok(())
    }

    /// Makes the kernel half forget a virtual router; one that it does not know is fine.
    ///
    /// # Errors
    ///
    /// [`PublishError::Map`]
    pub fn withdraw(&mut self, instance: u32) -> Result<(), PublishError> {
        if let Some(old) = self.published.remove(&instance) {
            self.maps.erase(instance, &old, None)?;
            // Its timer may still run, and must not tell of it.
            self.maps.instances.set(instance, Rules::default(), 0)?;
            self.seen.clear(instance);
            self.leases.set(instance, abi::lease::OPEN);
            self.leave(old.place())?;
        }
        Ok(())
    }

    /// Removes the entry of an interface and VLAN on which no virtual router is left.
    fn leave(&mut self, place: InstanceKey) -> Result<(), PublishError> {
        if self.published.values().all(|router| router.place() != place) {
            remove(&mut self.maps.index, &place)?;
        }
        Ok(())
    }

    /// Changes the rules of a virtual router.
    ///
    /// # Errors
    ///
    /// [`PublishError`]
    pub fn update(&mut self, instance: u32, change: impl FnOnce(&mut Rules)) -> Result<(), PublishError> {
        let router = self.published.get_mut(&instance).ok_or(PublishError::Unknown(instance))?;
        change(&mut router.rules);
        self.maps.instances.set(instance, router.rules, 0)?;
        Ok(())
    }

    /// What was heard of a virtual router; `None` when no valid advert has come.
    #[must_use]
    pub fn seen(&self, instance: u32) -> Option<Seen> {
        Some(self.seen.read(instance)).filter(|seen| seen.last.at != 0)
    }

    /// Lets this node answer for the addresses of a virtual router until a moment, and not after it. `false` if the kernel has
    /// ended the lease since [`set_lease`](Self::set_lease): then nothing is changed.
    #[must_use]
    pub fn extend_lease(&mut self, instance: u32, until: abi::Lease) -> bool {
        self.leases.extend(instance, until)
    }

    /// Sets a lease to a value of [`abi::lease`], whatever the kernel has made of it.
    pub fn set_lease(&mut self, instance: u32, value: abi::Lease) {
        self.leases.set(instance, value);
    }

    /// The lease of a virtual router as it stands.
    #[must_use]
    pub fn lease(&self, instance: u32) -> abi::Lease {
        self.leases.read(instance)
    }

    /// Whether the kernel half waits for silence by itself: [`Seen::watched`].
    #[must_use]
    pub const fn timers(&self) -> bool {
        self.timers
    }

    /// The counters, which another thread may read.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Takes the ring of events; `None` if it has been taken before.
    pub fn events(&mut self) -> Option<Events> {
        self.events.take()
    }

    /// Attaches to an interface at the best place that it offers and `policy` allows. It stays there until the result is
    /// dropped, and where there are `pins` until they are dropped too.
    ///
    /// # Errors
    ///
    /// [`Refused`] tells why each place was not to be had. The caller goes on with a packet socket, unless `policy`
    /// demands one of these places.
    pub fn attach(
        &mut self,
        interface: &str,
        policy: Datapath,
        pins: Option<&Pins>,
    ) -> Result<Attached, Refused> {
        ladder::climb(self, interface, policy, pins)
    }

    /// The program for XDP, to run it on a frame of one's own (`BPF_PROG_TEST_RUN`).
    ///
    /// # Errors
    ///
    /// [`ProgramError`] if the kernel refuses it.
    pub fn xdp(&mut self) -> Result<&mut Xdp, ProgramError> {
        let program: &mut Xdp = self.ebpf.program_mut(XDP).ok_or(ProgramError::NotLoaded)?.try_into()?;
        if program.fd().is_err() {
            program.load()?;
        }
        Ok(program)
    }

    /// The program for tcx, to run it on a frame of one's own (`BPF_PROG_TEST_RUN`).
    ///
    /// # Errors
    ///
    /// [`ProgramError`] if the kernel refuses it.
    pub fn tcx(&mut self) -> Result<&mut SchedClassifier, ProgramError> {
        let program: &mut SchedClassifier =
            self.ebpf.program_mut(TCX).ok_or(ProgramError::NotLoaded)?.try_into()?;
        if program.fd().is_err() {
            program.load()?;
        }
        Ok(program)
    }
}

/// The kernel half's counters.
pub struct Stats(PerCpuArray<MapData, Counters>);

impl Stats {
    /// Counters of a virtual router, or of the frames that belong to none, in the order of [`Reason::ALL`].
    ///
    /// # Errors
    ///
    /// [`MapError`]: there is no such place.
    pub fn read(&self, instance: Option<u32>) -> Result<Counters, MapError> {
        let place = instance.map_or(0, |instance| instance.saturating_add(1));
        let mut sum = [0; Reason::COUNT];
        for counters in self.0.get(&place, 0)?.iter() {
            for (sum, count) in sum.iter_mut().zip(counters) {
                *sum += count;
            }
        }
        Ok(sum)
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kernel").field("published", &self.published).finish_non_exhaustive()
    }
}

/// Takes a map out of the object.
fn map<M>(ebpf: &mut Ebpf, name: &'static str) -> Result<M, LoadError>
where
    M: TryFrom<Map, Error = MapError>,
{
    let map = ebpf.take_map(name).ok_or_else(|| LoadError::Unfit(format!("there is no map {name}")))?;
    M::try_from(map).map_err(|error| LoadError::Unfit(format!("map {name}: {error}")))
}

/// Maps an array of the object into memory.
fn page<P>(
    ebpf: &mut Ebpf,
    name: &'static str,
    mapped: impl FnOnce(&MapData) -> io::Result<P>,
) -> Result<P, LoadError> {
    let Some(Map::Array(map)) = ebpf.map(name) else {
        return Err(LoadError::Unfit(format!("there is no array {name}")));
    };
    mapped(map).map_err(|error| LoadError::Unfit(format!("array {name} cannot be mapped: {error}")))
}

/// A loader that has not read the types of the whole kernel. They are of no use here, since the programs read packets and their
/// own maps only; but aya 0.14 parses them whenever a loader is made, 16 ms, unless it does not find them. So a thread makes it
/// that sees nothing but an empty directory. Without `CAP_SYS_CHROOT` the start takes that longer.
fn loader() -> EbpfLoader<'static> {
    let blind = || {
        // Of this thread alone from now on.
        if let Err(error) = unshare(CloneFlags::CLONE_FS).and_then(|()| chroot("/proc/self/fdinfo")) {
            debug!(%error, "the kernel's types are parsed for nothing");
        }
        EbpfLoader::new()
    };
    // No thread is to be had in a process whose children are to have a PID namespace of their own.
    let made = thread::Builder::new().spawn(blind).ok().and_then(|thread| thread.join().ok());
    made.unwrap_or_default()
}

/// Kernels before 5.11 charge maps to this limit. Newer ones do not, so failing to raise it is no error by itself.
fn raise_memlock() {
    if let Err(error) = setrlimit(Resource::RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY) {
        debug!(%error, "cannot raise RLIMIT_MEMLOCK");
    }
}

/// The number of an interface in this thread's network namespace.
pub(super) fn ifindex(interface: &str) -> Option<NonZeroU32> {
    NonZeroU32::new(nix::net::if_::if_nametoindex(interface).ok()?)
}
