//! What `vipd convert` writes and what the examples hold is valid by `vipd schema`, as a validator that others wrote
//! sees it; and a file that vipd refuses for a key is not.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use vipd::config::{schema, to_toml};

use super::{accepted, fixtures, python};

/// What a validator finds in each of these TOML files.
fn findings(files: &[(String, String)]) -> Vec<(String, Vec<String>)> {
    let program = "import json, sys, tomllib\n\
        from jsonschema import Draft202012Validator\n\
        given = json.load(sys.stdin)\n\
        Draft202012Validator.check_schema(given['schema'])\n\
        validator = Draft202012Validator(given['schema'])\n\
        found = [[name, [error.message for error in validator.iter_errors(tomllib.loads(text))]] for name, text in given['files']]\n\
        json.dump(found, sys.stdout)\n";
    let found = python(program, &json!({ "schema": schema(), "files": files }).to_string());
    let found: Value = serde_json::from_str(&found).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let list = found.as_array().expect("a list").iter();
    list.map(|one| (text(&one[0]), one[1].as_array().expect("a list").iter().map(text).collect())).collect()
}

#[test]
fn converted_files_and_examples_are_valid() {
    let mut files = Vec::new();
    for name in ["lb1.conf", "lb2.conf", "unicast_lb1.conf"] {
        let loaded = accepted(name, &fs::read_to_string(fixtures("guide").join(name)).expect("a fixture"));
        files.push((name.to_owned(), to_toml(&loaded.config).expect("TOML")));
    }
    for entry in fs::read_dir(fixtures("keepalived")).expect("fixtures") {
        let path = entry.expect("a file").path();
        if let Ok(loaded) = vipd::config::load(&path, "lb1") {
            files.push((path.display().to_string(), to_toml(&loaded.config).expect("TOML")));
        }
    }
    for name in ["lb1.toml", "lb2.toml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        files.push((name.to_owned(), fs::read_to_string(path).expect("an example")));
    }

    for (name, found) in findings(&files) {
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

/// Everything that Keepalived and vipd both take is the same in the other language.
#[test]
fn converted_files_are_read_back_as_the_same() {
    let guide = ["lb1.conf", "lb2.conf", "unicast_lb1.conf", "unicast_lb2.conf"]
        .map(|name| fixtures("guide").join(name));
    let samples =
        fs::read_dir(fixtures("keepalived")).expect("fixtures").map(|entry| entry.expect("a file").path());
    let mut count = 0;
    for path in guide.into_iter().chain(samples) {
        let Ok(loaded) = vipd::config::load(&path, "lb1") else { continue };
        let text = to_toml(&loaded.config).expect("TOML");
        let [mut original, mut converted] = [loaded.config, accepted("converted.toml", &text).config];
        for config in [&mut original, &mut converted] {
            config.instances.iter_mut().for_each(|instance| instance.line = 0);
            config.sync_groups.iter_mut().for_each(|group| group.line = 0);
        }
        assert_eq!(original, converted, "{}\n{text}", path.display());
        count += 1;
    }
    assert!(count > 40, "only {count} files");
}

#[test]
fn what_is_no_key_or_of_another_type_is_not_valid() {
    let plain = "[[instance]]\nname = 'a'\ninterface = 'eth0'\nvirtual_router_id = 1\nvirtual_ipaddress = ['10.0.0.1']\n";
    let broken = [
        ("an unknown key", "prioroty = 5"),
        ("text for a number", "priority = '5'"),
        ("a number for a list", "unicast_peer = 5"),
        ("an unknown word", "state = 'LEADER'"),
        ("an unknown key deeper", "fence = { gatway = '10.0.0.9' }"),
    ];
    let mut files = vec![("plain".to_owned(), plain.to_owned())];
    files.extend(broken.iter().map(|(name, line)| ((*name).to_owned(), format!("{plain}{line}\n"))));
    files.push(("no interface".to_owned(), plain.replace("interface = 'eth0'\n", "")));

    for (name, found) in findings(&files) {
        assert_eq!(found.is_empty(), name == "plain", "{name}: {found:?}");
    }
}
