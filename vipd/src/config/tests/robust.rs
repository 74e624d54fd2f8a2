//! No octets make the reader panic, and whatever it says points into the file (promise 5, C-SEC-02).

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Diagnostics, load_str};

const SEEDS: &[&str] = &[
    include_str!("../../../../examples/lb1.conf"),
    include_str!("../../../../examples/lb2.conf"),
    include_str!("../../../../examples/lb1.toml"),
    include_str!("data/rendered_template.conf"),
    include_str!("data/unicast_lb1.conf"),
    include_str!("data/active_active_lb1.conf"),
];
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
];

/// Reads the text both ways.
fn read_both_ways(octets: &[u8]) -> Result<(), TestCaseError> {
    let text = String::from_utf8_lossy(octets);
    for name in ["test.conf", "test.toml"] {
        match load_str(name, &text) {
            Ok(loaded) => {
                prop_assert!(!loaded.config.instances.is_empty());
                assert_pointed(&text, &loaded.warnings)?;
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
        prop_assert!(diagnostic.render(true).lines().count() == 5);
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
