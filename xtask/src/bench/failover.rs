//! `cargo xtask bench failover`: the same faults for vipd and Keepalived, in turn, on the same network.

use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use vipd_tests::probe::Echo;
use vipd_tests::{Datapath, Pair};

use super::contender::Contender;
use super::report::{Cell, Plot, Report, Scale, Table};
use super::round::{self, Fault, Measure, Sample};
use super::setting::{Interval, Setting};
use super::spread::Spread;
use super::steady::Steady;

/// What is measured, and how often.
#[derive(Args, Default)]
pub(super) struct Options {
    /// Takeovers of each kind and agent; 5 if not given, 2 with --quick
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Advertisement intervals; 10 ms if none is given
    #[arg(long = "advert", value_enum, value_delimiter = ',')]
    intervals: Vec<Interval>,
    /// How vipd receives adverts
    #[arg(long, value_enum, default_value_t)]
    datapath: Path,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Path {
    #[default]
    Auto,
    XdpNative,
    XdpGeneric,
    Tcx,
    Socket,
}

impl Path {
    fn datapath(self) -> Datapath {
        match self {
            Self::Auto => Datapath::Auto,
            Self::XdpNative => Datapath::XdpNative,
            Self::XdpGeneric => Datapath::XdpGeneric,
            Self::Tcx => Datapath::Tcx,
            Self::Socket => Datapath::Socket,
        }
    }
}

/// The samples of one contender, interval and fault.
struct Series {
    contender: Contender,
    interval: Interval,
    fault: Fault,
    samples: Vec<Sample>,
}

impl Series {
    fn values(&self, measure: Measure) -> Vec<f64> {
        self.samples.iter().map(|sample| measure.of(sample)).collect()
    }
}

/// Runs the measurement.
///
/// # Errors
/// If the lab cannot be built, or a takeover did not come.
pub(super) fn run(options: &Options, quick: bool) -> Result<Report> {
    let rounds = options.rounds.unwrap_or(if quick { 2 } else { 5 });
    let intervals: &[Interval] =
        if options.intervals.is_empty() { &[Interval::Hundredth] } else { &options.intervals };
    let contenders =
        [Contender::Vipd(options.datapath.datapath()), Contender::Keepalived, Contender::RealTime];
    let pair = Pair::new()?;
    let _echoes = [Echo::start(&pair.lb1.host)?, Echo::start(&pair.lb2.host)?];
    let mut steady = Steady::new()?;
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for interval in intervals.iter().copied() {
        let setting = Setting::new(interval);
        let series = |contender, fault| Series { contender, interval, fault, samples: Vec::new() };
        let mut taken = contenders.map(|contender| Fault::ALL.map(|fault| series(contender, fault)));
        for number in 1..=rounds {
            // Faults are spread evenly over the interval between two adverts.
            let phase = interval.length() * (2 * number - 1) / (2 * rounds);
            // Agents take turns within a round, so that whatever else the machine does meets all of them.
            for (contender, series) in contenders.iter().zip(&mut taken) {
                eprintln!("failover: adverts every {interval}, round {number} of {rounds}: {contender}");
                match steady.take(|| round::play(&pair, *contender, &setting, phase)) {
                    Ok(samples) => {
                        for (series, sample) in series.iter_mut().zip(samples) {
                            series.samples.push(sample);
                        }
                    }
                    // A finding like any other, as long as the lab itself is in order.
                    Err(error) => {
                        let failure =
                            format!("{contender}, adverts every {interval}, round {number}: {error:#}");
                        eprintln!("failover: FAILED: {failure}");
                        failures.push(failure);
                    }
                }
            }
        }
        all.extend(taken.into_iter().flatten());
    }
    let mut report = report(&all, intervals, rounds);
    report.how.extend(steady.note());
    report
        .how
        .extend(failures.iter().map(|failure| format!("This round failed and counts nowhere: {failure}.")));
    Ok(report)
}

fn report(all: &[Series], intervals: &[Interval], rounds: u32) -> Report {
    let mut table = Table {
        columns: vec!["adverts", "fault", "measure, ms", "agent", "min", "median", "p99", "max", "ratio"],
        rows: Vec::new(),
    };
    let mut plots = Vec::new();
    for interval in intervals {
        let of = |fault: Fault| {
            all.iter().filter(move |series| series.interval == *interval && series.fault == fault)
        };
        for fault in Fault::ALL {
            for measure in Measure::ALL {
                table.rows.extend(rows(&of(fault).collect::<Vec<_>>(), measure));
            }
        }
        for (measure, goal) in [
            (Measure::AdvertPastFloor, Some((0.2, "median: 0.2 ms"))),
            (Measure::ClaimAfterAdvert, Some((0.3, "0.3 ms"))),
            (Measure::AdvertAfterFault, None),
            (Measure::Outage, None),
        ] {
            let title = format!("Adverts every {interval}: {}", measure.name());
            let rows = Fault::ALL.into_iter().flat_map(of).map(|series| {
                (series.fault.to_string(), series.contender.to_string(), series.values(measure))
            });
            let plot = Plot::of(title, "milliseconds (logarithmic)", Scale::Logarithmic, rows);
            plots.push(Plot { goal, ..plot });
        }
    }
    Report {
        name: "failover",
        title: "from a fault to a new master",
        how: how(rounds),
        table,
        plots,
        samples: samples(all),
    }
}

/// One measure of one fault, a row for each contender. The ratio is that of vipd's median to this one.
fn rows(series: &[&Series], measure: Measure) -> Vec<Vec<Cell>> {
    let median = |series: &Series| Spread::median(&series.values(measure));
    let ours = series.first().and_then(|ours| median(ours));
    let row = |series: &&Series| {
        let Some(spread) = Spread::of(&series.values(measure)) else { return Vec::new() };
        // A ratio of signs would say nothing.
        let comparable = series.contender.agent() == vipd_tests::Agent::Keepalived
            && ours.is_some_and(|ours| ours > 0.0)
            && spread.median > 0.0;
        let ratio = ours.filter(|_| comparable).map(|ours| ours / spread.median);
        vec![
            series.interval.to_string().into(),
            series.fault.name().into(),
            measure.name().into(),
            series.contender.to_string().into(),
            spread.min.into(),
            spread.median.into(),
            spread.p99.into(),
            spread.max.into(),
            ratio.into(),
        ]
    };
    series.iter().map(row).collect()
}

fn samples(all: &[Series]) -> Value {
    let series = |series: &Series| {
        json!({
            "agent": series.contender.to_string(),
            "interval_ms": Duration::as_millis(&series.interval.length()),
            "fault": series.fault.name(),
            "samples": series.samples.iter().map(Sample::json).collect::<Vec<_>>(),
        })
    };
    all.iter().map(series).collect()
}

fn how(rounds: u32) -> Vec<String> {
    [
        &format!("{rounds} rounds. The master of a pair is lost, and the backup takes over. Adverts and gratuitous ARP \
          (GARP) are stamped by the kernel as they pass the switch; faults are spread evenly between two adverts. The \
          floor is the earliest moment that the protocol allows: after the last advert that reached the backup, three \
          intervals and the skew time, or the skew time alone after a resignation."),
        "cut: the switch swallows all frames of the master. link: it loses carrier. freeze: SIGSTOP to every process \
         of the agent. kill: SIGKILL to its first process; of Keepalived that is the parent, and its VRRP child is then \
         ended by the kernel's SIGTERM. kill all: SIGKILL to every process. stop: SIGTERM.",
        "The client sends a datagram to the virtual address every millisecond; its outage is the longest time between \
         two echoes, so 1 ms is none. A frozen or killed master goes on echoing where its kernel still has the address. \
         ratio: vipd's median over the row's.",
    ]
    .map(str::to_owned)
    .into()
}
