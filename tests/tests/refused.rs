//! `vipd check` refuses what cannot work, at its line and with a remedy.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use vipd_tests::vipd_binary;

/// Whole files, so that a case can spoil any line: what is put in, in place of what, in the file `USABLE`.
const USABLE: &str = "\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 100
    advert_int 1
    virtual_ipaddress {
        192.168.1.100/24
    }
}
";

/// Checks a file; its exit code and what it says.
fn check(name: &str, text: &str) -> (Option<i32>, String) {
    let path = std::env::temp_dir().join(format!("vipd-check-{}-{name}.conf", std::process::id()));
    fs::write(&path, text).expect("write");
    let output = Command::new(vipd_binary().expect("built")).arg("check").arg(&path).output().expect("vipd");
    fs::remove_file(&path).expect("remove");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
    )
}

/// Another instance, which is told apart from the first by these lines.
fn second(lines: &str, address: &str) -> String {
    format!("vrrp_instance VI_2 {{\n{lines}\n    virtual_ipaddress {{\n        {address}\n    }}\n}}\n")
}

/// The rule, what is written in place of which line, on which line of the file it is refused, and a word of the sentence.
///
/// C-PKT-07, C-PKT-08, C-AUTH-04, C-AUTH-05, C-FSM-17, C-UNI-01
#[test]
fn promise_5_wrong_combinations_are_refused_with_line_and_remedy() {
    let v3 = "    version 3\n    advert_int";
    let mut many = String::from("    virtual_ipaddress {\n");
    for n in 0..256 {
        writeln!(many, "        10.0.{}.{}/24", n / 250, n % 250 + 1).expect("a string");
    }
    let pass = "    authentication {\n        auth_type PASS\n        auth_pass secret\n    }\n";
    let ah = pass.replace("PASS", "AH");
    let replaced = |old: &str, new: &str| {
        assert!(USABLE.contains(old), "{old}");
        USABLE.replace(old, new)
    };
    let cases = [
        ("priority-0", replaced("priority 100", "priority 0"), 4, "priority"),
        ("priority-256", replaced("priority 100", "priority 256"), 4, "priority"),
        ("v2-interval-0", replaced("advert_int 1", "advert_int 0"), 5, "advert_int"),
        ("v2-interval-256", replaced("advert_int 1", "advert_int 256"), 5, "255"),
        ("v2-interval-half", replaced("advert_int 1", "advert_int 0.5"), 5, "whole seconds"),
        ("v3-interval-too-long", replaced("    advert_int 1", &format!("{v3} 41")), 6, "40.95"),
        ("v3-interval-too-fine", replaced("    advert_int 1", &format!("{v3} 0.005")), 6, "0.01"),
        ("vrid-0", replaced("virtual_router_id 51", "virtual_router_id 0"), 3, "255"),
        ("vrid-256", replaced("virtual_router_id 51", "virtual_router_id 256"), 3, "255"),
        (
            "v2-with-ipv6",
            replaced("192.168.1.100/24", "fe80::1/64")
                .replace("    advert_int", "    version 2\n    advert_int"),
            5,
            "IPv6",
        ),
        ("v3-with-password", replaced("    advert_int 1", &format!("{pass}{v3} 1")), 7, "version 3"),
        ("auth-ah", replaced("    advert_int 1\n", &format!("{ah}    advert_int 1\n")), 6, "AH"),
        (
            "256-addresses",
            replaced("    virtual_ipaddress {\n        192.168.1.100/24\n", &many),
            262,
            "255 addresses",
        ),
        (
            "vrid-twice",
            USABLE.to_owned() + &second("    interface eth0\n    virtual_router_id 51", "192.168.1.101/24"),
            12,
            "51",
        ),
        (
            "address-twice",
            USABLE.to_owned() + &second("    interface eth0\n    virtual_router_id 52", "192.168.1.100/24"),
            14,
            "192.168.1.100",
        ),
        (
            "itself-as-peer",
            replaced(
                "    advert_int 1\n",
                "    unicast_src_ip 192.168.1.10\n    unicast_peer {\n        192.168.1.10\n    }\n",
            ),
            7,
            "unicast_src_ip",
        ),
        ("no-peer", replaced("    advert_int 1\n", "    unicast_peer {\n    }\n"), 5, "unicast_peer"),
    ];
    assert_eq!(check("usable", USABLE).0, Some(0));
    for (name, text, line, word) in cases {
        let (code, said) = check(name, &text);

        assert_eq!(code, Some(2), "{name}: {said}");
        let refused = said.lines().find(|text| text.contains(&format!("{name}.conf:{line}:")));
        assert!(refused.is_some(), "{name}: line {line} is not named in\n{said}");
        assert!(said.contains(word), "{name}: no {word:?} in\n{said}");
    }
}
