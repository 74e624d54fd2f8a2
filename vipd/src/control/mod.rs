//! The control socket: a request a connection, one line of JSON each way.

mod server;
mod status;

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use server::serve;
pub use status::{ChannelStatus, InstanceStatus, InterfaceStatus, NotifyStatus, Status, WardenStatus};

/// What can be asked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// The state of everything.
    Status,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Request::Status`].
    Status(Status),
    /// The request was not understood; nothing was changed.
    Error(String),
}

/// How long a client waits for an agent that holds the socket but does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the agent behind a control socket.
///
/// # Errors
/// When nobody listens there (`NotFound`, `ConnectionRefused`), the agent does not answer within five seconds, or the
/// answer is not one of this version.
pub fn ask(socket: &Path, request: Request) -> io::Result<Reply> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut line = serde_json::to_string(&request)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}
