//! The command line.

mod check;
mod convert;
mod operate;
mod reload;
mod run;
mod status;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Datapath;
use crate::control::{self, Operation, Reply, Request};

/// Exit codes of every subcommand, for scripts.
pub mod exit {
    /// Something is not as it must be on this host: a right, an interface, the run directory, an agent that is gone.
    pub const FAILED: u8 = 1;
    /// The configuration was refused; nothing was touched. Also: wrong use of the command line, and what `check` finds
    /// in a configuration that could be used but cannot be meant; it says 1 where there are but warnings and `--strict`.
    pub const CONFIG: u8 = 2;
    /// A bug: a thread of the agent panicked. It has resigned and given its addresses away (`EX_SOFTWARE` of
    /// sysexits(3)).
    pub const BUG: u8 = 70;
}

const EXAMPLES: &str = "\
Examples:
  vipd check /etc/keepalived/keepalived.conf     what vipd makes of a configuration
  vipd check lb1.conf --peer lb2.conf            what drifts apart, and who is MASTER when
  vipd convert keepalived.conf > vipd.toml
  vipd run --config /etc/keepalived/keepalived.conf
  vipd status                                    who is MASTER, and why
  vipd status --json | jq '.instances[].state'
  vipd handoff VI_1                              before maintenance: no request is lost
  vipd reload                                    after the file was changed; also by SIGHUP

Exit codes: 0 fine, 1 it cannot run here (or nobody answers), 2 the configuration was refused,
70 a bug in vipd ended it (please report what it said).";

/// Keeps a virtual IP address alive on one of several load balancers, by VRRP, with detection in the kernel.
#[derive(Parser)]
#[command(version, about, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the agent in the foreground, until SIGTERM or SIGINT
    Run(Run),
    /// Read a configuration, say what is wrong with it, touch nothing
    Check(Check),
    /// Print a configuration as TOML with the same meaning; passwords included, comments not
    Convert(Convert),
    /// Print the JSON schema of the TOML form, for editors and other checkers
    Schema,
    /// Show the state of a running agent
    Status(Status),
    /// Give the addresses to another node and let it keep them; returns when it is MASTER
    Handoff(Operate),
    /// Stay out of the election, for maintenance; what is held is given away first
    Hold(Operate),
    /// Take part in the election again
    Release(Operate),
    /// Read the configuration anew; a wrong one changes nothing, and of a right one only what is different
    Reload(Reload),
}

#[derive(clap::Args)]
struct Run {
    /// Configuration: TOML when its name ends in .toml, else keepalived.conf
    #[arg(long, value_name = "FILE", default_value = "/etc/keepalived/keepalived.conf")]
    config: PathBuf,
    /// Directory of the runtime files; one for each agent on this host
    #[arg(long = "run-dir", value_name = "DIR", default_value = "/run/vipd")]
    files: PathBuf,
    /// Take the lines that count on this node (`@NAME ...`), as Keepalived's --config-id does; this host's name by default
    #[arg(long, short = 'i', alias = "config-id", value_name = "NAME")]
    host: Option<String>,
    /// How adverts must be received; wins over the configuration
    #[arg(long, value_enum)]
    datapath: Option<Datapath>,
    /// Least level of log lines: error, warn, info, debug or trace
    #[arg(long, default_value = "info")]
    log_level: tracing::Level,
}

#[derive(clap::Args)]
struct Check {
    /// Configuration: TOML when its name ends in .toml, else keepalived.conf
    #[arg(value_name = "FILE", default_value = "/etc/keepalived/keepalived.conf")]
    config: PathBuf,
    /// The configuration of the other node: report every difference that matters, and who is MASTER when
    #[arg(long, value_name = "FILE")]
    peer: Option<PathBuf>,
    /// Take the lines that count on this node (`@NAME ...`); this host's name by default
    #[arg(long, short = 'i', alias = "config-id", value_name = "NAME")]
    host: Option<String>,
    /// The same for the other node
    #[arg(long, value_name = "NAME", requires = "peer")]
    peer_host: Option<String>,
    /// Exit with 1 where there are warnings; words that nobody knows are errors
    #[arg(long)]
    strict: bool,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Convert {
    /// Configuration: TOML when its name ends in .toml, else keepalived.conf
    #[arg(value_name = "FILE", default_value = "/etc/keepalived/keepalived.conf")]
    config: PathBuf,
    /// Take the lines that count on this node (`@NAME ...`); this host's name by default
    #[arg(long, short = 'i', alias = "config-id", value_name = "NAME")]
    host: Option<String>,
}

#[derive(clap::Args)]
struct Status {
    /// Run directory of the agent
    #[arg(long, value_name = "DIR", default_value = "/run/vipd")]
    run_dir: PathBuf,
    /// Print everything as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Operate {
    /// Virtual router or sync group; all of them where none is named
    #[arg(value_name = "INSTANCE")]
    instance: Option<String>,
    /// Run directory of the agent
    #[arg(long, value_name = "DIR", default_value = "/run/vipd")]
    run_dir: PathBuf,
}

#[derive(clap::Args)]
struct Reload {
    /// Run directory of the agent
    #[arg(long, value_name = "DIR", default_value = "/run/vipd")]
    run_dir: PathBuf,
}

/// Asks a running agent; says why it does not answer as it should.
fn ask(run_dir: &Path, request: &Request) -> Result<Reply, ExitCode> {
    match control::ask(&crate::run_dir::control(run_dir), request) {
        Ok(Reply::Error(error)) => Err(failed(&error)),
        Ok(reply) => Ok(reply),
        Err(error) => {
            let run_dir = run_dir.display();
            Err(failed(&format!(
                "no agent answers in {run_dir} ({error}); is it running, with this --run-dir?"
            )))
        }
    }
}

fn failed(sentence: &str) -> ExitCode {
    anstream::eprintln!("vipd: {sentence}");
    ExitCode::from(exit::FAILED)
}

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(run) => run.execute(),
        Command::Check(check) => check.execute(),
        Command::Convert(convert) => convert.execute(),
        Command::Schema => convert::schema(),
        Command::Status(status) => status.execute(),
        Command::Handoff(operate) => operate.execute(Operation::HandOff),
        Command::Hold(operate) => operate.execute(Operation::Hold),
        Command::Release(operate) => operate.execute(Operation::Release),
        Command::Reload(reload) => reload.execute(),
    }
}
