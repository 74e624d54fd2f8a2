//! What the figures of floods look like.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::millis;
use super::super::report::{Cell, Plot, Report, Scale, Table};
use super::super::spread::Spread;
use super::Case;

/// The report.
pub(super) fn report(cases: &[Case], seconds: Duration) -> Report {
    let columns = vec![
        "flood",
        "agent",
        "frames a second",
        "role changes",
        "takeovers on the wire",
        "longest gap, ms",
        "master: CPU, %",
        "backup: CPU, %",
        "cuts",
        "not taken over",
        "past the protocol's time, ms: median",
        "max",
    ];
    let percent = |node: usize| move |case: &Case| vec![share(case, node)];
    let plots = vec![
        plot(cases, "CPU of the master's agent", "% of a core", percent(0)).goal(2.0, "2 %"),
        plot(cases, "CPU of the backup's agent", "% of a core", percent(1)).goal(2.0, "2 %"),
        plot(cases, "Role changes without a failure", "role changes", |case| vec![count(case.entered)]),
        plot(
            cases,
            "A real failure during the flood: how much later than the protocol's time the backup took over",
            "milliseconds",
            late,
        ),
    ];
    Report {
        name: "flood",
        title: "what hostile frames do, as many as this machine can send",
        how: how(seconds),
        table: Table { columns, rows: cases.iter().map(row).collect() },
        plots,
        samples: cases.iter().map(json).collect(),
    }
}

fn row(case: &Case) -> Vec<Cell> {
    let found = Spread::of(&late(case));
    vec![
        case.kind.name().into(),
        case.contender.to_string().into(),
        Some(case.rate).filter(|rate| *rate > 0.0).into(),
        case.entered.into(),
        case.takeovers.into(),
        millis(case.longest_gap).into(),
        share(case, 0).into(),
        share(case, 1).into(),
        case.cuts.len().into(),
        case.cuts.iter().filter(|cut| cut.is_none()).count().into(),
        found.map(|found| found.median).into(),
        found.map(|found| found.max).into(),
    ]
}

/// How much later than the protocol has it the backup took over, in milliseconds, for each failure.
fn late(case: &Case) -> Vec<f64> {
    let due = millis(case.setting.down_interval());
    case.cuts.iter().flatten().map(|took| millis(*took) - due).collect()
}

fn plot(cases: &[Case], title: &str, axis: &'static str, values: impl Fn(&Case) -> Vec<f64>) -> Plot {
    let row = |case: &Case| (case.kind.name().to_owned(), case.contender.to_string(), values(case));
    Plot::of(title, axis, Scale::Linear, cases.iter().map(row))
}

fn json(case: &Case) -> Value {
    json!({
        "agent": case.contender.to_string(),
        "flood": case.kind.name(),
        "interval_ms": Duration::as_millis(&case.setting.interval.length()),
        "frames_a_second": case.rate,
        "watched_s": case.watched.as_secs_f64(),
        "role_changes": case.entered,
        "takeovers_on_the_wire": case.takeovers,
        "longest_gap_ms": millis(case.longest_gap),
        "master_cpu_ns": Duration::as_nanos(&case.used[0].cpu),
        "backup_cpu_ns": Duration::as_nanos(&case.used[1].cpu),
        "takeover_after_cut_ms": case.cuts.iter().map(|cut| cut.map(millis)).collect::<Vec<_>>(),
    })
}

/// In per cent of one core.
fn share(case: &Case, node: usize) -> f64 {
    100.0 * case.used[node].cpu.as_secs_f64() / case.watched.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "nobody changes roles 2^52 times")]
fn count(number: usize) -> f64 {
    number as f64
}

fn how(seconds: Duration) -> Vec<String> {
    [
        &format!(
            "A third host sends frames of one kind, as many as one thread can (sendmmsg on a packet socket, past the \
             queueing discipline); the switch floods them to both nodes. The pair is watched for {} s: nothing fails, so \
             every role change is a mistake. CPU is that of all threads of an agent by the scheduler's account. What \
             the kernel does in interrupts for a frame is done in the flooder's time and in nobody's figure here.",
            seconds.as_secs()
        ),
        "Then the master is cut off some times while the flood goes on. The takeover counts from the last advert that the \
         backup heard; the protocol's own time is three intervals and the skew: 36.1 ms, and 3.61 s for the wrong \
         password, which is measured in version 2 with adverts every second. Not taken over: not within 5 s (8 s), or \
         the pair was never calm enough.",
    ]
    .map(str::to_owned)
    .into()
}
