//! How a diagnostic looks: on a terminal, in a log, and for other programs.

use super::super::{Diagnostics, load_str};
use super::{refused, with};

#[test]
fn a_terminal_shows_the_line_with_a_mark_and_the_remedy() {
    let found = refused(&with("\tpriority 256 # too much\nprioroty 9"));

    let expected = "\
error: `256` is not a priority
 --> test.conf:5:11
  |
5 |  priority 256 # too much
  |           ^^^
  = help: write a whole number from 1 to 255

warning: `prioroty` is not a keyword; it is ignored
 --> test.conf:6:1
  |
6 | prioroty 9
  | ^^^^^^^^
  = help: did you mean `priority`?
";
    assert_eq!(found.render(false), expected);
}

#[test]
fn a_terminal_shows_colours_when_asked() {
    let found = refused(&with("priority 256"));

    let expected = "\
\x1b[1;31merror\x1b[0m\x1b[1m: `256` is not a priority\x1b[0m
 \x1b[1;34m-->\x1b[0m test.conf:5:10
  \x1b[1;34m|\x1b[0m
\x1b[1;34m5 |\x1b[0m priority 256
  \x1b[1;34m|\x1b[0m          \x1b[1;31m^^^\x1b[0m
  \x1b[1;34m=\x1b[0m \x1b[1mhelp\x1b[0m: write a whole number from 1 to 255
";
    assert_eq!(found.render(true), expected);
}

#[test]
fn a_log_shows_one_line_each() {
    let found = refused(&with("priority 256\nprioroty 9"));

    let expected = "\
test.conf:5:10: error: `256` is not a priority; write a whole number from 1 to 255
test.conf:6:1: warning: `prioroty` is not a keyword; it is ignored; did you mean `priority`?";
    assert_eq!(found.to_string(), expected);
}

#[test]
fn programs_are_told_in_json() {
    let found = refused(&with("priority 256"));

    let expected = serde_json::json!([{
        "severity": "error",
        "file": "test.conf",
        "line": 5,
        "column": 10,
        "source": "priority 256",
        "message": "`256` is not a priority",
        "help": "write a whole number from 1 to 255",
    }]);
    assert_eq!(serde_json::to_value(&found).expect("plain data"), expected);
}

#[test]
fn a_long_line_is_cut_around_the_mark() {
    let line = format!("notify {} priority 256", "a".repeat(500));
    let found = refused(&with(&format!("{line}\nadvert_int {}", "9".repeat(500))));

    let place = found.iter().last().and_then(|found| found.place.clone()).expect("a place");
    assert_eq!((place.mark, place.width, place.source.chars().count()), (11, 109, 120));
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let found: Diagnostics = refused(&with("priority \x1b[2J\x07"));

    let shown = found.render(false);
    assert!(shown.contains("`\\u{1b}[2J\\u{7}` is not a priority"), "{shown}");
    assert!(!shown.contains(['\x1b', '\x07']), "{shown:?}");
}

#[test]
fn the_name_of_the_file_chooses_the_language() {
    for (name, help) in [
        ("a.toml", "[[instance]]"),
        ("a.TOML", "[[instance]]"),
        ("a.conf", "vrrp_instance"),
        ("toml", "vrrp_instance"),
    ] {
        let found = load_str(name, "").expect_err("nothing in it");
        assert!(found.to_string().contains(help), "{name}: {found}");
    }
}
