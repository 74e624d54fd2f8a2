//! `vipd check`, `vipd convert` and `vipd schema` as people and scripts use them: exit codes, JSON, and no password but where
//! it is asked for.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;
use vipd_tests::vipd_binary;

use super::{accepted, fixtures};

fn vipd(arguments: &[&str]) -> Output {
    let binary = vipd_binary().expect("built");
    Command::new(binary).args(arguments).output().expect("it runs")
}

fn guide(name: &str) -> String {
    fixtures("guide").join(name).display().to_string()
}

fn sample(name: &str) -> String {
    fixtures("keepalived").join(name).display().to_string()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn exit_codes_tell_fine_files_from_warnings_and_from_errors() {
    let (lb1, lb2) = (guide("lb1.conf"), guide("lb2.conf"));
    let (minimal, unknown, bad) =
        (sample("minimal.conf"), sample("unknown_keyword.conf"), sample("bad_priority.conf"));
    let doubled = sample("duplicate_peer.conf");
    for (arguments, code, words) in [
        (vec!["check", &minimal], 0, "usable, 0 warning(s)"),
        (vec!["check", "--strict", &minimal], 0, "usable, 0 warning(s)"),
        (vec!["check", &doubled], 0, "usable, 1 warning(s)"),
        (vec!["check", "--strict", &doubled], 1, "already listed on line 8"),
        (vec!["check", &unknown], 0, "did you mean `priority`?"),
        (vec!["check", "--strict", &unknown], 2, "error: `prioroty` is not a keyword"),
        (vec!["check", &bad], 2, "`300` is not a priority"),
        (vec!["check", &bad, "--peer", &minimal], 2, "refused"),
        (vec!["check", &minimal, "--peer", &bad], 2, "`300` is not a priority"),
        (vec!["check", &lb1, "--peer", &lb2], 0, "check `chk_haproxy` down on LB1  90   100  LB2"),
        (vec!["check", &minimal, "--peer", &sample("version_3.conf")], 2, "version is 2 here and 3 there"),
        (vec!["check", "/nonexistent.conf"], 2, "cannot read"),
        (vec!["check", &sample("conditions.conf"), "--host", "lb1"], 0, "priority 110"),
        (vec!["check", &sample("conditions.conf"), "--host", "lb2"], 0, "priority 100"),
        (vec!["convert", &bad], 2, "`300` is not a priority"),
    ] {
        let output = vipd(&arguments);
        let said = said(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}\n{said}");
        assert!(said.contains(words), "{arguments:?}: no {words:?} in\n{said}");
        assert!(!said.contains("MySecret") && !said.contains('\x1b'), "{arguments:?}\n{said}");
    }
}

#[test]
fn one_file_for_both_nodes_is_compared_as_each_of_them_reads_it() {
    let both = sample("conditions.conf");

    let output = vipd(&["check", &both, "--host", "lb1", "--peer", &both, "--peer-host", "lb2", "--json"]);

    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(told["failover"][0]["outcomes"][0]["priorities"], serde_json::json!([110, 100]));
}

#[test]
fn programs_are_told_in_json() {
    let output = vipd(&["check", "--json", &sample("bad_priority.conf")]);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((told["usable"].as_bool(), output.status.code()), (Some(false), Some(2)));
    let finding = &told["findings"][0];
    assert_eq!(
        (finding["severity"].as_str(), finding["line"].as_u64(), finding["column"].as_u64()),
        (Some("error"), Some(7), Some(14))
    );
    assert!(output.stderr.is_empty(), "{}", said(&output));

    let output = vipd(&["check", "--json", &guide("lb1.conf"), "--peer", &guide("lb2.conf")]);
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["failover"][0]["nodes"], serde_json::json!(["LB1", "LB2"]));
    assert_eq!(told["failover"][0]["outcomes"][1]["master"], "LB2");
    assert!(!told.to_string().contains("MySecret"));
}

#[test]
fn converted_files_are_read_back_as_the_same_and_hold_the_password() {
    let output = vipd(&["convert", &guide("lb1.conf")]);

    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let toml = String::from_utf8(output.stdout).expect("UTF-8");
    let mut converted = accepted("lb1.toml", &toml).config;
    let mut original =
        accepted("lb1.conf", &fs::read_to_string(guide("lb1.conf")).expect("a fixture")).config;
    for config in [&mut converted, &mut original] {
        config.instances[0].line = 0;
    }
    assert_eq!(converted, original);
    assert!(toml.contains("auth_pass = \"MySecret\""), "{toml}");
}

#[test]
fn the_schema_is_printed() {
    let output = vipd(&["schema"]);
    let schema: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(schema["title"], "Configuration of vipd");
}
