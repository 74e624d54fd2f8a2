//! What the figures of answers look like.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::report::{Cell, Plot, Report, Scale, Table};
use super::super::setting::Setting;
use super::super::spread::Spread;
use super::{Event, Found, Question, Series};

type Part = fn(&Found) -> f64;

const PARTS: [(&str, Part); 4] = [
    ("two answer", |found| found.two),
    ("from the first such moment to the last", |found| found.two_span),
    ("nobody answers", |found| found.none),
    ("longest of it", |found| found.none_longest),
];

/// The report.
pub(super) fn report(all: &[Series], setting: &Setting, rounds: u32, window: Duration) -> Report {
    let values = |series: &Series, part: Part| series.found.iter().map(part).collect::<Vec<f64>>();
    let mut table = Table {
        columns: vec!["event", "asked by", "agent", "ms in which", "min", "median", "max"],
        rows: Vec::new(),
    };
    let kinds = || Event::ALL.into_iter().flat_map(|event| Question::ALL.map(|question| (event, question)));
    let by_event = || {
        let of = move |kind| all.iter().filter(move |series| (series.event, series.question) == kind);
        kinds().flat_map(of)
    };
    for series in by_event() {
        for (name, part) in PARTS {
            let spread = Spread::of(&values(series, part));
            let cell = |value: fn(Spread) -> f64| -> Cell { spread.map(value).into() };
            table.rows.push(vec![
                series.event.name().into(),
                series.question.name().into(),
                series.contender.to_string().into(),
                name.into(),
                cell(|spread| spread.min),
                cell(|spread| spread.median),
                cell(|spread| spread.max),
            ]);
        }
    }
    let plot = |title: &str, part: Part| {
        let rows = by_event().map(|series| {
            let group = format!("{}, {}", series.event.name(), series.question.name());
            (group, series.contender.to_string(), values(series, part))
        });
        Plot::of(title, "milliseconds", Scale::Linear, rows)
    };
    let plots = vec![
        plot("Two nodes answer for the address", |found| found.two),
        plot("Nobody answers for the address", |found| found.none),
    ];
    let samples = by_event().map(series_json).collect();
    Report {
        name: "answer",
        title: "who answers for the virtual address when things go wrong",
        how: how(setting, rounds, window),
        table,
        plots,
        samples,
    }
}

fn series_json(series: &Series) -> Value {
    let part = |(name, part): &(&str, Part)| -> (String, Value) {
        ((*name).to_owned(), json!(series.found.iter().map(part).collect::<Vec<f64>>()))
    };
    let mut object: serde_json::Map<String, Value> = PARTS.iter().map(part).collect();
    object.insert("agent".to_owned(), json!(series.contender.to_string()));
    object.insert("asked by".to_owned(), json!(series.question.name()));
    object.insert("event".to_owned(), json!(series.event.name()));
    object.into()
}

fn how(setting: &Setting, rounds: u32, window: Duration) -> Vec<String> {
    [
        &format!(
            "{rounds} rounds, adverts every {}. A third host asks every millisecond who has the virtual address, by ARP, \
             and who has an IPv6 address that is held beside it (virtual_ipaddress_excluded), by neighbour solicitations (ND): \
             everybody (broadcast, or the solicited-node group), and each node by itself (unicast). A sample is the time from one question to the next, \
             with the MAC addresses that answered in it; so a hand-over without a gap may show as 1 ms with two. Each \
             event is watched for {} ms: an address that two nodes hold until somebody steps in shows as nearly all of that.",
            setting.interval,
            window.as_millis()
        ),
        "freeze: SIGSTOP to every process of the master's agent; thaw: SIGCONT. kill: SIGKILL to its first process, of \
         Keepalived the parent. kill all: SIGKILL to every process. crash: a panic of vipd's election thread (in a program \
         that is vipd but for a signal that brings the panic about), a kill of Keepalived's VRRP child, which its parent \
         then starts again. stop: SIGTERM. preemption: the agent of the higher priority is started again and takes the \
         address back.",
    ]
    .map(str::to_owned)
    .into()
}
