//! Whom to tell of changes.

use super::super::model::{Deleted, Fifo, Notify};
use super::super::tree::{Item, Value};
use super::account::{account, command};
use super::cursor::{Context, Cursor};
use super::defaults::Defaults;
use super::values;

pub(super) fn notify(cursor: &Cursor<'_>, cx: &mut Context<'_>, defaults: &Defaults) -> Notify {
    let user = defaults.script_user.as_ref();
    let deleted = match cursor.item("notify_deleted") {
        Some(Item { value: Value::Switch(_), .. }) => match cursor.switch(cx, "notify_deleted") {
            Some(true) => Deleted::Deleted,
            _ => Deleted::Fault,
        },
        _ => command(cursor, cx, "notify_deleted", user).map_or(Deleted::Fault, Deleted::Command),
    };
    Notify {
        master: command(cursor, cx, "notify_master", user),
        backup: command(cursor, cx, "notify_backup", user),
        fault: command(cursor, cx, "notify_fault", user),
        stop: command(cursor, cx, "notify_stop", user),
        deleted,
        any: command(cursor, cx, "notify", user),
        rx_lower_pri: command(cursor, cx, "notify_master_rx_lower_pri", user),
        priority_changes: cursor.switch(cx, "notify_priority_changes").unwrap_or(defaults.priority_changes),
        mail: cursor.switch(cx, "smtp_alert").unwrap_or(defaults.mail),
    }
}

pub(super) fn fifo(cursor: &Cursor<'_>, cx: &mut Context<'_>, defaults: &Defaults) -> Fifo {
    let key = if cx.language == super::Language::Toml { "path" } else { "notify_fifo" };
    if !cursor.has("path") {
        let help = format!("add {}, with your own path", cx.language.setting(key, "/run/vipd/events"));
        cx.findings.error(cursor.span, "the pipe has no path", help);
    }
    Fifo {
        path: cursor.text(cx, "path", values::path).unwrap_or_default(),
        owner: account(cursor, cx, "user"),
        script: command(cursor, cx, "script", defaults.script_user.as_ref()),
    }
}
