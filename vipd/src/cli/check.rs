//! `vipd check`.

use std::process::ExitCode;

use anstream::{eprintln, println};
use serde_json::json;

use super::exit;
use crate::config::{self, Config, Diagnostics};
use crate::datapath::version_number;

impl super::Check {
    pub(super) fn execute(self) -> ExitCode {
        let (config, found) = match config::load(&self.config) {
            Ok(loaded) => (Some(loaded.config), loaded.warnings),
            Err(found) => (None, found),
        };
        if self.json {
            println!("{}", json!({ "file": self.config, "usable": config.is_some(), "findings": found }));
        } else {
            self.tell(config.as_ref(), &found);
        }
        match config {
            None => ExitCode::from(exit::CONFIG),
            Some(_) if self.strict && !found.is_empty() => ExitCode::from(exit::FAILED),
            Some(_) => ExitCode::SUCCESS,
        }
    }

    fn tell(&self, config: Option<&Config>, found: &Diagnostics) {
        for finding in found {
            // The stream drops the colours where nobody can see them.
            eprintln!("{}\n", finding.render(true));
        }
        let file = self.config.display();
        let Some(config) = config else {
            eprintln!("{file}: refused");
            return;
        };
        println!("{file}: usable, {} warning(s)", found.len());
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
    }
}
