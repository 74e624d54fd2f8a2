//! `cargo xtask bench flood`: what hostile frames, as many as this machine can send, do to a pair.

mod show;

use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;
use vipd_tests::procs::Usage;
use vipd_tests::{Flood, Moment, Pair};

use super::contender::Contender;
use super::hostile::Kind;
use super::report::Report;
use super::setting::Setting;
use super::wire::{Wire, masters};

/// For any step of a bench that is not slowed down.
const LIMIT: Duration = Duration::from_secs(30);
/// Frames of one flood at most.
const FRAMES: u64 = 50_000_000;

/// What is measured, and how long.
#[derive(Args, Default)]
pub(super) struct Options {
    /// How long each flood is watched; 5 if not given, 2 with --quick
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: Option<u64>,
    /// Real failures during each flood; 3 if not given, 1 with --quick
    #[arg(long)]
    cuts: Option<u32>,
    /// Kinds of frames; all if none is given. None is always among them
    #[arg(long = "kind", value_enum, value_delimiter = ',')]
    kinds: Vec<Kind>,
}

/// What one contender was seen to do during one flood.
struct Case {
    contender: Contender,
    kind: Kind,
    setting: Setting,
    /// Frames a second.
    rate: f64,
    /// CPU of master and backup over the time that was watched.
    used: [Usage; 2],
    watched: Duration,
    entered: usize,
    takeovers: usize,
    longest_gap: Duration,
    cuts: Vec<Option<Duration>>,
}

/// Runs the measurement.
pub(super) fn run(options: &Options, quick: bool) -> Result<Report> {
    let seconds = Duration::from_secs(options.seconds.unwrap_or(if quick { 2 } else { 5 }));
    let cuts = options.cuts.unwrap_or(if quick { 1 } else { 3 });
    let kinds = if options.kinds.is_empty() { Kind::ALL.to_vec() } else { options.kinds.clone() };
    let kinds = std::iter::once(Kind::None).chain(kinds.into_iter().filter(|kind| *kind != Kind::None));
    let plan = Plan { seconds, cuts };
    let mut cases = Vec::new();
    for kind in kinds {
        for contender in Contender::ALL {
            eprintln!("flood: {}: {contender}", kind.name());
            cases.push(plan.play(contender, kind).with_context(|| format!("{contender}: {}", kind.name()))?);
        }
    }
    Ok(show::report(&cases, seconds))
}

/// What is the same for all cases.
struct Plan {
    seconds: Duration,
    cuts: u32,
}

impl Plan {
    fn play(&self, contender: Contender, kind: Kind) -> Result<Case> {
        // A lab for each: some agents write a line for every frame, and those go with the lab.
        let pair = Pair::new()?;
        let stranger = pair.lab.host("stranger")?;
        pair.lab.connect(&stranger, "eth0", "192.168.1.66/24", &pair.switch)?;
        let setting = Setting::new(kind.interval());
        let patience = Duration::from_secs(5).max(8 * setting.interval.length());
        let lb1 = pair.lb1.start(contender.agent(), &contender.conf(&setting.confs[0]))?;
        let lb2 = pair.lb2.start(contender.agent(), &contender.conf(&setting.confs[1]))?;
        pair.wait_for_holder(&pair.lb1, LIMIT)?;
        let mut wire = Wire::open(&pair, setting.interval)?;
        wire.wait_for_calm(LIMIT)?.context("lb1 is not left alone before there is any flood")?;
        let trees = [lb1.processes(), lb2.processes()];
        let usage = || trees.each_ref().map(|tree| Usage::of(tree));

        let at_most = self.seconds + 3 * patience * self.cuts + LIMIT;
        let frames = kind.frames();
        let flood = if frames.is_empty() {
            None
        } else {
            Some(Flood::start(&stranger, "eth0", frames, at_most, FRAMES)?)
        };
        let (entered, before, from) = (masters(&lb1) + masters(&lb2), usage(), Moment::now());
        let seen = wire.watch(self.seconds)?;
        let (after, watched) = (usage(), Moment::now().since(from));
        let entered = masters(&lb1) + masters(&lb2) - entered;
        let rate = flood.as_ref().map_or(0.0, Flood::rate);
        let mut cuts = Vec::new();
        for _ in 0..self.cuts {
            if wire.wait_for_calm(patience)?.is_some() {
                cuts.push(wire.cut(patience)?);
                pair.lb1.port.heal()?;
            } else {
                cuts.push(None);
            }
        }
        drop(flood);
        lb1.put_down(LIMIT)?;
        lb2.put_down(LIMIT)?;
        Ok(Case {
            contender,
            kind,
            setting,
            rate,
            used: [after[0].since(before[0]), after[1].since(before[1])],
            watched,
            entered,
            takeovers: seen.takeovers,
            longest_gap: seen.longest_gap,
            cuts,
        })
    }
}
