//! From tables to the model: the same for both languages. Every value is judged alone here; `rules` judges what needs
//! more than one.

mod account;
mod address;
mod check;
mod cursor;
mod defaults;
mod fence;
mod instance;
mod mail;
mod notify;
mod route;
mod track;
mod values;

use std::time::Duration;

use super::diagnostic::Findings;
use super::model::{Config, Datapath, SyncGroup};
use super::places::Places;
use super::source::Span;
use super::tree::Table;

#[cfg(test)]
pub(super) use cursor::ASKED;
pub(super) use cursor::Language;
pub(super) use values::quoted;

use cursor::{Context, Cursor};
use defaults::Defaults;
use track::Known;

/// Reads the tables of a file. What it returns is a configuration only if `findings` holds no error.
pub(super) fn read(table: &Table, language: Language, findings: &mut Findings) -> (Config, Places) {
    let mut cx = Context { findings, places: Places::default(), language };
    let root = Cursor::new(table, Span::default(), String::new(), "the file");
    let config = config(&root, &mut cx);
    root.finish(&mut cx);
    (config, cx.places)
}

fn config(root: &Cursor<'_>, cx: &mut Context<'_>) -> Config {
    let script_user = account::account(root, cx, "script_user");
    let default_interface = root.text(cx, "default_interface", values::interface);
    let defaults = Defaults::read(root, cx, script_user);
    let checks = named(root, cx, "check", |cursor, cx| {
        let check = check::check(cursor, cx, &defaults);
        (check.name.clone(), check)
    });
    let files = named(root, cx, "file", |cursor, cx| {
        let file = track::file(cursor, cx);
        (file.name.clone(), file)
    });
    let processes = named(root, cx, "process", |cursor, cx| {
        let process = track::process(cursor, cx);
        (process.name.clone(), process)
    });
    let known = Known { checks: &checks, files: &files, processes: &processes };
    let sync_groups = each(root, cx, "sync_group", |cursor, cx| sync_group(cursor, cx, &defaults, &known));
    let mut instances =
        each(root, cx, "instance", |cursor, cx| instance::instance(cursor, cx, &defaults, &known));
    for group in each(root, cx, "garp_group", defaults::garp_group) {
        group.apply(&mut instances);
    }
    Config {
        router_id: root.text(cx, "router_id", values::name),
        datapath: root.text(cx, "datapath", values::datapath).unwrap_or(Datapath::Auto),
        startup_delay: root.number(cx, "startup_delay", values::wait_fraction).unwrap_or(Duration::ZERO),
        net_namespace: root.text(cx, "net_namespace", values::name),
        script_security: root.switch(cx, "enable_script_security").unwrap_or(false),
        fifos: each(root, cx, "fifo", |cursor, cx| notify::fifo(cursor, cx, &defaults)),
        mail: mail::mail(root, cx),
        webhooks: each(root, cx, "webhook", mail::webhook),
        static_addresses: address::statics(root, cx, default_interface.as_deref()),
        static_routes: route::routes(root, cx, "static_routes"),
        static_rules: route::rules(root, cx, "static_rules"),
        checks,
        files,
        processes,
        sync_groups,
        instances,
    }
}

/// Reads each table of a list.
fn each<T>(
    root: &Cursor<'_>,
    cx: &mut Context<'_>,
    key: &'static str,
    mut read: impl FnMut(&Cursor<'_>, &mut Context<'_>) -> T,
) -> Vec<T> {
    let what = match key {
        "instance" => "an instance",
        "sync_group" => "a sync group",
        "fifo" => "a pipe",
        "garp_group" => "a group of interfaces",
        _ => "a webhook",
    };
    root.list(cx, key, |cx, item, path| {
        let cursor = Cursor::of(cx, item, path, what)?;
        let value = read(&cursor, cx);
        cursor.finish(cx);
        Some(value)
    })
}

/// Reads each table of a list of things with names; of those that have the same name, the first one counts.
fn named<T>(
    root: &Cursor<'_>,
    cx: &mut Context<'_>,
    key: &'static str,
    read: impl Fn(&Cursor<'_>, &mut Context<'_>) -> (String, T),
) -> Vec<T> {
    let what = match key {
        "check" => "a check",
        "file" => "a tracked file",
        _ => "a tracked process",
    };
    let mut names: Vec<(String, Span)> = Vec::new();
    root.list(cx, key, |cx, item, path| {
        let cursor = Cursor::of(cx, item, path, what)?;
        let (name, value) = read(&cursor, cx);
        cursor.finish(cx);
        if let Some((_, first)) = names.iter().find(|(known, _)| *known == name && !name.is_empty()) {
            let line = cx.findings.sources.line_from(first.start, item.span.start);
            let message = format!("the name {} is taken on {line}; only that one counts", quoted(&name));
            cx.findings.warn(item.span, message, "give it a name of its own, or remove it");
            return None;
        }
        names.push((name, item.span));
        Some(value)
    })
}

/// A name for logs and status, which must be there.
fn name(cursor: &Cursor<'_>, cx: &mut Context<'_>, title: &str) -> String {
    cursor.demand(cx, title, "name", "VI_1");
    cursor.text(cx, "name", values::name).unwrap_or_default()
}

fn sync_group(
    cursor: &Cursor<'_>,
    cx: &mut Context<'_>,
    defaults: &Defaults,
    known: &Known<'_>,
) -> SyncGroup {
    let name = name(cursor, cx, "this group");
    let members = cursor.texts(cx, "members", values::name);
    if members.is_empty() && !cursor.has("members") {
        let key = if cx.language == Language::Toml { "members" } else { "group" };
        let help = format!("add {}, with your own instances", cx.language.list(key, "VI_1"));
        cx.findings.error(cursor.span, format!("group {} has no members", quoted(&name)), help);
    }
    SyncGroup {
        line: cx.findings.sources.line(cursor.span.start),
        name,
        members,
        track: track::trackers(cursor, cx, known, None),
        tracking_weight: cursor.switch(cx, "sync_group_tracking_weight").unwrap_or(false),
        notify: notify::notify(cursor, cx, defaults),
    }
}
