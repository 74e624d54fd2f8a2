//! keepalived.conf as words, braces and line ends.
//!
//! `#` and `!` begin a comment, also in the middle of a word. Double quotes keep white space, braces and comment signs
//! in a word, and a backslash before a quote does not end it. Single quotes do the same, but Keepalived leaves them in
//! the values of ordinary keywords, so a word remembers them. A backslash at the end of a line joins the next one.

use super::diagnostic::Findings;
use super::source::Span;

/// Longest name that is looked for between `${` and `}`.
const NAME_MAX: usize = 64;

/// The smallest parts of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    Word(Word<'a>),
    Open(Span),
    Close(Span),
    LineEnd,
}

/// A word without its double quotes; its span includes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
    pub(super) quotes: Quotes,
}

/// What a word was written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quotes {
    None,
    Single,
    Double,
}

/// Splits `text`. A quote that is not closed and text that is not UTF-8 are reported.
pub(super) fn lex<'a>(text: &'a str, findings: &mut Findings<'_>) -> Vec<Token<'a>> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    while let Some(octet) = lexer.peek(0) {
        lexer.step(octet, findings);
    }
    lexer.tokens.push(Token::LineEnd);
    lexer.tokens
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token<'a>>,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn step(&mut self, octet: u8, findings: &mut Findings<'_>) {
        let here = Span { start: self.at, end: self.at + 1 };
        match octet {
            b'\n' => self.tokens.push(Token::LineEnd),
            b'{' => self.tokens.push(Token::Open(here)),
            b'}' => self.tokens.push(Token::Close(here)),
            b'#' | b'!' => return self.at += self.length_until(|octet| octet == b'\n'),
            b'\\' if self.joins_lines() => return self.at += self.length_until(|octet| octet == b'\n') + 1,
            octet if is_space(octet) => {}
            b'"' => return self.quoted(octet, findings),
            b'\'' if self.closing(octet).is_some() => return self.quoted(octet, findings),
            _ => return self.bare(findings),
        }
        self.at += 1;
    }

    /// Octets from here to the first that `ends`, or to the end of the file.
    fn length_until(&self, ends: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text.as_bytes()[self.at..];
        rest.iter().position(|octet| ends(*octet)).unwrap_or(rest.len())
    }

    /// Whether the backslash here is the last thing on its line, with a line after it.
    fn joins_lines(&self) -> bool {
        let rest = &self.text.as_bytes()[self.at + 1..];
        rest.iter().find(|octet| **octet == b'\n' || !is_space(**octet)) == Some(&b'\n')
    }

    /// Where the quote that begins here is closed, if it is closed on this line.
    fn closing(&self, quote: u8) -> Option<usize> {
        let mut escaped = false;
        for (offset, octet) in self.text.bytes().enumerate().skip(self.at + 1) {
            match octet {
                b'\n' => return None,
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                octet if octet == quote => return Some(offset),
                _ => {}
            }
        }
        None
    }

    fn quoted(&mut self, quote: u8, findings: &mut Findings<'_>) {
        let start = self.at;
        let Some(close) = self.closing(quote) else {
            self.at += self.length_until(|octet| octet == b'\n');
            let span = Span { start, end: self.at };
            findings.error(
                Span { start, end: start + 1 },
                "this quote is not closed on its line",
                "close it with `\"` on the same line",
            );
            return self.push(start + 1..self.at, span, Quotes::Double, findings);
        };
        self.at = close + 1;
        let span = Span { start, end: self.at };
        if quote == b'"' {
            self.push(start + 1..close, span, Quotes::Double, findings);
        } else {
            self.push(start..self.at, span, Quotes::Single, findings);
        }
    }

    /// A word without quotes; the braces of `${NAME}` belong to it.
    fn bare(&mut self, findings: &mut Findings<'_>) {
        let start = self.at;
        while let Some(octet) = self.peek(0) {
            if let Some(length) = self.braced_name() {
                self.at += length;
                continue;
            }
            if is_space(octet) || b"\n{}\"#!".contains(&octet) || (octet == b'\\' && self.joins_lines()) {
                break;
            }
            self.at += 1;
        }
        let span = Span { start, end: self.at };
        if let Some(b'#' | b'!') = self.peek(0) {
            findings.warn(
                Span { start: self.at, end: self.at + 1 },
                "a comment begins in the middle of a word; the rest of the word is lost",
                "put the word in double quotes, or a space before the comment",
            );
        }
        self.push(start..self.at, span, Quotes::None, findings);
    }

    /// Octets of the `${NAME}` that begins here.
    fn braced_name(&self) -> Option<usize> {
        let name = self.text.as_bytes()[self.at..].strip_prefix(b"${")?;
        let end = name.iter().take(NAME_MAX).position(|octet| *octet == b'}' || *octet == b'\n')?;
        (name[end] == b'}').then_some(end + 3)
    }

    fn push(
        &mut self,
        text: std::ops::Range<usize>,
        span: Span,
        quotes: Quotes,
        findings: &mut Findings<'_>,
    ) {
        let text = &self.text[text];
        if text.contains(char::REPLACEMENT_CHARACTER) {
            findings.error(span, "this word is not UTF-8 text", "save the file as UTF-8");
        }
        self.tokens.push(Token::Word(Word { text, span, quotes }));
    }
}

/// White space within a line, carriage returns of CRLF included.
fn is_space(octet: u8) -> bool {
    octet.is_ascii_whitespace() && octet != b'\n' || octet == b'\x0b'
}
