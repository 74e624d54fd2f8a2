//! Samples, what they come to, and how that is shown.

use std::time::Duration;

use serde_json::{Value, json};
use vipd_tests::Agent;

use super::round::{Fault, Sample};

/// The samples of one agent, interval and fault.
pub(super) struct Series {
    agent: Agent,
    interval: Duration,
    fault: Fault,
    samples: Vec<Sample>,
}

impl Series {
    pub(super) fn new(agent: Agent, interval: Duration, fault: Fault) -> Self {
        Self { agent, interval, fault, samples: Vec::new() }
    }

    pub(super) fn add(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    fn spread(&self, measure: Measure) -> Spread {
        Spread::of(self.samples.iter().map(|sample| measure.of(sample)).collect())
    }
}

/// What is measured of a takeover.
#[derive(Clone, Copy)]
enum Measure {
    Outage,
    Advert,
    Claim,
}

impl Measure {
    const ALL: [Self; 3] = [Self::Outage, Self::Advert, Self::Claim];

    fn name(self) -> &'static str {
        match self {
            Self::Outage => "client's outage",
            Self::Advert => "first advert past floor",
            Self::Claim => "first GARP past floor",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Outage => "outage_ms",
            Self::Advert => "first_advert_past_floor_ms",
            Self::Claim => "first_garp_past_floor_ms",
        }
    }

    /// In nanoseconds.
    fn of(self, sample: &Sample) -> i64 {
        match self {
            Self::Outage => i64::try_from(sample.outage.as_nanos()).unwrap_or(i64::MAX),
            Self::Advert => sample.advert,
            Self::Claim => sample.claim,
        }
    }
}

/// Order statistics, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Spread {
    min: i64,
    median: i64,
    p99: i64,
    max: i64,
}

impl Spread {
    /// Of at least one value. A quantile is the smallest value that this share of the values does not exceed.
    fn of(mut values: Vec<i64>) -> Self {
        values.sort_unstable();
        let quantile = |percent: usize| values[(values.len() * percent).div_ceil(100).max(1) - 1];
        Self { min: values[0], median: quantile(50), p99: quantile(99), max: values[values.len() - 1] }
    }
}

/// Everything that was measured.
pub(super) struct Report {
    rounds: u32,
    series: Vec<Series>,
}

impl Report {
    pub(super) fn new(rounds: u32) -> Self {
        Self { rounds, series: Vec::new() }
    }

    pub(super) fn extend(&mut self, series: impl IntoIterator<Item = Series>) {
        self.series.extend(series);
    }

    /// Prints a table: vipd and Keepalived one above the other, and how vipd's median compares.
    pub(super) fn print(&self) {
        println!(
            "{} rounds; milliseconds; the floor is the earliest moment that the protocol allows",
            self.rounds
        );
        println!(
            "{:<8} {:<5} {:<24} {:<18} {:>10} {:>10} {:>10} {:>10} {:>7}",
            "adverts", "fault", "", "agent", "min", "median", "p99", "max", "ratio"
        );
        for (ours, theirs) in self.pairs() {
            for measure in Measure::ALL {
                let (our_spread, their_spread) = (ours.spread(measure), theirs.spread(measure));
                let ratio = ratio(our_spread.median, their_spread.median);
                let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
                print_row(ours, measure, our_spread, &ratio);
                print_row(theirs, measure, their_spread, "");
            }
        }
    }

    /// Every sample and what they come to.
    pub(super) fn json(&self) -> Value {
        let series: Vec<Value> = self.series.iter().map(series_json).collect();
        let ratios: Vec<Value> = self.pairs().map(|(ours, theirs)| ratio_json(ours, theirs)).collect();
        json!({ "rounds": self.rounds, "series": series, "ratio_of_medians": ratios })
    }

    /// vipd's series with Keepalived's of the same interval and fault.
    fn pairs(&self) -> impl Iterator<Item = (&Series, &Series)> {
        let ours = self.series.iter().filter(|series| series.agent != Agent::Keepalived);
        ours.filter_map(|ours| {
            let same = |theirs: &&Series| theirs.interval == ours.interval && theirs.fault == ours.fault;
            let theirs = self.series.iter().filter(|series| series.agent == Agent::Keepalived).find(same);
            theirs.map(|theirs| (ours, theirs))
        })
    }
}

fn print_row(series: &Series, measure: Measure, spread: Spread, ratio: &str) {
    println!(
        "{:<8} {:<5} {:<24} {:<18} {:>10.3} {:>10.3} {:>10.3} {:>10.3} {ratio:>7}",
        format!("{:?}", series.interval),
        series.fault,
        measure.name(),
        series.agent.to_string(),
        millis(spread.min),
        millis(spread.median),
        millis(spread.p99),
        millis(spread.max),
    );
}

fn series_json(series: &Series) -> Value {
    let mut object = json!({
        "agent": series.agent.to_string(),
        "interval_ms": series.interval.as_millis(),
        "fault": series.fault.to_string(),
    });
    for measure in Measure::ALL {
        let spread = series.spread(measure);
        let samples: Vec<f64> = series.samples.iter().map(|sample| millis(measure.of(sample))).collect();
        object[measure.key()] = json!({
            "min": millis(spread.min),
            "median": millis(spread.median),
            "p99": millis(spread.p99),
            "max": millis(spread.max),
            "samples": samples,
        });
    }
    object
}

fn ratio_json(ours: &Series, theirs: &Series) -> Value {
    let mut object = json!({ "interval_ms": ours.interval.as_millis(), "fault": ours.fault.to_string() });
    for measure in Measure::ALL {
        object[measure.key()] = json!(ratio(ours.spread(measure).median, theirs.spread(measure).median));
    }
    object
}

/// Ours over theirs; nothing where one of them is not after the floor, because a ratio of signs says nothing.
fn ratio(ours: i64, theirs: i64) -> Option<f64> {
    (ours > 0 && theirs > 0).then(|| millis(ours) / millis(theirs))
}

#[expect(clippy::cast_precision_loss, reason = "no span in a measurement comes near 2^52 ns, 52 days")]
fn millis(nanos: i64) -> f64 {
    nanos as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let cases: [(&[i64], [i64; 4]); 3] =
            [(&[7], [7, 7, 7, 7]), (&[4, 1, 3, 2], [1, 2, 4, 4]), (&[-5, 9, 0], [-5, 0, 9, 9])];
        for (values, [min, median, p99, max]) in cases {
            assert_eq!(Spread::of(values.to_vec()), Spread { min, median, p99, max }, "{values:?}");
        }
    }
}
