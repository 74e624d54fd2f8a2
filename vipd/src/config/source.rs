//! The text of the configuration files, and how a place in them is shown without showing a secret.

use std::iter;
use std::sync::Arc;

use super::diagnostic::Place;
use super::secret;

/// A stretch of text, in octets from the beginning of the first file; each file begins where the one before it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    /// From the beginning of `self` to the end of `last`; `self` alone where `last` stands before it.
    pub(super) fn to(self, last: Self) -> Self {
        Self { start: self.start, end: last.end.max(self.end) }
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// What a hidden stretch is shown as, whatever its length.
const MASK: &str = "***";
/// Most characters of a line that are shown.
const SHOWN: usize = 120;
/// Characters kept before the mark where a line is cut.
const BEFORE: usize = 40;

/// One file.
struct File {
    name: String,
    text: Arc<str>,
    /// Where it begins, in octets from the beginning of the first file.
    start: usize,
    /// Where each of its lines begins, in octets from its own beginning.
    lines: Vec<usize>,
}

/// The files of one configuration, in the order in which they were opened.
#[derive(Default)]
pub(super) struct Sources {
    files: Vec<File>,
    /// What is never shown (C-SEC-07).
    hidden: Vec<Span>,
}

impl Sources {
    /// Adds a file; returns where it begins.
    pub(super) fn add(&mut self, name: &str, text: &str) -> usize {
        // One octet apart, so that the end of a file is not the beginning of the next.
        let start = self.files.last().map_or(0, |last| last.start + last.text.len() + 1);
        let lines = iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let shift = |span: Span| Span { start: start + span.start, end: start + span.end };
        self.hidden.extend(secret::find(text).into_iter().map(shift));
        self.files.push(File { name: name.to_owned(), text: text.into(), start, lines });
        start
    }

    /// The text of the file that begins at `start`.
    pub(super) fn text(&self, start: usize) -> Arc<str> {
        self.file(start).map_or_else(|| Arc::from(""), |file| file.text.clone())
    }

    /// Octets of all files together.
    pub(super) fn len(&self) -> usize {
        self.files.last().map_or(0, |last| last.start + last.text.len())
    }

    /// How many files there are.
    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    /// Never shows this stretch.
    pub(super) fn hide(&mut self, span: Span) {
        self.hidden.push(span);
    }

    fn file(&self, at: usize) -> Option<&File> {
        let after = self.files.partition_point(|file| file.start <= at);
        self.files.get(after.checked_sub(1)?)
    }

    /// Name of the file that holds a place.
    pub(super) fn name(&self, at: usize) -> &str {
        self.file(at).map_or("", |file| &file.name)
    }

    /// Line of a place in its file, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.file(at).map_or(1, |file| file.line(at - file.start))
    }

    /// "line 3", or "line 3 of other.conf" where that is another file than the one that holds `from`.
    pub(super) fn line_from(&self, at: usize, from: usize) -> String {
        let line = self.line(at);
        let (name, own) = (self.name(at), self.name(from));
        if name == own { format!("line {line}") } else { format!("line {line} of {name}") }
    }

    /// Where `span` begins, with its line as it may be shown: a long one cut around the mark, secrets masked, control
    /// characters replaced.
    pub(super) fn place(&self, span: Span) -> Option<Place> {
        let file = self.file(span.start)?;
        let hidden = |at: usize| self.hidden.iter().any(|h| h.start <= at && at < h.end);
        let own = Span { start: span.start - file.start, end: span.end.saturating_sub(file.start) };
        Some(file.place(own, |at| hidden(file.start + at)))
    }
}

impl File {
    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    fn place(&self, span: Span, hidden: impl Fn(usize) -> bool) -> Place {
        // A parser of another crate may point behind the end or into a character.
        let span = Span { start: self.text.floor_char_boundary(span.start), end: span.end };
        let line = self.line(span.start);
        let start = self.lines[line - 1];
        let text = self.text[start..].lines().next().unwrap_or_default();
        let column = self.text[start..span.start].chars().count() + 1;

        let window = window(text, span.start - start);
        let (first, last) = (start + window.start, start + window.end);
        let mut shown: Vec<char> = Vec::with_capacity(SHOWN);
        let mut mark: Option<(usize, usize)> = None;
        let mut masking = false;
        for (at, c) in self.text[first..last].char_indices().map(|(at, c)| (first + at, c)) {
            let masked = hidden(at);
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
