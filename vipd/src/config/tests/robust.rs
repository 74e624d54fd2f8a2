//! No octets make the reader panic, whatever it says points into the file, and what it takes means the same in TOML
//! (promise 5, C-SEC-02).

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Diagnostics, load_str, to_toml};
use super::without_lines;

const SEEDS: &[&str] = &[
    include_str!("../../../../examples/lb1.conf"),
    include_str!("../../../../examples/lb2.conf"),
    include_str!("../../../../examples/lb1.toml"),
    EVERYTHING,
    include_str!("data/unicast_lb1.conf"),
    include_str!("data/active_active_lb1.conf"),
];
/// Much of what keepalived.conf can say.
const EVERYTHING: &str = "\
$NET=10.0.0
$BODY=\\
 priority ${PRIO}\\
 @lb1 nopreempt
$PRIO=90
global_defs {
notification_email { a@example.com b@example.com }
smtp_server 10.0.0.25 2525
script_user nobody
notify_fifo /run/f
vrrp_garp_interval 0.001
}
vrrp_script s {
script \"/bin/a 'b c' \\\"d\\\"\"
weight -20 reverse
}
vrrp_check h {
http http://127.0.0.1:80/health
timeout 0.5
}
track_file f {
file /f
init_file 5 overwrite
}
vrrp_track_process p {
process haproxy -f x
param_match initial
}
vrrp_sync_group G {
group { A }
track_interface { eth1 weight 5 }
}
static_ipaddress { ${NET}.200/24 dev eth0 }
webhook { url https://example.com/x
token Tr0ub4dor }
vrrp_instance A {
interface eth0
virtual_router_id 51
use_vmac
virtual_ipaddress {
~SEQ(N, 1, 3) ${NET}.${N}/24 dev eth0 label eth0:${N} no_track
}
$BODY
unicast_src_ip ${NET}.250
unicast_peer { ${NET}.251 min_ttl 250 }
virtual_routes { default via ${NET}.9 metric 5 }
virtual_rules { from ${NET}.0/24 table 7 priority 9 }
track_script { s weight -30
h }
track_file { f }
track_process { p }
fence { gateway ${NET}.9 }
notify \"/bin/n x\" nobody
notify_deleted
}
virtual_server ${NET}.1 80 {
real_server ${NET}.7 80 { }
}
";

/// Parts that files are made of, and that break them.
const PARTS: &[&str] = &[
    "{",
    "}",
    "\"",
    "'",
    "\\",
    "\\\n",
    "\n",
    "\r\n",
    " ",
    "#",
    "!",
    "$",
    "${",
    "$X=",
    "@",
    "~SEQ(",
    "\0",
    "\u{fffd}",
    "ä",
    "[[",
    "]]",
    "=",
    "\"\"\"",
    "'''",
    "vrrp_instance X {",
    "priority",
    "auth_pass",
    "10.0.0.1/24",
    "999999999999999999999",
    "-1",
    "0.01",
    "::1",
    "dev",
    "brd +",
    "weight -20",
    "${NET}",
    "~SEQ(A, 1, 3)",
    "@^lb1",
    "track_script { s }",
];

/// Reads the text both ways.
fn read_both_ways(octets: &[u8]) -> Result<(), TestCaseError> {
    let text = String::from_utf8_lossy(octets);
    for name in ["test.conf", "test.toml"] {
        match load_str(name, &text) {
            Ok(loaded) => {
                prop_assert!(!loaded.config.instances.is_empty());
                assert_pointed(&text, &loaded.warnings)?;
                let converted = to_toml(&loaded.config).expect("TOML can hold it");
                let again = load_str("again.toml", &converted);
                let again = again.map_err(|found| TestCaseError::fail(format!("{found}\n{converted}")))?;
                prop_assert_eq!(without_lines(again.config), without_lines(loaded.config), "{}", converted);
            }
            Err(found) => {
                prop_assert!(!found.is_empty(), "refused without a word");
                assert_pointed(&text, &found)?;
            }
        }
    }
    Ok(())
}

/// Every diagnostic names a place in the file, and its mark is on the line that is shown.
fn assert_pointed(text: &str, found: &Diagnostics) -> Result<(), TestCaseError> {
    let lines = text.matches('\n').count() + 1;
    for diagnostic in found {
        let place = diagnostic.place.as_ref().expect("the file was read");
        prop_assert!((1..=lines).contains(&place.line), "{}", diagnostic);
        prop_assert!(place.column >= 1 && place.width >= 1);
        prop_assert!(
            place.mark + place.width <= place.source.chars().count().max(place.mark) + 1,
            "{:?}",
            place
        );
        prop_assert!(!place.source.contains(char::is_control));
        prop_assert!(!diagnostic.message.contains(char::is_control) && !diagnostic.help.is_empty());
        prop_assert_eq!(diagnostic.to_string().lines().count(), 1);
        prop_assert!(diagnostic.render(true).lines().count() == 6);
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(octets in vec(any::<u8>(), 0..400)) {
        read_both_ways(&octets)?;
    }

    #[test]
    fn any_mix_of_parts_is_read_or_refused(parts in vec(select(PARTS), 0..60)) {
        read_both_ways(parts.concat().as_bytes())?;
        read_both_ways(parts.join(" ").as_bytes())?;
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(
        seed in select(SEEDS),
        cuts in vec((any::<prop::sample::Index>(), 0_usize..40, prop::option::of(select(PARTS))), 1..6),
    ) {
        let mut octets = seed.as_bytes().to_vec();
        for (at, length, part) in cuts {
            let start = at.index(octets.len() + 1);
            let end = (start + length).min(octets.len());
            octets.splice(start..end, part.unwrap_or_default().bytes());
        }
        read_both_ways(&octets)?;
    }
}

#[test]
fn a_hostile_file_is_refused_in_time() {
    for text in [
        "{".repeat(1 << 20),
        "a{".repeat(1 << 19),
        "}".repeat(1 << 20),
        "a{}".repeat(1 << 18),
        "${".repeat(1 << 19),
    ] {
        let found = load_str("test.conf", &text).expect_err("no configuration");
        assert!(found.len() <= 200, "{}", found.len());
    }
}
