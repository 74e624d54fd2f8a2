//! Configuration: keepalived.conf and TOML, read into one typed model.
//!
//! ```text
//! keepalived.conf ─ conf ─┐
//!                         ├─▶ Table ─ read ─▶ Config + Places ─ rules ─▶ Loaded
//! TOML ───────────── toml ┘                      │
//!                          convert: toml::write ◀┘
//! ```
//!
//! `conf` and `toml` know a language each and no meaning; `read` judges single values, `rules` what needs more than one
//! of them. Everything that is wrong is reported at once, with file, line, column and remedy, and no report holds a
//! password (C-SEC-07).
//!
//! Both languages have the same defaults, which are Keepalived's. Of keepalived.conf, what vipd does not act on is
//! reported and left out. It differs from Keepalived where that goes on with less than the file says:
//! docs/keepalived-differences.md lists it.

mod conf;
mod diagnostic;
mod lint;
mod model;
mod pending;
mod places;
mod read;
mod render;
mod rules;
mod secret;
mod source;
mod suggest;
#[cfg(test)]
mod tests;
mod toml;
mod tree;

use std::fs::File;
use std::io::Read;
use std::path::Path;

pub use diagnostic::{Diagnostic, Diagnostics, Place, Severity};
pub use lint::{Failover, Outcome};
pub use model::{
    Account, Check, Checksum, Command, Config, Datapath, Deleted, Family, Fence, Fifo, FileInit, FileTracker,
    Garp, HttpProbe, Instance, Mail, Notify, Parameters, Password, Peer, Prefix, Probe, ProcessTracker,
    Route, RouteKind, Rule, RuleAction, Secret, StartState, StaticAddress, SyncGroup, Tracked, Trackers,
    VirtualAddress, Vmac, Webhook, WebhookFormat, Weight, places,
};

pub use toml::{schema, to_toml};

use diagnostic::Findings;
use places::Places;
use read::Language;

/// Most octets that are read, all files together; 1024 virtual routers need a tenth of it.
const SIZE_MAX: usize = 4 << 20;

/// A configuration that can be used.
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What in the file is not acted on, or probably not meant so.
    pub warnings: Diagnostics,
    /// Where its values stand.
    origin: Origin,
}

/// The files of a configuration, and where its values stand in them.
struct Origin {
    findings: Findings,
    places: Places,
}

/// The texts of the files hold secrets.
impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("config", &self.config)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// Reads the file at `path`: TOML where its name ends in `.toml`, keepalived.conf otherwise. Lines for certain hosts
/// (`@host`) count as they do on the node called `host`.
///
/// # Errors
/// Everything that is wrong with the file, warnings included, if anything in it is an error or it cannot be read.
pub fn load(path: &Path, host: &str) -> Result<Loaded, Diagnostics> {
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
    read_text(&name, &String::from_utf8_lossy(&octets), host)
}

/// Reads `text` as the content of a file called `name`: TOML where `name` ends in `.toml`, keepalived.conf otherwise.
///
/// # Errors
/// As [`load`].
pub fn load_str(name: &str, text: &str) -> Result<Loaded, Diagnostics> {
    read_text(name, text, &host_name())
}

fn read_text(name: &str, text: &str, host: &str) -> Result<Loaded, Diagnostics> {
    let mut findings = Findings::default();
    let start = findings.sources.add(name, text);
    let is_toml = Path::new(name).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let (table, language) = if is_toml {
        (toml::read(start, &mut findings), Language::Toml)
    } else {
        (conf::read(name, start, host, &mut findings), Language::Keepalived)
    };
    let Some(table) = table else { return Err(findings.finish()) };
    pending::report(&table, &mut findings);
    let (config, places) = read::read(&table, language, &mut findings);
    rules::check(&config, &places, language, &mut findings);
    let failed = findings.failed();
    let warnings = findings.finish();
    if failed {
        return Err(warnings);
    }
    Ok(Loaded { config, warnings, origin: Origin { findings, places } })
}

/// This host's name up to the first point, as Keepalived has it; empty where the kernel does not tell.
#[must_use]
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    name.trim().split('.').next().unwrap_or_default().to_owned()
}
