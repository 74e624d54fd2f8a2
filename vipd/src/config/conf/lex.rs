//! keepalived.conf as words, braces and line ends.
//!
//! `#` and `!` begin a comment, also in the middle of a word. Double quotes keep white space, braces and comment signs
//! in a word, and a backslash before a quote does not end it. Single quotes do the same, but Keepalived leaves them in
//! the values of ordinary keywords, so a word remembers them.

use super::super::diagnostic::Findings;
use super::super::source::Span;
use super::line::Line;

/// Longest name that is looked for between `${` and `}`.
const NAME_MAX: usize = 64;

/// The smallest parts of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(Word),
    Open(Span),
    Close(Span),
    LineEnd,
}

/// A word without its double quotes; its span includes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
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

/// Length of a line without its comment. A comment that cuts a word is told apart: the rest of the word is lost.
pub(super) fn code_length(line: &str) -> (usize, bool) {
    let mut at = 0;
    let mut apostrophes = false;
    while let Some(&octet) = line.as_bytes().get(at) {
        match octet {
            b'\'' if apostrophes => {}
            b'#' | b'!' => {
                let cuts = line[..at].ends_with(|c: char| !c.is_whitespace() && c != '{' && c != '}');
                return (at, cuts);
            }
            b'"' | b'\'' => match closing(line, at) {
                Some(close) => at = close,
                None if octet == b'"' => return (line.len(), false),
                // Those that follow are not closed either.
                None => apostrophes = true,
            },
            _ => {}
        }
        at += 1;
    }
    (line.len(), false)
}

/// Where the quote that stands at `at` is closed, if it is.
fn closing(line: &str, at: usize) -> Option<usize> {
    let quote = line.as_bytes()[at];
    let mut escaped = false;
    for (offset, octet) in line.bytes().enumerate().skip(at + 1) {
        match octet {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            octet if octet == quote => return Some(offset),
            _ => {}
        }
    }
    None
}

/// Splits a line. A quote that is not closed and text that is not UTF-8 are reported.
pub(super) fn lex(line: &Line, tokens: &mut Vec<Token>, findings: &mut Findings) {
    let mut lexer = Lexer { line, text: line.text(), at: 0, apostrophes: false };
    while let Some(octet) = lexer.peek() {
        let here = line.span(lexer.at..lexer.at + 1);
        match octet {
            b'{' => tokens.push(Token::Open(here)),
            b'}' => tokens.push(Token::Close(here)),
            octet if is_space(octet) => {}
            _ => {
                tokens.push(Token::Word(lexer.word(findings)));
                continue;
            }
        }
        lexer.at += 1;
    }
    tokens.push(Token::LineEnd);
}

struct Lexer<'a> {
    line: &'a Line,
    text: &'a str,
    at: usize,
    /// A single quote was not closed: this line has apostrophes.
    apostrophes: bool,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The word that begins here. Quoted parts belong to it, and so do the braces of `${NAME}`.
    fn word(&mut self, findings: &mut Findings) -> Word {
        let start = self.at;
        let single = self.peek() == Some(b'\'');
        let mut text = String::new();
        let mut quotes = Quotes::None;
        while let Some(octet) = self.peek() {
            if octet == b'"' {
                if self.at == start {
                    quotes = Quotes::Double;
                }
                text.push_str(self.quoted(findings));
            } else if let Some(close) = self.single_quoted(octet) {
                text.push_str(&self.text[self.at..=close]);
                self.at = close + 1;
            } else if let Some(length) = self.braced_name() {
                text.push_str(&self.text[self.at..self.at + length]);
                self.at += length;
            } else if is_space(octet) || octet == b'{' || octet == b'}' {
                break;
            } else {
                let length = self.text[self.at..].chars().next().map_or(1, char::len_utf8);
                text.push_str(&self.text[self.at..self.at + length]);
                self.at += length;
            }
        }
        if single && text.len() >= 2 && text.ends_with('\'') {
            quotes = Quotes::Single;
        }
        let span = self.line.span(start..self.at);
        if text.contains(char::REPLACEMENT_CHARACTER) {
            findings.error(span, "this word is not UTF-8 text", "save the file as UTF-8");
        }
        Word { text, span, quotes }
    }

    /// What stands between the double quotes that begin here; everything where they are not closed.
    fn quoted(&mut self, findings: &mut Findings) -> &str {
        let start = self.at + 1;
        let Some(close) = closing(self.text, self.at) else {
            let quote = self.line.span(self.at..start);
            self.at = self.text.len();
            let help = "close it with `\"` on the same line";
            findings.error(quote, "this quote is not closed on its line", help);
            return &self.text[start..];
        };
        self.at = close + 1;
        &self.text[start..close]
    }

    /// Where the single quote that stands here is closed.
    fn single_quoted(&mut self, octet: u8) -> Option<usize> {
        if octet != b'\'' || self.apostrophes {
            return None;
        }
        let close = closing(self.text, self.at);
        self.apostrophes = close.is_none();
        close
    }

    /// Octets of the `${NAME}` that begins here.
    fn braced_name(&self) -> Option<usize> {
        let name = self.text.as_bytes()[self.at..].strip_prefix(b"${")?;
        let end = name.iter().take(NAME_MAX).position(|octet| *octet == b'}')?;
        Some(end + 3)
    }
}

/// White space within a line, carriage returns of CRLF included.
pub(super) fn is_space(octet: u8) -> bool {
    octet.is_ascii_whitespace() || octet == b'\x0b'
}

/// Splits a command line into its words: quotes of both kinds keep white space, and a backslash has its meaning in C.
/// `None` where a quote is not closed.
pub(in super::super) fn split_command(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, quote) {
            ('\\', _) if rest.peek().is_some() => word.get_or_insert_default().push(unescape(&mut rest)),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_ascii_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// The character that an escape stands for; its backslash has been read.
fn unescape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> char {
    let c = rest.next().unwrap_or('\\');
    let mut number = |first: u32, radix: u32, most: usize| {
        let mut value = first;
        for _ in 0..most {
            let Some(digit) = rest.peek().and_then(|c| c.to_digit(radix)) else { break };
            value = value * radix + digit;
            rest.next();
        }
        char::from_u32(value & 0xff).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    match c {
        '0'..='7' => number(c.to_digit(8).unwrap_or(0), 8, 2),
        'x' => number(0, 16, 2),
        'c' => char::from_u32(rest.next().map_or(0, u32::from) & 0x1f).unwrap_or(char::REPLACEMENT_CHARACTER),
        'a' => '\x07',
        'b' => '\x08',
        'E' => '\x1b',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::{code_length, split_command};

    #[test]
    fn a_comment_begins_anywhere_but_in_quotes() {
        for (line, code, cuts) in [
            ("priority 100", "priority 100", false),
            ("priority 100 # high", "priority 100 ", false),
            ("priority 100!high", "priority 100", true),
            ("# all", "", false),
            ("block {# all", "block {", false),
            ("a \"b # c\" # d", "a \"b # c\" ", false),
            ("a 'b # c' # d", "a 'b # c' ", false),
            ("a don't # d", "a don't ", false),
            ("a \"b # c", "a \"b # c", false),
            ("a \"b \\\" # c\" ! d", "a \"b \\\" # c\" ", false),
        ] {
            assert_eq!(code_length(line), (code.len(), cuts), "{line}");
        }
    }

    #[test]
    fn a_command_line_is_split_as_keepalived_does() {
        for (text, words) in [
            ("/usr/bin/killall -0 haproxy", vec!["/usr/bin/killall", "-0", "haproxy"]),
            ("  a   b ", vec!["a", "b"]),
            ("/bin/sh -c 'a  b' c", vec!["/bin/sh", "-c", "a  b", "c"]),
            ("a \"b c\"d e", vec!["a", "b cd", "e"]),
            ("a ''", vec!["a", ""]),
            (r"a b\ c \n \\ \q", vec!["a", "b c", "\n", "\\", "q"]),
            (r"\101 \x41 \cA \1012", vec!["A", "A", "\u{1}", "A2"]),
            ("", vec![]),
        ] {
            let split = split_command(text).expect("its quotes are closed");
            assert_eq!(split, words, "{text}");
        }
        assert_eq!(split_command("a 'b"), None);
    }
}
