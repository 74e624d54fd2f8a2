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

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tokio::task::JoinSet;
use vipd_core::TrackerId;

pub(crate) use known::Known;
pub(crate) use plan::{Kind, tell_effect};

use crate::config::{Check, Config, FileTracker, ProcessTracker};
use check::Checker;
use plan::Plan;
use probe::Probe;
use readings::Readings;

/// Everything that is tracked, ready to be watched.
pub(crate) struct Tracking {
    known: Known,
    checks: Vec<(TrackerId, Check, Probe)>,
    files: Vec<(TrackerId, FileTracker)>,
    processes: Vec<(TrackerId, ProcessTracker)>,
}

impl Tracking {
    /// Finds the scripts of a configuration and writes its files (`init_file`). A script that is not there, or not safe, is
    /// said, and tracked by nobody, as in Keepalived.
    pub(crate) fn prepare(config: &Config) -> Self {
        let mut probes: Vec<Option<Probe>> = config
            .checks
            .iter()
            .map(|check| {
                let prepared = Probe::prepare(&check.probe, config.script_security);
                prepared
                    .inspect_err(|error| tracing::error!("check {} is not made: {error}", check.name))
                    .ok()
            })
            .collect();
        let plan = Arc::new(Plan::new(config, |place| probes[place].is_some()));
        let readings = Arc::new(Readings::new(plan.things().len()));
        let known = Known { plan: Arc::clone(&plan), readings };
        let mut tracking = Self { known, checks: Vec::new(), files: Vec::new(), processes: Vec::new() };
        for (id, thing) in plan.numbered() {
            match thing.kind {
                Kind::Check(place) => {
                    tracking
                        .checks
                        .extend(probes[place].take().map(|probe| (id, config.checks[place].clone(), probe)));
                }
                Kind::File(place) => {
                    file::initialize(&config.files[place]);
                    tracking.files.push((id, config.files[place].clone()));
                }
                Kind::Process(place) => tracking.processes.push((id, config.processes[place].clone())),
                Kind::Interface | Kind::Fence(_) => {}
            }
        }
        tracking
    }

    /// What will be known.
    pub(crate) fn known(&self) -> Known {
        self.known.clone()
    }

    /// Starts watching, in the current `LocalSet`, until the result is dropped; what runs then is killed.
    pub(crate) fn watch(self) -> JoinSet<()> {
        let seed = RandomState::new().hash_one(0);
        let readings = self.known.readings;
        let mut tasks = JoinSet::new();
        for (id, check, probe) in self.checks {
            tasks.spawn_local(Checker::new(id, &check, probe, seed, Arc::clone(&readings)).watch());
        }
        if !self.files.is_empty() {
            tasks.spawn_local(file::watch(self.files, Arc::clone(&readings)));
        }
        if !self.processes.is_empty() {
            tasks.spawn_local(process::watch(self.processes, readings));
        }
        tasks
    }
}
