//! What the priority depends on beside the configuration: health checks, files, processes and interfaces.
//!
//! ```text
//! check, file, process ──▶ Readings ──▶ election::tracked ──▶ vipd_core::Trackers ──▶ priority, FAULT
//!  (service thread)                          ▲
//!                        interfaces ─────────┘ (election thread: rtnetlink tells it anyway)
//! ```

mod check;
mod file;
mod known;
mod plan;
mod probe;
mod process;
mod readings;
mod rhythm;
mod verdict;
mod watching;

use std::sync::Arc;

use vipd_core::{Tracked, TrackerId};

pub(crate) use known::Known;
pub(crate) use plan::{Kind, tell_effect};
pub(crate) use watching::Watching;

use crate::config::{Check, Config, FileTracker, ProcessTracker, Weight};
use plan::{Plan, Thing};
use probe::Probe;
use readings::Readings;

/// Everything that is tracked, ready to be watched.
pub(crate) struct Tracking {
    known: Known,
    /// Those without a probe are being made already.
    checks: Vec<(TrackerId, Check, Option<Probe>)>,
    files: Vec<(TrackerId, FileTracker)>,
    processes: Vec<(TrackerId, ProcessTracker)>,
}

/// What was tracked by another configuration.
#[derive(Clone)]
pub(crate) struct Before {
    /// The configuration.
    pub(crate) config: Arc<Config>,
    /// What is known.
    pub(crate) known: Known,
}

impl Tracking {
    /// Finds the scripts of a configuration and writes its files (`init_file`). A script that is not there, or not safe, is
    /// said, and tracked by nobody, as in Keepalived. What was tracked before is known already; what is new, and decides alone
    /// whether somebody takes part, counts as in order until there is a result: a reload is no cause for FAULT.
    pub(crate) fn prepare(config: &Config, before: Option<&Before>) -> Self {
        let security = config.script_security;
        // Each check with its probe; `None` where it goes on as it is.
        let mut checks: Vec<Option<(Check, Option<Probe>)>> = Vec::new();
        for check in &config.checks {
            let check = bare_check(check);
            let probe = match before {
                Some(before) if before.goes_on(&check, security) => Ok(None),
                _ => Probe::prepare(&check.probe, security).map(Some),
            };
            let said =
                probe.inspect_err(|error| tracing::error!("check {} is not made: {error}", check.name));
            checks.push(said.ok().map(|probe| (check, probe)));
        }
        let plan = Arc::new(Plan::new(config, |place| checks[place].is_some()));
        let readings = Arc::new(match before {
            None => Readings::new(plan.things().len()),
            Some(before) => before.readings(config, &plan),
        });
        let known = Known { plan: Arc::clone(&plan), readings };
        let mut tracking = Self { known, checks: Vec::new(), files: Vec::new(), processes: Vec::new() };
        for (id, thing) in plan.numbered() {
            match thing.kind {
                Kind::Check(place) => {
                    tracking.checks.extend(checks[place].take().map(|(check, probe)| (id, check, probe)));
                }
                Kind::File(place) => {
                    let file = bare_file(&config.files[place]);
                    if before.is_none_or(|before| before.file(&file).is_none()) {
                        file::initialize(&config.files[place]);
                    }
                    tracking.files.push((id, file));
                }
                Kind::Process(place) => tracking.processes.push((id, bare_process(&config.processes[place]))),
                Kind::Interface | Kind::Fence(_) => {}
            }
        }
        tracking
    }

    /// What will be known.
    pub(crate) fn known(&self) -> Known {
        self.known.clone()
    }
}

impl Before {
    /// Whether a check is being made, and in the same way.
    fn goes_on(&self, check: &Check, security: bool) -> bool {
        let place = self.config.checks.iter().position(|before| bare_check(before) == *check);
        let is_made = |place| self.number(Kind::Check(place), &check.name).is_some();
        security == self.config.script_security && place.is_some_and(is_made)
    }

    /// A file that was tracked.
    fn file(&self, file: &FileTracker) -> Option<TrackerId> {
        let place = self.config.files.iter().position(|before| bare_file(before) == *file)?;
        self.number(Kind::File(place), &file.name)
    }

    fn number(&self, kind: Kind, name: &str) -> Option<TrackerId> {
        let mut things = self.known.plan.numbered();
        things.find(|(_, thing)| thing.kind == kind && thing.name == name).map(|(id, _)| id)
    }

    /// The number that a thing of another configuration had, if it is the same.
    fn same(&self, config: &Config, thing: &Thing) -> Option<TrackerId> {
        match thing.kind {
            // How often it is made does not matter.
            Kind::Check(place) => {
                let Check { name, probe, .. } = &config.checks[place];
                let same = |before: &Check| before.name == *name && before.probe == *probe;
                self.number(Kind::Check(self.config.checks.iter().position(same)?), name)
            }
            Kind::File(place) => self.file(&bare_file(&config.files[place])),
            Kind::Process(place) => {
                let process = bare_process(&config.processes[place]);
                let same = |before: &ProcessTracker| bare_process(before) == process;
                self.number(Kind::Process(self.config.processes.iter().position(same)?), &thing.name)
            }
            Kind::Interface | Kind::Fence(_) => self.number(thing.kind, &thing.name),
        }
    }

    /// What is known of the things of another plan.
    fn readings(&self, config: &Config, plan: &Plan) -> Readings {
        let same: Vec<_> = plan.things().iter().map(|thing| self.same(config, thing)).collect();
        let readings = self.known.readings.carry_over(same.iter().copied());
        for ((id, thing), _) in plan.numbered().zip(&same).filter(|(_, same)| same.is_none()) {
            let is_fine = match thing.kind {
                Kind::Check(place) => !config.checks[place].init_fail,
                Kind::File(_) | Kind::Process(_) => true,
                // They are known in a moment, to the election itself.
                Kind::Interface | Kind::Fence(_) => false,
            };
            if let Some(tracking) = plan.decides(id).filter(|_| is_fine) {
                readings.set(id, if tracking.reverse { Tracked::Down } else { Tracked::Up }, None);
            }
        }
        readings
    }
}

/// What matters to who makes a check.
fn bare_check(check: &Check) -> Check {
    Check { weight: Weight::default(), ..check.clone() }
}

/// What matters to who watches a file.
fn bare_file(file: &FileTracker) -> FileTracker {
    FileTracker { weight: Weight::default(), init: None, ..file.clone() }
}

/// What matters to who watches processes.
fn bare_process(process: &ProcessTracker) -> ProcessTracker {
    ProcessTracker { weight: Weight::default(), ..process.clone() }
}
