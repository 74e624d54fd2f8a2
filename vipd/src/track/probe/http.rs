//! An HTTP/1.1 request (RFC 9112) as small as a check needs it: one GET, the status, and the body where it must hold
//! something.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Outcome, sentence};
use crate::config::HttpProbe;

/// Octets of an answer that are read at most.
const ANSWER_MAX: usize = 1 << 20;

/// Asks, and judges the answer.
pub(super) async fn check(probe: &HttpProbe) -> Outcome {
    let mut stream = TcpStream::connect(probe.server).await.map_err(|error| sentence(&error))?;
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: vipd\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        probe.path, probe.host
    );
    stream.write_all(request.as_bytes()).await.map_err(|error| sentence(&error))?;
    let mut answer = Answer::default();
    loop {
        if let Some(outcome) = answer.judge(probe) {
            return outcome;
        }
        if answer.0.len() >= ANSWER_MAX {
            return Err("the answer is longer than 1 MiB".to_owned());
        }
        let read = stream.read_buf(&mut answer.0).await.map_err(|error| sentence(&error))?;
        if read == 0 {
            return answer.ended(probe);
        }
    }
}

/// What has come so far.
#[derive(Debug, Default)]
struct Answer(Vec<u8>);

/// The head of an answer, and the octets behind it.
struct Parts<'a> {
    status: u16,
    /// `Content-Length`.
    length: Option<usize>,
    /// `Transfer-Encoding: chunked`.
    chunked: bool,
    body: &'a [u8],
}

impl Answer {
    /// The outcome, as soon as it is known.
    fn judge(&self, probe: &HttpProbe) -> Option<Outcome> {
        let parts = match self.parts()? {
            Ok(parts) => parts,
            Err(error) => return Some(Err(error)),
        };
        if parts.status != probe.status {
            return Some(Err(format!("status {} instead of {}", parts.status, probe.status)));
        }
        let Some(text) = &probe.body else { return Some(Ok(())) };
        let (body, complete) = parts.body();
        if holds(&body, text) {
            return Some(Ok(()));
        }
        complete.then(|| Err(missing(text)))
    }

    /// The outcome when nothing more comes.
    fn ended(&self, probe: &HttpProbe) -> Outcome {
        match self.parts() {
            // What was not found before the end is not there.
            Some(Ok(_)) => Err(missing(probe.body.as_deref().unwrap_or_default())),
            Some(Err(error)) => Err(error),
            None if self.0.is_empty() => Err("the server closed the connection without an answer".to_owned()),
            None => Err("the answer ends within its head".to_owned()),
        }
    }

    /// `None` until the head is complete.
    fn parts(&self) -> Option<Result<Parts<'_>, String>> {
        let end = self.0.windows(4).position(|window| window == b"\r\n\r\n")?;
        let (head, body) = (String::from_utf8_lossy(&self.0[..end]), &self.0[end + 4..]);
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let version = words.next().is_some_and(|version| version.starts_with("HTTP/1."));
        let status = words.next().and_then(|status| status.parse().ok()).filter(|_| version);
        let Some(status) = status else { return Some(Err("the answer is not HTTP/1".to_owned())) };
        let mut parts = Parts { status, length: None, chunked: false, body };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            if name.eq_ignore_ascii_case("content-length") {
                parts.length = value.parse().ok();
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                parts.chunked = value.to_ascii_lowercase().ends_with("chunked");
            }
        }
        Some(Ok(parts))
    }
}

impl Parts<'_> {
    /// The body as far as it has come, and whether that is all of it.
    fn body(&self) -> (Vec<u8>, bool) {
        if self.chunked {
            return unchunk(self.body);
        }
        (self.body.to_vec(), self.length.is_some_and(|length| self.body.len() >= length))
    }
}

/// Puts chunks together (RFC 9112 section 7.1).
fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|window| window == b"\r\n") else { return (body, false) };
        let line = String::from_utf8_lossy(&rest[..end]);
        let size = line.split(';').next().unwrap_or_default().trim();
        let Ok(size) = usize::from_str_radix(size, 16) else { return (body, true) };
        if size == 0 {
            return (body, true);
        }
        rest = &rest[end + 2..];
        body.extend_from_slice(&rest[..size.min(rest.len())]);
        // Two more octets end the chunk.
        let Some(next) = size.checked_add(2).and_then(|size| rest.get(size..)) else { return (body, false) };
        rest = next;
    }
}

fn holds(body: &[u8], text: &str) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text.as_bytes())
}

fn missing(text: &str) -> String {
    format!("the body does not hold {text:?}")
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What the check makes of a server that answers with these pieces and then closes.
    fn outcome(pieces: &'static [&'static str], body: Option<&str>) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let probe = HttpProbe {
                server: listener.local_addr().expect("bound"),
                host: "example.com".to_owned(),
                path: "/health?full=1".to_owned(),
                status: 200,
                body: body.map(str::to_owned),
            };
            let serve = async {
                let (mut client, _) = listener.accept().await.expect("a client");
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    assert_ne!(client.read_buf(&mut request).await.expect("readable"), 0);
                }
                let request = String::from_utf8(request).expect("text");
                assert!(
                    request.starts_with("GET /health?full=1 HTTP/1.1\r\nHost: example.com\r\n"),
                    "{request}"
                );
                for piece in pieces {
                    // The client may have seen enough.
                    let _ = client.write_all(piece.as_bytes()).await;
                    tokio::task::yield_now().await;
                }
            };
            tokio::join!(check(&probe), serve).0
        })
    }

    #[test]
    fn the_status_decides_and_then_the_body() {
        type Case = (&'static str, &'static [&'static str], Option<&'static str>, Result<(), &'static str>);
        let cases: [Case; 12] = [
            ("status", &["HTTP/1.1 200 OK\r\n\r\n"], None, Ok(())),
            ("other version", &["HTTP/1.0 200\r\n\r\n"], None, Ok(())),
            ("pieces", &["HTTP/1.1 2", "00 OK\r", "\n\r\n"], None, Ok(())),
            ("other status", &["HTTP/1.1 503 No\r\n\r\n"], None, Err("status 503 instead of 200")),
            ("body to the end", &["HTTP/1.1 200 OK\r\n\r\nall ", "fine"], Some("all fine"), Ok(())),
            (
                "body by length",
                &["HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nsick"],
                Some("fine"),
                Err("the body does not hold \"fine\""),
            ),
            (
                "chunks",
                &[
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n2;x=y\r\nfi\r\n",
                    "2\r\nne\r\n0\r\n\r\n",
                ],
                Some("fine"),
                Ok(()),
            ),
            (
                "chunks without it",
                &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nsick\r\n0\r\n\r\n"],
                Some("fine"),
                Err("the body does not hold \"fine\""),
            ),
            (
                "body cut short",
                &["HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\nsick"],
                Some("fine"),
                Err("the body does not hold \"fine\""),
            ),
            ("no HTTP", &["SSH-2.0-OpenSSH\r\n\r\n"], None, Err("the answer is not HTTP/1")),
            ("cut head", &["HTTP/1.1 200 OK\r\n"], None, Err("the answer ends within its head")),
            ("nothing", &[], None, Err("the server closed the connection without an answer")),
        ];
        for (name, pieces, body, expected) in cases {
            assert_eq!(outcome(pieces, body), expected.map_err(str::to_owned), "{name}");
        }
    }

    #[test]
    fn an_endless_chunk_is_no_trap() {
        let huge = format!("{:x}\r\nabc", usize::MAX);
        assert_eq!(unchunk(huge.as_bytes()), (b"abc".to_vec(), false));
        assert_eq!(unchunk(b"zz\r\n"), (Vec::new(), true));
    }
}
