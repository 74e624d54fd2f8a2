//! No password reaches a diagnostic, in any form of it, whatever else is wrong with the file (C-SEC-07).

use super::super::{Diagnostics, load_str};

const SECRET: &str = "Tr0ub4dor";

/// Everything that is said of a file, in every form.
fn said(name: &str, text: &str) -> String {
    let (found, config) = match load_str(name, text) {
        Ok(loaded) => {
            let shown = format!("{loaded:?}");
            (loaded.warnings, shown)
        }
        Err(found) => (found, String::new()),
    };
    forms(&found) + &config
}

fn forms(found: &Diagnostics) -> String {
    let json = serde_json::to_string(found).expect("diagnostics are plain data");
    format!("{found}\n{}\n{}\n{json}\n{found:?}", found.render(false), found.render(true))
}

#[track_caller]
fn assert_silent(name: &str, text: &str) {
    let said = said(name, text);
    assert!(!said.is_empty() && !said.contains("Tr0ub"), "{name}:\n{text}\n{said}");
}

#[test]
fn a_password_in_keepalived_conf_is_never_said() {
    for authentication in [
        "auth_type PASS\nauth_pass Tr0ub4dor",
        "auth_type PASS\nauth_pass \"Tr0ub4dor\"",
        "auth_type PASS\nauth_pass 'Tr0ub4dor'",
        "auth_type PASS\nauth_pass\"Tr0ub4dor\"",
        "auth_type PASS auth_pass Tr0ub4dor",
        "auth_type PASS\nauth_pass x Tr0ub4dor y",
        "auth_type PASS\nauth_pass x\nauth_pass Tr0ub4dor",
        "auth_type PASS\nauth_pass\nTr0ub4dor",
        "auth_type PASS\nauth_pass\n\"Tr0ub4dor",
        "auth_type PASS\nauth_pass \"Tr0ub4dor",
        "auth_type PASS\nauth_pass Tr0ub4dor#x",
        "auth_type PASS\nauth_pass Tr0ub4dor {",
        "auth_type PASS\nauth_pass { Tr0ub4dor }",
        "auth_type PASS\nauth_pass=Tr0ub4dor",
        "auth_type PASS\nauth_pass = Tr0ub4dor",
        "auth_type PASS\nauth_pas Tr0ub4dor",
        "auth_type PASS\nauht_pass Tr0ub4dor",
        "auth_type PASS\npassword Tr0ub4dor",
        "auth_type PASS\nTr0ub4dor",
        "auth_type AH\nauth_pass Tr0ub4dor",
        "auth_pass Tr0ub4dor",
        "} auth_pass Tr0ub4dor {",
        "} }\nauth_pass Tr0ub4dor\n{ {",
        "} auth_pass=Tr0ub4dor\nx {",
        "} auth_hmac { key 1 Tr0ub4dor }\nx {",
        "} auth_hmac {\nkey 1 Tr0ub4dor\nactive_key \"\n}\nx {",
        "} track_script { a } auth_pass Tr0ub4dor\nx {",
        "} priority 300 # auth_pass Tr0ub4dor\nx {",
    ] {
        for version in ["2", "3"] {
            let text = format!(
                "vrrp_instance VI_1 {{\nversion {version}\ninterface eth0\nvirtual_router_id 300\nauthentication {{\n{authentication}\n}}\nvirtual_ipaddress {{ 10.0.0.1 }}\n}}\n"
            );
            assert!(text.contains(SECRET));
            assert_silent("test.conf", &text);
        }
    }
}

#[test]
fn a_password_that_a_definition_puts_in_is_never_said() {
    for (definitions, lines) in [
        ("$P=Tr0ub4dor", "auth_type PASS\nauth_pass $P"),
        ("$P=${Q}\n$Q=Tr0ub4dor", "auth_type PASS\nauth_pass ${P}"),
        ("$P=Tr0ub4dor {", "auth_type PASS\nauth_pass ${P}"),
        ("$P=Tr0ub4dor", "auth_type PASS\nauth_pas $P"),
        ("$P=\\\nauth_pass Tr0ub4dor 300\\\nauth_pass", "auth_type PASS\n$P"),
        ("$P=Tr0ub4dor#", "auth_type PASS\nauth_pass \"$P"),
        ("$P=auth_pass Tr0ub4dor\n$Q=priority 300", "auth_type PASS\n$P"),
    ] {
        let text = format!(
            "{definitions}\nvrrp_instance VI_1 {{\nversion 3\ninterface eth0\nvirtual_router_id 300\nauthentication {{\n{lines}\n}}\n}}\n"
        );
        assert_silent("test.conf", &text);
    }
}

#[test]
fn what_lets_events_in_is_never_said() {
    let instance = super::with("priority 300");
    for lines in [
        "url https://example.com/Tr0ub4dor\ntoken Tr0ub4dor",
        "url \"gopher://Tr0ub4dor\"",
        "url Tr0ub4dor x\ntoken",
        "url https://a/\ntokn Tr0ub4dor",
        "url https://a/\ntoken \"Tr0ub4dor",
        "url https://a/\nformat x Tr0ub4dor token",
    ] {
        for instance in [&instance, &super::with("")] {
            assert_silent("test.conf", &format!("webhook {{\n{lines}\n}}\n{instance}"));
        }
    }
    for lines in [
        "url = 'https://example.com/Tr0ub4dor'\ntoken = 'Tr0ub4dor'",
        "url = 'x Tr0ub4dor'",
        "token = ['Tr0ub4dor']",
    ] {
        assert_silent("test.toml", &format!("[[webhook]]\n{lines}\n"));
    }
}

#[test]
fn a_password_in_toml_is_never_said() {
    for line in [
        "auth_pass = \"Tr0ub4dor\"",
        "auth_pass = 'Tr0ub4dor'",
        "auth_pass = \"\"\"\nTr0ub4dor\n\\q\"\"\"",
        "auth_pass = '''Tr0ub4dor\nTr0ub4dor",
        "\"auth_pass\" = \"\"\"\nTr0ub4dor\\q",
        "\"auth_p\\u0061ss\" = \"Tr0ub4dor\"",
        "auth_pass = [\"Tr0ub4dor\"]",
        "auth_pass = [\n\"Tr0ub4dor\", \\ ]",
        "auth_pass = Tr0ub4dor",
        "auth_pass \"Tr0ub4dor\"",
        "auth_pas = \"Tr0ub4dor\"",
        "auth-pass = \"Tr0ub4dor\"",
        "password = \"Tr0ub4dor\"",
        "auth_pass = \"Tr0ub4dor\" priority = 300",
        "auth_pass = \"Tr0ub4dor",
    ] {
        let text = format!(
            "[[instance]]\nname = \"VI_1\"\ninterface = \"eth0\"\nvirtual_router_id = 300\nversion = 3\n{line}\nvirtual_ipaddress = [\"10.0.0.1\"]\n"
        );
        assert!(text.contains(SECRET));
        assert_silent("test.toml", &text);
    }
}

#[test]
fn the_line_of_a_password_is_shown_with_the_password_masked() {
    let text = super::with("authentication {\nauth_type PASS\nauth_pass  Tr0ub4dor\n}\npriority 300");

    let found = super::refused(&text);

    let lines: Vec<&str> =
        found.iter().filter_map(|found| Some(found.place.as_ref()?.source.as_str())).collect();
    assert_eq!(lines, ["auth_pass  ***", "priority 300"]);
}
