//! Keywords of Keepalived's that vipd does not act on: one warning each, however often they occur.

use super::diagnostic::Findings;
use super::source::Span;

/// The keywords met so far, in the order of the file.
#[derive(Default)]
pub(super) struct Unused<'a>(Vec<Met<'a>>);

struct Met<'a> {
    keyword: &'a str,
    first: Span,
    more: usize,
    consequence: &'static str,
}

impl<'a> Unused<'a> {
    pub(super) fn note(&mut self, keyword: &'a str, span: Span, consequence: &'static str) {
        match self.0.iter_mut().find(|met| met.keyword == keyword) {
            Some(met) => met.more += 1,
            None => self.0.push(Met { keyword, first: span, more: 0, consequence }),
        }
    }

    /// Warns of each where it was met first.
    pub(super) fn report(self, findings: &mut Findings<'_>) {
        for Met { keyword, first, more, consequence } in self.0 {
            let more = match more {
                0 => String::new(),
                1 => " (and 1 more line)".to_owned(),
                more => format!(" (and {more} more lines)"),
            };
            let message = format!("`{keyword}` is not acted on yet: {consequence}{more}");
            findings.warn(first, message, "remove it where that does not matter, or leave it for Keepalived");
        }
    }
}
