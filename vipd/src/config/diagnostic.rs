//! What is wrong with a configuration, where, and what to do about it.

use serde::Serialize;

use super::source::{Source, Span};
use super::values::Refusal;

/// How grave a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The configuration is used, though not every word of it.
    Warning,
    /// The configuration is refused.
    Error,
}

/// One thing that is wrong with a configuration. Neither its sentences nor its source line hold a password (C-SEC-07).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Whether the configuration is refused for it.
    pub severity: Severity,
    /// The file as it was named to [`load`](super::load).
    pub file: String,
    /// Where in the file; `None` where the file as a whole is meant, such as one that cannot be read.
    #[serde(flatten)]
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

/// A place in a file, with the line as it may be shown: passwords masked, control characters replaced by spaces, and a
/// very long line cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The line.
    pub source: String,
    /// Where in `source` the mark begins, in characters from 0.
    #[serde(skip)]
    pub mark: usize,
    /// Characters that are marked; at least 1.
    #[serde(skip)]
    pub width: usize,
}

/// Everything that was found in one configuration, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only finding: the file cannot be read as text at all.
    pub(super) fn unreadable(file: &str, message: String, help: &str) -> Self {
        let (severity, file, help) = (Severity::Error, file.to_owned(), help.to_owned());
        Self(vec![Diagnostic { severity, file, place: None, message, help }])
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl std::error::Error for Diagnostics {}

/// Most findings that are kept: beyond it the file is not a configuration, and nobody reads on.
const MOST: usize = 200;

/// Gathers what is found while a file is read.
pub(super) struct Findings<'a> {
    pub(super) source: Source<'a>,
    found: Vec<(Severity, Span, Refusal)>,
    failed: bool,
}

impl<'a> Findings<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { source: Source::new(text), found: Vec::new(), failed: false }
    }

    pub(super) fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.refuse(span, Refusal::new(message, help));
    }

    pub(super) fn refuse(&mut self, span: Span, refusal: Refusal) {
        self.failed = true;
        self.add(Severity::Error, span, refusal);
    }

    pub(super) fn warn(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, span, Refusal::new(message, help));
    }

    /// Whether an error has been found.
    pub(super) fn failed(&self) -> bool {
        self.failed
    }

    fn add(&mut self, severity: Severity, span: Span, refusal: Refusal) {
        if self.found.len() < MOST {
            self.found.push((severity, span, refusal));
        }
    }

    /// Everything found, as it may be shown.
    pub(super) fn finish(mut self, file: &str) -> Diagnostics {
        self.found.sort_by_key(|(_, span, _)| span.start);
        let shown = |(severity, span, refusal): (Severity, Span, Refusal)| Diagnostic {
            severity,
            file: file.to_owned(),
            place: Some(self.source.place(span)),
            message: refusal.message,
            help: refusal.help,
        };
        Diagnostics(self.found.drain(..).map(shown).collect())
    }
}
