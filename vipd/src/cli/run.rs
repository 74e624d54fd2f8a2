//! `vipd run`.

use std::process::ExitCode;

use anstream::eprintln;

use super::exit;
use crate::{agent, config, telemetry};

impl super::Run {
    pub(super) fn execute(self) -> ExitCode {
        let loaded = match config::load(&self.config) {
            Ok(loaded) => loaded,
            Err(diagnostics) => {
                for diagnostic in &diagnostics {
                    eprintln!("{}\n", diagnostic.render(true));
                }
                return ExitCode::from(exit::CONFIG);
            }
        };
        let _logs = telemetry::start(self.log_level);
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let mut config = loaded.config;
        config.datapath = self.datapath.unwrap_or(config.datapath);
        match agent::run(config, &self.files) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!("{error:#}");
                ExitCode::from(exit::FAILED)
            }
        }
    }
}
