//! `cargo xtask bench answer`: who answers for the virtual address, millisecond by millisecond, when things go wrong.

mod samples;
mod show;

use std::net::IpAddr;
use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use nix::sys::signal::Signal;
use vipd_tests::frame::read_mac;
use vipd_tests::guide::Conf;
use vipd_tests::{Asker, Moment, Pair, Running, Tap, procs, start_vipd_by};

use self::samples::{Sample, samples};
use super::contender::Contender;
use super::report::Report;
use super::setting::{Interval, Setting};
use super::steady::Steady;
use super::{millis, wire::Wire};
use crate::build;

/// For any step.
const LIMIT: Duration = Duration::from_secs(30);

/// What is measured, and how often.
#[derive(Args, Default)]
pub(super) struct Options {
    /// Events of each kind and agent; 3 if not given, 1 with --quick
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Advertisement interval; 10 ms if not given
    #[arg(long = "advert", value_enum)]
    interval: Option<Interval>,
}

/// What goes wrong, or right, with the node of the higher priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// All processes of the master's agent are stopped where they stand.
    Freeze,
    /// They run again.
    Thaw,
    /// The first process of the master's agent is killed.
    Kill,
    /// All of them are.
    KillAll,
    /// What decides in the master's agent crashes: a panic of vipd's election thread, a kill of Keepalived's VRRP child.
    Crash,
    /// The master's agent is told to end.
    Stop,
    /// It is started again, and takes over from the lower priority.
    Preempt,
}

impl Event {
    const ALL: [Self; 7] =
        [Self::Freeze, Self::Thaw, Self::Kill, Self::KillAll, Self::Crash, Self::Stop, Self::Preempt];

    fn name(self) -> &'static str {
        match self {
            Self::Freeze => "freeze",
            Self::Thaw => "thaw",
            Self::Kill => "kill",
            Self::KillAll => "kill all",
            Self::Crash => "crash",
            Self::Stop => "stop",
            Self::Preempt => "preemption",
        }
    }
}

/// How it is asked who has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    /// For the guide's address.
    Arp,
    /// For an IPv6 address that is held beside it.
    Nd,
}

impl Question {
    const ALL: [Self; 2] = [Self::Arp, Self::Nd];

    fn name(self) -> &'static str {
        match self {
            Self::Arp => "ARP",
            Self::Nd => "ND",
        }
    }

    fn target(self) -> IpAddr {
        match self {
            Self::Arp => Pair::vip(),
            Self::Nd => IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100]),
        }
    }
}

/// What was seen of one event, in milliseconds.
struct Found {
    /// Samples with answers from two nodes together, and the time from the first to the last of them.
    two: f64,
    two_span: f64,
    /// Samples without an answer together, and the longest row of them.
    none: f64,
    none_longest: f64,
}

struct Series {
    contender: Contender,
    event: Event,
    question: Question,
    found: Vec<Found>,
}

/// Runs the measurement.
pub(super) fn run(options: &Options, quick: bool) -> Result<Report> {
    let rounds = options.rounds.unwrap_or(if quick { 1 } else { 3 });
    let setting = Setting::new(options.interval.unwrap_or(Interval::Hundredth));
    let window = (100 * setting.interval.length()).min(Duration::from_secs(10));
    let fragile = build::fragile_vipd()?;
    let pair = Pair::new()?;
    let mut steady = Steady::new()?;
    let mut all: Vec<Series> = Vec::new();
    for contender in Contender::ALL {
        for event in Event::ALL {
            all.extend(Question::ALL.map(|question| Series {
                contender,
                event,
                question,
                found: Vec::new(),
            }));
        }
    }
    for number in 1..=rounds {
        for contender in Contender::ALL {
            eprintln!("answer: round {number} of {rounds}: {contender}");
            let stage = Stage { pair: &pair, setting: &setting, contender, fragile: &fragile, window };
            let found = steady.take(|| stage.play()).with_context(|| contender.to_string())?;
            let series = all.iter_mut().filter(|series| series.contender == contender);
            for (series, found) in series.zip(found) {
                series.found.push(found);
            }
        }
    }
    let mut report = show::report(&all, &setting, rounds, window);
    report.how.extend(steady.note());
    Ok(report)
}

/// One contender's round.
struct Stage<'a> {
    pair: &'a Pair,
    setting: &'a Setting,
    contender: Contender,
    /// vipd in a program that can be made to panic.
    fragile: &'a Path,
    /// How long each event is watched.
    window: Duration,
}

impl Stage<'_> {
    /// In the order of [`Event::ALL`], for each in that of [`Question::ALL`].
    fn play(&self) -> Result<Vec<Found>> {
        let pair = self.pair;
        pair.restore()?;
        let macs = [&pair.lb1, &pair.lb2].map(|node| read_mac(&node.mac).context("MAC address"));
        let [first, second] = macs;
        let nodes = [first?, second?];
        let ask = |question: Question| Asker::start(&pair.client, question.target(), &nodes);
        let askers = [ask(Question::Arp)?, ask(Question::Nd)?];
        let mut lb1 = self.start_first()?;
        // One after the other: loading a program into the kernel keeps a core busy, and two would be all there are.
        pair.wait_for_holder(&pair.lb1, LIMIT)?;
        let lb2 = pair.lb2.start(self.contender.agent(), &self.conf(1))?;
        let mut found = Vec::new();
        for event in Event::ALL {
            if event == Event::Crash {
                lb1.put_down(LIMIT)?;
                lb1 = self.start_fragile()?;
            }
            // Thawing follows freezing, and a preemption a stop, with nothing in between.
            if !matches!(event, Event::Thaw | Event::Preempt) {
                self.settle()?;
            }
            let doomed = lb1.processes();
            let from = Moment::now();
            match event {
                Event::Freeze => lb1.freeze()?,
                Event::Thaw => lb1.thaw()?,
                Event::Kill => lb1.process().kill_alone()?,
                Event::KillAll => lb1.kill_all()?,
                Event::Crash => self.crash(&lb1)?,
                Event::Stop => lb1.process().stop()?,
                Event::Preempt => {
                    lb1 = self.start_first()?;
                    self.wait_for_first_advert()?;
                }
            }
            thread::sleep(self.window);
            let until = Moment::now();
            for asker in &askers {
                found.push(Found::of(&samples(&asker.asked(), &asker.replies(), from, until)));
            }
            match event {
                Event::Kill | Event::KillAll => {
                    procs::wait_for_end(&doomed, LIMIT)?;
                    // What the killed one has left on its interface is the next start's to find.
                    lb1 = self.start_first()?;
                }
                // Keepalived's parent has started another child.
                Event::Crash => {
                    lb1.put_down(LIMIT)?;
                    procs::wait_for_end(&doomed, LIMIT)?;
                    lb1 = self.start_first()?;
                }
                Event::Stop => procs::wait_for_end(&doomed, LIMIT)?,
                Event::Freeze | Event::Thaw | Event::Preempt => {}
            }
        }
        lb1.put_down(LIMIT)?;
        lb2.put_down(LIMIT)?;
        Ok(found)
    }

    fn conf(&self, node: usize) -> Conf {
        let excluded = format!("virtual_ipaddress_excluded {{\n{}/64\n}}", Question::Nd.target());
        self.contender.conf(&self.setting.confs[node]).with_line(&excluded)
    }

    fn start_first(&self) -> Result<Running> {
        self.pair.lb1.start(self.contender.agent(), &self.conf(0))
    }

    /// vipd in a program that can be made to panic; Keepalived as it is.
    fn start_fragile(&self) -> Result<Running> {
        let (Some(program), Contender::Vipd(datapath)) = (self.fragile.to_str(), self.contender) else {
            return self.start_first();
        };
        start_vipd_by(&[program], &self.pair.lb1.host, &self.conf(0), datapath)
    }

    fn crash(&self, agent: &Running) -> Result<()> {
        match self.contender {
            // The main thread is the one that decides.
            Contender::Vipd(_) => agent.process().signal(Signal::SIGUSR1),
            Contender::Keepalived | Contender::RealTime => {
                ensure!(agent.process().kill_child("keepalived")?, "keepalived has no child");
                Ok(())
            }
        }
    }

    fn settle(&self) -> Result<()> {
        self.pair.wait_for_holder(&self.pair.lb1, LIMIT)?;
        let mut wire = Wire::open(self.pair, self.setting.interval)?;
        wire.wait_for_calm(LIMIT)?.context("lb1 is not left alone").map(drop)
    }

    fn wait_for_first_advert(&self) -> Result<Moment> {
        let tap = Tap::open(self.pair.switch.host())?;
        let port = &self.pair.lb1.port;
        tap.wait_for(LIMIT, |frame| (frame.came_from(port) && frame.advert().is_some()).then_some(frame.at))
            .context("lb1 does not preempt")
    }
}

impl Found {
    fn of(samples: &[Sample]) -> Self {
        let sum = |nodes: fn(usize) -> bool| {
            samples.iter().filter(|sample| nodes(sample.nodes)).map(|sample| sample.length).sum::<Duration>()
        };
        let two = || samples.iter().filter(|sample| sample.nodes > 1);
        let span =
            two().next().zip(two().next_back()).map(|(first, last)| (last.at + last.length).since(first.at));
        let (mut longest, mut row) = (Duration::ZERO, Duration::ZERO);
        for sample in samples {
            row = if sample.nodes == 0 { row + sample.length } else { Duration::ZERO };
            longest = longest.max(row);
        }
        Self {
            two: millis(sum(|nodes| nodes > 1)),
            two_span: millis(span.unwrap_or_default()),
            none: millis(sum(|nodes| nodes == 0)),
            none_longest: millis(longest),
        }
    }
}
