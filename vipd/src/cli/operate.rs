//! `vipd handoff`, `vipd hold`, `vipd release`.

use std::process::ExitCode;

use anstream::println;

use crate::control::{Operation, Reply, Request, Target};

impl super::Operate {
    pub(super) fn execute(self, operation: Operation) -> ExitCode {
        let target = self.instance.map_or(Target::All, Target::Named);
        match super::ask(&self.run_dir, &Request::Operate(operation, target)) {
            Ok(Reply::Done(names)) => {
                let done = match operation {
                    Operation::HandOff => "handed over: another node is MASTER now",
                    Operation::Hold => "held: takes no part until `vipd release`",
                    Operation::Release => "released: takes part again",
                };
                for name in names {
                    println!("{name} {done}");
                }
                ExitCode::SUCCESS
            }
            Ok(_) => super::failed("the agent answers another question; is it of this version?"),
            Err(code) => code,
        }
    }
}
