//! Configuration: keepalived.conf and TOML, read into one typed model.
//!
//! ```text
//! keepalived.conf ─ lex ─ tree ─ keepalived ─┐
//!                                            ├─ draft ─ check ─▶ Config
//! TOML ────────────────── toml ──────────────┘
//! ```
//!
//! The draft holds single values that have been checked by `values`, with their places; `check` and `unique` judge what
//! needs more than one of them. Everything that is wrong is reported at once, with line, column and remedy, and no
//! report holds a password (C-SEC-07).
//!
//! Both languages have the same defaults, which are Keepalived's. Of keepalived.conf, what vipd does not act on is
//! reported and left out. It differs from Keepalived where that goes on with less than the file says: values out of
//! range, sub-second intervals in version 2, passwords in version 3 and the like are refused.

mod check;
mod diagnostic;
mod draft;
mod keepalived;
mod keywords;
mod lex;
mod model;
mod pending;
mod render;
mod secret;
mod source;
mod suggest;
#[cfg(test)]
mod tests;
mod toml;
mod tree;
mod unique;
mod unused;
mod values;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub use model::{
    Account, Check, Checksum, Command, Config, Datapath, Deleted, Family, Fence, Fifo, FileInit, FileTracker,
    Garp, HttpProbe, Instance, Mail, Notify, Parameters, Password, Peer, Prefix, Probe, ProcessTracker,
    Route, RouteKind, Rule, RuleAction, Secret, StartState, StaticAddress, SyncGroup, Tracked, Trackers,
    VirtualAddress, Vmac, Webhook, WebhookFormat, Weight,
};

use diagnostic::Findings;

/// Largest file that is read, in octets; 1024 virtual routers need a tenth of it.
const SIZE_MAX: usize = 4 << 20;

/// A configuration that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What in the file is not acted on, or probably not meant so.
    pub warnings: Diagnostics,
}

/// Reads the file at `path`: TOML where its name ends in `.toml`, keepalived.conf otherwise.
///
/// # Errors
/// Everything that is wrong with the file, warnings included, if anything in it is an error or it cannot be read.
pub fn load(path: &Path) -> Result<Loaded, Diagnostics> {
    let name = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        let help = "name a file that exists and that this user may read";
        Diagnostics::unreadable(&name, format!("cannot read the configuration: {error}"), help)
    };
    let mut octets = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(SIZE_MAX as u64 + 1).read_to_end(&mut octets).map_err(unreadable)?;
    if octets.len() > SIZE_MAX {
        let message = format!("the file is larger than {} MiB", SIZE_MAX >> 20);
        return Err(Diagnostics::unreadable(&name, message, "name the configuration file"));
    }
    // Both languages refuse the sign that this puts in, keepalived.conf not where it stands in a comment.
    load_str(&name, &String::from_utf8_lossy(&octets))
}

/// Reads `text` as the content of a file called `name`: TOML where `name` ends in `.toml`, keepalived.conf otherwise.
///
/// # Errors
/// As [`load`].
pub fn load_str(name: &str, text: &str) -> Result<Loaded, Diagnostics> {
    let mut findings = Findings::new(text);
    let is_toml = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let draft = if is_toml { toml::read(&mut findings) } else { keepalived::read(&mut findings) };
    let config = draft.map(|draft| check::check(&draft, &mut findings));
    let failed = findings.failed();
    let found = findings.finish(name);
    match config {
        Some(config) if !failed => Ok(Loaded { config, warnings: found }),
        _ => Err(found),
    }
}
