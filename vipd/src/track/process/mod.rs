//! Processes that must be alive (`vrrp_track_process`).
//!
//! Their end is told by the kernel, through a descriptor of each process that counts. So is their beginning where the
//! kernel tells of it (`births`); elsewhere the list of processes is read every half second.

mod births;
pub(super) mod list;
mod pattern;
mod quorum;

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{MissedTickBehavior, interval, sleep_until};
use vipd_core::TrackerId;

use super::readings::Readings;
use crate::config::ProcessTracker;
use crate::exec::on_lasting_thread;
use crate::watch::{self, Watched};
use births::Births;
use pattern::Pattern;
use quorum::Quorum;

/// From one reading of the list to the next where nobody tells of new processes.
const SEARCH: Duration = Duration::from_millis(500);

/// What a look at processes has found: of each its descriptor and the patterns that it matches, if any.
type Found = Vec<(i32, Option<(OwnedFd, Vec<bool>)>)>;
type Look = Pin<Box<dyn Future<Output = Found>>>;
/// The process with this number that was found as the n-th has ended.
type End = Pin<Box<dyn Future<Output = (i32, u64)>>>;

/// Watches for all trackers, without end. To be run in a `LocalSet`.
pub(super) async fn watch(trackers: Vec<(TrackerId, ProcessTracker)>, readings: Arc<Readings>) {
    let patterns: Arc<[Pattern]> = trackers.iter().map(|(_, tracker)| Pattern::of(tracker)).collect();
    let mut watcher = Watcher::new(trackers, readings);
    let mut births = Births::subscribe().await.inspect_err(|error| {
        tracing::info!("new processes are searched for every {} ms ({error})", SEARCH.as_millis());
    });
    let mut search = interval(SEARCH);
    search.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // One look at a time: what comes meanwhile is looked at together.
    let mut wanted = Wanted { all: true, some: BTreeSet::new() };
    let mut look: Option<Look> = None;
    loop {
        if look.is_none() {
            look = wanted.take().map(|wanted| start(wanted, Arc::clone(&patterns)));
        }
        let next_change = watcher.next_change();
        tokio::select! {
            Some((pid, number)) = watcher.ends.next() => watcher.forget(pid, Some(number)),
            found = finish(&mut look) => {
                look = None;
                watcher.take(found);
            }
            told = next(&mut births, &mut wanted.some) => match told {
                Ok(complete) => wanted.all |= !complete,
                Err(error) => {
                    tracing::warn!("the kernel tells of no more processes: {error}");
                    births = Err(error);
                }
            },
            _ = search.tick(), if births.is_err() => wanted.all = true,
            () = at(next_change) => {}
        }
        watcher.settle();
    }
}

/// Processes to be looked at.
struct Wanted {
    all: bool,
    some: BTreeSet<i32>,
}

/// Which processes.
enum Which {
    All,
    Some(BTreeSet<i32>),
}

impl Wanted {
    /// Which are to be looked at; `None`: there is nothing to do.
    fn take(&mut self) -> Option<Which> {
        let some = std::mem::take(&mut self.some);
        if std::mem::take(&mut self.all) {
            return Some(Which::All);
        }
        (!some.is_empty()).then_some(Which::Some(some))
    }
}

/// Reading the command line of a process that hangs in the kernel can hang as well, so it is done elsewhere.
fn start(wanted: Which, patterns: Arc<[Pattern]>) -> Look {
    let look = move || {
        let pids = match wanted {
            Which::All => list::all(),
            Which::Some(some) => some.into_iter().collect(),
        };
        pids.into_iter().map(|pid| (pid, list::matching(pid, &patterns))).collect()
    };
    Box::pin(async {
        on_lasting_thread(look).await.unwrap_or_else(|error| {
            tracing::warn!("cannot look for processes: {error}");
            Vec::new()
        })
    })
}

async fn finish(look: &mut Option<Look>) -> Found {
    match look {
        Some(look) => look.await,
        None => pending().await,
    }
}

async fn next(births: &mut std::io::Result<Births>, pids: &mut BTreeSet<i32>) -> std::io::Result<bool> {
    match births {
        Ok(births) => births.next(pids).await,
        Err(_) => pending().await,
    }
}

async fn at(moment: Option<tokio::time::Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => pending().await,
    }
}

/// The processes that count, and for whom.
struct Watcher {
    quorums: Vec<Quorum>,
    known: BTreeMap<i32, Known>,
    ends: FuturesUnordered<End>,
    found: u64,
    readings: Arc<Readings>,
}

struct Known {
    process: Rc<Watched<OwnedFd>>,
    number: u64,
    matches: Vec<bool>,
}

impl Watcher {
    fn new(trackers: Vec<(TrackerId, ProcessTracker)>, readings: Arc<Readings>) -> Self {
        let quorums = trackers.into_iter().map(|(id, tracker)| Quorum::new(id, tracker)).collect();
        Self { quorums, known: BTreeMap::new(), ends: FuturesUnordered::new(), found: 0, readings }
    }

    fn take(&mut self, found: Found) {
        for (pid, found) in found {
            match found {
                None => self.forget(pid, None),
                Some((process, matches)) => self.remember(pid, process, matches),
            }
        }
        self.count();
    }

    fn remember(&mut self, pid: i32, process: OwnedFd, matches: Vec<bool>) {
        // While it lives, a number is its own.
        if let Some(known) = self.known.get_mut(&pid)
            && list::is_alive(known.process.get_ref())
        {
            known.matches = matches;
            return;
        }
        let process = match watch::readable(process) {
            Ok(process) => Rc::new(process),
            Err(error) => return tracing::warn!("cannot watch process {pid}: {error}"),
        };
        self.found += 1;
        let (number, watched) = (self.found, Rc::clone(&process));
        self.ends.push(Box::pin(async move {
            // An error ends the watch like the end of the process.
            let _ = watched.readable().await;
            (pid, number)
        }));
        self.known.insert(pid, Known { process, number, matches });
    }

    fn forget(&mut self, pid: i32, number: Option<u64>) {
        if self.known.get(&pid).is_some_and(|known| number.is_none_or(|number| known.number == number)) {
            self.known.remove(&pid);
            self.count();
        }
    }

    fn count(&mut self) {
        for (place, quorum) in self.quorums.iter_mut().enumerate() {
            let count = self.known.values().filter(|known| known.matches.get(place) == Some(&true)).count();
            quorum.count(count, tokio::time::Instant::now());
        }
    }

    fn next_change(&self) -> Option<tokio::time::Instant> {
        self.quorums.iter().filter_map(Quorum::due).min()
    }

    /// Tells what has changed.
    fn settle(&mut self) {
        let now = tokio::time::Instant::now();
        for quorum in &mut self.quorums {
            if let Some((id, state, detail)) = quorum.settle(now) {
                self.readings.set(id, state, Some(detail));
            }
        }
    }
}
