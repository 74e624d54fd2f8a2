//! Takes values out of a table key by key, remembers where each stood, and reports the keys that nobody asked for.

use std::cell::RefCell;

use super::super::conf::key_of;
use super::super::diagnostic::{Checked, Findings, Refusal};
use super::super::places::Places;
use super::super::source::Span;
use super::super::suggest;
use super::super::tree::{Entry, Item, Table, Value};
use super::values::quoted;

/// Which language a file is written in: remedies show its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Language {
    Keepalived,
    Toml,
}

impl Language {
    /// How `keyword` is given `value`, in backquotes.
    pub(in super::super) fn setting(self, keyword: &str, value: &str) -> String {
        match self {
            Self::Keepalived => format!("`{keyword} {value}`"),
            Self::Toml if value.parse::<f64>().is_ok() || value == "true" => format!("`{keyword} = {value}`"),
            Self::Toml => format!("`{keyword} = \"{value}\"`"),
        }
    }

    /// How a list is written, in backquotes.
    pub(in super::super) fn list(self, keyword: &str, value: &str) -> String {
        match self {
            Self::Keepalived => format!("`{keyword} {{ {value} }}`"),
            Self::Toml => format!("`{keyword} = [\"{value}\"]`"),
        }
    }
}

/// What reading a configuration needs besides its tables.
pub(super) struct Context<'f> {
    pub(super) findings: &'f mut Findings,
    pub(super) places: Places,
    pub(super) language: Language,
}

impl Context<'_> {
    /// The value; where it is refused, that is reported.
    pub(super) fn accept<T>(&mut self, item: &Item, value: Checked<T>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(refusal) => {
                self.findings.refuse(item.span, refusal);
                None
            }
        }
    }
}

/// One table.
pub(super) struct Cursor<'t> {
    table: &'t Table,
    pub(super) span: Span,
    /// Where the table is, as [`Places`] names it.
    pub(super) path: String,
    /// What it describes: "an instance".
    what: &'static str,
    asked: RefCell<Vec<&'static str>>,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(table: &'t Table, span: Span, path: String, what: &'static str) -> Self {
        Self { table, span, path, what, asked: RefCell::new(Vec::new()) }
    }

    /// The value of `key`, where the file gives one.
    pub(super) fn item(&self, key: &'static str) -> Option<&'t Item> {
        self.asked.borrow_mut().push(key);
        self.table.get(key).map(|entry| &entry.item)
    }

    /// The path of `key`.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of `key` as `parse` understands it; `None` where there is none, and where it is refused, which is
    /// reported.
    pub(super) fn value<T>(
        &self,
        cx: &mut Context<'_>,
        key: &'static str,
        parse: impl FnOnce(&'t Item) -> Checked<T>,
    ) -> Option<T> {
        let item = self.item(key)?;
        let refused = matches!(item.value, Value::Refused);
        let value = if refused { None } else { cx.accept(item, parse(item)) };
        match value {
            Some(_) => cx.places.insert(self.at(key), item.span),
            None => cx.places.refuse(self.at(key)),
        }
        value
    }

    /// The value of a key that holds text.
    pub(super) fn text<T>(
        &self,
        cx: &mut Context<'_>,
        key: &'static str,
        parse: impl FnOnce(&str) -> Checked<T>,
    ) -> Option<T> {
        self.value(cx, key, |item| text(key, item).and_then(parse))
    }

    /// The value of a key that holds a number.
    pub(super) fn number<T>(
        &self,
        cx: &mut Context<'_>,
        key: &'static str,
        parse: impl FnOnce(&str) -> Checked<T>,
    ) -> Option<T> {
        self.value(cx, key, |item| number(key, item).and_then(parse))
    }

    /// The value of a key that is on or off.
    pub(super) fn switch(&self, cx: &mut Context<'_>, key: &'static str) -> Option<bool> {
        self.value(cx, key, |item| match &item.value {
            Value::Switch(on) => Ok(*on),
            Value::Word(word) => Err(Refusal::new(
                format!("{} is neither on nor off", quoted(word)),
                "write on, off, true, false, yes or no, or nothing for on",
            )),
            _ => Err(Refusal::new(
                format!("`{key}` is either true or false"),
                "write one of them, without quotes",
            )),
        })
    }

    /// Reads each item of a list: `read` is given its path, and tells `None` where it has refused it.
    pub(super) fn list<T>(
        &self,
        cx: &mut Context<'_>,
        key: &'static str,
        mut read: impl FnMut(&mut Context<'_>, &'t Item, &str) -> Option<T>,
    ) -> Vec<T> {
        let mut values = Vec::new();
        let Some(item) = self.item(key) else { return values };
        match &item.value {
            Value::List(items) => {
                let at = self.at(key);
                cx.places.insert(at.clone(), item.span);
                for item in items {
                    // Places count what has been accepted, as the model does.
                    let path = format!("{at}[{}]", values.len());
                    let refused = matches!(item.value, Value::Refused);
                    match if refused { None } else { read(cx, item, &path) } {
                        Some(value) => {
                            cx.places.insert(path, item.span);
                            values.push(value);
                        }
                        None => cx.places.refuse(at.clone()),
                    }
                }
            }
            Value::Refused => cx.places.refuse(self.at(key)),
            _ => {
                cx.places.refuse(self.at(key));
                let help = match key {
                    "instance" | "check" | "file" | "process" | "sync_group" | "fifo" | "webhook" => {
                        format!("write `[[{key}]]` above each")
                    }
                    _ => format!("write {}", Language::Toml.list(key, example(key))),
                };
                cx.findings.error(item.span, format!("`{key}` is a list"), help);
            }
        }
        values
    }

    /// Reads each item of a list of text.
    pub(super) fn texts<T>(
        &self,
        cx: &mut Context<'_>,
        key: &'static str,
        parse: impl Fn(&str) -> Checked<T>,
    ) -> Vec<T> {
        self.list(cx, key, |cx, item, _| cx.accept(item, text(key, item).and_then(&parse)))
    }

    /// The table of a key.
    pub(super) fn table(&self, cx: &mut Context<'_>, key: &'static str, what: &'static str) -> Option<Self> {
        let item = self.item(key)?;
        let path = self.at(key);
        let cursor = Self::of(cx, item, &path, what)?;
        cx.places.insert(path, item.span);
        Some(cursor)
    }

    /// The table that an item must be.
    pub(super) fn of(cx: &mut Context<'_>, item: &'t Item, path: &str, what: &'static str) -> Option<Self> {
        match &item.value {
            Value::Table(table) => Some(Self::new(table, item.span, path.to_owned(), what)),
            Value::Refused => None,
            _ => {
                let heading = path.split_once('[').map(|(key, _)| key).filter(|_| !path.contains('.'));
                let help = heading.map_or_else(
                    || "write it as a table: `{ key = value }`".to_owned(),
                    |key| format!("write `[[{key}]]` above each"),
                );
                cx.findings.error(item.span, format!("{what} is a table"), help);
                None
            }
        }
    }

    /// Everything that the table holds.
    pub(super) fn entries(&self) -> impl Iterator<Item = &'t Entry> {
        self.table.entries.iter()
    }

    /// Whether the file says anything for `key`, refused or not.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Reports that `key` is missing, if it is.
    pub(super) fn demand(&self, cx: &mut Context<'_>, title: &str, key: &str, example: &str) {
        if !self.has(key) {
            let help = format!("add {}, with your own value", cx.language.setting(key, example));
            cx.findings.error(self.span, format!("{title} has no `{key}`"), help);
        }
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self, cx: &mut Context<'_>) {
        let asked = self.asked.into_inner();
        #[cfg(test)]
        ASKED.with_borrow_mut(|all| all.entry(self.what).or_default().extend(asked.iter().copied()));
        for entry in self.table.entries.iter().filter(|entry| !asked.contains(&entry.key.as_str())) {
            let help = match (key_of(&entry.key), suggest::nearest(&entry.key, asked.iter().copied())) {
                (Some(key), _) => format!("write `{key}`, which is what TOML has for it"),
                (None, Some(nearest)) => format!("did you mean `{nearest}`?"),
                (None, None) => format!("remove it; what can stand here is {}", asked.join(", ")),
            };
            let message = format!("{} is not a key of {}", quoted(&entry.key), self.what);
            cx.findings.error(entry.keyword_span, message, help);
        }
    }
}

#[cfg(test)]
thread_local! {
    /// The keys that were asked for, by what the table describes.
    pub(in super::super) static ASKED: RefCell<std::collections::BTreeMap<&'static str, std::collections::BTreeSet<&'static str>>> =
        const { RefCell::new(std::collections::BTreeMap::new()) };
}

/// What an item of a list may look like.
fn example(key: &str) -> &'static str {
    match key {
        "virtual_ipaddress" | "virtual_ipaddress_excluded" => "192.168.1.100/24",
        "track_interface" | "interfaces" => "eth0",
        "members" => "VI_1",
        "to" => "admin@example.com",
        "virtual_routes" | "static_routes" => "10.0.0.0/8",
        "unicast_peer" | "peers" | "anchors" => "192.168.1.100",
        _ => "name",
    }
}

/// The text that an item holds.
pub(super) fn text<'i>(keyword: &str, item: &'i Item) -> Checked<&'i str> {
    match &item.value {
        Value::Word(text) | Value::Text(text) => Ok(text),
        _ => Err(Refusal::new(format!("{} is text", quoted(keyword)), "write it in double quotes")),
    }
}

/// The digits of the number that an item holds.
pub(super) fn number<'i>(keyword: &str, item: &'i Item) -> Checked<&'i str> {
    match &item.value {
        Value::Word(number) | Value::Number(number) => Ok(number),
        _ => {
            let message = format!("{} is a number", quoted(keyword));
            Err(Refusal::new(message, "write it in decimal digits, without quotes"))
        }
    }
}
