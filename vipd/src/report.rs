//! Puts together what `vipd status` tells, from what the election published and what the kernel counted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use vipd_common::abi;
use vipd_common::wire::Reason;
use vipd_core::{Cause, InstanceId, State, Tracked, Version};

use crate::agent::Ready;
use crate::config::{Family, Instance};
use crate::control::{InstanceStatus, PeerStatus, Status, TrackedStatus, WardenStatus, date_time};
use crate::datapath::{Form, Tally, version_number};
use crate::election::{Board, Forms, Planned, now};
use crate::notify::Counters;
use crate::track::{Known, tell_effect};
use crate::warden::Warden;

/// The service thread's view of an agent.
pub(crate) struct Reporter {
    router_id: Option<String>,
    board: Arc<Board>,
    warden: Arc<Warden>,
    notified: Counters,
    known: Known,
    ready: Ready,
    started: SystemTime,
}

impl Reporter {
    pub(crate) fn new(
        router_id: Option<String>,
        board: Arc<Board>,
        warden: Arc<Warden>,
        notified: Counters,
        known: Known,
        ready: Ready,
    ) -> Self {
        Self { router_id, board, warden, notified, known, ready, started: SystemTime::now() }
    }

    /// Tells of another configuration from now on.
    pub(crate) fn reload(
        &mut self,
        router_id: Option<String>,
        notified: Counters,
        known: Known,
        planned: Vec<Planned>,
    ) {
        (self.router_id, self.notified, self.known, self.ready.planned) =
            (router_id, notified, known, planned);
    }

    /// What the receive checks have counted.
    pub(crate) fn counters(&self) -> &Tally {
        &self.ready.counters
    }

    /// Everything, as of now.
    pub(crate) fn status(&self) -> Status {
        let ids = (0..).map(InstanceId);
        let there = ids.zip(&self.ready.planned).filter(|(_, planned)| !planned.config.is_vacant());
        let instances = there.map(|(id, planned)| self.instance(id, planned)).collect();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            router_id: self.router_id.clone(),
            pid: std::process::id(),
            warden: if self.warden.is_running() { WardenStatus::Running } else { WardenStatus::Gone },
            scheduling: self.ready.scheduling.to_string(),
            degraded: self.ready.degraded.clone(),
            late_wakeups: self.board.delay().late(),
            longest_delay_us: micros(self.board.delay().longest()),
            notify: self.notified.status(),
            interfaces: self.board.interfaces(),
            discontinuity_datetime: date_time(self.started),
            instances,
            statistics: named(&self.ready.counters.elsewhere()),
        }
    }

    fn instance(&self, id: InstanceId, planned: &Planned) -> InstanceStatus {
        let config = &planned.config;
        let snapshot = self.board.snapshot(id);
        let status = snapshot.as_ref().map(|snapshot| snapshot.status);
        let transition = status.and_then(|status| status.last_transition);
        let advert = status.and_then(|status| status.last_advert);
        let forms = snapshot.as_ref().map(|snapshot| snapshot.forms).unwrap_or_default();
        InstanceStatus {
            name: config.name.clone(),
            interface: config.interface.clone(),
            vrid: config.vrid,
            version: version_number(config.version),
            state: status.map_or_else(|| "INIT".to_owned(), |status| status.state.to_string()),
            up_datetime: transition
                .map(|transition| date_time(SystemTime::now() - now().since(transition.at))),
            new_master_reason: new_master_reason(status.as_ref()).to_owned(),
            up_seconds: transition.map_or(0, |transition| now().since(transition.at).as_secs()),
            last_event: status.and_then(|status| self.why(id, &status)),
            priority: status.map_or(config.priority, |status| status.priority),
            base_priority: config.priority,
            tracking: self.tracking(id),
            is_owner: config.priority == 255,
            source: status.map(|status| status.source).filter(|source| !source.is_unspecified()),
            last_adv_source: advert.map(|advert| advert.source),
            last_adv_priority: advert.map(|advert| advert.priority),
            interval_ms: micros(config.interval.as_duration()) / 1000,
            active_interval_ms: status
                .map_or(0, |status| micros(status.active_interval.as_duration()) / 1000),
            master_down_interval_us: status.map_or(0, |status| micros(status.down_interval)),
            skew_time_us: status.map_or(0, |status| micros(status.skew)),
            addresses: planned
                .vips
                .iter()
                .map(|vip| format!("{}/{}", vip.address.ip, vip.address.prefix))
                .collect(),
            addresses_held: snapshot.as_ref().is_some_and(|snapshot| snapshot.addresses_held),
            addresses_missing: snapshot.map(|snapshot| snapshot.missing.to_vec()).unwrap_or_default(),
            checksum_sent: checksum_sent(config, &forms),
            peers: forms
                .peers()
                .map(|(source, forms)| PeerStatus { source, checksum: forms.iter().collect() })
                .collect(),
            statistics: self.statistics(id),
        }
    }

    /// Why it is in the state that it is in. What is missing may not be what was missing at first.
    fn why(&self, id: InstanceId, status: &vipd_core::Status) -> Option<String> {
        let fault = status.fault.filter(|_| status.state == State::Fault).map(Cause::Faulted);
        let cause = fault.or(status.last_transition.map(|transition| transition.cause))?;
        let config = &self.ready.planned[usize::from(id.0)].config;
        Some(self.known.why(id, cause, config, |id| self.name(id)))
    }

    fn name(&self, id: InstanceId) -> &str {
        &self.ready.planned[usize::from(id.0)].config.name
    }

    fn tracking(&self, id: InstanceId) -> Vec<TrackedStatus> {
        let Known { plan, readings } = &self.known;
        let tracked = plan.of(id).iter().map(|tracking| {
            let thing = plan.thing(tracking.tracker);
            let state = readings.state(tracking.tracker);
            TrackedStatus {
                name: thing.name.clone(),
                kind: thing.kind().to_owned(),
                state: self.known.tell(tracking.tracker),
                weight: tracking.weight,
                reverse: tracking.reverse,
                effect: tell_effect(tracking.effect(state)),
            }
        });
        let fence = plan.fence(id).map(|fence| TrackedStatus {
            name: "fence".to_owned(),
            kind: plan.thing(fence).kind().to_owned(),
            state: self.known.tell(fence),
            weight: 0,
            reverse: false,
            effect: if readings.state(fence) == Tracked::Down { "FAULT" } else { "+0" }.to_owned(),
        });
        tracked.chain(fence).collect()
    }

    fn statistics(&self, id: InstanceId) -> BTreeMap<String, u64> {
        let mut statistics = named(&self.ready.counters.of(id));
        let sent = self.board.sent(id);
        let own = [
            ("advertisement-sent", &sent.adverts),
            ("priority-zero-pkts-sent", &sent.priority_zero),
            ("garp-sent", &sent.garps),
            ("send-errors", &sent.failures),
            ("master-transitions", &sent.master_transitions),
        ];
        statistics.extend(own.map(|(name, counter)| (name.to_owned(), counter.load(Ordering::Relaxed))));
        statistics
    }
}

/// The forms of checksum in which a virtual router's adverts leave; none where there is but one.
fn checksum_sent(config: &Instance, forms: &Forms) -> Vec<Form> {
    if config.version != Version::V3 || config.family != Family::V4 {
        return Vec::new();
    }
    let group = config.peers.is_empty().then_some(None);
    let destinations = group.into_iter().chain(config.peers.iter().map(|peer| Some(peer.ip)));
    let sent: Vec<Form> = destinations.flat_map(|to| forms.sent(config.checksum, to).iter()).collect();
    [Form::Message, Form::Pseudo].into_iter().filter(|form| sent.contains(form)).collect()
}

/// As RFC 8347 has it: what the last entry into MASTER was for.
fn new_master_reason(status: Option<&vipd_core::Status>) -> &'static str {
    let transition = status.and_then(|status| status.last_transition);
    match transition.filter(|transition| transition.to == State::Master).map(|transition| transition.cause) {
        None => "not-master",
        Some(Cause::Preempted { .. }) => "preempted",
        Some(Cause::Silence { .. }) => "no-response",
        // A resignation, or the owner's start: nobody of higher priority is there.
        Some(_) => "priority",
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// Counters by name.
fn named(counters: &abi::Counters) -> BTreeMap<String, u64> {
    Reason::ALL.iter().map(|reason| (reason.name().to_owned(), counters[reason.index()])).collect()
}
