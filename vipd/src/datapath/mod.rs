//! How adverts are heard: in the kernel by XDP or tcx, or by a packet socket. Whichever it is, the same facts come out.

mod events;
mod heard;
mod kernel;
#[cfg(feature = "kernel-log")]
mod kernel_log;
mod ladder;
mod leases;
mod open;
mod page;
mod pins;
mod port;
mod presence;
mod published;
mod rules;
mod socket;
mod tally;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use vipd_common::abi;
use vipd_core::{InstanceId, Instant, Seen};

use self::heard::{advert_seen, heard};
use self::port::{Listener, Port};
use self::presence::Presence;
use self::tally::SocketTally;
use crate::config;
use crate::control::InterfaceStatus;
use crate::election::Planned;
use crate::watch::Watched;

pub use events::Events;
pub use heard::{Claim, Form, Heard, Silence};
pub use kernel::{Kernel, LoadError, PublishError, Stats};
pub use ladder::{AttachError, Attached, Mode, Refused, Step};
pub use open::{OpenError, Opened};
pub use pins::{Pins, remove_pins};
pub use rules::version_number;
pub use tally::Tally;

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

/// Everything through which adverts are heard.
pub struct Datapath {
    kernel: Option<Listening>,
    policy: config::Datapath,
    /// Why there is no kernel half.
    unloaded: Option<String>,
    held: Vec<Held>,
    ports: Vec<(u32, Port)>,
    sockets: Arc<SocketTally>,
    /// Keeps the programs attached when this process is killed.
    pins: Option<Pins>,
    /// Something may be left to read since the last wake-up.
    unread: bool,
}

/// What keeps an interface hearing, and a program attached.
struct Held {
    ifindex: u32,
    /// `None` where it only carries addresses.
    presence: Option<Presence>,
    attached: Option<Attached>,
    status: InterfaceStatus,
}

/// The kernel half with its event ring.
struct Listening {
    kernel: Kernel,
    events: Watched<Events>,
}

impl Datapath {
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
    #[must_use]
    pub fn seen(&self, id: InstanceId) -> Option<Seen> {
        let seen = self.kernel.as_ref()?.kernel.seen(id.0.into())?;
        Some(Seen {
            last: advert_seen(&seen.last),
            sign: advert_seen(&seen.sign),
            watched: seen.watched != 0,
        })
    }

    /// Lets this node answer for the addresses of a virtual router until a moment and not after it; the end of time is no
    /// limit. `false` if the kernel has ended the lease since [`close_gate`](Self::close_gate), because it heard a node that
    /// goes before this one (C-FSM-09): nothing is changed then, and the advert is in [`seen`](Self::seen).
    ///
    /// So that nothing falls between two stools, a Master closes the gate, publishes that it is Master, looks at what was
    /// seen, and then extends. Behind a packet socket there is no gate, and this says `true`.
    #[must_use]
    pub fn extend_lease(&mut self, id: InstanceId, until: Instant) -> bool {
        self.gate().is_none_or(|kernel| kernel.extend_lease(id.0.into(), until.as_nanos()))
    }

    /// Answers for the addresses of a virtual router no more, from now on, until a lease is extended.
    pub fn close_gate(&mut self, id: InstanceId) {
        if let Some(kernel) = self.gate() {
            kernel.set_lease(id.0.into(), abi::lease::CLOSED);
        }
    }

    /// Takes the gate away: what asks for the addresses of a virtual router is let through, as at first.
    pub fn release_gate(&mut self, id: InstanceId) {
        if let Some(kernel) = self.gate() {
            kernel.set_lease(id.0.into(), abi::lease::OPEN);
        }
    }

    /// Until when this node answers for the addresses of a virtual router, a moment long past when the gate is closed; `None`
    /// where there is no gate.
    #[must_use]
    pub fn lease(&self, id: InstanceId) -> Option<Instant> {
        let lease = self.kernel.as_ref()?.kernel.lease(id.0.into());
        (lease != abi::lease::OPEN).then_some(Instant::from_nanos(lease))
    }

    fn gate(&mut self) -> Option<&mut Kernel> {
        self.kernel.as_mut().map(|listening| &mut listening.kernel)
    }

    /// Tells where a virtual router stands now; everything else about it is as it was published.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn stand(
        &mut self,
        id: InstanceId,
        planned: &Planned,
        standing: Standing,
    ) -> Result<(), PublishError> {
        match &mut self.kernel {
            // It was withdrawn.
            _ if planned.ifindex == 0 => Ok(()),
            Some(Listening { kernel, .. })
                if self.ports.iter().all(|(ifindex, _)| *ifindex != planned.ifindex) =>
            {
                kernel.update(id.0.into(), |rules| *rules = rules::rules(planned, standing))
            }
            _ => self.publish(id, planned, standing),
        }
    }

    /// Tells what adverts for a virtual router must look like from now on; none where its interface is not there.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn publish(
        &mut self,
        id: InstanceId,
        planned: &Planned,
        standing: Standing,
    ) -> Result<(), PublishError> {
        self.ports.iter_mut().for_each(|(_, port)| port.forget(id));
        if planned.ifindex == 0 {
            return self.gate().map_or(Ok(()), |kernel| kernel.withdraw(id.0.into()));
        }
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
