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

    /// Where `span` begins, with its line as it may be shown: a long one cut around the mark, secrets masked, control
    /// characters replaced.
    pub(super) fn place(&self, span: Span) -> Place {
        // A parser of another crate may point behind the end or into a character.
        let span = Span { start: self.text.floor_char_boundary(span.start), end: span.end };
        let line = self.line(span.start);
        let start = self.lines[line - 1];
        let text = self.text[start..].lines().next().unwrap_or_default();
        let column = self.text[start..span.start].chars().count() + 1;

        let window = window(text, span.start - start);
        let (first, last) = (start + window.start, start + window.end);
        let hidden: Vec<Span> =
            self.hidden.iter().copied().filter(|h| h.start < last && first < h.end).collect();
        let mut shown: Vec<char> = Vec::with_capacity(SHOWN);
        let mut mark: Option<(usize, usize)> = None;
        let mut masking = false;
        for (at, c) in self.text[first..last].char_indices().map(|(at, c)| (first + at, c)) {
            let masked = hidden.iter().any(|h| h.start <= at && at < h.end);
            if !masked {
                shown.push(if c.is_control() { ' ' } else { c });
            } else if !masking {
                shown.extend(MASK.chars());
            }
            masking = masked;
            if at == span.start || (span.start < at && at < span.end) {
                let width_here = if masked { MASK.len() } else { 1 };
                let from = mark.map_or(shown.len() - width_here, |(from, _)| from);
                mark = Some((from, shown.len()));
            }
        }
        let (from, to) = mark.unwrap_or((shown.len(), shown.len() + 1));
        Place { line, column, source: shown.into_iter().collect(), mark: from, width: to - from }
    }
}

/// The octets of a line that are shown: all of it, or [`SHOWN`] characters around the one at `mark`.
fn window(line: &str, mark: usize) -> std::ops::Range<usize> {
    if line.chars().count() <= SHOWN {
        return 0..line.len();
    }
    let mark = mark.min(line.len());
    let first = line[..mark].char_indices().rev().take(BEFORE).last().map_or(mark, |(at, _)| at);
    let length = line[first..].char_indices().nth(SHOWN).map_or(line.len() - first, |(at, _)| at);
    first..first + length
}
