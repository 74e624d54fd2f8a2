//! Listening on every interface of the virtual routers, each on the best step of the ladder that is to be had.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use vipd_common::wire::eth::Mac;
use vipd_core::InstanceId;

use super::kernel::{Kernel, LoadError, PublishError};
use super::ladder::{Attached, Mode, Step};
use super::pins::{Pins, remove_pins};
use super::port::Port;
use super::presence::Presence;
use super::tally::{SocketTally, Tally};
use super::{Datapath, Held, Listening, Standing};
use crate::config;
use crate::control::InterfaceStatus;
use crate::election::Planned;
use crate::rights;
use crate::watch;

/// Why adverts cannot be heard.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration demands a step of the ladder that is not to be had.
    #[error(
        "{interface}: the datapath {demanded} is demanded, but {refused}. `auto` takes the best that works"
    )]
    Demanded {
        /// The interface.
        interface: String,
        /// What was demanded.
        demanded: config::Datapath,
        /// Why not.
        refused: String,
    },
    /// Not even a packet socket works.
    #[error("cannot listen on {interface}: {source}")]
    Socket {
        /// The interface.
        interface: String,
        /// Why.
        source: io::Error,
    },
    /// The kernel refuses what it must know of the virtual routers.
    #[error("cannot tell the kernel what to listen for: {0}")]
    Publish(#[from] PublishError),
    /// The event ring cannot be watched.
    #[error("cannot watch the kernel's events: {0}")]
    Watch(io::Error),
}

/// What listens, and what is to be told of it.
pub struct Opened {
    /// What listens.
    pub datapath: Datapath,
    /// Where, on each interface.
    pub interfaces: Vec<InterfaceStatus>,
    /// Where counters are read.
    pub counters: Tally,
    /// What is worse on this host than it could be, and what that costs.
    pub degraded: Option<String>,
}

/// An interface of the virtual routers.
struct Interface {
    ifindex: u32,
    name: String,
    /// Its hardware address, where adverts come in; `None` where it only carries addresses.
    hears: Option<Mac>,
    /// Groups that adverts are sent to there.
    groups: BTreeSet<IpAddr>,
}

impl Held {
    /// Whether it may stay where it is: a program does, whoever is to hear there.
    fn is(&self, interface: &Interface) -> bool {
        let hears_as_before = self.presence.is_some() == interface.hears.is_some();
        self.ifindex == interface.ifindex && (hears_as_before || self.attached.is_some())
    }

    /// Hears these groups from now on. New ones are joined before the old ones are left.
    fn hear(&mut self, interface: &Interface) -> Result<(), OpenError> {
        let heard = self.presence.as_ref().map(Presence::groups);
        let wanted = interface.hears.map(|_| &interface.groups);
        if heard != wanted {
            let failed = |source| OpenError::Socket { interface: interface.name.clone(), source };
            let establish = |groups: &BTreeSet<_>| Presence::establish(self.ifindex, groups.clone());
            self.presence = wanted.map(establish).transpose().map_err(failed)?;
        }
        Ok(())
    }
}

impl Datapath {
    /// Listens on every interface of the virtual routers, on the best step of the ladder that `policy` allows. Programs that
    /// an agent with this run directory has left in the kernel are removed before.
    ///
    /// # Errors
    /// [`OpenError`]; nothing stays attached then.
    pub fn open(policy: config::Datapath, planned: &[Planned], run_dir: &Path) -> Result<Opened, OpenError> {
        match remove_pins(run_dir) {
            Ok(false) => {}
            Ok(true) => tracing::warn!("removed programs that an agent had left in the kernel"),
            Err(error) => tracing::warn!("cannot remove what an agent may have left in the kernel: {error}"),
        }
        let (mut kernel, unloaded) = match load(policy) {
            Ok(kernel) => (kernel, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let events = kernel.as_mut().and_then(Kernel::events);
        let sockets = SocketTally::new(config::places(planned.len()));
        let counters = Tally::new(kernel.as_ref().map(Kernel::stats), Arc::clone(&sockets));
        let (pins, degraded) = match kernel.as_ref().map(|_| Pins::mount(run_dir)) {
            Some(Err(error)) => (None, Some(unpinned(&error))),
            pins => (pins.and_then(Result::ok), None),
        };
        let listening = match kernel.zip(events) {
            Some((kernel, events)) => {
                let events = watch::readable(events).map_err(OpenError::Watch)?;
                Some(Listening { kernel, events })
            }
            None => None,
        };
        let mut datapath = Self {
            kernel: listening,
            policy,
            unloaded,
            held: Vec::new(),
            ports: Vec::new(),
            sockets,
            pins,
            unread: true,
        };
        datapath.follow(planned)?;
        for (id, planned) in (0..).map(InstanceId).zip(planned) {
            let priority = planned.config.priority;
            datapath.publish(id, planned, Standing { priority, alive_from: priority, master: false })?;
        }
        let interfaces = datapath.interfaces();
        let attached = interfaces.iter().any(|interface| interface.datapath != config::Datapath::Socket);
        Ok(Opened { datapath, interfaces, counters, degraded: degraded.filter(|_| attached) })
    }

    /// Listens on the interfaces where virtual routers are now, and on no others.
    ///
    /// # Errors
    /// [`OpenError`]: the first interface that cannot be listened on; the others are.
    pub fn follow<'a>(
        &mut self,
        planned: impl IntoIterator<Item = &'a Planned> + Clone,
    ) -> Result<(), OpenError> {
        let wanted = interfaces_of(planned);
        let is_wanted = |held: &Held| wanted.iter().any(|interface| held.is(interface));
        for held in self.held.extract_if(.., |held| !is_wanted(held)) {
            self.ports.retain(|(ifindex, _)| *ifindex != held.ifindex);
            if let Some(attached) = held.attached {
                attached.detach();
            }
        }
        let mut outcome = Ok(());
        for interface in wanted {
            let done = match self.held.iter_mut().find(|held| held.is(&interface)) {
                Some(held) => held.hear(&interface),
                None => self.attach(interface),
            };
            outcome = outcome.and(done);
        }
        outcome
    }

    /// Whether adverts are heard on an interface.
    pub(crate) fn hears(&self, ifindex: u32) -> bool {
        self.held.iter().any(|held| held.ifindex == ifindex && held.presence.is_some())
    }

    /// Whether a program is attached anywhere.
    pub(crate) fn is_attached(&self) -> bool {
        self.held.iter().any(|held| held.attached.is_some())
    }

    /// Where adverts are received, and addresses guarded.
    #[must_use]
    pub fn interfaces(&self) -> Vec<InterfaceStatus> {
        self.held.iter().map(|held| held.status.clone()).collect()
    }

    fn attach(&mut self, interface: Interface) -> Result<(), OpenError> {
        let kernel = self.kernel.as_mut().map(|listening| &mut listening.kernel);
        let timers = kernel.as_ref().is_some_and(|kernel| kernel.timers());
        let climbed = match kernel {
            Some(kernel) => {
                let attached = kernel.attach(&interface.name, self.policy, self.pins.as_ref());
                attached.map_err(|refused| sentences(&refused.steps))
            }
            None => Err(self.unloaded.iter().cloned().collect()),
        };
        self.hold(interface, climbed, timers)
    }

    /// Keeps what listens on an interface: the program that is attached there, or else a packet socket.
    fn hold(
        &mut self,
        interface: Interface,
        climbed: Result<Attached, Vec<String>>,
        timers: bool,
    ) -> Result<(), OpenError> {
        let Interface { ifindex, name, hears, groups } = interface;
        let policy = self.policy;
        let failed = |source| OpenError::Socket { interface: name.clone(), source };
        let presence = hears.map(|_| Presence::establish(ifindex, groups).map_err(failed)).transpose()?;
        // What the kernel says without a right names everything but the right.
        let climbed = climbed.map_err(|refused| match rights::missing_for_kernel() {
            Some(missing) if policy != config::Datapath::Socket => vec![missing],
            _ => refused,
        });
        let (datapath, refused, attached) = match climbed {
            Ok(attached) => (demand(attached.mode), sentences(&attached.skipped), Some(attached)),
            Err(refused) if matches!(policy, config::Datapath::Auto | config::Datapath::Socket) => {
                if let Some(mac) = hears {
                    let port = Port::open(ifindex, mac, Arc::clone(&self.sockets)).map_err(failed)?;
                    self.ports.push((ifindex, port));
                }
                (config::Datapath::Socket, refused, None)
            }
            Err(refused) => {
                let refused = refused.join("; ");
                return Err(OpenError::Demanded { interface: name, demanded: policy, refused });
            }
        };
        let gate = attached.is_some();
        let timer = gate && timers;
        tell(&name, hears.is_some(), datapath, policy, &refused);
        if gate && !timer {
            tracing::warn!(
                "{name}: this kernel has no timers for BPF programs (5.15 has), so the agent times silence itself, and \
                 takes over late when it gets no CPU"
            );
        }
        let status = InterfaceStatus { name, datapath, refused, timer, gate };
        self.held.push(Held { ifindex, presence, attached, status });
        Ok(())
    }
}

/// Every interface that is there once: those of the virtual routers, then those that only carry addresses of theirs.
fn interfaces_of<'a>(planned: impl IntoIterator<Item = &'a Planned> + Clone) -> Vec<Interface> {
    let mut interfaces: Vec<Interface> = Vec::new();
    let hearing = planned.clone().into_iter().map(|planned| Interface {
        ifindex: planned.ifindex,
        name: planned.config.interface.clone(),
        hears: Some(planned.mac),
        groups: BTreeSet::from([planned.config.group]),
    });
    let carrying: BTreeSet<u32> =
        planned.into_iter().flat_map(|planned| &planned.vips).map(|vip| vip.on).collect();
    let carrying = carrying.into_iter().filter_map(|ifindex| {
        let name = nix::net::if_::if_indextoname(ifindex).ok()?.into_string().ok()?;
        Some(Interface { ifindex, name, hears: None, groups: BTreeSet::new() })
    });
    for interface in hearing.chain(carrying).filter(|interface| interface.ifindex != 0) {
        match interfaces.iter_mut().find(|known| known.ifindex == interface.ifindex) {
            Some(known) => known.groups.extend(interface.groups),
            None => interfaces.push(interface),
        }
    }
    interfaces
}

fn unpinned(error: &io::Error) -> String {
    format!(
        "programs cannot be kept in the kernel ({error}; it takes CAP_SYS_ADMIN): when this agent and its warden are both \
         killed, this host goes on answering for the virtual addresses that it held"
    )
}

fn load(policy: config::Datapath) -> Result<Option<Kernel>, LoadError> {
    if policy == config::Datapath::Socket { Ok(None) } else { Kernel::load().map(Some) }
}

/// One log line for each interface: where detection runs, and what is lost where it is not the best.
fn tell(
    interface: &str,
    hears: bool,
    datapath: config::Datapath,
    policy: config::Datapath,
    refused: &[String],
) {
    let subject = if hears { "adverts are received" } else { "its virtual addresses are guarded" };
    let lost = match (datapath, hears) {
        (config::Datapath::Socket, true) => {
            "; every advert wakes the agent, and an agent that hangs as Master goes on answering for its addresses"
        }
        (config::Datapath::Socket, false) => "; an agent that hangs as Master goes on answering for them",
        (config::Datapath::XdpGeneric | config::Datapath::Tcx, true) => {
            "; adverts are checked later on their way than in the driver"
        }
        _ => "",
    };
    let because =
        if refused.is_empty() { String::new() } else { format!(", because {}", refused.join("; ")) };
    if because.is_empty() || policy == config::Datapath::Socket {
        tracing::info!("{interface}: {subject} by {datapath}{lost}");
    } else {
        tracing::warn!("{interface}: {subject} by {datapath}{lost}{because}");
    }
}

fn sentences(steps: &[Step]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

fn demand(mode: Mode) -> config::Datapath {
    match mode {
        Mode::XdpNative => config::Datapath::XdpNative,
        Mode::XdpGeneric => config::Datapath::XdpGeneric,
        Mode::Tcx => config::Datapath::Tcx,
    }
}
