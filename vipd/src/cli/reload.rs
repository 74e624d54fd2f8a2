//! `vipd reload`.

use std::process::ExitCode;

use anstream::{eprintln, println};

use super::exit;
use crate::control::{Reply, Request};

impl super::Reload {
    pub(super) fn execute(self) -> ExitCode {
        match super::ask(&self.run_dir, &Request::Reload) {
            Ok(Reply::Reloaded(warnings)) => {
                for warning in warnings {
                    eprintln!("{warning}\n");
                }
                println!("reloaded");
                ExitCode::SUCCESS
            }
            Ok(Reply::Refused(findings)) => {
                for finding in findings {
                    eprintln!("{finding}\n");
                }
                eprintln!("vipd: the configuration was refused; the agent goes on by the one that it has");
                ExitCode::from(exit::CONFIG)
            }
            Ok(_) => super::failed("the agent answers another question; is it of this version?"),
            Err(code) => code,
        }
    }
}
