//! Users, and commands that are run as one.

use super::super::conf::split_command;
use super::super::diagnostic::{Checked, Refusal};
use super::super::model::{Account, Command};
use super::super::tree::{Item, Value};
use super::cursor::{Context, Cursor, text};
use super::values::{self, quoted};

/// The user that `key` names, with the group that stands beside it: `user = "a"` and `group = "b"`, or both in a table.
pub(super) fn account(cursor: &Cursor<'_>, cx: &mut Context<'_>, key: &'static str) -> Option<Account> {
    if let Some(Item { value: Value::Table(_), .. }) = cursor.item(key) {
        let inner = cursor.table(cx, key, "an account")?;
        let account = account(&inner, cx, "user");
        inner.finish(cx);
        return account;
    }
    let user = cursor.text(cx, key, values::account)?;
    Some(Account { user, group: cursor.text(cx, "group", values::account) })
}

/// The command of a key; `script_user` runs it where it names nobody.
pub(super) fn command(
    cursor: &Cursor<'_>,
    cx: &mut Context<'_>,
    key: &'static str,
    script_user: Option<&Account>,
) -> Option<Command> {
    if let Some(Item { value: Value::Table(_), .. }) = cursor.item(key) {
        let inner = cursor.table(cx, key, "a command")?;
        inner.demand(cx, "this", "command", "/usr/bin/true");
        let argv = inner.value(cx, "command", |item| argv("command", item));
        let own = account(&inner, cx, "user");
        inner.finish(cx);
        return Some(Command { argv: argv?, account: own.or_else(|| script_user.cloned()) });
    }
    let argv = cursor.value(cx, key, |item| argv(key, item))?;
    Some(Command { argv, account: script_user.cloned() })
}

/// A program with its arguments: one text that is split as Keepalived does, or a list of texts.
pub(super) fn argv(key: &str, item: &Item) -> Checked<Vec<String>> {
    let words = match &item.value {
        Value::List(items) => {
            items.iter().map(|item| text(key, item).map(str::to_owned)).collect::<Checked<Vec<_>>>()?
        }
        _ => split_command(text(key, item)?).ok_or_else(|| {
            Refusal::new("a quote in this command is not closed", "close it within the command")
        })?,
    };
    if words.first().is_none_or(String::is_empty) {
        return Err(Refusal::new("the command is empty", "write the path of a program"));
    }
    if let Some(word) = words.iter().find(|word| word.contains('\0')) {
        let message = format!("{} holds a character that no argument can hold", quoted(word));
        return Err(Refusal::new(message, "remove the NUL character"));
    }
    Ok(words)
}
