//! Diagnostics for people: with the line and a mark on a terminal, on one line in a log.

use std::fmt;

use super::diagnostic::{Diagnostic, Diagnostics, Place, Severity};

const RED: &str = "\x1b[1;31m";
const YELLOW: &str = "\x1b[1;33m";
const BLUE: &str = "\x1b[1;34m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// The form for logs: `file:line:column: error: message; help`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(place) = &self.place {
            write!(f, ":{}:{}", place.line, place.column)?;
        }
        write!(f, ": {}: {}; {}", self.severity, self.message, self.help)
    }
}

/// One line for each.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{diagnostic}")?;
        }
        Ok(())
    }
}

impl Diagnostic {
    /// The form for a terminal: the sentence, the line with a mark under what is meant, the remedy. `colour` adds ANSI
    /// escapes.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        Rendered { diagnostic: self, colour }.to_string()
    }
}

struct Rendered<'a> {
    diagnostic: &'a Diagnostic,
    colour: bool,
}

impl fmt::Display for Rendered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { severity, file, place, message, help, .. } = self.diagnostic;
        let paint = |code: &'static str| if self.colour { code } else { "" };
        let (bold, blue, plain) = (paint(BOLD), paint(BLUE), paint(PLAIN));
        let accent = paint(if *severity == Severity::Error { RED } else { YELLOW });

        writeln!(f, "{accent}{severity}{plain}{bold}: {message}{plain}")?;
        let gutter = place.as_ref().map_or(1, |place| place.line.to_string().len());
        write!(f, "{:gutter$}{blue}-->{plain} {file}", "")?;
        if let Some(Place { line, column, source, mark, width }) = place {
            writeln!(f, ":{line}:{column}")?;
            writeln!(f, "{:gutter$} {blue}|{plain}", "")?;
            writeln!(f, "{blue}{line} |{plain} {source}")?;
            write!(f, "{:gutter$} {blue}|{plain} {:mark$}{accent}{:^<width$}{plain}", "", "", "")?;
        }
        writeln!(f, "\n{:gutter$} {blue}={plain} {bold}help{plain}: {help}", "")
    }
}

impl Diagnostics {
    /// All of them in the form for a terminal, an empty line between each two.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        self.iter().map(|diagnostic| diagnostic.render(colour)).collect::<Vec<_>>().join("\n")
    }
}
