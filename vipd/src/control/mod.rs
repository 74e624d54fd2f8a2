//! The control socket: a request a connection, one line of JSON each way.

mod server;
mod status;

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use server::{listen, serve};
pub(crate) use status::date_time;
pub use status::{
    ChannelStatus, InstanceStatus, InterfaceStatus, NotifyStatus, PeerStatus, Status, TrackedStatus,
    WardenStatus,
};

/// What can be asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The state of everything.
    Status,
    /// Something that an operator wants of the virtual routers of this name.
    Operate(Operation, Target),
    /// Read the configuration anew, and go on by it.
    Reload,
}

/// What an operator can want of virtual routers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Give the addresses to another node, and let it have them.
    HandOff,
    /// Stay out of the election until released.
    Hold,
    /// Take part again.
    Release,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HandOff => "handoff",
            Self::Hold => "hold",
            Self::Release => "release",
        })
    }
}

/// Which virtual routers are meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// All of them.
    All,
    /// The one of this name, or those of the sync group of this name.
    Named(String),
}

/// What is answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Box<Status>),
    /// To [`Request::Operate`]: it was done to these, by name.
    Done(Vec<String>),
    /// To [`Request::Reload`]: it was done, with these warnings.
    Reloaded(Vec<String>),
    /// To [`Request::Reload`]: the configuration was refused for these reasons; nothing was changed.
    Refused(Vec<String>),
    /// The request was not understood; nothing was changed.
    Error(String),
}

/// How long a client waits for an agent that holds the socket but does not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same where the answer waits for another node, or for files: longer than the longest Active_Down_Interval.
const LONG_PATIENCE: Duration = Duration::from_mins(3);

/// Asks the agent behind a control socket.
///
/// # Errors
/// When nobody listens there (`NotFound`, `ConnectionRefused`), the agent does not answer in time, or the answer is not one
/// of this version.
pub fn ask(socket: &Path, request: &Request) -> io::Result<Reply> {
    let mut stream = UnixStream::connect(socket)?;
    let waits = matches!(request, Request::Operate(Operation::HandOff, _) | Request::Reload);
    stream.set_read_timeout(Some(if waits { LONG_PATIENCE } else { PATIENCE }))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}
