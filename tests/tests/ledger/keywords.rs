//! Every keyword that vipd's tables know is in a configuration that some test gives to an agent, or to what acts on it. That
//! each means the same in both languages, and what it is in the model, `vipd/src/config/tests/keywords.rs` shows; here it has to
//! be seen from outside of the model.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{read, root, sources};

/// Blocks whose words stand in the middle of a line.
const WITHIN_LINES: [&str; 5] = ["Address", "Peer", "Tracked", "Route", "Rule"];

/// Each key with the words that stand for it, by the block that it is in. Words of one key mean the same.
fn keys() -> BTreeMap<(String, String), Vec<String>> {
    let table = read(&root().join("vipd/src/config/conf/keywords.rs"));
    let mut keys: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for line in table.lines().filter_map(|line| line.trim().strip_prefix("keyword(")) {
        let mut parts = line.split(", ").map(|part| part.trim_matches('"').to_owned());
        let (Some(scope), Some(word), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let key = if key.is_empty() { word.clone() } else { key };
        keys.entry((scope, key)).or_default().push(word);
    }
    assert!(keys.len() > 150, "the table of keywords was found: {}", keys.len());
    keys
}

/// Everything that tests are made of, but comments, and the tests of the configuration's model.
fn tests() -> String {
    let of_the_model =
        ["vipd/src/config", "tests/tests/configuration", "tests/tests/ledger"].map(|part| root().join(part));
    let others =
        sources().into_iter().filter(|(path, _)| !of_the_model.iter().any(|part| path.starts_with(part)));
    let tested = others.filter_map(|(path, text)| {
        let is_test = |path: &Path| path.components().any(|part| part.as_os_str() == "tests");
        let place = path.strip_prefix(root()).expect("below the root");
        if is_test(place) || place.ends_with("tests.rs") {
            return Some(text);
        }
        text.split_once("#[cfg(test)]").map(|(_, tests)| tests.to_owned())
    });
    let fixtures = ["lb1.conf", "lb2.conf", "track_file.conf", "unicast_lb1.conf"]
        .map(|name| read(&root().join("tests/fixtures/guide").join(name)));
    let text: Vec<String> = tested.chain(fixtures).collect();
    let lines = text.iter().flat_map(|text| text.lines()).filter(|line| !line.trim_start().starts_with("//"));
    // A line end in a string of Rust's is one of the configuration.
    lines.flat_map(|line| [line, "\n"]).collect::<String>().replace("\\n", "\n")
}

/// Whether a word of a block stands where one of a configuration does: within a line, or first on it.
fn stands_in(tests: &str, scope: &str, word: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    tests.match_indices(word).any(|(at, _)| {
        let (before, behind) = (&tests[..at], &tests[at + word.len()..]);
        let is_whole = !before.ends_with(is_letter) && !behind.starts_with(is_letter);
        let is_first = || before.trim_end_matches([' ', '\\']).ends_with(['\n', '"', '{']);
        is_whole && (WITHIN_LINES.contains(&scope) || is_first())
    })
}

#[test]
fn every_keyword_is_named_by_a_test_of_what_it_does() {
    let tests = tests();
    let unnamed: Vec<_> = keys()
        .into_iter()
        .filter(|((scope, _), words)| !words.iter().any(|word| stands_in(&tests, scope, word)))
        .map(|((scope, _), words)| format!("{scope}: {}", words.join(", ")))
        .collect();

    assert!(unnamed.is_empty(), "no test names any of\n{}", unnamed.join("\n"));
}
