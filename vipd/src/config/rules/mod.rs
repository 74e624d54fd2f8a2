//! The rules that need more than one value. None depends on the order of the file.

mod group;
mod instance;
mod unique;

use vipd_common::abi::MAX_INSTANCES;

use super::diagnostic::Findings;
use super::model::Config;
use super::places::Places;
use super::read::Language;
use super::source::Span;

/// What the rules look at, and where they report.
struct Judge<'j> {
    config: &'j Config,
    places: &'j Places,
    language: Language,
    findings: &'j mut Findings,
}

/// Judges a configuration as a whole. Values that were refused have no place, and are judged no further.
pub(super) fn check(config: &Config, places: &Places, language: Language, findings: &mut Findings) {
    if config.instances.is_empty() {
        let help = match language {
            Language::Keepalived => "add a `vrrp_instance NAME { ... }` block",
            Language::Toml => "add an `[[instance]]` table",
        };
        // Where one was refused, that is enough.
        if !places.refused("instance") {
            findings.error(Span::default(), "the file configures no virtual router", help);
        }
    }
    if config.instances.len() > MAX_INSTANCES as usize {
        let span = places.near(&format!("instance[{MAX_INSTANCES}]"));
        let message = format!("one agent runs at most {MAX_INSTANCES} virtual routers");
        findings.error(span, message, "leave the rest to other nodes");
    }
    let mut judge = Judge { config, places, language, findings };
    judge.unique();
    for index in 0..config.instances.len() {
        judge.instance(index);
    }
    for index in 0..config.sync_groups.len() {
        judge.group(index);
    }
}
