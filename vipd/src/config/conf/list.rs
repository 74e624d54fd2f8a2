//! Lines of lists: an address, peer, tracked thing, route or rule with the words that belong to it.

use super::super::tree::{Entry, Item, Table, Value};
use super::blocks::Node;
use super::ignored::LEFT_OUT;
use super::keywords::{self, Fate, Scope, Shape};
use super::lex::Word;
use super::lower::Lowerer;

/// Types of routes that begin a line in front of the destination; `unicast` is what is meant without one.
const ROUTE_TYPES: [&str; 5] = ["unicast", "blackhole", "unreachable", "prohibit", "throw"];
/// What a rule can do instead of looking into a table.
const RULE_TYPES: [&str; 3] = ["blackhole", "unreachable", "prohibit"];

impl Lowerer<'_> {
    /// The table that a line of a list stands for; `None` where the whole line is left out, which is reported.
    pub(super) fn item(&mut self, line: &Node, scope: Scope) -> Option<Item> {
        if line.block.is_some() {
            let help = match scope {
                Scope::Address | Scope::Peer => "write one address on each line",
                _ => "write one name on each line",
            };
            self.findings.error(line.span(), "a list holds no blocks", help);
            return Some(Item::refused(line.span()));
        }
        let mut table = Table::default();
        let words: Vec<&Word> = std::iter::once(&line.keyword).chain(&line.words).collect();
        let first = match scope {
            Scope::Address | Scope::Peer => "ip",
            Scope::Tracked => "name",
            _ => "",
        };
        let mut words = words.into_iter();
        if !first.is_empty() {
            words.next();
            let item = self.word(&line.keyword);
            table.entries.push(entry(first, &line.keyword, item));
        }
        let mut left_out = false;
        while let Some(word) = words.next() {
            match keywords::fate(scope, &word.text) {
                Fate::Key(keyword) => {
                    let item = match keyword.shape {
                        Shape::Flag(value) => Item::new(Value::Switch(value), word.span),
                        _ => self.word_behind(word, words.next()),
                    };
                    table.set(entry(keyword.key, word, item), self.findings);
                }
                Fate::Always => {}
                Fate::Ignored(consequence) => {
                    left_out |= consequence == LEFT_OUT;
                    self.other(word, scope);
                    skip_values(scope, &mut words);
                }
                Fate::Unknown => self.loose(scope, word, &mut table, &mut words),
            }
        }
        (!left_out).then(|| Item::new(Value::Table(table), line.keyword.span))
    }

    /// A word that no keyword announces.
    fn loose<'n>(
        &mut self,
        scope: Scope,
        word: &'n Word,
        table: &mut Table,
        words: &mut std::vec::IntoIter<&'n Word>,
    ) {
        let types: &[&str] = match scope {
            Scope::Route => &ROUTE_TYPES,
            Scope::Rule => &RULE_TYPES,
            _ => &[],
        };
        let is_address = word.text.split('/').next().is_some_and(|ip| ip.parse::<std::net::IpAddr>().is_ok());
        if types.contains(&word.text.as_str()) {
            let item = self.word(word);
            table.set(entry("type", word, item), self.findings);
        } else if scope == Scope::Route && table.get("to").is_none() && (is_address || word.text == "default")
        {
            let item = self.word(word);
            table.set(entry("to", word, item), self.findings);
        } else if is_address && matches!(scope, Scope::Address | Scope::Peer) {
            let message = format!("`{}` stands behind another address", word.text);
            self.findings.error(word.span, message, "write one address on each line");
        } else {
            self.other(word, scope);
            skip_values(scope, words);
        }
    }
}

/// Passes over the values of a word that is not acted on: they are not words of ours.
fn skip_values(scope: Scope, words: &mut std::vec::IntoIter<&Word>) {
    let is_known = |word: &Word| !matches!(keywords::fate(scope, &word.text), Fate::Unknown);
    while words.as_slice().first().is_some_and(|next| !is_known(next)) {
        words.next();
    }
}

fn entry(key: &str, word: &Word, item: Item) -> Entry {
    Entry { key: key.to_owned(), keyword: word.text.clone(), keyword_span: word.span, item }
}

/// Puts what `notify_fifo` and `vrrp_notify_fifo` say into one list.
pub(super) fn join_fifos(table: &mut Table) {
    let is_one = |entry: &Entry| entry.key == "fifo" || entry.key == "vrrp_fifo";
    let mut fifos = table.entries.extract_if(.., |entry| is_one(entry));
    let Some(mut first) = fifos.next() else { return };
    let items = std::iter::once(first.item.clone()).chain(fifos.by_ref().map(|entry| entry.item)).collect();
    drop(fifos);
    first.item = Item::new(Value::List(items), first.item.span);
    "fifo".clone_into(&mut first.key);
    table.entries.push(first);
}
