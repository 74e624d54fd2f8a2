//! The lines of keepalived.conf before they have a meaning: conditions (`@host`), definitions (`$NAME=VALUE`), repeated
//! lines (`~SEQ`, `~LST`) and included files, as keepalived.conf(5) describes them.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;

use super::super::diagnostic::Findings;
use super::super::secret;
use super::include;
use super::lex::{self, Token};
use super::line::Line;
use super::ranges;

/// Most lines that definitions and repetitions may grow to.
const LINES_MAX: usize = 200_000;
/// Deepest nesting of definitions in definitions.
const DEEPEST: usize = 16;
/// Largest line, in octets.
const LINE_MAX: usize = 64 << 10;
/// Longest name between `${` and `}`.
const NAME_MAX: usize = 64;

/// What a name stands for.
#[derive(Clone)]
enum Definition {
    /// Text that is put in.
    Text(Line),
    /// Lines that take the place of the line that names them.
    Lines(Vec<Line>),
}

/// Reads a file and those that it includes.
pub(super) struct Expander<'f> {
    pub(super) findings: &'f mut Findings,
    /// What `@host` is compared with.
    pub(super) host: &'f str,
    /// The files that are being read, outermost first.
    pub(super) open: Vec<PathBuf>,
    definitions: HashMap<String, Definition>,
    tokens: Vec<Token>,
    lines: usize,
}

/// The tokens of the file that begins at `start` in the sources of `findings`, and of those that it includes.
pub(super) fn expand(path: PathBuf, start: usize, host: &str, findings: &mut Findings) -> Vec<Token> {
    let (definitions, tokens) = (HashMap::new(), Vec::new());
    let mut expander = Expander { findings, host, open: vec![path], definitions, tokens, lines: 0 };
    expander.file(start);
    expander.tokens
}

impl Expander<'_> {
    /// Reads the file that begins at `start`.
    pub(super) fn file(&mut self, start: usize) {
        let text = self.findings.sources.text(start);
        let mut at = start;
        let mut continued: Vec<Line> = Vec::new();
        for raw in text.split_inclusive('\n') {
            let line = self.code(raw, at);
            at += raw.len();
            if continued.is_empty() && include::is_one(line.text()) {
                include::read(self, &line);
                continue;
            }
            let goes_on = line.text().trim_end().strip_suffix('\\').map(str::len);
            continued.push(goes_on.map_or(line.clone(), |length| line.until(length)));
            if goes_on.is_none() {
                self.logical(&std::mem::take(&mut continued));
            }
        }
        self.logical(&continued);
    }

    /// The line without its comment and its end.
    fn code(&mut self, raw: &str, at: usize) -> Line {
        let raw = raw.trim_end_matches(['\n', '\r']);
        let (length, cuts) = lex::code_length(raw);
        if cuts {
            self.findings.warn(
                (at + length..at + length + 1).into(),
                "a comment begins in the middle of a word; the rest of the word is lost",
                "put the word in double quotes, or a space before the comment",
            );
        }
        Line::literal(&raw[..length], at)
    }

    /// A line with those that a backslash at its end adds to it: a definition of several lines, or one long line.
    fn logical(&mut self, lines: &[Line]) {
        let Some((first, more)) = lines.split_first() else { return };
        let Some(first) = self.condition(first.clone()) else { return };
        if let Some((name, value)) = definition(first.text()) {
            let name = first.text()[name].to_owned();
            let value = first.from(value);
            let definition = if more.is_empty() {
                Definition::Text(value)
            } else {
                let lines = std::iter::once(value).chain(more.iter().cloned());
                Definition::Lines(lines.filter(|line| !line.is_blank()).collect())
            };
            self.definitions.insert(name, definition);
            return;
        }
        let mut joined = first;
        for line in more {
            joined.push_put_in(" ", line.span(0..0));
            joined.push(line, 0..line.text().len());
        }
        self.line(joined, 0);
    }

    /// The line behind its conditions (`@host`, `@^host`); `None` where one does not hold.
    fn condition(&self, mut line: Line) -> Option<Line> {
        loop {
            let text = line.text();
            let begin = text.len() - text.trim_start().len();
            let Some(condition) = text[begin..].strip_prefix('@') else { return Some(line) };
            let end = condition.find(char::is_whitespace)?;
            let (host, differs) = match condition[..end].strip_prefix('^') {
                Some(host) => (host, true),
                None => (&condition[..end], false),
            };
            if (host == self.host) == differs {
                return None;
            }
            line = line.from(begin + 1 + end);
        }
    }

    /// A line whose definitions have not been put in yet.
    fn line(&mut self, line: Line, depth: usize) {
        let Some(line) = self.condition(line) else { return };
        self.lines += 1;
        if self.lines > LINES_MAX || depth > DEEPEST {
            if self.lines <= LINES_MAX + 1 {
                let message = "definitions and repetitions make this file endless";
                let help = "see to it that no definition uses itself, and that ranges are short";
                self.findings.error(line.span(0..line.text().len()), message, help);
                self.lines = LINES_MAX + 2;
            }
            return;
        }
        if let Some((name, value)) = definition(line.text()) {
            let name = line.text()[name].to_owned();
            self.definitions.insert(name, Definition::Text(line.from(value)));
            return;
        }
        if let Some(repeated) = ranges::first(&line, self.findings) {
            for values in repeated.values {
                for (name, value) in repeated.names.iter().zip(values) {
                    let text = Line::literal(&value, repeated.origin);
                    self.definitions.insert(name.clone(), Definition::Text(text));
                }
                self.line(repeated.rest.clone(), depth);
                if self.lines > LINES_MAX {
                    return;
                }
            }
            return;
        }
        if let Some(body) = self.body(&line) {
            for line in body {
                self.line(line, depth + 1);
            }
            return;
        }
        let mut full = Line::default();
        self.put_in(&line, &mut full, 0, false);
        if full.text().trim_start().starts_with('@') {
            return self.line(full, depth + 1);
        }
        lex::lex(&full, &mut self.tokens, self.findings);
    }

    /// The lines that take the place of this one, if all that stands on it is the name of such a definition.
    fn body(&self, line: &Line) -> Option<Vec<Line>> {
        let text = line.text().trim();
        let (name, length) = use_of_name(text)?;
        match self.definitions.get(&text[name]) {
            Some(Definition::Lines(lines)) if length == text.len() => Some(lines.clone()),
            _ => None,
        }
    }

    /// Puts definitions in; names that are not defined stay as they are. Behind the keyword of a password, their values
    /// are never shown (`secret`).
    fn put_in(&mut self, line: &Line, full: &mut Line, depth: usize, secret: bool) {
        let text = line.text();
        let mut at = 0;
        while let Some(dollar) = text[at..].find('$').map(|offset| at + offset) {
            full.push(line, at..dollar);
            let found = use_of_name(&text[dollar..]);
            let length = found.as_ref().map_or(1, |(_, length)| *length);
            let whole = dollar..dollar + length;
            at = whole.end;
            let origin = line.span(whole.clone());
            let name = found.map(|(name, _)| text[dollar + name.start..dollar + name.end].to_owned());
            if let Some(value) = name.as_deref().and_then(|name| self.predefined(name, origin.start)) {
                full.push_put_in(&value, origin);
                continue;
            }
            match name.and_then(|name| self.definitions.get(&name)).cloned() {
                Some(Definition::Text(value)) if depth < DEEPEST && full.text().len() < LINE_MAX => {
                    let secret = secret || secret::announced(full.text());
                    let mut inner = Line::default();
                    self.put_in(&value, &mut inner, depth + 1, secret);
                    if secret {
                        self.findings.sources.hide(value.span(0..value.text().len()));
                    }
                    full.push_put_in(inner.text(), origin);
                }
                Some(Definition::Text(_)) => {
                    let message = "this definition uses itself";
                    self.findings.error(origin, message, "give it a value that does not hold its own name");
                }
                Some(Definition::Lines(_)) => {
                    let message = "this stands for several lines, and something else stands on its line";
                    self.findings.error(origin, message, "put it on a line of its own");
                }
                None => full.push(line, whole),
            }
        }
        full.push(line, at..text.len());
    }

    /// What Keepalived defines.
    fn predefined(&self, name: &str, at: usize) -> Option<String> {
        let mut words = name.split_whitespace();
        Some(match words.next()? {
            "_PWD" => include::folder(self.findings.sources.name(at)).display().to_string(),
            "_INSTANCE" => self.host.to_owned(),
            "_ENV" => std::env::var(words.next()?).ok()?,
            "_HASH" => "#".to_owned(),
            "_BANG" => "!".to_owned(),
            "_RANDOM" => {
                let mut number = |default| words.next().map_or(Some(default), |word| word.parse().ok());
                let (least, most): (u64, u64) = (number(0)?, number(32767)?);
                let span = most.checked_sub(least)?.checked_add(1)?;
                (least + random() % span).to_string()
            }
            _ => return None,
        })
    }
}

/// Some number.
fn random() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(())
}

/// Where name and value stand, if the line is a definition: `$NAME=VALUE`.
fn definition(line: &str) -> Option<(Range<usize>, usize)> {
    let begin = line.len() - line.trim_start().len();
    let name = line[begin..].strip_prefix('$')?;
    let length = name_length(name);
    let value = begin + 1 + length + 1;
    (length > 0 && name[length..].starts_with('=')).then_some((begin + 1..begin + 1 + length, value))
}

/// The name that is used where `text` begins, and the length of the whole: `$NAME` before white space, or `${NAME}`.
/// What Keepalived predefines has its parameters in the braces, and they count as part of the name.
fn use_of_name(text: &str) -> Option<(Range<usize>, usize)> {
    let rest = text.strip_prefix('$')?;
    if let Some(braced) = rest.strip_prefix('{') {
        let end = braced.bytes().take(NAME_MAX).position(|octet| octet == b'}')?;
        let name = &braced[..end];
        let is_name = name_length(name) == end && end > 0 || name.starts_with('_');
        return is_name.then_some((2..2 + end, end + 3));
    }
    let length = name_length(rest);
    let ends = rest[length..].chars().next().is_none_or(char::is_whitespace);
    (length > 0 && ends).then_some((1..1 + length, 1 + length))
}

/// Octets of the name that `text` begins with: letters, digits and underscores, no digit first.
fn name_length(text: &str) -> usize {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c| !part(c)).unwrap_or(text.len())
}
