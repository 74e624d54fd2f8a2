//! Real receivers of notifications: a mail server and a server that JSON is posted to, both in Python. Each writes one
//! line of JSON for everything that it receives.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::host::Host;
use crate::process::Process;

/// The system's own: it knows Debian's packages.
const PYTHON: &str = "/usr/bin/python3";
const SMTP: &str = include_str!("../fixtures/notify/smtp-server.py");
const WEBHOOK: &str = include_str!("../fixtures/notify/webhook-server.py");
/// For a program to come up, on a loaded machine too.
const START: Duration = Duration::from_secs(20);

/// A receiver at work; it ends on drop.
pub struct Receiver(Process);

impl Receiver {
    fn start(host: &Host, program: &str, text: &str, args: &[&str]) -> Result<Self> {
        let path = format!("/etc/lab/{program}");
        host.write_file(&path, text, 0o644)?;
        let process = host.spawn(PYTHON, &[&[path.as_str()], args].concat())?;
        process.wait_for_line("ready", START)?;
        Ok(Self(process))
    }

    /// Awaits the next thing received whose line of JSON contains `needle`.
    ///
    /// # Errors
    /// If it does not come `within` this time.
    pub fn next(&self, needle: &str, within: Duration) -> Result<Value> {
        let line = self.0.wait_for_line(needle, within)?;
        serde_json::from_str(&line.text).with_context(|| format!("no JSON: {}", line.text))
    }

    /// Everything received so far.
    ///
    /// # Errors
    /// If it wrote something else than JSON: it has failed.
    pub fn all(&self) -> Result<Vec<Value>> {
        let lines = self.0.lines();
        let lines = lines.iter().map(|line| line.text.as_str()).filter(|line| *line != "ready");
        lines.map(|line| serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))).collect()
    }
}

/// Starts a mail server on 127.0.0.1:25 of a host, with these replies to the first mails; it accepts all others. It tells
/// of `helo`, `from`, `to`, `text` and its own `reply`.
///
/// # Errors
/// If it does not come up.
pub fn mail_server(host: &Host, replies: &[&str]) -> Result<Receiver> {
    Receiver::start(host, "smtp-server.py", SMTP, replies)
}

/// Starts a server that JSON is posted to, on any address of a host, with these answers to the first requests; it says 200
/// to all others. It tells of some headers, `path`, `body` and the `status` of its own answer.
///
/// # Errors
/// If it does not come up.
pub fn webhook_server(host: &Host, port: u16, answers: &[u16]) -> Result<Receiver> {
    Receiver::start(host, "webhook-server.py", WEBHOOK, &[&port.to_string(), &list(answers)])
}

/// The same by HTTPS, with a certificate for `name` by an authority that `client` trusts from now on.
///
/// # Errors
/// If it does not come up, or the certificate cannot be made.
pub fn https_server(host: &Host, client: &Host, name: &str, port: u16, answers: &[u16]) -> Result<Receiver> {
    host.write_file("/etc/lab/extensions", &format!("subjectAltName = DNS:{name}\n"), 0o644)?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for line in [
        format!("openssl req -x509 {key} -keyout /run/ca.key -out /run/ca.pem -days 2 -subj /CN=lab"),
        format!("openssl req {key} -keyout /run/server.key -out /run/server.csr -subj /CN=server"),
        "openssl x509 -req -in /run/server.csr -CA /run/ca.pem -CAkey /run/ca.key -CAcreateserial -days 2 \
         -extfile /etc/lab/extensions -out /run/server.pem"
            .to_owned(),
    ] {
        host.command(&line)?;
    }
    client.write_file("/etc/ssl/certs/ca-certificates.crt", &host.read_file("/run/ca.pem")?, 0o644)?;
    let args = [&port.to_string(), &list(answers), "/run/server.pem", "/run/server.key"];
    Receiver::start(host, "webhook-server.py", WEBHOOK, &args.map(|arg| arg as &str))
}

fn list(answers: &[u16]) -> String {
    answers.iter().map(u16::to_string).collect::<Vec<_>>().join(",")
}
