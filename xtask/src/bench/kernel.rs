//! `cargo xtask bench kernel`: what a frame costs in the kernel half. Keepalived has none, so an empty program is what
//! it is compared with.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

use super::report::{Cell, Plot, Report, Scale, Table};
use super::spread::Spread;
use crate::command;

/// How often.
#[derive(Args, Default)]
pub(super) struct Options {
    /// Times that each frame is measured, in turn with the others; 15 if not given, 5 with --quick
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    passes: Option<u32>,
    /// Runs of which the kernel tells the mean, each time; 100000 if not given
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
}

/// A frame on a road: XDP or tcx.
struct Case {
    road: String,
    frame: String,
    outcome: String,
    nanos: Vec<f64>,
}

impl Case {
    fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let nanos = value["ns"].as_array()?.iter().filter_map(Value::as_f64).collect();
        Some(Self { road: text("road")?, frame: text("frame")?, outcome: text("outcome")?, nanos })
    }

    fn is_empty_program(&self) -> bool {
        self.frame == "empty program"
    }

    /// Frames that are adverts refused are called by the reason alone.
    fn label(&self) -> String {
        self.frame.trim_start_matches("advert: ").to_owned()
    }

    fn series(&self) -> String {
        if self.is_empty_program() { self.road.clone() } else { format!("vipd, {}", self.road) }
    }
}

/// Runs the measurement.
pub(super) fn run(options: &Options, quick: bool) -> Result<Report> {
    let passes = options.passes.unwrap_or(if quick { 5 } else { 15 }).to_string();
    let repeat = options.repeat.unwrap_or(100_000).to_string();
    eprintln!("kernel: building the bench");
    // It needs vipd and aya, which this program is better built without: it is what builds them.
    let bench = ["bench", "--quiet", "--package", "vipd-tests", "--bench", "kernel", "--"];
    let arguments = ["--passes", &passes, "--repeat", &repeat];
    let told =
        command::output(command::cargo().args(bench).args(arguments).stderr(std::process::Stdio::inherit()))
            .context("cargo bench failed")?;
    let samples: Value = serde_json::from_str(&told).context("the bench does not tell JSON")?;
    let cases: Vec<Case> = samples["cases"].as_array().into_iter().flatten().filter_map(Case::read).collect();
    Ok(report(&cases, samples, &passes, &repeat))
}

fn report(cases: &[Case], samples: Value, passes: &str, repeat: &str) -> Report {
    let least = |case: &Case| Spread::of(&case.nanos).map(|spread| spread.min);
    let base =
        |road: &str| cases.iter().find(|case| case.road == road && case.is_empty_program()).and_then(least);
    let row = |case: &Case| -> Vec<Cell> {
        let spread = Spread::of(&case.nanos);
        let more = spread.zip(base(&case.road)).map(|(spread, base)| spread.min - base);
        vec![
            case.road.clone().into(),
            case.frame.clone().into(),
            case.outcome.clone().into(),
            spread.map(|spread| spread.min).into(),
            spread.map(|spread| spread.median).into(),
            more.into(),
        ]
    };
    let mut frames: Vec<&str> = Vec::new();
    for case in cases {
        if !frames.contains(&case.frame.as_str()) {
            frames.push(&case.frame);
        }
    }
    let rows = frames.iter().flat_map(|frame| cases.iter().filter(move |case| case.frame == **frame));
    let rows = rows.map(|case| (case.label(), case.series(), least(case).into_iter().collect()));
    let columns = vec!["road", "frame", "outcome", "least, ns", "median, ns", "least over empty, ns"];
    Report {
        name: "kernel",
        title: "what a frame costs in the kernel half",
        how: how(passes, repeat),
        table: Table { columns, rows: cases.iter().map(row).collect() },
        plots: vec![
            Plot::of("Least time of a frame", "nanoseconds", Scale::Linear, rows)
                .goal(150.0, "an advert: 150 ns"),
        ],
        samples,
    }
}

fn how(passes: &str, repeat: &str) -> Vec<String> {
    [
        &format!(
            "The kernel runs the program on a frame {repeat} times and tells the mean (BPF_PROG_TEST_RUN); that {passes} \
             times, all frames in turn with a program that does nothing (two instructions, written by hand), so that \
             whatever the machine does meets all of them. Least is the best of them: what is above it is the machine's."
        ),
        "The same frame comes again and again, so caches are warm. The one advert that passes is the last one again: it \
         is stamped and counted, and nobody is woken. The others are the first of the corpus for each reason to drop or \
         to count; some pass, because they may be meant for others.",
    ]
    .map(str::to_owned)
    .into()
}
