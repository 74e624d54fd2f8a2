//! Files and processes that can be tracked, and what instances and groups track.

use std::time::Duration;

use super::super::model::{
    Check, FileInit, FileTracker, Parameters, ProcessTracker, Tracked, Trackers, Weight,
};
use super::super::suggest;
use super::super::tree::{Item, Value};
use super::account::argv;
use super::cursor::{Context, Cursor, number, text};
use super::values::{self, quoted};

/// Most that an interface or a check may weigh.
pub(super) const WEIGHT_MAX: i16 = 253;
/// Most that a file or a process may weigh.
const WEIGHT_MAX_OF_NUMBERS: i16 = 254;

/// What can be tracked by name.
pub(super) struct Known<'k> {
    pub(super) checks: &'k [Check],
    pub(super) files: &'k [FileTracker],
    pub(super) processes: &'k [ProcessTracker],
}

/// `weight` and `reverse`.
pub(super) fn weight(cursor: &Cursor<'_>, cx: &mut Context<'_>, most: i16, default: i16) -> Weight {
    Weight {
        value: cursor.number(cx, "weight", |text| values::weight(text, most)).unwrap_or(default),
        reverse: cursor.switch(cx, "reverse").unwrap_or(false),
    }
}

pub(super) fn file(cursor: &Cursor<'_>, cx: &mut Context<'_>) -> FileTracker {
    let name = super::name(cursor, cx, "this file");
    cursor.demand(cx, &format!("file {}", quoted(&name)), "file", "/etc/keepalived/manual_priority");
    let init = match cursor.item("init_file") {
        Some(Item { value: Value::Number(_), .. }) => cursor
            .number(cx, "init_file", values::file_value)
            .map(|value| FileInit { value, overwrite: false }),
        Some(_) => cursor.table(cx, "init_file", "`init_file`").map(|init| {
            let value = init.number(cx, "value", values::file_value).unwrap_or(0);
            let overwrite = init.switch(cx, "overwrite").unwrap_or(false);
            init.finish(cx);
            FileInit { value, overwrite }
        }),
        None => None,
    };
    FileTracker {
        name,
        path: cursor.text(cx, "file", values::path).unwrap_or_default(),
        weight: weight(cursor, cx, WEIGHT_MAX_OF_NUMBERS, 1),
        init,
    }
}

pub(super) fn process(cursor: &Cursor<'_>, cx: &mut Context<'_>) -> ProcessTracker {
    let name = super::name(cursor, cx, "this process");
    cursor.demand(cx, &format!("process {}", quoted(&name)), "process", "haproxy");
    let mut words = cursor.value(cx, "process", |item| argv("process", item)).unwrap_or_default();
    let process = if words.is_empty() { String::new() } else { words.remove(0) };
    words.extend(cursor.texts(cx, "parameters", |word| Ok(word.to_owned())));
    let full_command = cursor.switch(cx, "full_command").unwrap_or(false);
    let form = cursor.text(cx, "param_match", values::param_match);
    let parameters = match form {
        None if words.is_empty() => Parameters::Any,
        None | Some(values::ParamMatch::Exact) => Parameters::Exact(words),
        Some(values::ParamMatch::Partial) => Parameters::Partial(words),
        Some(values::ParamMatch::Initial) => Parameters::Initial(words),
    };
    let delay = cursor.number(cx, "delay", values::debounce).unwrap_or(Duration::ZERO);
    ProcessTracker {
        name,
        process,
        full_command: full_command || parameters != Parameters::Any,
        parameters,
        weight: weight(cursor, cx, WEIGHT_MAX_OF_NUMBERS, 0),
        quorum: cursor.number(cx, "quorum", values::quorum).unwrap_or(1),
        quorum_max: cursor.number(cx, "quorum_max", values::quorum_max),
        fork_delay: cursor.number(cx, "fork_delay", values::debounce).unwrap_or(delay),
        terminate_delay: cursor.number(cx, "terminate_delay", values::debounce).unwrap_or(delay),
    }
}

/// What an instance or a group tracks. `own` is the instance's interface, which is tracked anyway.
pub(super) fn trackers(
    cursor: &Cursor<'_>,
    cx: &mut Context<'_>,
    known: &Known<'_>,
    own: Option<&str>,
) -> Trackers {
    let checks: Vec<_> = known.checks.iter().map(|check| (check.name.as_str(), check.weight)).collect();
    let files: Vec<_> = known.files.iter().map(|file| (file.name.as_str(), file.weight)).collect();
    let processes: Vec<_> =
        known.processes.iter().map(|process| (process.name.as_str(), process.weight)).collect();
    Trackers {
        interfaces: cursor.list(cx, "track_interface", |cx, item, path| {
            let zero = |_: &Context<'_>, name: &str| values::interface(name).map(|_| Weight::default());
            let tracked = tracked(cx, item, path, WEIGHT_MAX, zero)?;
            if own == Some(tracked.name.as_str()) {
                let name = quoted(&tracked.name);
                let message =
                    format!("{name} is the instance's own interface: without it the instance is in FAULT");
                cx.findings.warn(item.span, message, "remove the line; a weight here changes nothing");
                return None;
            }
            Some(tracked)
        }),
        checks: named(cursor, cx, "track_check", "check", WEIGHT_MAX, &checks),
        files: named(cursor, cx, "track_file", "file", WEIGHT_MAX_OF_NUMBERS, &files),
        processes: named(cursor, cx, "track_process", "process", WEIGHT_MAX_OF_NUMBERS, &processes),
    }
}

/// Things that are tracked by the name that they have been given in the file.
fn named(
    cursor: &Cursor<'_>,
    cx: &mut Context<'_>,
    key: &'static str,
    what: &str,
    most: i16,
    known: &[(&str, Weight)],
) -> Vec<Tracked> {
    let mut seen: Vec<String> = Vec::new();
    cursor.list(cx, key, |cx, item, path| {
        let tracked = tracked(cx, item, path, most, |cx, name| {
            let found = known.iter().find(|(known, _)| *known == name);
            found.map(|(_, weight)| *weight).ok_or_else(|| unknown(cx, what, name, known))
        })?;
        if seen.contains(&tracked.name) {
            let message = format!("the {what} {} is tracked already", quoted(&tracked.name));
            cx.findings.warn(item.span, message, "remove one of the two lines; the first one counts");
            return None;
        }
        seen.push(tracked.name.clone());
        Some(tracked)
    })
}

fn unknown(
    cx: &Context<'_>,
    what: &str,
    name: &str,
    known: &[(&str, Weight)],
) -> super::super::diagnostic::Refusal {
    let help = match suggest::nearest(name, known.iter().map(|(known, _)| *known)) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => match (cx.language, what) {
            (super::Language::Keepalived, "check") => {
                format!("add `vrrp_script {name} {{ ... }}`, or remove it")
            }
            (super::Language::Keepalived, "file") => {
                format!("add `track_file {name} {{ ... }}`, or remove it")
            }
            (super::Language::Keepalived, _) => {
                format!("add `vrrp_track_process {name} {{ ... }}`, or remove it")
            }
            (super::Language::Toml, what) => format!("add a `[[{what}]]` with this name, or remove it"),
        },
    };
    super::super::diagnostic::Refusal::new(format!("there is no {what} called {}", quoted(name)), help)
}

/// One tracked thing: a name alone, or a table with its weight. `own` tells the weight that the thing itself has.
fn tracked(
    cx: &mut Context<'_>,
    item: &Item,
    path: &str,
    most: i16,
    own: impl Fn(&Context<'_>, &str) -> values::Checked<Weight>,
) -> Option<Tracked> {
    if !matches!(item.value, Value::Table(_)) {
        let name = cx.accept(item, text("a name", item))?;
        let weight = cx.accept(item, own(cx, name))?;
        return Some(Tracked { name: name.to_owned(), weight });
    }
    let cursor = Cursor::of(cx, item, path, "what is tracked by name")?;
    cursor.demand(cx, "this", "name", "chk_haproxy");
    let found = cursor.item("name").and_then(|item| {
        let name = cx.accept(item, text("name", item))?;
        let weight = cx.accept(item, own(cx, name))?;
        cx.places.insert(cursor.at("name"), item.span);
        Some((name.to_owned(), weight))
    });
    let value =
        cursor.value(cx, "weight", |item| number("weight", item).and_then(|text| values::weight(text, most)));
    let reverse = cursor.switch(cx, "reverse");
    cursor.finish(cx);
    let (name, own) = found?;
    let weight = Weight { value: value.unwrap_or(own.value), reverse: reverse.unwrap_or(own.reverse) };
    Some(Tracked { name, weight })
}
