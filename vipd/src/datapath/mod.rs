//! How adverts are heard: in the kernel by XDP or tcx, or by a packet socket. Whichever it is, the same facts come out.

mod events;
mod kernel;
#[cfg(feature = "kernel-log")]
mod kernel_log;
mod ladder;
mod port;
mod presence;
mod published;
mod rules;
mod socket;
mod tally;

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;

use vipd_common::abi::{self, Addr, Event};
use vipd_common::wire::to_ip;
use vipd_core::{Advert, InstanceId, Instant, Interval};

use self::port::{Listener, Port};
use self::presence::Presence;
use self::tally::SocketTally;
use crate::config;
use crate::control::InterfaceStatus;
use crate::election::Planned;
use crate::watch::{self, Watched};

pub use events::Events;
pub use kernel::{Kernel, LoadError, PublishError, Stats};
pub use ladder::{AttachError, Attached, Mode, Refused, Step};
pub use rules::{checksum_sent, version_number};
pub use tally::Tally;

/// A fact from the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An advert that passed every check, and whether the kernel waits for silence from it on: as [`Seen::watched`].
    Advert(InstanceId, Advert, bool),
    /// No sign of life came for as long as the virtual router waits for one, by what was published of it last. The kernel
    /// does not wait any more, until the next sign of life.
    Silent(InstanceId, Silence),
    /// Another node claims one of our addresses.
    Claim(Claim),
}

/// The evidence of a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// When the kernel noticed it: not before the deadline.
    pub at: Instant,
    /// Arrival of the last sign of life.
    pub since: Instant,
    /// Who gave it.
    pub source: IpAddr,
    /// With which priority; 0 when it was a resignation.
    pub priority: u8,
}

/// What the kernel has heard of a virtual router. All of it may have changed since the last [`Heard::Advert`], which tells
/// of changes only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The last advert that passed every check.
    pub last: Advert,
    /// The last one that keeps this node waiting, by what was published of it then: who is to be preempted does not hide it.
    /// Of a resignation, the interval is that of the advert which was followed before.
    pub sign: Option<Advert>,
    /// The kernel waits for silence after `sign`, and will tell: [`Heard::Silent`].
    pub watched: bool,
}

/// What a virtual router is at the moment, as far as the receive checks and the kernel's timer ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Effective priority.
    pub priority: u8,
    /// Least priority of another node, beside 0, that keeps this one waiting while it is not Master: its own when it preempts,
    /// 1 when it does not or a preempt delay runs (C-FSM-05, C-FSM-06, C-FSM-16).
    pub alive_from: u8,
    /// It is Master.
    pub master: bool,
}

/// A gratuitous ARP or neighbour advertisement of another node for one of our addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose address.
    pub instance: InstanceId,
    /// The address.
    pub ip: IpAddr,
    /// The hardware address that claims it.
    pub mac: [u8; 6],
    /// When it arrived.
    pub at: Instant,
}

/// Everything through which adverts are heard.
pub struct Datapath {
    kernel: Option<Listening>,
    /// Keep the interfaces hearing, and the programs attached.
    _held: Vec<(Presence, Option<Attached>)>,
    ports: Vec<(u32, Port)>,
    /// Something may be left to read since the last wake-up.
    unread: bool,
}

/// The kernel half with its event ring.
struct Listening {
    kernel: Kernel,
    events: Watched<Events>,
}

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

impl Datapath {
    /// Listens on every interface of the virtual routers, on the best step of the ladder that `policy` allows. Tells the
    /// step of each interface, and where counters are read.
    ///
    /// # Errors
    /// [`OpenError`]; nothing stays attached then.
    pub fn open(
        policy: config::Datapath,
        planned: &[Planned],
    ) -> Result<(Self, Vec<InterfaceStatus>, Tally), OpenError> {
        let mut interfaces: Vec<&Planned> = Vec::new();
        for planned in planned {
            if interfaces.iter().all(|known| known.ifindex != planned.ifindex) {
                interfaces.push(planned);
            }
        }
        let (mut kernel, unloaded) = match load(policy) {
            Ok(kernel) => (kernel, None),
            Err(error) => (None, Some(error.to_string())),
        };
        let sockets = SocketTally::new(planned.len());
        let tally = Tally { kernel: kernel.as_ref().map(Kernel::stats), sockets: Arc::clone(&sockets) };
        let events = kernel.as_mut().and_then(Kernel::events);
        let mut held = Vec::new();
        let mut ports = Vec::new();
        let mut statuses = Vec::new();
        for interface in interfaces {
            let name = &interface.config.interface;
            let failed = |source| OpenError::Socket { interface: name.clone(), source };
            let here = planned.iter().filter(|planned| planned.ifindex == interface.ifindex);
            let groups = here.map(|planned| planned.config.group);
            let presence = Presence::establish(interface.ifindex, groups).map_err(failed)?;
            let climbed = match &mut kernel {
                Some(kernel) => kernel.attach(name, policy).map_err(|refused| sentences(&refused.steps)),
                None => Err(unloaded.iter().cloned().collect()),
            };
            let (datapath, refused, attached) = match climbed {
                Ok(attached) => (demand(attached.mode), sentences(&attached.skipped), Some(attached)),
                Err(refused) if matches!(policy, config::Datapath::Auto | config::Datapath::Socket) => {
                    let port =
                        Port::open(interface.ifindex, interface.mac, Arc::clone(&sockets)).map_err(failed)?;
                    ports.push((interface.ifindex, port));
                    (config::Datapath::Socket, refused, None)
                }
                Err(refused) => {
                    let (interface, refused) = (name.clone(), refused.join("; "));
                    return Err(OpenError::Demanded { interface, demanded: policy, refused });
                }
            };
            let timer = attached.is_some() && kernel.as_ref().is_some_and(Kernel::timers);
            tell(name, datapath, policy, &refused);
            if attached.is_some() && !timer {
                tracing::warn!(
                    "{name}: this kernel has no timers for BPF programs (5.15 has), so the agent times silence itself, \
                     and takes over late when it gets no CPU"
                );
            }
            statuses.push(InterfaceStatus { name: name.clone(), datapath, refused, timer });
            held.push((presence, attached));
        }
        let kernel = match kernel.zip(events) {
            Some((kernel, events)) => {
                let events = watch::readable(events).map_err(OpenError::Watch)?;
                Some(Listening { kernel, events })
            }
            None => None,
        };
        let mut datapath = Self { kernel, _held: held, ports, unread: true };
        for (id, planned) in (0..).map(InstanceId).zip(planned) {
            let priority = planned.config.priority;
            datapath.publish(id, planned, Standing { priority, alive_from: priority, master: false })?;
        }
        Ok((datapath, statuses, tally))
    }

    /// Waits until something may have been heard since [`take`](Self::take) last said that there is nothing.
    ///
    /// # Errors
    /// When a descriptor cannot be polled.
    pub async fn readable(&mut self) -> io::Result<()> {
        if self.unread {
            return Ok(());
        }
        poll_fn(|context| {
            // All are asked: each must know whom to wake.
            let mut ready = false;
            if let Some(Listening { events, .. }) = &self.kernel
                && let Poll::Ready(guard) = events.poll_read_ready(context)
            {
                guard?.clear_ready();
                ready = true;
            }
            for (_, port) in &self.ports {
                if let Poll::Ready(result) = port.poll_readable(context) {
                    result?;
                    ready = true;
                }
            }
            if ready { Poll::Ready(io::Result::Ok(())) } else { Poll::Pending }
        })
        .await?;
        self.unread = true;
        Ok(())
    }

    /// The next thing heard, without waiting; `None` when everything that has arrived was told.
    pub fn take(&mut self) -> Option<Heard> {
        if let Some(Listening { events, .. }) = &mut self.kernel {
            while let Some(event) = events.get_mut().take() {
                if let Some(heard) = heard(&event) {
                    return Some(heard);
                }
            }
        }
        let heard = self.ports.iter_mut().find_map(|(_, port)| port.take());
        self.unread = heard.is_some();
        heard
    }

    /// What the kernel has heard of a virtual router by now. A packet socket keeps nothing back.
    pub fn seen(&self, id: InstanceId) -> Option<Seen> {
        let kernel = &self.kernel.as_ref()?.kernel;
        match kernel.seen(id.0.into()) {
            Ok(seen) => {
                let seen = seen?;
                Some(Seen {
                    last: advert_seen(&seen.last)?,
                    sign: advert_seen(&seen.sign),
                    watched: seen.watched != 0,
                })
            }
            Err(error) => {
                tracing::error!("cannot read what the kernel has seen: {error}");
                None
            }
        }
    }

    /// Tells what adverts for a virtual router must look like from now on.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn publish(
        &mut self,
        id: InstanceId,
        planned: &Planned,
        standing: Standing,
    ) -> Result<(), PublishError> {
        let rules = rules::rules(planned, standing);
        let (key, vips, peers) = (rules::key(planned), rules::vips(planned), rules::peers(planned));
        if let Some((_, port)) = self.ports.iter_mut().find(|(ifindex, _)| *ifindex == planned.ifindex) {
            port.listen(Listener { id, key, rules, peers, vips });
        } else if let Some(Listening { kernel, .. }) = &mut self.kernel {
            kernel.publish(id.0.into(), key, &rules, &vips, &peers)?;
        }
        Ok(())
    }
}

fn load(policy: config::Datapath) -> Result<Option<Kernel>, LoadError> {
    if policy == config::Datapath::Socket { Ok(None) } else { Kernel::load().map(Some) }
}

/// One log line for each interface: where detection runs, and what is lost where it is not the best.
fn tell(interface: &str, datapath: config::Datapath, policy: config::Datapath, refused: &[String]) {
    let lost = match datapath {
        config::Datapath::Socket => "; every advert wakes the agent",
        config::Datapath::XdpGeneric | config::Datapath::Tcx => {
            "; adverts are checked later on their way than in the driver"
        }
        config::Datapath::Auto | config::Datapath::XdpNative => "",
    };
    if refused.is_empty() || policy == config::Datapath::Socket {
        tracing::info!("{interface}: adverts are received by {datapath}{lost}");
    } else {
        tracing::warn!(
            "{interface}: adverts are received by {datapath}{lost}, because {}",
            refused.join("; ")
        );
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

fn heard(event: &Event) -> Option<Heard> {
    let instance = InstanceId(event.instance.try_into().ok()?);
    let at = Instant::from_nanos(event.at);
    match event.kind {
        abi::kind::ADVERT => {
            let advert = advert_from(&event.addr, event.priority, event.interval_cs, at)?;
            Some(Heard::Advert(instance, advert, event.watched != 0))
        }
        abi::kind::SILENT => {
            let (since, source) = (Instant::from_nanos(event.since), to_ip(&event.addr));
            Some(Heard::Silent(instance, Silence { at, since, source, priority: event.priority }))
        }
        abi::kind::CLAIM => {
            Some(Heard::Claim(Claim { instance, ip: to_ip(&event.addr), mac: event.mac, at }))
        }
        _ => None,
    }
}

/// `None` where there is none yet.
fn advert_seen(stamp: &abi::Stamp) -> Option<Advert> {
    let at = (stamp.at != 0).then_some(Instant::from_nanos(stamp.at))?;
    advert_from(&stamp.source, stamp.priority, stamp.interval_cs, at)
}

/// `None` for an interval of zero, which no advert that passed the checks carries.
fn advert_from(source: &Addr, priority: u8, interval_cs: u16, at: Instant) -> Option<Advert> {
    let interval = Interval::from_centis(interval_cs)?;
    Some(Advert { source: to_ip(source), priority, interval, at })
}
