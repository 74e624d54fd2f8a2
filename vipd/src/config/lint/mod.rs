//! What a configuration says that is no mistake of its language, and yet is not what anybody wants: `vipd check`.

mod cloud;
mod drift;
mod failover;
mod priority;
mod script;
mod tracking;

use std::path::Path;

use super::diagnostic::{Diagnostics, Findings};
use super::model::Config;
use super::places::Places;
use super::source::Span;
use super::{Loaded, Origin};

pub use failover::{Failover, Outcome};

/// A configuration that is looked at, and where to report.
struct Linter<'l> {
    config: &'l Config,
    places: &'l Places,
    findings: &'l mut Findings,
}

impl Linter<'_> {
    fn new(loaded: &mut Loaded) -> Linter<'_> {
        let Loaded { config, origin: Origin { findings, places }, .. } = loaded;
        Linter { config, places, findings }
    }

    fn near(&self, path: &str) -> Span {
        self.places.near(path)
    }

    /// Where in the files a value stands, for a sentence: `lb2.conf:31`.
    fn place(&self, path: &str) -> String {
        let span = self.near(path);
        format!("{}:{}", self.findings.sources.name(span.start), self.findings.sources.line(span.start))
    }
}

impl Loaded {
    /// Looks at the configuration as it would run on a host whose files are found below `root`. What the other node must
    /// tell is left to [`compare`](Self::compare) where there `is_pair`.
    pub fn lint(&mut self, root: &Path, is_pair: bool) -> Diagnostics {
        let mut linter = Linter::new(self);
        linter.tracking(is_pair);
        linter.scripts(root);
        linter.cloud(root);
        linter.findings.finish()
    }

    /// Looks at what the configurations of two nodes are to each other: every drift that matters, in both files, and who
    /// is Master when something goes down.
    pub fn compare(&mut self, peer: &mut Self) -> (Diagnostics, Vec<Failover>) {
        let (mut own, mut other) = (Linter::new(self), Linter::new(peer));
        drift::compare(&mut own, &mut other);
        let failover = failover::compare(&mut own, &mut other);
        let mut found = own.findings.finish();
        found.extend(other.findings.finish());
        (found, failover)
    }
}
