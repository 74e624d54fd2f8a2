//! What is written down of the tests, held against the sources. The ledger of rules, `docs/conformance.md`: what it names
//! exists, every rule has a row, and a row has a test or a reason. The guide, `docs/guide.md`. The keywords.

mod guide;
mod keywords;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The rules: an area, and how many it has. They are counted from 1.
const AREAS: [(&str, u32); 17] = [
    ("PKT", 8),
    ("TX", 10),
    ("CK", 7),
    ("AUTH", 5),
    ("RX", 21),
    ("TMR", 9),
    ("FSM", 18),
    ("ARP", 8),
    ("ND", 10),
    ("FWD", 6),
    ("CNT", 9),
    ("UNI", 6),
    ("SUB", 6),
    ("L2", 9),
    ("MIX", 6),
    ("SEC", 7),
    ("XDP", 6),
];
/// The test that sends every advert of the corpus: it shows the rules that these frames refer to.
const CORPUS: &str = "c_xdp_01_every_advert_of_the_corpus_gets_its_verdict_on_every_road";
/// How a row without a test begins to say why.
const REASONS: [&str; 3] = ["open:", "n/a:", "deviation:"];

/// A row of the ledger.
struct Row {
    id: String,
    kept: String,
    shown: String,
}

/// A test: its name, and everything that is written at it and in it.
struct Test {
    name: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rows() -> Vec<Row> {
    let ledger = read(&root().join("docs/conformance.md"));
    let rows = ledger.lines().filter(|line| line.starts_with("| C-"));
    rows.map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [id, level, rule, kept, shown] = cells[..] else { panic!("not five cells: {line}") };
        assert!(!level.is_empty() && !rule.is_empty(), "no level or no rule: {line}");
        Row { id: id.to_owned(), kept: kept.to_owned(), shown: shown.to_owned() }
    })
    .collect()
}

/// Every source file of the workspace, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for member in ["vipd-common", "vipd-ebpf", "vipd-core", "vipd", "xtask", "tests"] {
        for part in ["src", "tests", "examples"] {
            collect(&root().join(member).join(part), &mut found);
        }
    }
    assert!(found.len() > 50, "the sources were found");
    found
}

fn collect(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), read(&path)));
        }
    }
}

/// The tests of a file. What its head says is said of each of them.
fn tests(text: &str) -> Vec<Test> {
    let lines: Vec<&str> = text.lines().collect();
    let head: String = lines.iter().take_while(|line| line.starts_with("//!")).copied().collect();
    let marks = lines.iter().enumerate().filter(|(_, line)| line.trim() == "#[test]");
    marks
        .map(|(mark, line)| {
            let indent = &line[..line.len() - line.trim_start().len()];
            let is_doc = |line: &&&str| line.trim_start().starts_with("///");
            let docs = lines[..mark].iter().rev().take_while(is_doc).count();
            let closing = format!("{indent}}}");
            let length = lines[mark..].iter().take_while(|line| **line != closing).count();
            let signature = lines[mark..].iter().find_map(|line| line.trim().strip_prefix("fn "));
            let name = signature.and_then(|rest| rest.split('(').next()).expect("a function").to_owned();
            Test { name, text: head.clone() + &lines[mark - docs..mark + length].join("\n") }
        })
        .collect()
}

/// The ids that a text names, as `C-RX-04` or in the name of a test, `c_pkt_01_02_...`.
fn ids(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("C-") {
        let mut parts = text[at + 2..].split(|c: char| !c.is_ascii_alphanumeric());
        let (area, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let is_area = !area.is_empty() && area.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        let follows = text[at + 2 + area.len()..].starts_with('-');
        if is_area && follows && number.len() == 2 && number.chars().all(|c| c.is_ascii_digit()) {
            found.insert(format!("C-{area}-{number}"));
        }
    }
    for (at, _) in text.match_indices("fn c_") {
        let mut words = text[at + 5..].split(|c: char| !c.is_ascii_alphanumeric());
        let area = words.next().unwrap_or_default().to_uppercase();
        let numbers = words.take_while(|word| word.len() == 2 && word.chars().all(|c| c.is_ascii_digit()));
        found.extend(numbers.map(|number| format!("C-{area}-{number}")));
    }
    found
}

/// What stands between backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_rule_has_one_row() {
    let expected: Vec<String> = AREAS
        .iter()
        .flat_map(|(area, count)| (1..=*count).map(move |number| format!("C-{area}-{number:02}")))
        .collect();

    let ids: Vec<String> = rows().into_iter().map(|row| row.id).collect();

    assert_eq!(ids, expected, "in this order, each once");
    assert_eq!(ids.len(), 151);
}

#[test]
fn every_test_that_a_row_names_exists_and_names_the_rule() {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for (path, text) in sources() {
        for test in tests(&text) {
            let twice = known.insert(test.name.clone(), test.text);
            let is_named = || rows().iter().any(|row| quoted(&row.shown).any(|name| name == test.name));
            assert!(
                twice.is_none() || !is_named(),
                "{} is there twice, also in {}",
                test.name,
                path.display()
            );
        }
    }
    let frames: Vec<Value> =
        serde_json::from_str(include_str!("../../fixtures/vrrp-packets.json")).expect("JSON");
    let is_sent = |id: &str| frames.iter().any(|frame| frame["ref"] == id && frame["kind"] == "advert");
    let mut faults = Vec::new();
    for Row { id, shown, .. } in rows() {
        let reasoned = REASONS.iter().any(|reason| shown.starts_with(reason));
        if quoted(&shown).next().is_none() && !reasoned {
            faults.push(format!("{id} has neither a test nor a reason"));
        }
        for name in quoted(&shown) {
            match known.get(name) {
                None => faults.push(format!("{id}: there is no test {name}")),
                Some(text) if ids(text).contains(&id) || name == CORPUS && is_sent(&id) => {}
                Some(_) => faults.push(format!("{name} is to show {id} and does not say so")),
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_place_that_a_row_names_exists() {
    let sources = sources();
    let decisions = read(&root().join("docs/decisions.md"));
    for row in rows() {
        let mut place: Option<PathBuf> = None;
        for word in quoted(&row.kept) {
            if word.contains('/') {
                let path = root().join(word);
                assert!(path.exists(), "{}: there is no {word}", row.id);
                place = Some(path);
            } else {
                let place = place.as_ref().unwrap_or_else(|| panic!("{}: {word} in which file?", row.id));
                let mut there = sources.iter().filter(|(path, _)| path.starts_with(place));
                assert!(there.any(|(_, text)| text.contains(word)), "{}: no {word} there", row.id);
            }
        }
        for cell in [&row.kept, &row.shown] {
            for (at, _) in cell.match_indices("decision ") {
                let number: String = cell[at + 9..].chars().take_while(char::is_ascii_digit).collect();
                assert!(decisions.contains(&format!("\n## {number}. ")), "{}: no decision {number}", row.id);
            }
        }
    }
}

#[test]
fn no_source_names_a_rule_that_is_not_in_the_ledger() {
    let known: BTreeSet<String> = rows().into_iter().map(|row| row.id).collect();
    for (path, text) in sources() {
        let unknown: Vec<String> = ids(&text).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{} names {unknown:?}", path.display());
    }
}
