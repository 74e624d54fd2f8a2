//! `cargo xtask bench scale`: what many virtual routers cost, and how fast all of them move.

mod show;

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use vipd_tests::procs::Usage;
use vipd_tests::{Frame, Moment, Running, Tap};

use super::contender::Contender;
use super::cpu::Cpu;
use super::fleet::{Fleet, Node};
use super::report::Report;
use super::setting::Interval;

/// For a fleet to come up and settle. One that has not done so by then is not going to.
const SETTLE: Duration = Duration::from_mins(1);
/// For all addresses to move.
const MOVE: Duration = Duration::from_secs(20);

/// What is measured, and how long.
#[derive(Args, Default)]
pub(super) struct Options {
    /// Length of the steady state that is measured; 5 if not given, 2 with --quick
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,
    /// Numbers of virtual routers; 1, 16, 255 and 1000 if none is given, 1 and 255 with --quick
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1020))]
    instances: Vec<u32>,
    /// Advertisement intervals; 100 ms and 10 ms if none is given
    #[arg(long = "advert", value_enum, value_delimiter = ',')]
    intervals: Vec<Interval>,
}

/// What one contender was seen to do.
struct Case {
    contender: Contender,
    interval: Interval,
    instances: u32,
    found: Result<Found>,
}

struct Found {
    /// From the start of the first node until all virtual routers have spoken.
    start: Duration,
    steady: Duration,
    /// Adverts of the master, and of the backup, which should have none.
    adverts: u64,
    strays: usize,
    /// Used in the steady state by master and backup; memory at its end.
    used: [Usage; 2],
    /// All cores together.
    machine: Cpu,
    moved: Moved,
}

/// From the first advert of the new master.
struct Moved {
    /// Until the last virtual router has sent its first advert.
    adverts: Option<Duration>,
    /// Until the last virtual address has been claimed.
    claims: Option<Duration>,
    claimed: usize,
}

/// Runs the measurement.
pub(super) fn run(options: &Options, quick: bool) -> Result<Report> {
    let seconds = options.seconds.unwrap_or(if quick { 2 } else { 5 });
    let pick = |given: &[u32], usual: &[u32]| if given.is_empty() { usual.to_vec() } else { given.to_vec() };
    let numbers = pick(&options.instances, if quick { &[1, 255] } else { &[1, 16, 255, 1000] });
    let usual = [Interval::Tenth, Interval::Hundredth];
    let intervals: &[Interval] = if options.intervals.is_empty() { &usual } else { &options.intervals };
    let mut cases = Vec::new();
    for interval in intervals.iter().copied() {
        for instances in numbers.iter().copied() {
            for contender in Contender::ALL {
                eprintln!("scale: {instances} virtual routers, adverts every {interval}: {contender}");
                let fleet = Fleet::new(instances, interval)?;
                let found = measure(&fleet, contender, instances, interval, Duration::from_secs(seconds));
                if let Err(error) = &found {
                    eprintln!("scale: FAILED: {error:#}");
                }
                cases.push(Case { contender, interval, instances, found });
            }
        }
    }
    Ok(show::report(&cases, seconds))
}

fn measure(
    fleet: &Fleet,
    contender: Contender,
    instances: u32,
    interval: Interval,
    steady: Duration,
) -> Result<Found> {
    let [master, backup] = &fleet.nodes;
    let start = |node: &Node| contender.agent().start(&node.host, &contender.conf(&node.conf));
    let taps = fleet.taps(master)?;
    let from = Moment::now();
    let first = start(master)?;
    let spoken = all_speak(&taps, instances).context("the first node does not speak for all")?;
    drop(taps);
    let second = start(backup)?;
    let taps = fleet.taps(backup)?;
    quiet(&taps, interval).context("the second node does not become and stay backup of all")?;

    let trees = [&first, &second].map(Running::processes);
    let usage = || trees.each_ref().map(|tree| Usage::of(tree));
    let (before, machine, sent, at) = (usage(), Cpu::now(), fleet.frames(master)?, Moment::now());
    thread::sleep(steady);
    let (after, steady) = (usage(), Moment::now().since(at));
    let (machine, adverts) = (Cpu::now().since(machine), fleet.frames(master)? - sent);
    let mut strays = 0;
    for tap in &taps {
        strays += tap.drain()?.len();
    }
    master.cut()?;
    let moved = takeover(&taps, instances)?;
    Ok(Found {
        start: spoken.since(from),
        steady,
        adverts,
        strays,
        used: [after[0].since(before[0]), after[1].since(before[1])],
        machine,
        moved,
    })
}

/// Reads frames of all taps until `done` says so or time is over.
fn follow(taps: &[Tap], within: Duration, mut done: impl FnMut(usize, &Frame) -> bool) -> Result<bool> {
    let deadline = Moment::now() + within;
    // Shorter than any wait for a frame that matters.
    let turn = Duration::from_millis(if taps.len() == 1 { 100 } else { 1 });
    while !deadline.remaining().is_zero() {
        for (segment, tap) in taps.iter().enumerate() {
            let mut next = tap.next(turn)?;
            while let Some(frame) = next {
                if done(segment, &frame) {
                    return Ok(true);
                }
                if deadline.remaining().is_zero() {
                    return Ok(false);
                }
                next = tap.next(Duration::ZERO)?;
            }
        }
    }
    Ok(false)
}

/// When the last virtual router has spoken.
fn all_speak(taps: &[Tap], instances: u32) -> Result<Moment> {
    let mut heard = BTreeSet::new();
    let mut last = None;
    let all = follow(taps, SETTLE, |segment, frame| {
        if let Some(advert) = frame.advert()
            && heard.insert((segment, advert.vrid))
        {
            last = Some(frame.at);
        }
        heard.len() == instances as usize
    })?;
    match last {
        Some(last) if all => Ok(last),
        _ => bail!("{} of {instances} after {SETTLE:?}", heard.len()),
    }
}

/// Awaits that nothing is sent for as long as a takeover of all would need.
fn quiet(taps: &[Tap], interval: Interval) -> Result<()> {
    let deadline = Moment::now() + SETTLE;
    let calm = (20 * interval.length()).max(Duration::from_secs(2));
    while follow(taps, calm, |_, frame| frame.advert().is_some())? {
        if deadline.remaining().is_zero() {
            bail!("it still sends adverts after {SETTLE:?}");
        }
    }
    Ok(())
}

fn takeover(taps: &[Tap], instances: u32) -> Result<Moved> {
    let (mut spoken, mut claimed) = (BTreeSet::new(), BTreeSet::new());
    let (mut first, mut last_spoken, mut last_claimed) = (None, None, None);
    let all = instances as usize;
    follow(taps, MOVE, |segment, frame| {
        if let Some(advert) = frame.advert() {
            first = Some(first.map_or(frame.at, |first: Moment| first.min(frame.at)));
            if spoken.insert((segment, advert.vrid)) {
                last_spoken = last_spoken.max(Some(frame.at));
            }
        }
        if let Some(claim) = frame.gratuitous_arp()
            && claimed.insert(claim.ip)
        {
            last_claimed = last_claimed.max(Some(frame.at));
        }
        spoken.len() == all && claimed.len() == all
    })?;
    let first = first.context("the second node does not take over")?;
    let span = |last: Option<Moment>, number| last.filter(|_| number == all).map(|last| last.since(first));
    Ok(Moved {
        adverts: span(last_spoken, spoken.len()),
        claims: span(last_claimed, claimed.len()),
        claimed: claimed.len(),
    })
}
