//! What instances and groups track: checks, interfaces, files and processes, and how each moves the priority.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::toml::form;
use super::Command;

/// How a tracked thing moves the priority of those that track it.
///
/// A positive value is added while the thing is up, a negative one (which lowers) while it is down. With 0 the tracker
/// is in FAULT while the thing is down. The effective priority is the base plus all of these, within 1 to 254; a base of
/// 255 never moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Weight {
    /// -253 to 253; files and processes -254 to 254.
    #[serde(rename = "weight")]
    pub value: i16,
    /// Up counts as down and down as up (`reverse`).
    pub reverse: bool,
}

/// Something tracked, with the weight that counts for this tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracked {
    /// Name of the interface, check, file or process.
    pub name: String,
    /// As the tracker says (`NAME weight -20`), else as the tracked thing itself says; 0 for interfaces.
    pub weight: Weight,
}

/// Everything that one instance or group tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Trackers {
    /// Interfaces besides the instance's own (`track_interface`), which is always tracked unless `dont_track_primary`.
    #[serde(rename = "track_interface")]
    pub interfaces: Vec<Tracked>,
    /// Names of [`Config::checks`](super::Config::checks) (`track_script`).
    #[serde(rename = "track_check")]
    pub checks: Vec<Tracked>,
    /// Names of [`Config::files`](super::Config::files) (`track_file`).
    #[serde(rename = "track_file")]
    pub files: Vec<Tracked>,
    /// Names of [`Config::processes`](super::Config::processes) (`track_process`).
    #[serde(rename = "track_process")]
    pub processes: Vec<Tracked>,
}

/// A health check that is made again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// What is done.
    #[serde(flatten)]
    #[schemars(with = "form::ProbeKeys")]
    pub probe: Probe,
    /// From the start of one run to the start of the next (`interval`, seconds with fraction); 1 s by default. A run
    /// that is still going on then is not followed by another (no queue).
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub interval: Duration,
    /// After this a run has failed (`timeout`); the interval by default. A script gets SIGTERM, and SIGKILL 2 s later.
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub timeout: Duration,
    /// Successes in a row that make it up (`rise`); 1 by default.
    pub rise: u32,
    /// Failures in a row that make it down (`fall`); 1 by default.
    pub fall: u32,
    /// For those that track it without a weight of their own; 0 by default.
    #[serde(flatten)]
    pub weight: Weight,
    /// Down until the first success (`init_fail`); by default its first result decides, without rise and fall.
    pub init_fail: bool,
}

/// What a check does. Everything but scripts is vipd's own and starts no process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// Run a program; exit code 0 is success (`script`).
    Script(Command),
    /// Open a TCP connection (`tcp 127.0.0.1:80`).
    Tcp(SocketAddr),
    /// Ask an HTTP server (`http http://127.0.0.1/health`).
    Http(HttpProbe),
    /// At least one process has this name, as `/proc/PID/comm` has it (`process haproxy`).
    Process(String),
    /// HAProxy's admin socket reports a server of this backend as UP, or of any where none is named
    /// (`haproxy /run/haproxy/admin.sock web_servers`).
    Haproxy {
        /// The socket.
        socket: PathBuf,
        /// Name of the backend.
        backend: Option<String>,
    },
    /// The host answers an ICMP or ICMPv6 echo request (`icmp 8.8.8.8`).
    Icmp(IpAddr),
    /// The host answers an ARP request (IPv4), or a neighbour solicitation (IPv6), on this interface
    /// (`arp 192.168.1.1 eth0`).
    Arp {
        /// The host asked.
        host: IpAddr,
        /// Where it is asked.
        interface: String,
    },
}

/// An HTTP/1.1 request without TLS, and what counts as success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    /// Whom to connect to.
    pub server: SocketAddr,
    /// What the `Host` header says: host, and port if the URL has one.
    pub host: String,
    /// Path and query, from the slash on.
    pub path: String,
    /// Status that is success (`status`); 200 by default.
    pub status: u16,
    /// Text that the body must hold (`body`); any body by default.
    pub body: Option<String>,
}

/// A file with a number in it (`track_file`). The priority is moved by the number times the weight; a sum of -254 or
/// less is FAULT. With weight 0 any number but 0 is FAULT. A file that is not there, or holds no number, counts as 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileTracker {
    /// Its name.
    pub name: String,
    /// The file (`file`), an absolute path.
    #[serde(rename = "file")]
    pub path: PathBuf,
    /// For those that track it without a weight of their own; 1 by default.
    #[serde(flatten)]
    pub weight: Weight,
    /// What to put into it at the start (`init_file`); it is left as it is by default.
    #[serde(rename = "init_file")]
    pub init: Option<FileInit>,
}

/// What a tracked file is to hold at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileInit {
    /// The number; 0 by default.
    pub value: i32,
    /// Also where the file exists (`overwrite`), at the start of the agent and not at a reload.
    pub overwrite: bool,
}

/// Processes that must be alive (`vrrp_track_process`), by notification and not by polling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProcessTracker {
    /// Its name.
    pub name: String,
    /// Name or path of the program: the first word of `process`.
    #[serde(serialize_with = "form::program")]
    #[schemars(with = "form::Words")]
    pub process: String,
    /// What its arguments must be.
    #[serde(flatten)]
    #[schemars(with = "form::ParameterKeys")]
    pub parameters: Parameters,
    /// Match the whole of `/proc/PID/cmdline`, not the 15 octets of `comm` (`full_command`). So also with parameters.
    pub full_command: bool,
    /// For those that track it without a weight of their own; 0 by default.
    #[serde(flatten)]
    pub weight: Weight,
    /// Fewest processes (`quorum`); 1 by default.
    pub quorum: u16,
    /// Most processes (`quorum_max`); any number by default.
    pub quorum_max: Option<u16>,
    /// How long there must be enough before it is up (`fork_delay`, `delay`); none by default.
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub fork_delay: Duration,
    /// How long there must be too few before it is down (`terminate_delay`, `delay`); none by default.
    #[serde(serialize_with = "form::seconds")]
    #[schemars(with = "form::Seconds")]
    pub terminate_delay: Duration,
}

/// What the arguments of a process must be (`param_match`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Parameters {
    /// Anything.
    #[default]
    Any,
    /// These and no others; none at all where the list is empty.
    Exact(Vec<String>),
    /// These first, then others (`param_match partial`).
    Partial(Vec<String>),
    /// These first, the last of them perhaps longer, then others (`param_match initial`).
    Initial(Vec<String>),
}
