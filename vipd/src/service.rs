//! The service thread: signals, the control socket, notifications, checks, reloads, an eye on the warden.

use std::cell::RefCell;
use std::future::pending;
use std::os::unix::net::UnixListener;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_blocking, spawn_local};
use vipd_core::InstanceId;

use crate::agent::Ready;
use crate::config::{Config, Diagnostics};
use crate::control::{self, Operation, Reply, Request, Target};
use crate::drops;
use crate::election::{Board, Command, Reload};
use crate::notify::{Events, Notifier};
use crate::reload::{self, Prepared, Refusal, Source};
use crate::report::Reporter;
use crate::track::{Before, Known, Tracking, Watching};
use crate::warden::{self, Warden, Will};

/// All that it needs.
pub(crate) struct Service {
    pub(crate) config: Arc<Config>,
    pub(crate) source: Source,
    pub(crate) will: Will,
    /// How many virtual routers there is room for.
    pub(crate) places: usize,
    pub(crate) board: Arc<Board>,
    pub(crate) warden: Arc<Warden>,
    pub(crate) control: UnixListener,
    pub(crate) events: Events,
    pub(crate) tracking: Tracking,
}

/// Who asked for a reload over the control socket.
type Asker = oneshot::Sender<Reply>;

impl Service {
    /// Serves until the election has ended, and everybody who wants to know it has been told.
    pub(crate) async fn serve(
        self,
        ready: oneshot::Receiver<Ready>,
        commands: mpsc::Sender<Command>,
        ended: oneshot::Receiver<()>,
    ) -> anyhow::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let known = self.tracking.known();
        // Until the election has ended.
        let watching = Watching::start(self.tracking);
        let Ok(ready) = ready.await else {
            return Ok(());
        };
        let names = Rc::new(RefCell::new(names(&self.config)));
        spawn_local(drops::watch(Rc::clone(&names), Arc::clone(&ready.counters)));
        let mut notifier = Notifier::start(&self.config, self.events);
        explain(&mut notifier, &self.config, &known);
        let (told, warden) = (notifier.counters(), Arc::clone(&self.warden));
        let router_id = self.config.router_id.clone();
        let reporter = Reporter::new(router_id, self.board, warden, told, known.clone(), ready);
        let reporter = Rc::new(RefCell::new(reporter));
        let (wants_reload, mut wanted) = mpsc::channel::<Asker>(4);
        let control = {
            let (reporter, operators) = (Rc::clone(&reporter), commands.clone());
            let answer = async move |request| match request {
                Request::Status => Reply::Status(Box::new(reporter.borrow().status())),
                Request::Operate(operation, target) => operate(&operators, operation, target).await,
                Request::Reload => ask_for_reload(&wants_reload).await,
            };
            control::serve(self.control, answer).context("cannot serve the control socket")?
        };
        spawn_local(control);
        let warden = self.warden;
        spawn_local(async move {
            warden.lost().await;
            tracing::warn!("the warden is gone: {}; restart vipd to have one again", warden::WITHOUT);
        });
        let mut reloader = Reloader {
            source: self.source,
            will: self.will,
            places: self.places,
            now: Before { config: self.config, known },
            commands: commands.clone(),
            watching,
            names,
            reporter,
            asked: false,
            askers: Vec::new(),
            loading: None,
        };
        tokio::pin!(ended);
        loop {
            tokio::select! {
                _ = &mut ended => break,
                _ = notifier.run() => {}
                _ = terminate.recv() => stop(&commands).await,
                _ = interrupt.recv() => stop(&commands).await,
                _ = hangup.recv() => reloader.asked = true,
                Some(asker) = wanted.recv() => reloader.askers.push(asker),
                prepared = finish(&mut reloader.loading) => reloader.apply(prepared, &mut notifier).await,
            }
            reloader.begin();
        }
        notifier.finish().await;
        Ok(())
    }
}

/// Has the agent end.
async fn stop(commands: &mpsc::Sender<Command>) {
    tracing::info!("stopping");
    // The election has ended already when this fails.
    let _ = commands.send(Command::Stop).await;
}

/// Has the election do what an operator wants.
async fn operate(commands: &mpsc::Sender<Command>, operation: Operation, target: Target) -> Reply {
    let (done_out, done) = oneshot::channel();
    let sent = commands.send(Command::Operate(operation, target, done_out)).await;
    match (sent, done.await) {
        (Ok(()), Ok(Ok(names))) => Reply::Done(names),
        (Ok(()), Ok(Err(refused))) => Reply::Error(refused),
        _ => Reply::Error(ENDING.to_owned()),
    }
}

async fn ask_for_reload(wanted: &mpsc::Sender<Asker>) -> Reply {
    let (done_out, done) = oneshot::channel();
    let sent = wanted.send(done_out).await;
    match (sent, done.await) {
        (Ok(()), Ok(reply)) => reply,
        _ => Reply::Error(ENDING.to_owned()),
    }
}

const ENDING: &str = "the agent is ending";

/// The names of virtual routers in their places.
fn names(config: &Config) -> Vec<Option<String>> {
    let name = |instance: &crate::config::Instance| (!instance.is_vacant()).then(|| instance.name.clone());
    config.instances.iter().map(name).collect()
}

/// Has reasons told with the names of what is known by number.
fn explain(notifier: &mut Notifier, config: &Arc<Config>, known: &Known) {
    let (config, known) = (Arc::clone(config), known.clone());
    notifier.explain(move |id, cause| {
        let of = |id: InstanceId| &config.instances[usize::from(id.0)];
        known.why(id, cause, of(id), |id| &of(id).name)
    });
}

/// A configuration that is being read, on a thread of its own: a file system may hang.
struct Loading {
    reads: JoinHandle<Result<Prepared, Refusal>>,
    askers: Vec<Asker>,
}

/// A configuration that was read, and who wants to know what becomes of it.
type Loaded = (Result<Prepared, Refusal>, Vec<Asker>);

/// Waits for a configuration that is being read.
async fn finish(loading: &mut Option<Loading>) -> Loaded {
    let Some(Loading { reads, .. }) = loading else { return pending().await };
    let prepared = reads.await;
    let askers = loading.take().map(|loading| loading.askers).unwrap_or_default();
    // A panic there has ended the process.
    (prepared.unwrap_or_else(|error| Err(Refusal::Unfit(error.to_string()))), askers)
}

/// Goes from one configuration to another: one reload at a time.
struct Reloader {
    source: Source,
    will: Will,
    places: usize,
    now: Before,
    commands: mpsc::Sender<Command>,
    watching: Watching,
    names: Rc<RefCell<Vec<Option<String>>>>,
    reporter: Rc<RefCell<Reporter>>,
    /// Somebody wants a reload who expects no answer (SIGHUP).
    asked: bool,
    askers: Vec<Asker>,
    loading: Option<Loading>,
}

impl Reloader {
    /// Begins to read the configuration, if that is wanted. Who asks while it is being read may mean what came after.
    fn begin(&mut self) {
        if self.loading.is_some() || !self.asked && self.askers.is_empty() {
            return;
        }
        self.asked = false;
        let askers = std::mem::take(&mut self.askers);
        let (source, will, places, now) =
            (self.source.clone(), self.will.clone(), self.places, self.now.clone());
        let reads = spawn_blocking(move || reload::prepare(&source, &now, &will, places));
        self.loading = Some(Loading { reads, askers });
    }

    /// Goes on by what was read, if that can be used, and tells those who asked.
    async fn apply(&mut self, (prepared, askers): Loaded, notifier: &mut Notifier) {
        let reply = match self.try_apply(prepared, notifier).await {
            Ok(warnings) => {
                for warning in &warnings {
                    tracing::warn!("{warning}");
                }
                tracing::info!("goes on by {} as it is now", self.source.path.display());
                Reply::Reloaded(reload::rendered(&warnings))
            }
            Err(refusal) => {
                for line in refusal.to_string().lines() {
                    tracing::error!("{line}");
                }
                tracing::error!("the configuration was refused; vipd goes on by the one that it has");
                Reply::Refused(refusal.rendered())
            }
        };
        for asker in askers {
            // Who has gone is not told.
            let _ = asker.send(reply.clone());
        }
    }

    async fn try_apply(
        &mut self,
        prepared: Result<Prepared, Refusal>,
        notifier: &mut Notifier,
    ) -> Result<Diagnostics, Refusal> {
        let Prepared { config, tracking, warnings } = prepared?;
        let known = tracking.known();
        let (done_out, done) = oneshot::channel();
        let command = Reload { config: Arc::clone(&config), known: known.clone(), done: done_out };
        let sent = self.commands.send(Command::Reload(Box::new(command))).await;
        // Events of virtual routers that are new wait until it is known here who they are.
        let planned = match (sent, done.await) {
            (Ok(()), Ok(planned)) => planned.map_err(Refusal::Unfit)?,
            _ => return Err(Refusal::Unfit(ENDING.to_owned())),
        };
        self.watching.follow(tracking);
        notifier.reload(&config);
        explain(notifier, &config, &known);
        let mut reporter = self.reporter.borrow_mut();
        for (id, instance) in (0..).map(InstanceId).zip(&config.instances) {
            let before = self.now.config.instances.get(usize::from(id.0));
            if before.is_none_or(|before| !before.is_same_router(instance)) {
                reporter.counters().begin(id);
            }
        }
        reporter.reload(config.router_id.clone(), notifier.counters(), known.clone(), planned);
        *self.names.borrow_mut() = names(&config);
        self.now = Before { config, known };
        Ok(warnings)
    }
}
