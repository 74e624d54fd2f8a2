//! `vipd run`.

use std::process::ExitCode;

use anstream::eprintln;

use super::exit;
use crate::agent::Agent;
use crate::reload::Source;
use crate::{config, telemetry};

impl super::Run {
    pub(super) fn execute(self) -> ExitCode {
        let host = self.host.unwrap_or_else(config::host_name);
        let source = Source { path: self.config, host, datapath: self.datapath };
        let loaded = match source.load() {
            Ok(loaded) => loaded,
            Err(diagnostics) => {
                for diagnostic in &diagnostics {
                    eprintln!("{}\n", diagnostic.render(true));
                }
                return ExitCode::from(exit::CONFIG);
            }
        };
        let config::Loaded { config, warnings, .. } = loaded;
        let agent = Agent::prepare(config, source, &self.files);
        telemetry::start(self.log_level);
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let ended = agent.and_then(|agent| {
            std::panic::set_hook(Box::new(agent.panic_hook(telemetry::finish)));
            agent.run()
        });
        if let Err(error) = &ended {
            tracing::error!("{error:#}");
        }
        telemetry::finish();
        if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(exit::FAILED) }
    }
}
