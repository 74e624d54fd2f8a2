//! The guide's "Failover Timeline", and what was measured here beside it.

use vipd_tests::{Line, Moment};

use super::story::{Chapter, millis};

/// What a node says of the first, the second and the third check that finds HAProxy gone: vipd, and Keepalived where it says
/// anything.
const CHECKS: [(&str, &str, &[&str]); 3] = [
    ("T+2s", "the first check fails", &["chk_haproxy: exit code 1; 2 more", "`chk_haproxy` now returning 1"]),
    ("T+4s", "the second check fails", &["chk_haproxy: exit code 1; 1 more"]),
    (
        "T+6s",
        "the third one counts: priority below lb2",
        &["check chk_haproxy failed", "(chk_haproxy) failed"],
    ),
];
/// The only check of the built-in kind.
const BUILT_IN: (&str, &str, &[&str]) = ("", "the end of HAProxy is seen", &["check haproxy failed"]);

/// Prints it for a chapter in which HAProxy died at `struck`, from what the first node has logged.
pub(super) fn print(chapter: &Chapter, struck: Option<Moment>, log: &[Line]) {
    let Some(struck) = struck else { return };
    let since = || log.iter().filter(|line| line.at >= struck);
    let told = |words: &[&str]| {
        let line = since().find(|line| words.iter().any(|word| line.text.contains(word)));
        line.map(|line| line.at.since(struck))
    };
    println!("  The guide's timeline:                                   guide            here");
    let checks = CHECKS.iter().chain([&BUILT_IN]).map(|(guide, event, words)| (*guide, *event, told(words)));
    let (built_in, guides): (Vec<_>, Vec<_>) = checks.partition(|(guide, ..)| guide.is_empty());
    let seen = if built_in[0].2.is_some() { built_in } else { guides };
    let rest = [
        ("T+7s", "lb2 waits no longer: its first advert", chapter.advert),
        ("T+8s", "lb2 sends gratuitous ARP, claims the address", chapter.claim),
        ("T+8s", "lb2 serves: the first good answer", chapter.answer),
    ];
    for (guide, event, at) in seen.into_iter().chain(rest) {
        println!("    {event:<52}{guide:>5}  {:>14}", at.map_or_else(|| "-".to_owned(), millis));
    }
}
