//! The text of a configuration file, and how a place in it is shown without showing a secret.

use std::iter;

use super::diagnostic::Place;
use super::secret;

/// A stretch of the text, in octets from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    /// From the beginning of `self` to the end of `last`.
    pub(super) fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end }
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// A value and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// What a hidden stretch is shown as, whatever its length.
const MASK: &str = "***";
/// Most characters of a line that are shown.
const SHOWN: usize = 120;
/// Characters kept before the mark where a line is cut.
const BEFORE: usize = 40;

/// The text of one file.
pub(super) struct Source<'a> {
    text: &'a str,
    /// Where each line begins.
    lines: Vec<usize>,
    /// What is never shown (C-SEC-07).
    hidden: Vec<Span>,
}

impl<'a> Source<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let lines = iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, lines, hidden: secret::find(text) }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Never shows this stretch.
    pub(super) fn hide(&mut self, span: Span) {
        self.hidden.push(span);
    }

    /// Line of a place, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// Where `span` begins, with its line as it may be shown: secrets masked, control characters replaced, a long line
    /// cut around the mark.
    pub(super) fn place(&self, span: Span) -> Place {
        let line = self.line(span.start);
        let start = self.lines[line - 1];
        let text = self.text[start..].lines().next().unwrap_or_default();
        let column = text.char_indices().take_while(|(at, _)| start + at < span.start).count() + 1;

        let mut shown: Vec<char> = Vec::with_capacity(text.len());
        let (mut from, mut to) = (None, None);
        let mut masking = false;
        for (at, c) in text.char_indices().map(|(at, c)| (start + at, c)) {
            let hidden = self.hidden.iter().any(|h| h.start <= at && at < h.end);
            let marked = span.start <= at && (at < span.end || at == span.start);
            if marked && from.is_none() {
                from = Some(if hidden && masking { shown.len() - MASK.len() } else { shown.len() });
            }
            match (hidden, masking) {
                (true, true) => {}
                (true, false) => shown.extend(MASK.chars()),
                (false, _) => shown.push(if c.is_control() { ' ' } else { c }),
            }
            masking = hidden;
            if marked {
                to = Some(shown.len());
            }
        }
        let from = from.unwrap_or(shown.len());
        let to = to.unwrap_or(from);
        cut(&shown, from, to.max(from + 1), line, column)
    }
}

/// The place with no more of the line than can be read.
fn cut(shown: &[char], from: usize, to: usize, line: usize, column: usize) -> Place {
    let first = if shown.len() <= SHOWN { 0 } else { from.saturating_sub(BEFORE) };
    let last = shown.len().min(first + SHOWN);
    Place {
        line,
        column,
        source: shown[first..last].iter().collect(),
        mark: from - first,
        width: to.min(last.max(from + 1)) - from,
    }
}
