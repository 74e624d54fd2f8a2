//! Mail on changes of state, by SMTP.

use std::time::Duration;

use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncTransport, Tokio1Executor};
use tokio::time::timeout;

use super::notice::{Kind, Notice, Word};
use super::retry::Failure;
use crate::config::Mail;
use crate::control::date_time;

/// Attempts after the first; with the growing waits they span half a minute and the server's own timeouts.
pub(super) const RETRIES: u8 = 5;

/// A way to a mail server.
pub(super) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    patience: Duration,
    no_faults: bool,
}

impl Mailer {
    /// A mailer for a node of this host name. Tells, a sentence each, which recipients are left out.
    ///
    /// # Errors
    /// When the sender is no address, or there is no recipient left.
    pub(super) fn new(mail: &Mail, host: &str) -> Result<(Self, Vec<String>), String> {
        let mut left_out = Vec::new();
        let mut to: Vec<Mailbox> = Vec::new();
        for address in &mail.to {
            match address.parse() {
                Ok(mailbox) => to.push(mailbox),
                Err(error) => left_out.push(format!("{address} is no mail address ({error}) and gets none")),
            }
        }
        if to.is_empty() {
            return Err(format!("nobody to send to: {}", left_out.join("; ")));
        }
        let from = mail.from.clone().unwrap_or_else(|| format!("root@{host}"));
        let from = from.parse().map_err(|error| format!("{from} is no mail address ({error})"))?;
        let helo = mail.helo.clone().unwrap_or_else(|| host.to_owned());
        // Without encryption, as Keepalived sends it: the server is this host or its neighbour.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.server)
            .port(mail.port)
            .hello_name(ClientId::Domain(helo))
            .timeout(Some(mail.timeout))
            .build();
        Ok((Self { transport, from, to, patience: mail.timeout, no_faults: mail.no_faults }, left_out))
    }

    /// Whether a notice is mailed.
    pub(super) fn wants(&self, notice: &Notice) -> bool {
        let state = matches!(notice.word, Word::Master | Word::Backup)
            || notice.word == Word::Fault && !self.no_faults;
        notice.subject.notify.mail && state
    }

    /// Sends one mail to all recipients.
    ///
    /// # Errors
    /// [`Failure`]; final when the server says so.
    pub(super) async fn send(&self, router_id: &str, notice: &Notice) -> Result<(), Failure> {
        let mut message = Message::builder().from(self.from.clone()).subject(subject(router_id, notice));
        for mailbox in &self.to {
            message = message.to(mailbox.clone());
        }
        let message =
            message.body(body(router_id, notice)).map_err(|error| Failure::Final(error.to_string()))?;
        match timeout(self.patience, self.transport.send(message)).await {
            Ok(Ok(_accepted)) => Ok(()),
            Ok(Err(error)) => {
                let why = with_sources(&error);
                Err(if error.is_permanent() { Failure::Final(why) } else { Failure::Passing(why) })
            }
            Err(_) => {
                Err(Failure::Passing(format!("the server took longer than {} s", self.patience.as_secs())))
            }
        }
    }
}

/// An error with what caused it.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}

/// The subject that filters of Keepalived's users look for.
pub(super) fn subject(router_id: &str, notice: &Notice) -> String {
    format!("[{router_id}] VRRP {} - Entering {} state", who(notice), notice.word)
}

fn who(notice: &Notice) -> String {
    let kind = match notice.subject.kind {
        Kind::Instance => "Instance",
        Kind::Group => "Group",
    };
    format!("{kind} {}", notice.subject.name)
}

pub(super) fn body(router_id: &str, notice: &Notice) -> String {
    let Notice { word, reason, priority, at, .. } = notice;
    let what = match (notice.subject.kind, word) {
        (Kind::Instance, Word::Master) => "This node holds the virtual addresses now.",
        (Kind::Instance, _) => "This node does not hold the virtual addresses.",
        (Kind::Group, _) => "All virtual routers of the group are in this state now.",
    };
    let priority = match notice.subject.kind {
        Kind::Instance => format!("Priority: {priority}\r\n"),
        Kind::Group => String::new(),
    };
    format!(
        "VRRP {} on {router_id}: {word}\r\n{what}\r\n\r\nReason: {reason}\r\nBefore: {}\r\n{priority}Time: {}\r\n",
        who(notice),
        notice.state_before(),
        date_time(*at)
    )
}
