//! Values that take several words: commands with their users, processes with their arguments, and the like.

use super::super::diagnostic::Findings;
use super::super::source::Span;
use super::super::tree::{Entry, Item, Table, Value};
use super::blocks::Node;
use super::lex::{self, Quotes, Word};

/// What a line says, and how many of its words that took.
type Taken = (Item, usize);

fn table(entries: Vec<(&str, Item)>, keyword: &Word, span: Span) -> Item {
    let entries = entries
        .into_iter()
        .map(|(key, item)| {
            let (keyword_span, keyword) = (keyword.span, keyword.text.clone());
            Entry { key: key.to_owned(), keyword, keyword_span, item }
        })
        .collect();
    Item::new(Value::Table(Table { entries }), span)
}

fn missing(keyword: &Word, what: &str, findings: &mut Findings) -> Taken {
    let message = format!("`{}` needs {what}", keyword.text);
    findings.error(keyword.span, message, "write it behind the keyword, on the same line");
    (Item::refused(keyword.span), 0)
}

/// `user` and `group` from the words behind something.
fn user_and_group(words: &[Word]) -> Vec<(&'static str, Item)> {
    // Some put a colon between them.
    let words = words.iter().filter(|word| word.text != ":");
    ["user", "group"].into_iter().zip(words.map(|word| Item::word(&word.text, word.span))).collect()
}

fn words_of(words: Vec<String>, span: Span) -> Item {
    Item::new(Value::List(words.into_iter().map(|word| Item::word(word, span)).collect()), span)
}

/// A command in one word, mostly in quotes, with user and group behind it.
pub(super) fn command(keyword: &Word, words: &[Word], findings: &mut Findings) -> Taken {
    let Some((first, rest)) = words.split_first() else { return missing(keyword, "a command", findings) };
    let text = match first.quotes {
        Quotes::Single => first.text.trim_matches('\''),
        _ => first.text.as_str(),
    };
    // A backslash within double quotes has been kept for this.
    let argv = lex::split_command(text);
    let argv = match argv {
        Some(argv) if first.quotes == Quotes::Double && text.contains("\\\"") => {
            lex::split_command(&text.replace("\\\"", "\"")).or(Some(argv))
        }
        argv => argv,
    };
    let Some(argv) = argv else {
        findings.error(first.span, "a quote in this command is not closed", "close it within the command");
        return (Item::refused(first.span), words.len());
    };
    if let Some(option) = rest.first().filter(|word| word.text.starts_with('-') || word.text.contains('/')) {
        let message = "what stands behind the command is no part of it";
        findings.error(option.span, message, "put the command and all of its arguments in double quotes");
        return (Item::refused(first.span), words.len());
    }
    let argv = words_of(argv, first.span);
    if rest.is_empty() {
        return (argv, 1);
    }
    let mut entries = vec![("command", argv)];
    entries.extend(user_and_group(rest));
    (table(entries, keyword, first.span), 3)
}

/// A command whose user is named elsewhere: what stands behind it counts for nothing.
pub(super) fn script(keyword: &Word, words: &[Word], findings: &mut Findings) -> Taken {
    let (item, _) = command(keyword, words, findings);
    match item.value {
        Value::Table(Table { mut entries }) => (entries.swap_remove(0).item, 1),
        value => (Item { value, ..item }, 1),
    }
}

/// A user with a group.
pub(super) fn account(keyword: &Word, words: &[Word], findings: &mut Findings) -> Taken {
    match words {
        [] => missing(keyword, "a user", findings),
        [first, ..] => (table(user_and_group(words), keyword, first.span), words.len().min(3)),
    }
}

/// A pipe with the user and the group that it belongs to.
pub(super) fn fifo(keyword: &Word, words: &[Word], findings: &mut Findings) -> Taken {
    let Some((path, owner)) = words.split_first() else { return missing(keyword, "a path", findings) };
    let mut entries = vec![("path", Item::word(&path.text, path.span))];
    entries.extend(user_and_group(owner));
    (table(entries, keyword, path.span), 3)
}

/// `[VALUE] [overwrite]`.
pub(super) fn file_init(line: &Node) -> Taken {
    let mut entries = Vec::new();
    for word in &line.words {
        match word.text.as_str() {
            "overwrite" => entries.push(("overwrite", Item::new(Value::Switch(true), word.span))),
            _ if entries.is_empty() => entries.push(("value", Item::word(&word.text, word.span))),
            _ => break,
        }
    }
    let taken = entries.len();
    (table(entries, &line.keyword, line.span()), taken)
}

/// A program with its arguments, in one word or in several.
pub(super) fn process(line: &Node, findings: &mut Findings) -> Taken {
    let Some(first) = line.words.first() else { return missing(&line.keyword, "a program", findings) };
    let mut words = Vec::new();
    for word in &line.words {
        match word.quotes {
            Quotes::None => words.push(word.text.clone()),
            _ => words.extend(lex::split_command(&word.text).unwrap_or_else(|| vec![word.text.clone()])),
        }
    }
    (words_of(words, first.span), line.words.len())
}

/// `[NAME] [MAC]`: the name, or only that there is one.
pub(super) fn vmac(line: &Node, findings: &mut Findings) -> Taken {
    let is_mac = |text: &str| text.split(':').count() >= 5;
    let words = match line.words.as_slice() {
        [first, rest @ ..] if first.text == "name" => rest,
        words => words,
    };
    if let Some(mac) = words.iter().find(|word| is_mac(&word.text)) {
        let message = "a virtual MAC is 00:00:5e:00:01 and the virtual router id, whatever stands here";
        findings.warn(mac.span, message, "remove it; RFC 9568 section 7.3 fixes the virtual MAC");
    }
    let taken = line.words.len();
    match words.first().filter(|word| !is_mac(&word.text) && word.text != "netlink_notify_msg") {
        Some(name) => (Item::word(&name.text, name.span), taken),
        None => (Item::new(Value::Switch(true), line.span()), taken),
    }
}
