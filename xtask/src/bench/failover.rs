//! `cargo xtask bench failover`: the same faults for vipd and Keepalived, in turn, on the same network.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use vipd_tests::guide::Conf;
use vipd_tests::probe::Echo;
use vipd_tests::{Agent, Datapath, Pair, clean_up_when_interrupted};

use crate::build;

use super::report::{Report, Series};
use super::round::{self, Fault, Setting};

/// What is measured, and how often.
#[derive(Args)]
pub(crate) struct Options {
    /// Takeovers of each kind and agent.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Advertisement intervals.
    #[arg(long = "advert", value_enum, value_delimiter = ',', default_values_t = [Interval::Second, Interval::Tenth, Interval::Hundredth])]
    intervals: Vec<Interval>,
    /// How vipd receives adverts.
    #[arg(long, value_enum, default_value_t = Path::Auto)]
    datapath: Path,
    /// Also write every sample to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Interval {
    #[value(name = "1s")]
    Second,
    #[value(name = "100ms")]
    Tenth,
    #[value(name = "10ms")]
    Hundredth,
}

#[derive(Clone, Copy, ValueEnum)]
enum Path {
    Auto,
    XdpNative,
    XdpGeneric,
    Tcx,
    Socket,
}

impl Interval {
    /// Seconds are measured as the guide has them, version 2 with a password; fractions need version 3.
    fn setting(self) -> Setting {
        let (length, vary): (_, fn(Conf) -> Conf) = match self {
            Self::Second => (Duration::from_secs(1), |conf| conf),
            Self::Tenth => (Duration::from_millis(100), |conf| conf.version_3().advert("0.1")),
            Self::Hundredth => (Duration::from_millis(10), |conf| conf.version_3().advert("0.01")),
        };
        let version = if length < Duration::from_secs(1) { 3 } else { 2 };
        let confs = [vary(Conf::lb1().without_scripts()), vary(Conf::lb2().without_scripts())];
        Setting { interval: length, version, confs }
    }
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

/// Runs the measurement.
///
/// # Errors
/// If vipd or the lab cannot be built, or a takeover did not come.
pub(crate) fn run(options: &Options) -> Result<()> {
    build::for_lab(true)?;
    clean_up_when_interrupted()?;
    let pair = Pair::new()?;
    let _echoes = [Echo::start(&pair.lb1.host)?, Echo::start(&pair.lb2.host)?];
    // Agents take turns within a round, so that whatever else the machine does meets both.
    let agents = [Agent::Vipd(options.datapath.datapath()), Agent::Keepalived];
    let mut report = Report::new(options.rounds);
    for interval in &options.intervals {
        let setting = interval.setting();
        let mut series =
            agents.map(|agent| Fault::ALL.map(|fault| Series::new(agent, setting.interval, fault)));
        for number in 1..=options.rounds {
            // Faults are spread evenly over the interval between two adverts.
            let phase = setting.interval * (2 * number - 1) / (2 * options.rounds);
            for (agent, series) in agents.iter().zip(&mut series) {
                eprintln!("{:?} adverts, round {number} of {}: {agent}", setting.interval, options.rounds);
                let samples = round::play(&pair, *agent, &setting, phase)
                    .with_context(|| format!("{agent}, {:?} adverts, round {number}", setting.interval))?;
                for (series, sample) in series.iter_mut().zip(samples) {
                    series.add(sample);
                }
            }
        }
        report.extend(series.into_iter().flatten());
    }
    report.print();
    if let Some(path) = &options.json {
        fs::write(path, format!("{:#}\n", report.json()))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
