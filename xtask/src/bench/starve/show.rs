//! What the figures of starvation look like.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::load::Load;
use super::super::millis;
use super::super::report::{Cell, Plot, Report, Scale, Table};
use super::super::setting::Setting;
use super::super::spread::Spread;
use super::Case;

/// The report.
pub(super) fn report(cases: &[Case], setting: &Setting, seconds: Duration) -> Report {
    let columns = vec![
        "load",
        "on",
        "agent",
        "role changes",
        "takeovers on the wire",
        "longest gap, ms",
        "cuts",
        "not taken over",
        "takeover, ms: median",
        "max",
        "max over idle median",
        "remark",
    ];
    let rows = cases.iter().map(|case| row(case, cases)).collect();
    let patience = millis(setting.down_interval());
    let logarithmic = "milliseconds (logarithmic)";
    let plots = vec![
        plot(cases, "Role changes without a failure", "role changes", Scale::Linear, |case| {
            vec![count(case.entered)]
        }),
        plot(
            cases,
            "Longest gap between two adverts of the master",
            logarithmic,
            Scale::Logarithmic,
            |case| vec![millis(case.longest_gap)],
        )
        .goal(patience, "the backup's patience"),
        plot(
            cases,
            "A real failure during the load: from the last advert heard to the new master's first",
            logarithmic,
            Scale::Logarithmic,
            |case| case.cuts.iter().flatten().copied().map(millis).collect(),
        )
        .goal(2.0 * patience, "twice the protocol's time"),
    ];
    Report {
        name: "starve",
        title: "who loses or takes an address only because it does not get to run",
        how: how(seconds),
        table: Table { columns, rows },
        plots,
        samples: cases.iter().map(json).collect(),
    }
}

fn row(case: &Case, all: &[Case]) -> Vec<Cell> {
    let idle = all.iter().find(|other| other.load == Load::Idle && other.contender == case.contender);
    let idle = idle.and_then(takeover).map(|spread| spread.median);
    let found = takeover(case);
    let ratio = found.zip(idle).map(|(found, idle)| found.max / idle);
    let unbound = case.unbound;
    let remark = if unbound > 0 {
        format!("{unbound} threads were not bound to a core: the kernel schedules them by deadline")
    } else {
        String::new()
    };
    vec![
        case.load.name().into(),
        case.place.name().into(),
        case.contender.to_string().into(),
        case.entered.into(),
        case.takeovers.into(),
        millis(case.longest_gap).into(),
        case.cuts.len().into(),
        case.cuts.iter().filter(|cut| cut.is_none()).count().into(),
        found.map(|found| found.median).into(),
        found.map(|found| found.max).into(),
        ratio.into(),
        remark.into(),
    ]
}

fn takeover(case: &Case) -> Option<Spread> {
    Spread::of(&case.cuts.iter().flatten().copied().map(millis).collect::<Vec<_>>())
}

fn plot(
    cases: &[Case],
    title: &str,
    axis: &'static str,
    scale: Scale,
    values: impl Fn(&Case) -> Vec<f64>,
) -> Plot {
    let rows = cases.iter().map(|case| {
        let (load, place) = (case.load.name(), case.place.name());
        let label = if case.load.is_local() { format!("{load}, {place}") } else { load.to_owned() };
        (label, case.contender.to_string(), values(case))
    });
    Plot::of(title, axis, scale, rows)
}

fn json(case: &Case) -> Value {
    json!({
        "agent": case.contender.to_string(),
        "load": case.load.name(),
        "on": case.place.name(),
        "watched_s": case.watched.as_secs_f64(),
        "role_changes": case.entered,
        "takeovers_on_the_wire": case.takeovers,
        "longest_gap_ms": millis(case.longest_gap),
        "takeover_after_cut_ms": case.cuts.iter().map(|cut| cut.map(millis)).collect::<Vec<_>>(),
        "threads_not_bound": case.unbound,
    })
}

#[expect(clippy::cast_precision_loss, reason = "nobody changes roles 2^52 times")]
fn count(number: usize) -> f64 {
    number as f64
}

fn how(seconds: Duration) -> Vec<String> {
    [
        &format!(
            "A pair with adverts every 10 ms is watched for {} s under each load. Nothing fails, so every role change is a \
             mistake: lines \"Entering MASTER STATE\" in the logs of both nodes, and times that the backup begins to send \
             adverts, as the switch sees it. The longest gap is the one between two adverts of the master.",
            seconds.as_secs()
        ),
        "The load is stress-ng. Both nodes share the machine's cores, so a load on all cores is one on both nodes. For a \
         load on one node only, all threads of the master's agent are bound to core 0, those of the backup's to core 1, \
         and the load to one of the two. A thread that the kernel schedules by deadline cannot be bound; it flees to the \
         free core, as it would on a machine with a free core.",
        "Then the master is cut off some times while the load goes on. The takeover counts from the last advert that the \
         backup heard to its own first one; the protocol's own time is 36.1 ms. Not taken over: not within 5 s, or the \
         pair was never calm enough to tell a takeover from the flapping.",
    ]
    .map(str::to_owned)
    .into()
}
