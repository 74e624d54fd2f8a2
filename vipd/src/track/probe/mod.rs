//! What a check does. Everything but a script starts no process.

mod haproxy;
mod http;
mod network;
mod process;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{self, HttpProbe};
use crate::exec::{Child, Ended, Leftovers, Program, wait_for};
use haproxy::Haproxy;
use network::{Ping, Resolution};
use process::Alive;

/// How long a file system may take to say what is there.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a run found: nothing wrong, or what is.
pub(super) type Outcome = Result<(), String>;

/// How a run has ended.
#[derive(Debug)]
pub(super) enum Run {
    /// With this outcome.
    Done(Outcome),
    /// Not at all: the script cannot be killed.
    Stuck(Child),
}

/// What a check does, with what it keeps from one run to the next.
#[derive(Debug)]
pub(super) enum Probe {
    Script(Program),
    Tcp(SocketAddr),
    Http(HttpProbe),
    Process(Alive),
    Haproxy(Haproxy),
    Icmp(Ping),
    Arp(Resolution),
}

impl Probe {
    /// Gets ready. A script that cannot be run, or only by a breach of `enable_script_security`, is refused.
    ///
    /// # Errors
    /// Why it cannot be made, a sentence.
    pub(super) fn prepare(probe: &config::Probe, secure: bool) -> Result<Self, String> {
        Ok(match probe {
            config::Probe::Script(command) => {
                let command = command.clone();
                let prepared = wait_for(PATIENCE, move || Program::prepare(&command, secure));
                let prepared = prepared.map_err(|error| error.to_string())?;
                let answered = prepared.ok_or("its file system does not answer")?;
                Self::Script(answered.map_err(|error| error.to_string())?)
            }
            config::Probe::Tcp(server) => Self::Tcp(*server),
            config::Probe::Http(probe) => Self::Http(probe.clone()),
            config::Probe::Process(name) => Self::Process(Alive::new(name)),
            config::Probe::Haproxy { socket, backend } => {
                Self::Haproxy(Haproxy::new(socket, backend.as_deref()))
            }
            config::Probe::Icmp(host) => Self::Icmp(Ping::new(*host)),
            config::Probe::Arp { host, interface } => Self::Arp(Resolution::new(*host, interface)),
        })
    }

    /// Makes the check once, in at most this time; a script that goes on then is killed, which takes up to four seconds.
    pub(super) async fn run(&mut self, limit: Duration) -> Run {
        if let Self::Script(program) = self {
            return script(program, limit).await;
        }
        let checked = timeout(limit, self.check()).await;
        Run::Done(checked.unwrap_or_else(|_| Err(timed_out(limit))))
    }

    /// Makes a check that starts no process.
    async fn check(&mut self) -> Outcome {
        match self {
            Self::Script(_) => Ok(()),
            Self::Tcp(server) => {
                TcpStream::connect(*server).await.map(drop).map_err(|error| sentence(&error))
            }
            Self::Http(probe) => http::check(probe).await,
            Self::Process(alive) => alive.check().await,
            Self::Haproxy(haproxy) => haproxy.check().await,
            Self::Icmp(ping) => ping.check().await,
            Self::Arp(resolution) => resolution.check().await,
        }
    }
}

async fn script(program: &Program, limit: Duration) -> Run {
    let child = match program.start(&[]).await {
        Ok(child) => child,
        Err(error) => return Run::Done(Err(error.to_string())),
    };
    // A check has no business behind its end: what stays would be more with every run.
    Run::Done(match child.finish(limit, Leftovers::Kill).await {
        Ended::Exited(0) => Ok(()),
        Ended::Exited(code) => Err(format!("exit code {code}")),
        Ended::Signalled(signal) => Err(format!("ended by {signal}")),
        Ended::TimedOut => Err(timed_out(limit)),
        Ended::Stuck(child) => return Run::Stuck(child),
    })
}

fn timed_out(limit: Duration) -> String {
    format!("no result in {} ms", limit.as_millis())
}

/// An error as a clause: the system's number for it says nothing to people.
fn sentence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::NotFound => "not found".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::HostUnreachable => "host unreachable".to_owned(),
        io::ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
        _ => error.to_string(),
    }
}
