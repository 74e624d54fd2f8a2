//! The table at the end of the demo.

use std::time::Duration;

use super::story::{Chapter, Paint, show_holders};

/// Prints one line per chapter.
pub(super) fn print(chapters: &[Chapter], paint: Paint) {
    println!("\n{}", paint.bold("Summary (times in ms since the fault)"));
    println!(
        "{:<37} {:>13} {:>11} {:>12} {:>14} {:>9}  held by",
        "fault", "first advert", "first GARP", "first answer", "requests lost", "outage"
    );
    for chapter in chapters {
        let lost = format!("{} of {}", chapter.account.lost, chapter.account.sent);
        let line = format!(
            "{:<37} {:>13} {:>11} {:>12} {lost:>14} {:>9}  {}",
            chapter.fault.headline(),
            millis(chapter.advert),
            millis(chapter.claim),
            millis(chapter.answer),
            millis(Some(chapter.account.longest_outage)),
            show_holders(&chapter.holders),
        );
        println!("{}", if chapter.came { line } else { paint.bad(&line) });
    }
}

fn millis(span: Option<Duration>) -> String {
    span.map_or_else(
        || "-".to_owned(),
        |span| format!("{}.{}", span.as_millis(), span.as_micros() / 100 % 10),
    )
}
