//! The tasks that watch what is tracked. What a reload does not change goes on undisturbed.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::check::Checker;
use super::{Tracking, file, process};
use crate::config::{Check, FileTracker, ProcessTracker};

/// All of them, in the current `LocalSet`. What runs when this is dropped is killed.
pub(crate) struct Watching {
    /// Keeps two agents from asking the same server at the same time.
    seed: u64,
    checks: Vec<Task<Check>>,
    files: Task<Vec<FileTracker>>,
    processes: Task<Vec<ProcessTracker>>,
}

/// A task, and what it watches. It ends when this is dropped.
#[derive(Default)]
struct Task<T> {
    what: T,
    _runs: JoinSet<()>,
}

impl<T> Task<T> {
    fn start(what: T, watch: impl Future<Output = ()> + 'static) -> Self {
        let mut runs = JoinSet::new();
        runs.spawn_local(watch);
        Self { what, _runs: runs }
    }
}

impl Watching {
    /// Starts watching.
    pub(crate) fn start(tracking: Tracking) -> Self {
        let seed = RandomState::new().hash_one(0);
        let mut watching =
            Self { seed, checks: Vec::new(), files: Task::default(), processes: Task::default() };
        watching.follow(tracking);
        watching
    }

    /// Watches what another configuration tracks: starts what is new or different, and ends what is tracked no more.
    pub(crate) fn follow(&mut self, tracking: Tracking) {
        let Tracking { known, checks, files, processes } = tracking;
        let readings = known.readings;
        let mut before = std::mem::take(&mut self.checks);
        for (id, check, probe) in checks {
            if let Some(probe) = probe {
                let checker = Checker::new(id, &check, probe, self.seed, Arc::clone(&readings));
                self.checks.push(Task::start(check, checker.watch()));
            } else if let Some(place) = before.iter().position(|task| task.what == check) {
                self.checks.push(before.swap_remove(place));
            }
        }
        let list: Vec<_> = files.iter().map(|(_, file)| file.clone()).collect();
        if list.is_empty() {
            self.files = Task::default();
        } else if list != self.files.what {
            self.files = Task::start(list, file::watch(files, Arc::clone(&readings)));
        }
        let list: Vec<_> = processes.iter().map(|(_, process)| process.clone()).collect();
        if list.is_empty() {
            self.processes = Task::default();
        } else if list != self.processes.what {
            self.processes = Task::start(list, process::watch(processes, readings));
        }
    }
}
