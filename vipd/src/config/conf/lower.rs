//! From blocks to tables: each keyword becomes the key of the TOML form that it stands for.

use super::super::diagnostic::{Checked, Findings, Refusal, Severity};
use super::super::read::quoted;
use super::super::source::Span;
use super::super::tree::{Entry, Item, Table, Value};
use super::blocks::Node;
use super::keywords::{self, Fate, Keyword, Scope, Shape};
use super::lex::{Quotes, Word};
use super::{command, list};

/// The tables that the lines of a file stand for.
pub(super) fn lower(nodes: &[Node], findings: &mut Findings) -> Table {
    let mut lowerer = Lowerer { findings, unused: Unused::default() };
    let mut table = Table::default();
    lowerer.block(nodes, Scope::Root, &mut table);
    list::join_fifos(&mut table);
    let Lowerer { findings, unused } = lowerer;
    unused.report(findings);
    table
}

/// Keywords of Keepalived's that vipd does not act on: one warning each, however often they occur.
#[derive(Default)]
struct Unused(Vec<(String, Span, usize, &'static str)>);

impl Unused {
    fn note(&mut self, word: &Word, consequence: &'static str) {
        match self.0.iter_mut().find(|met| met.0 == word.text && met.3 == consequence) {
            Some(met) => met.2 += 1,
            None => self.0.push((word.text.clone(), word.span, 0, consequence)),
        }
    }

    /// Warns of each where it was met first.
    fn report(self, findings: &mut Findings) {
        for (keyword, first, more, consequence) in self.0 {
            let more = match more {
                0 => String::new(),
                1 => " (and 1 more line)".to_owned(),
                more => format!(" (and {more} more lines)"),
            };
            let message = format!("`{keyword}` is ignored: {consequence}{more}");
            findings.warn(first, message, "remove it where that does not matter, or leave it for Keepalived");
        }
    }
}

/// Turns lines into entries of tables.
pub(super) struct Lowerer<'f> {
    pub(super) findings: &'f mut Findings,
    unused: Unused,
}

impl Lowerer<'_> {
    /// Puts the lines of a block into `table`.
    fn block(&mut self, lines: &[Node], scope: Scope, table: &mut Table) {
        for line in lines {
            if scope == Scope::Webhook {
                self.hide_token(line);
            }
            if let Fate::Key(keyword) = keywords::fate(scope, &line.keyword.text) {
                self.line(keyword, line, table);
            } else {
                self.other(&line.keyword, scope);
            }
        }
    }

    /// Hides what can be a token, also one that lost its keyword (C-SEC-07).
    fn hide_token(&mut self, line: &Node) {
        let open = ["format", "timeout", "retries"].contains(&line.keyword.text.as_str());
        line.words.iter().skip(usize::from(open)).for_each(|word| self.findings.sources.hide(word.span));
    }

    fn line(&mut self, keyword: &'static Keyword, line: &Node, table: &mut Table) {
        match keyword.shape {
            Shape::Block(scope) if keyword.key.is_empty() => {
                self.nothing_behind(line, 0);
                if let Some(lines) = self.lines(line) {
                    self.block(lines, scope, table);
                }
            }
            Shape::Block(scope) => {
                self.nothing_behind(line, 0);
                let item = self.table(line, scope, None);
                table.set(entry(keyword, line, item), self.findings);
            }
            Shape::Blocks(scope) => {
                self.nothing_behind(line, 0);
                let item = self.table(line, scope, None);
                extend(keyword, line, vec![item], table);
            }
            Shape::Named(scope) => {
                let item = self.table(line, scope, Some("name"));
                self.nothing_behind(line, 1);
                extend(keyword, line, vec![item], table);
            }
            Shape::Lines(scope) => {
                self.nothing_behind(line, 0);
                match self.lines(line) {
                    Some(lines) => {
                        let items = lines.iter().filter_map(|line| self.item(line, scope)).collect();
                        extend(keyword, line, items, table);
                    }
                    None => table.set(entry(keyword, line, Item::refused(line.span())), self.findings),
                }
            }
            Shape::Words => {
                let block = line.block.iter().flatten();
                let words = line
                    .words
                    .iter()
                    .chain(block.flat_map(|line| std::iter::once(&line.keyword).chain(&line.words)));
                let items = words.map(|word| self.word(word)).collect();
                extend(keyword, line, items, table);
            }
            Shape::Authentication => self.authentication(keyword, line, table),
            _ => {
                if line.block.is_some() {
                    let message = format!("`{}` takes a value, not a block", keyword.word);
                    let help = "write the value behind it, on the same line";
                    self.findings.error(line.keyword.span, message, help);
                    return table.set(entry(keyword, line, Item::refused(line.span())), self.findings);
                }
                self.words_behind(keyword, line, table);
            }
        }
    }

    /// A keyword whose value stands on its own line.
    fn words_behind(&mut self, keyword: &'static Keyword, line: &Node, table: &mut Table) {
        let words = line.words.as_slice();
        let put = |item| entry(keyword, line, item);
        let (item, taken) = match keyword.shape {
            Shape::Word => (self.first(&line.keyword, words), 1),
            Shape::Flag(value) => (Item::new(Value::Switch(value), line.span()), 0),
            Shape::Switch => (switch(line, words.first()), 1),
            Shape::Weight => {
                table.set(put(self.first(&line.keyword, words)), self.findings);
                let Some(reverse) = words.get(1) else { return };
                let item = match reverse.text.as_str() {
                    "reverse" => Item::new(Value::Switch(true), reverse.span),
                    _ => return self.nothing_behind(line, 1),
                };
                table.set(Entry { key: "reverse".to_owned(), ..put(item) }, self.findings);
                return self.nothing_behind(line, 2);
            }
            Shape::Parts(keys) => {
                for (key, word) in keys.iter().zip(words) {
                    let item = self.word(word);
                    table.set(Entry { key: (*key).to_owned(), ..put(item) }, self.findings);
                }
                if words.is_empty() {
                    table.set(put(self.first(&line.keyword, words)), self.findings);
                }
                return self.nothing_behind(line, keys.len());
            }
            Shape::Server => {
                if let Some(port) = words.get(1) {
                    let item = self.word(port);
                    set(table, Entry { key: "mail.port".to_owned(), ..put(item) }, self.findings);
                }
                (self.first(&line.keyword, words), 2)
            }
            Shape::OptionalCommand if words.is_empty() => (Item::new(Value::Switch(true), line.span()), 0),
            Shape::Command | Shape::OptionalCommand => command::command(&line.keyword, words, self.findings),
            Shape::Account => command::account(&line.keyword, words, self.findings),
            Shape::Fifo => command::fifo(&line.keyword, words, self.findings),
            Shape::FileInit => command::file_init(line),
            Shape::Process => command::process(line, self.findings),
            Shape::Vmac => command::vmac(line, self.findings),
            Shape::Words
            | Shape::Lines(_)
            | Shape::Block(_)
            | Shape::Blocks(_)
            | Shape::Named(_)
            | Shape::Authentication => unreachable!("a block"),
        };
        set(table, put(item), self.findings);
        self.nothing_behind(line, taken);
    }

    /// A table made of the block of a line, and of its name.
    fn table(&mut self, line: &Node, scope: Scope, name: Option<&str>) -> Item {
        let mut table = Table::default();
        if let Some(key) = name {
            let item = self.first(&line.keyword, &line.words);
            let (key, keyword) = (key.to_owned(), line.keyword.text.clone());
            table.entries.push(Entry { key, keyword, keyword_span: line.keyword.span, item });
        }
        match self.lines(line) {
            Some(lines) => self.block(lines, scope, &mut table),
            None => return Item::refused(line.span()),
        }
        Item::new(Value::Table(table), line.span())
    }

    /// `auth_type` and `auth_pass`, of which the TOML form has only the password.
    fn authentication(&mut self, keyword: &'static Keyword, line: &Node, table: &mut Table) {
        self.nothing_behind(line, 0);
        let mut own = Table::default();
        for line in self.lines(line).unwrap_or_default() {
            if let Fate::Key(keyword) = keywords::fate(Scope::Authentication, &line.keyword.text) {
                self.line(keyword, line, &mut own);
                if keyword.key == "auth_pass" {
                    line.words.iter().for_each(|word| self.findings.sources.hide(word.span));
                }
                continue;
            }
            // Whatever else stands here may be a password that lost its keyword (C-SEC-07).
            self.findings.sources.hide(line.span());
            self.findings.warn(
                line.keyword.span,
                "this word means nothing in `authentication`; the line is ignored",
                "write `auth_type PASS` and `auth_pass` with the password behind it",
            );
        }
        let kind = own.get("auth_type").map(|entry| &entry.item);
        let password = own.get("auth_pass");
        if let Some(Item { value: Value::Word(kind), span }) = kind
            && let Err(refusal) = auth_type(kind)
        {
            self.findings.refuse(*span, refusal);
        }
        let is_pass = |item: &Item| matches!(&item.value, Value::Word(kind) if kind == "PASS");
        match (kind, password) {
            (Some(kind), None) if is_pass(kind) => {
                let help = "add `auth_pass` with the password, or remove the `authentication` block";
                self.findings.error(kind.span, "`auth_type PASS` has no password", help);
            }
            (None, Some(password)) => {
                let message = "`auth_pass` has no `auth_type`: Keepalived would send no password";
                self.findings.error(
                    password.item.span,
                    message,
                    "add `auth_type PASS`, or remove `auth_pass`",
                );
            }
            _ => {}
        }
        if let Some(password) = password {
            table.set(
                Entry { item: password.item.clone(), ..entry(keyword, line, Item::refused(line.span())) },
                self.findings,
            );
        }
    }

    /// The lines of a block that must be there.
    fn lines<'n>(&mut self, line: &'n Node) -> Option<&'n [Node]> {
        if line.block.is_none() {
            let message = format!("`{}` has no block", line.keyword.text);
            self.findings.error(line.span(), message, "write `{` behind it and `}` after its last line");
        }
        line.block.as_deref()
    }

    /// The first of the words behind a keyword.
    fn first(&mut self, keyword: &Word, words: &[Word]) -> Item {
        if let Some(word) = words.first() {
            return self.word(word);
        }
        let message = format!("`{}` needs a value", keyword.text);
        self.findings.error(keyword.span, message, "write it behind the keyword, on the same line");
        Item::refused(keyword.span)
    }

    /// A word that stands for itself.
    pub(super) fn word(&mut self, word: &Word) -> Item {
        if word.quotes == Quotes::Single {
            let message = "single quotes would become part of this value";
            self.findings.error(word.span, message, "write it in double quotes, or without quotes");
            return Item::refused(word.span);
        }
        Item::word(&word.text, word.span)
    }

    /// The word behind `keyword` on a line of a list.
    pub(super) fn word_behind(&mut self, keyword: &Word, word: Option<&Word>) -> Item {
        self.first(keyword, word.map_or(&[], std::slice::from_ref))
    }

    /// Warns where more than `count` words stand behind the keyword.
    pub(super) fn nothing_behind(&mut self, line: &Node, count: usize) {
        if let (Some(first), Some(last)) = (line.words.get(count), line.words.last()) {
            let message = format!("what stands here behind `{}` is ignored", line.keyword.text);
            let help = "remove it, or put it on a line of its own";
            self.findings.warn(first.span.to(last.span), message, help);
        }
    }

    /// Warns of a word that vipd does not act on.
    pub(super) fn other(&mut self, word: &Word, scope: Scope) {
        match keywords::fate(scope, &word.text) {
            Fate::Key(_) | Fate::Always => return,
            Fate::Ignored(consequence) => return self.unused.note(word, consequence),
            Fate::Unknown if self.findings.is_full(Severity::Warning) => return,
            Fate::Unknown => {}
        }
        let (message, help) = match (keywords::home(&word.text), keywords::nearest(scope, &word.text)) {
            (Some(home), _) => (
                format!("`{}` means nothing in {}; it is ignored", word.text, scope.name()),
                format!("move it to {}", home.name()),
            ),
            (None, Some(nearest)) => (
                format!("{} is not a keyword; it is ignored", beginning(&word.text)),
                format!("did you mean `{nearest}`?"),
            ),
            (None, None) => (
                format!("{} is not a keyword of {}; it is ignored", beginning(&word.text), scope.name()),
                "remove it, or correct its spelling".to_owned(),
            ),
        };
        self.findings.unknown(word.span, message, help);
    }
}

/// The entry that a line stands for.
fn entry(keyword: &'static Keyword, line: &Node, item: Item) -> Entry {
    let (key, word) = (keyword.key.to_owned(), line.keyword.text.clone());
    Entry { key, keyword: word, keyword_span: line.keyword.span, item }
}

/// Puts an entry where its key says: `table.key` goes into a table of its own.
fn set(table: &mut Table, mut entry: Entry, findings: &mut Findings) {
    match entry.key.split_once('.').map(|(outer, inner)| (outer.to_owned(), inner.to_owned())) {
        Some((outer, inner)) => {
            let inside = table.table(Entry { key: outer, ..entry.clone() });
            entry.key = inner;
            inside.set(entry, findings);
        }
        None => table.set(entry, findings),
    }
}

/// Adds items to a list, where its key says.
fn extend(keyword: &'static Keyword, line: &Node, items: Vec<Item>, table: &mut Table) {
    let mut entry = entry(keyword, line, Item::new(Value::List(items), line.span()));
    match keyword.key.split_once('.') {
        Some((outer, inner)) => {
            let inside = table.table(Entry { key: outer.to_owned(), ..entry.clone() });
            inner.clone_into(&mut entry.key);
            inside.extend(entry);
        }
        None => table.extend(entry),
    }
}

/// A switch: on where it stands alone.
fn switch(line: &Node, word: Option<&Word>) -> Item {
    match word {
        None => Item::new(Value::Switch(true), line.span()),
        Some(word) => match word.text.as_str() {
            "on" | "true" | "yes" => Item::new(Value::Switch(true), word.span),
            "off" | "false" | "no" => Item::new(Value::Switch(false), word.span),
            other => Item::word(other, word.span),
        },
    }
}

/// `auth_type`; only passwords are carried (C-AUTH-04).
fn auth_type(text: &str) -> Checked<()> {
    match text {
        "PASS" => Ok(()),
        "AH" => Err(Refusal::new(
            "authentication headers (`auth_type AH`) are not supported",
            "use `auth_type PASS`, or no authentication, on every node of this virtual router",
        )),
        _ => Err(Refusal::new(format!("{} is not a type of authentication", quoted(text)), "write PASS")),
    }
}

/// The part of an unknown word that can be a keyword: behind it, as in `auth_pass=...`, may stand a secret.
fn beginning(word: &str) -> String {
    let end = word.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').unwrap_or(word.len());
    if end == 0 { "this word".to_owned() } else { quoted(&word[..end]) }
}
