//! What the figures of many virtual routers look like.

use std::time::Duration;

use serde_json::{Value, json};
use vipd_tests::procs::Usage;

use super::super::millis;
use super::super::report::{Cell, Plot, Report, Scale, Table};
use super::{Case, Found};

const MIB: f64 = 1024.0;

/// One figure of a case.
struct Figure {
    name: &'static str,
    of: fn(&Found) -> Option<f64>,
    /// The axis of its plot, if it has one.
    axis: Option<&'static str>,
}

const FIGURES: [Figure; 12] = [
    Figure { name: "start, s", of: |found| Some(found.start.as_secs_f64()), axis: None },
    Figure {
        name: "master: CPU, %",
        of: |found| Some(share(found.used[0].cpu, found)),
        axis: Some("% of a core (logarithmic)"),
    },
    Figure {
        name: "backup: CPU, %",
        of: |found| Some(share(found.used[1].cpu, found)),
        axis: Some("% of a core (logarithmic)"),
    },
    Figure { name: "all: busy, %", of: |found| Some(share(found.machine.busy, found)), axis: None },
    Figure {
        name: "all: interrupts, %",
        of: |found| Some(share(found.machine.interrupts, found)),
        axis: None,
    },
    Figure { name: "master: wake-ups an advert", of: |found| wakes(&found.used[0], found), axis: None },
    Figure {
        name: "backup: wake-ups an advert",
        of: |found| wakes(&found.used[1], found),
        axis: Some("wake-ups an advert (logarithmic)"),
    },
    Figure {
        name: "master: memory, MiB",
        of: |found| Some(number(found.used[0].resident) / MIB),
        axis: Some("MiB resident"),
    },
    Figure { name: "of it anonymous", of: |found| Some(number(found.used[0].anonymous) / MIB), axis: None },
    Figure {
        name: "backup: memory, MiB",
        of: |found| Some(number(found.used[1].resident) / MIB),
        axis: None,
    },
    Figure { name: "last advert, ms", of: |found| found.moved.adverts.map(millis), axis: None },
    Figure {
        name: "last GARP, ms",
        of: |found| found.moved.claims.map(millis),
        axis: Some("milliseconds after the first advert (logarithmic)"),
    },
];

/// The report.
pub(super) fn report(cases: &[Case], seconds: u64) -> Report {
    let mut columns = vec!["adverts", "routers", "agent"];
    columns.extend(FIGURES.iter().map(|figure| figure.name));
    columns.push("remark");
    let rows = cases.iter().map(row).collect();
    let plots = FIGURES.iter().filter_map(|figure| Some(plot(cases, figure, figure.axis?))).collect();
    Report {
        name: "scale",
        title: "what many virtual routers cost, and how fast all of them move",
        how: how(seconds),
        table: Table { columns, rows },
        plots,
        samples: cases.iter().map(json).collect(),
    }
}

fn row(case: &Case) -> Vec<Cell> {
    let mut row: Vec<Cell> = vec![
        case.interval.to_string().into(),
        u64::from(case.instances).into(),
        case.contender.to_string().into(),
    ];
    let figure = |figure: &Figure| case.found.as_ref().ok().and_then(|found| (figure.of)(found)).into();
    row.extend(FIGURES.iter().map(figure));
    row.push(remark(case).into());
    row
}

fn remark(case: &Case) -> String {
    match &case.found {
        Err(error) => format!("{error:#}"),
        Ok(found) if found.strays > 0 => {
            format!("{} adverts of the backup in the steady state", found.strays)
        }
        Ok(found) if found.moved.claims.is_none() => {
            format!("only {} addresses were claimed", found.moved.claimed)
        }
        Ok(_) => String::new(),
    }
}

fn plot(cases: &[Case], figure: &Figure, axis: &'static str) -> Plot {
    let scale = if axis.contains("logarithmic") { Scale::Logarithmic } else { Scale::Linear };
    let rows = cases.iter().map(|case| {
        let routers = if case.instances == 1 { "router" } else { "routers" };
        let label = format!("{} {routers}, {}", case.instances, case.interval);
        let value = case.found.as_ref().ok().and_then(|found| (figure.of)(found));
        (label, case.contender.to_string(), value.into_iter().collect())
    });
    Plot::of(title(figure.name), axis, scale, rows)
}

fn title(name: &str) -> String {
    match name {
        "last GARP, ms" => "Takeover of all at once: until the last address is claimed".to_owned(),
        name => name.split_once(", ").map_or(name, |(name, _)| name).to_owned(),
    }
}

fn json(case: &Case) -> Value {
    let mut object = json!({
        "agent": case.contender.to_string(),
        "interval_ms": Duration::as_millis(&case.interval.length()),
        "instances": case.instances,
    });
    if let Ok(found) = &case.found {
        let used = |used: &Usage| {
            json!({
                "cpu_ns": Duration::as_nanos(&used.cpu),
                "sleeps": used.sleeps,
                "resident_kib": used.resident,
                "anonymous_kib": used.anonymous,
                "processes": used.processes,
            })
        };
        object["steady_s"] = json!(found.steady.as_secs_f64());
        object["adverts"] = json!(found.adverts);
        object["adverts_of_backup"] = json!(found.strays);
        object["master"] = used(&found.used[0]);
        object["backup"] = used(&found.used[1]);
    }
    object
}

/// In per cent of one core.
fn share(time: Duration, found: &Found) -> f64 {
    100.0 * time.as_secs_f64() / found.steady.as_secs_f64()
}

fn wakes(used: &Usage, found: &Found) -> Option<f64> {
    (found.adverts > 0).then(|| number(used.sleeps) / number(found.adverts))
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
fn number(count: u64) -> f64 {
    count as f64
}

fn how(seconds: u64) -> Vec<String> {
    [
        &format!(
            "Two nodes with the same configuration but for the priority; up to 255 virtual routers on an interface, each \
             with one address. Start: from the start of the first node, until the last router has spoken. Then the second \
             node joins, and a steady state of {seconds} s is measured: CPU by the scheduler's own account \
             (/proc/PID/task/TID/schedstat, nanoseconds) of all threads and processes of the agent, wake-ups by their \
             voluntary context switches, adverts by the switch's port counter. Memory at its end: resident, pages \
             shared by two processes twice; anonymous is what is not the program's file."
        ),
        "A frame is handled where it is sent: the kernel here runs the receive side of a veth pair, XDP included, within \
         the sender's system call. So part of what a backup's receiving costs is in the master's figure, for every agent. \
         all: what both cores did in that time by clock ticks, with the bench itself idle; 200 % are two cores.",
        "Then all links of the master are cut at once, and the switch sees the backup take over: last advert and last \
         GARP count from its first advert.",
    ]
    .map(str::to_owned)
    .into()
}
