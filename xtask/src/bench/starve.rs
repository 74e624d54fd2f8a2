//! `cargo xtask bench starve`: who loses or takes an address only because it does not get to run.

mod show;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use vipd_tests::{Balancer, Host, Pair, procs};

use super::contender::Contender;
use super::load::{Hogs, Load};
use super::report::Report;
use super::setting::{Interval, Setting};
use super::wire::{Wire, masters};

/// For any step of a bench that is not slowed down.
const LIMIT: Duration = Duration::from_secs(30);
/// How long a takeover under load may take before it counts as none.
const PATIENCE: Duration = Duration::from_secs(5);
/// Cores of the two nodes where only one of them is loaded.
const CORES: [usize; 2] = [0, 1];

/// What is measured, and how long.
#[derive(Args, Default)]
pub(super) struct Options {
    /// How long each load is watched; 10 if not given, 3 with --quick
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: Option<u64>,
    /// Real failures during each load; 3 if not given, 1 with --quick
    #[arg(long)]
    cuts: Option<u32>,
    /// Loads; all if none is given, four with --quick. Idle is always among them
    #[arg(long = "load", value_enum, value_delimiter = ',')]
    loads: Vec<Load>,
    /// Who is loaded; all three if none is given, both with --quick
    #[arg(long = "on", value_enum, value_delimiter = ',')]
    places: Vec<Place>,
}

/// Which node's core is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Place {
    Both,
    Master,
    Backup,
}

impl Place {
    const ALL: [Self; 3] = [Self::Both, Self::Master, Self::Backup];

    fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Master => "master",
            Self::Backup => "backup",
        }
    }

    /// The core that is loaded; `None` for all.
    fn core(self) -> Option<usize> {
        match self {
            Self::Both => None,
            Self::Master => Some(CORES[0]),
            Self::Backup => Some(CORES[1]),
        }
    }
}

/// What one contender was seen to do under one load.
struct Case {
    contender: Contender,
    load: Load,
    place: Place,
    /// Threads that could not be bound to their node's core.
    unbound: usize,
    watched: Duration,
    /// `Entering MASTER STATE` in the log of either node.
    entered: usize,
    /// Times that the backup began to send adverts.
    takeovers: usize,
    /// Between two adverts of the master.
    longest_gap: Duration,
    /// From the last advert that the backup heard to its own first one; `None` where it never came.
    cuts: Vec<Option<Duration>>,
}

/// Runs the measurement.
pub(super) fn run(options: &Options, quick: bool) -> Result<Report> {
    let seconds = Duration::from_secs(options.seconds.unwrap_or(if quick { 3 } else { 10 }));
    let cuts = options.cuts.unwrap_or(if quick { 1 } else { 3 });
    let loads: Vec<Load> = match options.loads.as_slice() {
        [] if quick => vec![Load::Idle, Load::Fair, Load::Switch, Load::Fifo10, Load::Fifo50],
        [] => Load::ALL.to_vec(),
        given => std::iter::once(Load::Idle)
            .chain(given.iter().copied().filter(|load| *load != Load::Idle))
            .collect(),
    };
    let places: &[Place] = match options.places.as_slice() {
        [] if quick => &[Place::Both],
        [] => &Place::ALL,
        given => given,
    };
    let pair = Pair::new()?;
    let hogs = pair.lab.host("hogs")?;
    let setting = Setting::new(Interval::Hundredth);
    let mut cases = Vec::new();
    for load in loads {
        let places = if load.is_local() { places } else { &[Place::Both] };
        for place in places.iter().copied() {
            for contender in Contender::ALL {
                eprintln!("starve: {}, on {}: {contender}", load.name(), place.name());
                let case = Plan { pair: &pair, hogs: &hogs, setting: &setting, seconds, cuts };
                cases.push(
                    case.play(contender, load, place)
                        .with_context(|| format!("{contender} under load: {}", load.name()))?,
                );
            }
        }
    }
    Ok(show::report(&cases, &setting, seconds))
}

/// What is the same for all cases.
struct Plan<'a> {
    pair: &'a Pair,
    hogs: &'a Host,
    setting: &'a Setting,
    seconds: Duration,
    cuts: u32,
}

impl Plan<'_> {
    fn play(&self, contender: Contender, load: Load, place: Place) -> Result<Case> {
        let Self { pair, setting, .. } = self;
        pair.restore()?;
        let start = |node: &Balancer, conf| {
            node.start(contender.agent(), &load.conf(contender.conf(conf))).context("the agent's start")
        };
        let (lb1, lb2) = (start(&pair.lb1, &setting.confs[0])?, start(&pair.lb2, &setting.confs[1])?);
        let mut wire = Wire::open(pair, setting.interval)?;
        pair.wait_for_holder(&pair.lb1, LIMIT)?;
        wire.wait_for_calm(LIMIT)?.context("lb1 is not left alone before there is any load")?;
        let unbound = if place == Place::Both {
            0
        } else {
            procs::pin(&lb1.processes(), CORES[0]) + procs::pin(&lb2.processes(), CORES[1])
        };
        let before = masters(&lb1) + masters(&lb2);

        let at_most = self.seconds + PATIENCE * 2 * self.cuts + LIMIT;
        let load_at_work = Hogs::start(self.hogs, load, place.core(), at_most)?;
        let seen = wire.watch(self.seconds)?;
        let entered = masters(&lb1) + masters(&lb2) - before;
        let mut cuts = Vec::new();
        for _ in 0..self.cuts {
            // Where there is no calm there is no failure to be told from the rest.
            if wire.wait_for_calm(PATIENCE)?.is_some() {
                cuts.push(wire.cut(PATIENCE)?);
                pair.lb1.port.heal()?;
            } else {
                cuts.push(None);
            }
        }
        drop(load_at_work);
        lb1.put_down(LIMIT)?;
        lb2.put_down(LIMIT)?;
        Ok(Case {
            contender,
            load,
            place,
            unbound,
            watched: seen.watched,
            entered,
            takeovers: seen.takeovers,
            longest_gap: seen.longest_gap,
            cuts,
        })
    }
}
