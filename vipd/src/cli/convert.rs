//! `vipd convert` and `vipd schema`.

use std::process::ExitCode;

use anstream::{eprintln, println};

use super::exit;
use crate::config;

impl super::Convert {
    pub(super) fn execute(self) -> ExitCode {
        let host = self.host.unwrap_or_else(config::host_name);
        let loaded = match config::load(&self.config, &host) {
            Ok(loaded) => loaded,
            Err(found) => {
                eprintln!("{}", found.render(true));
                return ExitCode::from(exit::CONFIG);
            }
        };
        match config::to_toml(&loaded.config) {
            Ok(text) => {
                eprintln!("{}", loaded.warnings.render(true));
                println!("{}", text.trim_end());
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{}: TOML cannot hold this configuration: {error}", self.config.display());
                ExitCode::from(exit::FAILED)
            }
        }
    }
}

/// Prints the JSON schema of the TOML form.
pub(super) fn schema() -> ExitCode {
    println!("{:#}", config::schema());
    ExitCode::SUCCESS
}
