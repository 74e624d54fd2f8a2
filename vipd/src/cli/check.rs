//! `vipd check`.

use std::path::Path;
use std::process::ExitCode;

use anstream::{eprintln, println};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::json;

use super::exit;
use crate::config::{self, Config, Diagnostics, Failover, Loaded, Outcome};
use crate::datapath::version_number;

/// What is known of the files.
struct Checked {
    /// The configuration, if it can be used.
    config: Option<Config>,
    found: Diagnostics,
    failover: Vec<Failover>,
}

impl super::Check {
    pub(super) fn execute(self) -> ExitCode {
        let Checked { config, mut found, failover } = self.look();
        found.sort();
        if self.strict {
            found = found.strict();
        }
        if self.json {
            let (file, usable) = (&self.config, config.is_some());
            println!(
                "{}",
                json!({ "file": file, "usable": usable, "findings": found, "failover": failover })
            );
        } else {
            self.tell(config.as_ref(), &found, &failover);
        }
        match found.has_errors() {
            true => ExitCode::from(exit::CONFIG),
            false if self.strict && !found.is_empty() => ExitCode::from(exit::FAILED),
            false => ExitCode::SUCCESS,
        }
    }

    fn look(&self) -> Checked {
        let host = self.host.clone().unwrap_or_else(config::host_name);
        let own = config::load(&self.config, &host);
        let peer_host = self.peer_host.as_deref().unwrap_or(&host);
        let peer = self.peer.as_deref().map(|path| config::load(path, peer_host));
        let mut failover = Vec::new();
        let (config, found) = match (own, peer) {
            (Ok(mut own), None) => {
                let found = alone(&mut own, false);
                (Some(own.config), found)
            }
            (Ok(mut own), Some(Ok(mut peer))) => {
                let mut found = alone(&mut own, true);
                let (drift, outcomes) = own.compare(&mut peer);
                found.extend(drift);
                failover = outcomes;
                (Some(own.config), found)
            }
            (Ok(mut own), Some(Err(refused))) => {
                let mut found = alone(&mut own, true);
                found.extend(refused);
                (Some(own.config), found)
            }
            (Err(mut found), Some(Err(refused))) => {
                found.extend(refused);
                (None, found)
            }
            (Err(found), _) => (None, found),
        };
        Checked { config, found, failover }
    }

    fn tell(&self, config: Option<&Config>, found: &Diagnostics, failover: &[Failover]) {
        for finding in found {
            // The stream drops the colours where nobody can see them.
            eprintln!("{}", finding.render(true));
        }
        let file = self.config.display();
        let Some(config) = config else {
            eprintln!("{file}: refused");
            return;
        };
        let (errors, warnings) = found.counts();
        let errors = if errors == 0 { String::new() } else { format!("{errors} error(s), ") };
        println!("{file}: usable, {errors}{warnings} warning(s)");
        for instance in &config.instances {
            println!(
                "  {}: interface {}, VRID {}, VRRPv{}, priority {}, an advert every {} ms, {} address(es)",
                instance.name,
                instance.interface,
                instance.vrid,
                version_number(instance.version),
                instance.priority,
                instance.interval.as_duration().as_millis(),
                instance.addresses.len()
            );
        }
        for table in failover {
            println!("\nWho is MASTER of {}:\n{}", table.instance, render(table));
        }
    }
}

/// What is found in one configuration alone.
fn alone(loaded: &mut Loaded, is_pair: bool) -> Diagnostics {
    let mut found = loaded.warnings.clone();
    found.extend(loaded.lint(Path::new("/"), is_pair));
    found
}

/// The table of who is Master when.
fn render(failover: &Failover) -> String {
    let mut table = Table::new();
    let [first, second] = &failover.nodes;
    table.load_style(NOTHING);
    table.set_header(["Scenario", first, second, "MASTER"]);
    for Outcome { scenario, priorities, master, because } in &failover.outcomes {
        let [one, two] = priorities
            .map(|priority| priority.map_or_else(|| "FAULT".to_owned(), |priority| priority.to_string()));
        let master = master.as_deref().unwrap_or("-");
        let result = because.map_or_else(|| master.to_owned(), |because| format!("{master} ({because})"));
        table.add_row([scenario, &one, &two, &result]);
    }
    table.trim_fmt()
}
