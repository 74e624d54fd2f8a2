//! What both languages are brought into before anything in it has a meaning: tables of keys with values, each with its
//! place. Its shape is that of the TOML form.

use super::diagnostic::Findings;
use super::source::Span;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) span: Span,
}

/// A value that nobody has looked at yet.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A word of keepalived.conf, which has no types: text, number or switch.
    Word(String),
    /// Text of TOML.
    Text(String),
    /// A number of TOML, in plain decimal digits where it can be written so.
    Number(String),
    /// A switch.
    Switch(bool),
    /// A list.
    List(Vec<Item>),
    /// A table.
    Table(Table),
    /// Something that has been reported.
    Refused,
}

impl Item {
    pub(super) fn new(value: Value, span: Span) -> Self {
        Self { value, span }
    }

    pub(super) fn word(text: impl Into<String>, span: Span) -> Self {
        Self::new(Value::Word(text.into()), span)
    }

    pub(super) fn refused(span: Span) -> Self {
        Self::new(Value::Refused, span)
    }
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The key of the TOML form.
    pub(super) key: String,
    /// The word that the file has for it.
    pub(super) keyword: String,
    /// Where that word stands.
    pub(super) keyword_span: Span,
    pub(super) item: Item,
}

/// Keys with values, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
}

impl Table {
    /// The entry of `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.key == key)
    }

    /// Adds a key. Given twice, the last one counts, as in Keepalived, and that is reported.
    pub(super) fn set(&mut self, entry: Entry, findings: &mut Findings) {
        let Some(before) = self.get_mut(&entry.key) else { return self.entries.push(entry) };
        let line = findings.sources.line_from(before.keyword_span.start, entry.keyword_span.start);
        let message = if before.keyword == entry.keyword {
            format!("`{}` is given again; only the last one counts", entry.keyword)
        } else {
            format!("`{}` takes the place of `{}`", entry.keyword, before.keyword)
        };
        findings.warn(entry.item.span, message, format!("remove one of the two; the first is on {line}"));
        *before = entry;
    }

    /// Adds items to the list of a key.
    pub(super) fn extend(&mut self, entry: Entry) {
        let Some(before) = self.get_mut(&entry.key) else { return self.entries.push(entry) };
        match (&mut before.item.value, entry.item.value) {
            (Value::List(items), Value::List(more)) => items.extend(more),
            (_, other) => before.item.value = other,
        }
    }

    /// The table of a key, which is put in at `entry` where there is none.
    pub(super) fn table(&mut self, entry: Entry) -> &mut Self {
        let key = entry.key.clone();
        if !matches!(self.get(&key), Some(Entry { item: Item { value: Value::Table(_), .. }, .. })) {
            self.entries.retain(|entry| entry.key != key);
            self.entries
                .push(Entry { item: Item::new(Value::Table(Self::default()), entry.item.span), ..entry });
        }
        match self.get_mut(&key).map(|entry| &mut entry.item.value) {
            Some(Value::Table(table)) => table,
            _ => unreachable!("it has just been put in"),
        }
    }
}
