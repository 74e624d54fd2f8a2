//! Tells people and programs of changes: commands, pipes, mail and webhooks. Everything runs on the service thread; the
//! election only puts events into a bounded channel.
//!
//! ```text
//! election ─▶ Publisher ─▶ Events ─▶ Story ─▶ Notice ─┬▶ Pipe                        one line, at once
//!                                                      └▶ Backlog ─▶ worker: commands of one subject, mail, one webhook
//! ```
//!
//! Each receiver has a bounded queue and a task of its own: none waits for another.

mod backlog;
mod event;
mod fifo;
mod http;
mod mail;
mod notice;
mod retry;
mod scripts;
mod story;
mod tally;
#[cfg(test)]
mod tests;
mod webhook;

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::unistd::gethostname;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
use vipd_core::{Cause, InstanceId};

use crate::config::{Config, WebhookFormat};
use crate::control::NotifyStatus;
use backlog::Backlog;
pub use event::Publisher;
pub(crate) use event::{Event, Events, channel};
use fifo::Pipe;
use mail::Mailer;
use notice::Notice;
use retry::deliver;
use scripts::Scripts;
use story::Story;
use tally::Tally;
use webhook::Receiver;

/// How long vipd may take to tell that it stops, after the addresses were given away.
const LIMIT_AT_STOP: Duration = Duration::from_secs(10);

/// Everybody who is told.
pub(crate) struct Notifier {
    events: Events,
    story: Story,
    /// This node, for people.
    router_id: Rc<str>,
    pipes: Vec<Fed>,
    outlets: Vec<Outlet>,
    workers: JoinSet<()>,
    tallies: Vec<Rc<Tally>>,
    /// What mailer and webhooks were made from.
    config: Config,
}

/// A pipe, with the program that reads it: that stops when this is dropped.
struct Fed {
    pipe: Pipe,
    secure: bool,
    _reader: watch::Sender<bool>,
}

/// What a receiver is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The commands of the subject with this number.
    Scripts(usize),
    Mail,
    /// That of this place in the configuration.
    Webhook(usize),
}

/// A receiver with a queue.
struct Outlet {
    kind: Kind,
    wants: Box<dyn Fn(&Notice) -> bool>,
    backlog: Rc<Backlog<Notice>>,
}

/// What was counted.
#[derive(Clone)]
pub(crate) struct Counters {
    lost: Arc<AtomicU64>,
    tallies: Vec<Rc<Tally>>,
}

impl Counters {
    /// As of now.
    pub(crate) fn status(&self) -> NotifyStatus {
        NotifyStatus {
            lost_events: self.lost.load(Ordering::Relaxed),
            channels: self.tallies.iter().map(|tally| tally.status()).collect(),
        }
    }
}

impl Notifier {
    /// Opens every channel of the configuration; what cannot be opened is said and left out. To be called in a
    /// [`LocalSet`](tokio::task::LocalSet).
    pub(crate) fn start(config: &Config, events: Events) -> Self {
        let mut notifier = Self {
            events,
            story: Story::new(config),
            router_id: router_id(config),
            pipes: Vec::new(),
            outlets: Vec::new(),
            workers: JoinSet::new(),
            tallies: Vec::new(),
            config: config.clone(),
        };
        notifier.open(config);
        notifier
    }

    /// Goes on by another configuration, in which virtual routers have their places as before. Receivers that did not change
    /// go on with what waits for them; one that is there no more is tried once with each.
    pub(crate) fn reload(&mut self, config: &Config) {
        self.story.reload(config);
        let before = std::mem::replace(&mut self.config, config.clone());
        let renamed = std::mem::replace(&mut self.router_id, router_id(config)) != self.router_id;
        let stays = |fed: &Fed| {
            let reads_safely = fed.pipe.fifo().script.is_none() || fed.secure == config.script_security;
            config.fifos.contains(fed.pipe.fifo()) && reads_safely
        };
        self.pipes.retain(stays);
        let stays = |kind| match kind {
            Kind::Scripts(_) => true,
            Kind::Mail => !renamed && before.mail == config.mail,
            Kind::Webhook(number) => !renamed && before.webhooks.get(number) == config.webhooks.get(number),
        };
        for outlet in self.outlets.extract_if(.., |outlet| !stays(outlet.kind)) {
            outlet.backlog.close();
        }
        self.open(config);
    }

    /// Opens every channel that is not open.
    fn open(&mut self, config: &Config) {
        self.open_pipes(config);
        self.open_scripts();
        self.open_mail(config);
        self.open_webhooks(config);
    }

    fn is_open(&self, kind: Kind) -> bool {
        self.outlets.iter().any(|outlet| outlet.kind == kind)
    }

    /// Has reasons for changes told by somebody who knows more of them than the election does.
    pub(crate) fn explain(&mut self, why: impl Fn(InstanceId, Cause) -> String + 'static) {
        self.story.explain(Box::new(why));
    }

    /// What is counted from now on.
    pub(crate) fn counters(&self) -> Counters {
        Counters { lost: Arc::clone(&self.events.lost), tallies: self.tallies.clone() }
    }

    /// Tells of events as they come, without end. May be dropped and called again at any time.
    pub(crate) async fn run(&mut self) -> Infallible {
        while let Some(event) = self.events.waiting.recv().await {
            self.tell(event);
        }
        std::future::pending().await
    }

    /// Tells what still waits, among it that vipd stops, and ends every worker within ten seconds. To be called when the
    /// election has ended.
    pub(crate) async fn finish(mut self) {
        self.events.waiting.close();
        while let Some(event) = self.events.waiting.recv().await {
            self.tell(event);
        }
        // A reader finds the end of its pipe.
        self.pipes.clear();
        for outlet in &self.outlets {
            outlet.backlog.close();
        }
        let all = async { while self.workers.join_next().await.is_some() {} };
        if timeout(LIMIT_AT_STOP, all).await.is_err() {
            let waiting: usize = self.outlets.iter().map(|outlet| outlet.backlog.len()).sum();
            tracing::warn!(
                "stopping: {} receivers were cut off after {} s, with {waiting} more events waiting for them",
                self.workers.len(),
                LIMIT_AT_STOP.as_secs()
            );
        }
        self.workers.shutdown().await;
    }

    fn tell(&mut self, event: Event) {
        for notice in self.story.tell(event) {
            for fed in &mut self.pipes {
                fed.pipe.write(&notice);
            }
            for outlet in self.outlets.iter().filter(|outlet| (outlet.wants)(&notice)) {
                outlet.push(notice.clone());
            }
        }
    }

    /// The counters of this name.
    fn tally(&mut self, name: &str) -> Rc<Tally> {
        if let Some(known) = self.tallies.iter().find(|tally| tally.name() == name) {
            return Rc::clone(known);
        }
        let tally = Rc::new(Tally::new(name));
        self.tallies.push(Rc::clone(&tally));
        tally
    }

    fn outlet(
        &mut self,
        kind: Kind,
        wants: impl Fn(&Notice) -> bool + 'static,
        tally: &Rc<Tally>,
    ) -> Rc<Backlog<Notice>> {
        let backlog = Backlog::new(Rc::clone(tally));
        self.outlets.push(Outlet { kind, wants: Box::new(wants), backlog: Rc::clone(&backlog) });
        backlog
    }

    fn open_pipes(&mut self, config: &Config) {
        for fifo in &config.fifos {
            if self.pipes.iter().any(|fed| fed.pipe.fifo() == fifo) {
                continue;
            }
            let tally = self.tally(&format!("fifo {}", fifo.path.display()));
            let secure = config.script_security;
            let (reader, stop) = watch::channel(false);
            match Pipe::open(fifo, Rc::clone(&tally)) {
                Ok(pipe) => self.pipes.push(Fed { pipe, secure, _reader: reader }),
                Err(error) => {
                    tracing::warn!("{} cannot be used, no event is written to it: {error}", tally.name());
                    continue;
                }
            }
            if let Some(script) = &fifo.script {
                self.workers.spawn_local(fifo::keep_reader(fifo.clone(), script.clone(), secure, stop));
            }
        }
    }

    fn open_scripts(&mut self) {
        let subjects: Vec<_> = self.story.subjects().cloned().collect();
        for subject in subjects {
            let kind = Kind::Scripts(subject.number);
            if scripts::triggers(&subject.notify).next().is_none() || self.is_open(kind) {
                continue;
            }
            let tally = self.tally("scripts");
            let number = subject.number;
            let wants = move |notice: &Notice| {
                let mut triggers = scripts::triggers(&notice.subject.notify);
                notice.subject.number == number && triggers.any(|trigger| trigger.is_for(notice.word))
            };
            let backlog = self.outlet(kind, wants, &tally);
            self.workers.spawn_local(Scripts::new(subject, tally).serve(backlog));
        }
    }

    fn open_mail(&mut self, config: &Config) {
        let wanted = self.story.subjects().any(|subject| subject.notify.mail);
        let Some(mail) = config.mail.as_ref().filter(|_| wanted && !self.is_open(Kind::Mail)) else { return };
        let tally = self.tally("mail");
        let (mailer, left_out) = match Mailer::new(mail, &host_name()) {
            Ok((mailer, left_out)) => (Rc::new(mailer), left_out),
            Err(why) => return tracing::warn!("no mail is sent: {why}"),
        };
        for sentence in left_out {
            tracing::warn!("mail: {sentence}");
        }
        let wants = Rc::clone(&mailer);
        let backlog = self.outlet(Kind::Mail, move |notice| wants.wants(notice), &tally);
        let router_id = Rc::clone(&self.router_id);
        let send = async move |notice: &Notice| mailer.send(&router_id, notice).await;
        self.workers.spawn_local(deliver(backlog, tally, mail::RETRIES, send));
    }

    fn open_webhooks(&mut self, config: &Config) {
        for (place, webhook) in config.webhooks.iter().enumerate() {
            if self.is_open(Kind::Webhook(place)) {
                continue;
            }
            let format = match webhook.format {
                WebhookFormat::Json => "json",
                WebhookFormat::Slack => "slack",
                WebhookFormat::Pagerduty => "pagerduty",
            };
            let tally = self.tally(&format!("webhook {} ({format})", place + 1));
            let receiver = match Receiver::new(webhook) {
                Ok(receiver) => receiver,
                Err(why) => {
                    tracing::warn!("{} is not used: {why}", tally.name());
                    continue;
                }
            };
            let backlog = self.outlet(Kind::Webhook(place), Receiver::wants, &tally);
            let router_id = Rc::clone(&self.router_id);
            let retries = webhook.retries;
            let post = async move |notice: &Notice| receiver.post(&router_id, notice).await;
            self.workers.spawn_local(deliver(backlog, tally, retries, post));
        }
    }
}

/// What this node is called.
fn router_id(config: &Config) -> Rc<str> {
    config.router_id.as_deref().map_or_else(|| host_name().into(), Into::into)
}

fn host_name() -> String {
    let host = gethostname().ok().and_then(|name| name.into_string().ok());
    host.unwrap_or_else(|| "localhost".to_owned())
}

impl Outlet {
    /// What only says again what waits already, such as that adverts lose, is not queued twice.
    fn push(&self, notice: Notice) {
        let again = |waiting: &Notice| waiting.word == notice.word && !notice.word.is_change();
        if !self.backlog.holds(again) {
            self.backlog.push(notice);
        }
    }
}
