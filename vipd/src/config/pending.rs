//! What the model holds and the agent does not act on yet: **the one table of it**. Each keyword gives one warning,
//! with its line and what follows. Who makes the agent act on something deletes its words here, and nothing else.

use super::diagnostic::Findings;
use super::source::Span;
use super::tree::{Table, Value};

/// What follows, and the keywords that it follows for: as keepalived.conf has them, and keys of the TOML form where they
/// are spelt otherwise.
const PENDING: &[(&str, &str)] = &[
    // Strict mode is acted on but for this part of it.
    (
        "the master accepts traffic to its addresses, unless a firewall drops it (decision 48)",
        "accept no_accept vrrp_strict strict_mode",
    ),
];

/// What follows from `keyword` being in the table.
pub(super) fn consequence(keyword: &str) -> Option<&'static str> {
    let holds = |words: &str| words.split_whitespace().any(|word| word == keyword);
    PENDING.iter().find(|(_, words)| holds(words)).map(|(consequence, _)| *consequence)
}

/// A keyword that was met.
struct Met<'t> {
    keyword: &'t str,
    first: Span,
    more: usize,
    consequence: &'static str,
}

/// Warns of each keyword of the table where it was met first.
pub(super) fn report(table: &Table, findings: &mut Findings) {
    let mut met = Vec::new();
    gather(table, &mut met);
    for Met { keyword, first, more, consequence } in met {
        let more = match more {
            0 => String::new(),
            1 => " (and 1 more line)".to_owned(),
            more => format!(" (and {more} more lines)"),
        };
        let message = format!("`{keyword}` is accepted, not acted on yet: {consequence}{more}");
        findings.warn(first, message, "remove it where that does not matter, or leave it for Keepalived");
    }
}

fn gather<'t>(table: &'t Table, met: &mut Vec<Met<'t>>) {
    for entry in &table.entries {
        // To be told to accept what is accepted anyway is nothing to warn of.
        if entry.key == "accept" && matches!(entry.item.value, Value::Switch(true)) {
            continue;
        }
        if let Some(consequence) = consequence(&entry.keyword) {
            let keyword = entry.keyword.as_str();
            // One line of keepalived.conf can stand for several keys.
            match met.iter_mut().find(|met| met.keyword == keyword) {
                Some(met) if met.first == entry.keyword_span => {}
                Some(met) => met.more += 1,
                None => met.push(Met { keyword, first: entry.keyword_span, more: 0, consequence }),
            }
        }
        match &entry.item.value {
            Value::Table(inner) => gather(inner, met),
            Value::List(items) => {
                for item in items {
                    if let Value::Table(inner) = &item.value {
                        gather(inner, met);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::PENDING;

    #[test]
    fn no_keyword_stands_twice_in_the_table() {
        let mut seen = HashSet::new();
        for word in PENDING.iter().flat_map(|(_, words)| words.split_whitespace()) {
            assert!(seen.insert(word), "{word} is twice in the table");
        }
    }
}
