//! The TOML form: from the parsed document to tables, and from the model back to text.

pub(super) mod form;
mod schema;
mod write;

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::diagnostic::Findings;
use super::source::Span;
use super::tree::{Entry, Item, Table, Value};

pub use schema::schema;
pub use write::to_toml;

/// Reads the file that begins at `start` in the sources of `findings`. `None` where it is not TOML, which is reported.
pub(super) fn read(start: usize, findings: &mut Findings) -> Option<Table> {
    let text = findings.sources.text(start);
    if let Some((at, sign)) = text.match_indices(char::REPLACEMENT_CHARACTER).next() {
        let at = start + at;
        findings.error((at..at + sign.len()).into(), "this is not UTF-8 text", "save the file as UTF-8");
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(&text);
    for error in &errors {
        let span = error.span().unwrap_or_default();
        findings.error(
            (start + span.start..start + span.end).into(),
            format!("this is not TOML: {}", error.message()),
            "correct it as toml.io describes",
        );
    }
    errors.is_empty().then(|| self::table(table.get_ref(), start))
}

fn table(table: &DeTable<'_>, start: usize) -> Table {
    let entries = table.iter().map(|(key, value)| {
        let word = key.get_ref().clone().into_owned();
        Entry { key: word.clone(), keyword: word, keyword_span: span(key, start), item: item(value, start) }
    });
    Table { entries: entries.collect() }
}

fn item(value: &Spanned<DeValue<'_>>, start: usize) -> Item {
    let plain = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => Value::Number(integer(number)),
        DeValue::Float(number) => Value::Number(without_plus(number.as_str()).to_owned()),
        DeValue::Boolean(switch) => Value::Switch(*switch),
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Array(items) => Value::List(items.iter().map(|value| item(value, start)).collect()),
        DeValue::Table(inner) => Value::Table(table(inner, start)),
    };
    Item::new(plain, span(value, start))
}

fn span<T>(spanned: &Spanned<T>, start: usize) -> Span {
    let span = spanned.span();
    (start + span.start..start + span.end).into()
}

/// A number in decimal digits; as it stands where it is too large to be any value of ours.
fn integer(number: &DeInteger<'_>) -> String {
    if number.radix() == 10 {
        return without_plus(number.as_str()).to_owned();
    }
    let decimal =
        u64::from_str_radix(number.as_str(), number.radix()).map(|number| Cow::Owned(number.to_string()));
    decimal.unwrap_or_else(|_| Cow::Borrowed(number.as_str())).into_owned()
}

fn without_plus(number: &str) -> &str {
    number.strip_prefix('+').unwrap_or(number)
}
