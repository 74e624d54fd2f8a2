//! What is wrong with a configuration, where, and what to do about it.

use serde::Serialize;

use super::source::{Sources, Span};

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
    /// A warning that a strict check takes for an error: a word that nobody knows.
    #[serde(skip)]
    pub unknown: bool,
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

    /// The same, with words that nobody knows as errors.
    #[must_use]
    pub fn strict(mut self) -> Self {
        for diagnostic in self.0.iter_mut().filter(|diagnostic| diagnostic.unknown) {
            diagnostic.severity = Severity::Error;
        }
        self
    }

    /// Whether one of them is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// How many errors and how many warnings there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let errors = self.0.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        (errors, self.0.len() - errors)
    }

    /// Puts those of one file together, in the order of its lines.
    pub fn sort(&mut self) {
        let place = |place: &Option<Place>| place.as_ref().map(|place| (place.line, place.column));
        self.0.sort_by(|one, other| (&one.file, place(&one.place)).cmp(&(&other.file, place(&other.place))));
    }

    /// Adds others behind them.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The only finding: the file cannot be read as text at all.
    pub(super) fn unreadable(file: &str, message: String, help: &str) -> Self {
        let (severity, file, help) = (Severity::Error, file.to_owned(), help.to_owned());
        Self(vec![Diagnostic { severity, file, place: None, message, help, unknown: false }])
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

/// Why something is refused or warned of: what is wrong with it, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) help: String,
}

impl Refusal {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// A value, or why it is none.
pub(super) type Checked<T> = Result<T, Refusal>;

/// Most errors, and most warnings, that are kept: beyond it the file is not a configuration, and nobody reads on.
const MOST: usize = 100;

/// Gathers what is found while the files of a configuration are read.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) sources: Sources,
    found: Vec<Found>,
    warnings: usize,
    errors: usize,
}

struct Found {
    severity: Severity,
    span: Span,
    refusal: Refusal,
    unknown: bool,
}

impl Findings {
    pub(super) fn error(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.refuse(span, Refusal::new(message, help));
    }

    pub(super) fn refuse(&mut self, span: Span, refusal: Refusal) {
        self.add(Severity::Error, span, refusal, false);
    }

    pub(super) fn warn(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, span, Refusal::new(message, help), false);
    }

    /// A word that neither Keepalived nor vipd knows.
    pub(super) fn unknown(&mut self, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, span, Refusal::new(message, help), true);
    }

    /// Whether an error has been found.
    pub(super) fn failed(&self) -> bool {
        self.errors > 0
    }

    /// Whether no more of this severity are kept.
    pub(super) fn is_full(&self, severity: Severity) -> bool {
        let count = match severity {
            Severity::Warning => self.warnings,
            Severity::Error => self.errors,
        };
        count >= MOST
    }

    fn add(&mut self, severity: Severity, span: Span, refusal: Refusal, unknown: bool) {
        if self.is_full(severity) {
            return;
        }
        match severity {
            Severity::Warning => self.warnings += 1,
            Severity::Error => self.errors += 1,
        }
        self.found.push(Found { severity, span, refusal, unknown });
    }

    /// Everything found, as it may be shown; what is found from now on is another list.
    pub(super) fn finish(&mut self) -> Diagnostics {
        let mut found = std::mem::take(&mut self.found);
        (self.warnings, self.errors) = (0, 0);
        found.sort_by_key(|found| found.span.start);
        let shown = |found: Found| Diagnostic {
            severity: found.severity,
            file: self.sources.name(found.span.start).to_owned(),
            place: self.sources.place(found.span),
            message: found.refusal.message,
            help: found.refusal.help,
            unknown: found.unknown,
        };
        Diagnostics(found.into_iter().map(shown).collect())
    }
}
