//! `include FILE`: a path, or a pattern for paths, relative to the folder of the file that holds the line.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::super::SIZE_MAX;
use super::super::read::quoted;
use super::super::source::Span;
use super::expand::Expander;
use super::line::Line;

/// Most files that one configuration may consist of.
const FILES_MAX: usize = 1000;
/// Deepest nesting of files in files.
const DEEPEST: usize = 32;

/// The keywords; all but the first demand that there is a file.
const KEYWORDS: [&str; 6] = ["include", "includer", "includem", "includew", "includeb", "includea"];

/// Whether the line includes a file. Conditions and definitions do not reach it, as in Keepalived.
pub(super) fn is_one(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|word| KEYWORDS.contains(&word))
}

/// The folder of a file.
pub(super) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    std::path::absolute(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .unwrap_or_else(|_| folder.to_owned())
}

/// Reads what the line includes.
pub(super) fn read(expander: &mut Expander<'_>, line: &Line) {
    let text = line.text();
    let keyword = text.split_whitespace().next().unwrap_or_default();
    let begin = text.find(keyword).unwrap_or(0) + keyword.len();
    let pattern = text[begin..].trim().trim_matches('"');
    let span = line.span(text.len() - text.trim_start().len()..text.trim_end().len());
    if pattern.is_empty() {
        let help = "write the path of a file behind it";
        return expander.findings.error(span, format!("`{keyword}` needs a file"), help);
    }
    let base = expander.open.last().map(|file| folder(&file.display().to_string())).unwrap_or_default();
    let mut paths = Vec::new();
    for pattern in braces(pattern) {
        let full = base.join(&pattern);
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
        match glob::glob_with(&full.display().to_string(), options) {
            Ok(found) => paths.extend(found.flatten().filter(|path| !path.is_dir())),
            Err(error) => {
                let message = format!("{} is not a pattern for paths: {}", quoted(&pattern), error.msg);
                expander.findings.error(span, message, "write a path, with * and ? where it has them");
            }
        }
    }
    if paths.is_empty() {
        let message = format!("there is no file {}", quoted(pattern));
        let help = format!("relative paths begin in {}; correct it, or remove the line", base.display());
        if keyword == KEYWORDS[0] {
            expander.findings.warn(span, message, help);
        } else {
            expander.findings.error(span, message, help);
        }
    }
    for path in paths {
        one(expander, &path, span);
    }
}

fn one(expander: &mut Expander<'_>, path: &Path, span: Span) {
    let name = path.display().to_string();
    let findings = &mut *expander.findings;
    let identity = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if expander.open.iter().any(|open| open.canonicalize().is_ok_and(|open| open == identity)) {
        let message = format!("{} includes itself", quoted(&name));
        return findings.error(span, message, "remove one of the `include` lines that lead back to it");
    }
    if expander.open.len() > DEEPEST || findings.sources.count() >= FILES_MAX {
        let message = format!("more than {FILES_MAX} files, or {DEEPEST} files in files, are included");
        return findings.error(span, message, "include fewer files");
    }
    let mut octets = Vec::new();
    let room = SIZE_MAX.saturating_sub(findings.sources.len());
    let read = File::open(path).and_then(|file| file.take(room as u64 + 1).read_to_end(&mut octets));
    if let Err(error) = read {
        let message = format!("cannot read {}: {error}", quoted(&name));
        return findings.error(span, message, "let this user read it, or remove the line");
    }
    if octets.len() > room {
        let message = format!("the files together are larger than {} MiB", SIZE_MAX >> 20);
        return findings.error(span, message, "include configuration files only");
    }
    let start = findings.sources.add(&name, &String::from_utf8_lossy(&octets));
    expander.open.push(path.to_owned());
    expander.file(start);
    expander.open.pop();
}

/// The patterns that csh's braces stand for: `a{b,c}d` is `abd` and `acd`.
fn braces(pattern: &str) -> Vec<String> {
    let expanded = (|| {
        let open = pattern.find('{')?;
        let mut depth = 0_usize;
        let mut begin = open + 1;
        let mut parts = Vec::new();
        for (at, c) in pattern.char_indices().skip_while(|(at, _)| *at < open) {
            match c {
                '{' => depth += 1,
                ',' if depth == 1 => {
                    parts.push(&pattern[begin..at]);
                    begin = at + 1;
                }
                '}' if depth == 1 => {
                    parts.push(&pattern[begin..at]);
                    let (before, after) = (&pattern[..open], &pattern[at + 1..]);
                    return Some(
                        parts.iter().flat_map(|part| braces(&format!("{before}{part}{after}"))).collect(),
                    );
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        None
    })();
    expanded.unwrap_or_else(|| vec![pattern.to_owned()])
}

#[cfg(test)]
mod tests {
    use super::braces;

    #[test]
    fn braces_stand_for_each_of_what_they_hold() {
        for (pattern, expected) in [
            ("a.conf", vec!["a.conf"]),
            ("{a,b}.conf", vec!["a.conf", "b.conf"]),
            ("{foo/{,cat,dog},bar}", vec!["foo/", "foo/cat", "foo/dog", "bar"]),
            ("a{b", vec!["a{b"]),
            ("a}b", vec!["a}b"]),
        ] {
            assert_eq!(braces(pattern), expected, "{pattern}");
        }
    }
}
