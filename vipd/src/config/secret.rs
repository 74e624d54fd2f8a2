//! Finds passwords in the bare text, before any parser has understood it: a file that is too broken to be read is
//! still echoed without them (C-SEC-07). It would rather hide too much than too little.

use super::source::Span;
use super::suggest;

/// The stretches of `text` that must never be shown: whatever follows a password keyword on its line, the next line
/// where nothing follows, and the whole of a value that runs over several lines.
pub(super) fn find(text: &str) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut start = 0;
    let mut hide_line = false;
    for line in text.split_inclusive('\n') {
        let at = start;
        start += line.len();
        if found.last().is_some_and(|last| start <= last.end) {
            continue;
        }
        if hide_line {
            found.push(trimmed(line, at));
            hide_line = line.trim().is_empty();
        }
        let Some(after) = password_follows(line) else { continue };
        let rest = line[after..].strip_prefix(['"', '\'']).unwrap_or(&line[after..]);
        let mut value = trimmed(rest, start - rest.len());
        if let Some(length) = length_over_lines(&text[value.start..]) {
            value.end = value.end.max(value.start + length);
        }
        hide_line = value.start == value.end;
        found.push(value);
    }
    found
}

/// Whether a word of `line` announces a password.
pub(super) fn announced(line: &str) -> bool {
    password_follows(line).is_some()
}

/// Length of a value that can run over several lines, a long string, a list or a block, if `rest` begins with one.
fn length_over_lines(rest: &str) -> Option<usize> {
    let (open, close) = [("\"\"\"", "\"\"\""), ("'''", "'''"), ("[", "]"), ("{", "}")]
        .into_iter()
        .find(|(open, _)| rest.starts_with(open))?;
    Some(rest[open.len()..].find(close).map_or(rest.len(), |length| open.len() + length + close.len()))
}

/// The end of the first word of `line` that announces a password.
fn password_follows(line: &str) -> Option<usize> {
    let mut rest = line;
    while let Some(begin) = rest.find(is_word) {
        rest = &rest[begin..];
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        if announces_password(&rest[..length]) {
            return Some(line.len() - rest.len() + length);
        }
        rest = &rest[length..];
    }
    None
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// `PASS` alone is the value of `auth_type`; everything else that sounds like a password counts, misspelt or not.
fn announces_password(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    word != "PASS"
        && (lower.contains("pass")
            || ["key", "secret", "auth_hmac", "token", "url"].contains(&lower.as_str())
            || { lower.len() <= 12 && suggest::distance(&lower, "auth_pass") <= 2 })
}

/// `part`, which begins at `at`, without the white space (and the `=`) around it.
fn trimmed(part: &str, at: usize) -> Span {
    let body = part.trim_start_matches(|c: char| c.is_whitespace() || c == '=');
    let start = at + part.len() - body.len();
    Span { start, end: start + body.trim_end().len() }
}
