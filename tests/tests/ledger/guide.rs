//! The guide's page, `docs/guide.md`: the tests and files that it names exist, and no file of the guide's is left out.

use std::collections::BTreeSet;
use std::fs;

use crate::{quoted, read, root, sources, tests};

/// The rows of the page: cells of each.
fn rows() -> Vec<Vec<String>> {
    let page = read(&root().join("docs/guide.md"));
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| in the guide"));
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(rows.len() > 50, "the tables were found: {}", rows.len());
    rows
}

/// A name of a test: more than two words.
fn is_test(word: &str) -> bool {
    word.matches('_').count() > 2
        && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

#[test]
fn every_line_of_the_guide_has_a_test_that_exists_or_a_reason() {
    let known: BTreeSet<String> =
        sources().iter().flat_map(|(_, text)| tests(text)).map(|test| test.name).collect();
    let mut faults = Vec::new();
    for row in rows() {
        let shown = row.last().expect("a cell");
        let named: Vec<&str> = quoted(shown).filter(|word| is_test(word)).collect();
        let excused =
            ["n/a: ", "open: ", "the six tests above"].iter().any(|reason| shown.starts_with(reason));
        if named.is_empty() && !excused {
            faults.push(format!("{}: neither a test nor a reason", row[0]));
        }
        let missing = named.into_iter().filter(|name| !known.contains(*name));
        faults.extend(missing.map(|name| format!("{}: there is no test {name}", row[0])));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_file_of_the_guide_is_named_and_there() {
    let listed = fs::read_dir(root().join("tests/fixtures/guide")).expect("the guide's files").flatten();
    let files: BTreeSet<String> =
        listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let is_file = |word: &&str| [".conf", ".sh", ".j2"].iter().any(|ending| word.ends_with(ending));
    let rows = rows();
    let named: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.len() == 3)
        .flat_map(|row| quoted(&row[1]).filter(is_file).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(named, files);
}
