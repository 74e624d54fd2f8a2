//! HAProxy's admin socket: whether a backend has a server to send requests to (HAProxy Management Guide, "show stat").

use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::{Outcome, sentence};

/// Octets of an answer that are read at most: some ten thousand servers.
const ANSWER_MAX: u64 = 8 << 20;
/// Servers only (4), of all proxies (-1 -1).
const QUESTION: &[u8] = b"show stat -1 4 -1\n";

/// The socket and the backend.
#[derive(Debug)]
pub(in crate::track) struct Haproxy {
    socket: PathBuf,
    backend: Option<String>,
}

impl Haproxy {
    pub(super) fn new(socket: &Path, backend: Option<&str>) -> Self {
        Self { socket: socket.to_owned(), backend: backend.map(str::to_owned) }
    }

    pub(super) async fn check(&self) -> Outcome {
        let mut stream = UnixStream::connect(&self.socket).await.map_err(|error| sentence(&error))?;
        stream.write_all(QUESTION).await.map_err(|error| sentence(&error))?;
        let mut answer = Vec::new();
        stream.take(ANSWER_MAX).read_to_end(&mut answer).await.map_err(|error| sentence(&error))?;
        judge(&String::from_utf8_lossy(&answer), self.backend.as_deref())
    }
}

/// Looks for a server that is up; without a check of its own HAProxy takes it to be.
fn judge(answer: &str, backend: Option<&str>) -> Outcome {
    let mut lines = answer.lines();
    let head: Vec<&str> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
    let column = |name| head.iter().position(|column| *column == name);
    let (Some(proxy), Some(status)) = (column("pxname"), column("status")) else {
        return Err("the socket does not answer like HAProxy's".to_owned());
    };
    let rows = lines.map(|line| line.split(',').collect::<Vec<_>>());
    let servers = rows.filter(|row| backend.is_none_or(|backend| row.get(proxy) == Some(&backend)));
    let told: Vec<String> = servers
        .filter_map(|row| Some((*row.get(status)?).to_owned()))
        .filter(|state| !state.is_empty())
        .collect();
    if told.iter().any(|state| state.starts_with("UP") || state == "no check") {
        return Ok(());
    }
    let whose = backend.map_or_else(|| "HAProxy".to_owned(), |backend| format!("backend {backend}"));
    match told.len() {
        0 => Err(format!("{whose} has no server")),
        count => Err(format!("none of the {count} servers of {whose} is up")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "# pxname,svname,qcur,status,weight,\n";

    #[test]
    fn one_server_that_is_up_is_enough() {
        type Case = (&'static str, &'static str, Option<&'static str>, Result<(), &'static str>);
        let cases: [Case; 8] = [
            ("up", "web,app1,0,DOWN,1,\nweb,app2,0,UP,1,\n\n", Some("web"), Ok(())),
            ("going down", "web,app1,0,UP 1/3,1,\n", Some("web"), Ok(())),
            ("no check", "web,app1,0,no check,1,\n", Some("web"), Ok(())),
            (
                "all down",
                "web,app1,0,DOWN,1,\nweb,app2,0,MAINT,1,\n",
                Some("web"),
                Err("none of the 2 servers of backend web is up"),
            ),
            (
                "rising",
                "web,app1,0,DOWN 1/2,1,\n",
                Some("web"),
                Err("none of the 1 servers of backend web is up"),
            ),
            ("another backend", "api,app1,0,UP,1,\n", Some("web"), Err("backend web has no server")),
            ("any backend", "api,app1,0,UP,1,\n", None, Ok(())),
            ("no server", "", None, Err("HAProxy has no server")),
        ];
        for (name, rows, backend, expected) in cases {
            assert_eq!(judge(&format!("{HEAD}{rows}"), backend), expected.map_err(str::to_owned), "{name}");
        }
    }

    #[test]
    fn what_is_not_haproxy_is_said() {
        for answer in ["", "hello\n", "# pxname,svname\n"] {
            assert!(judge(answer, None).expect_err("not HAProxy").contains("does not answer like HAProxy's"));
        }
    }
}
