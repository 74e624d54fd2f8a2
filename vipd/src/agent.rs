//! One agent from start to end: the warden beside it, the election on the thread that the process began with, the service
//! thread, and what is cleaned up when something breaks.

use std::fs;
use std::io;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use nix::unistd::{getpid, gettid};
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use crate::config::{self, Config};
use crate::control;
use crate::datapath::{Datapath, Opened, Tally};
use crate::effects::{Ground, Thing};
use crate::election::{self, Board, Command, Election, Planned};
use crate::leftovers;
use crate::link::Monitor;
use crate::net_namespace;
use crate::notify::{self, Publisher};
use crate::realtime::{self, Scheduling};
use crate::reload::Source;
use crate::rights;
use crate::run_dir::RunDir;
use crate::service::Service;
use crate::track::{Known, Tracking};
use crate::warden::{self, Errand, Warden, Will};

/// An agent that has its run directory and its warden, but no thread yet.
pub struct Agent {
    config: Arc<Config>,
    source: Source,
    run_dir: Arc<RunDir>,
    will: Will,
    errand: Arc<Errand>,
    warden: Arc<Warden>,
    /// What is worse here than it could be, and what that costs: a sentence each.
    degraded: Vec<String>,
}

/// What the election thread tells when it stands.
pub(crate) struct Ready {
    /// The configuration as it was found on this host.
    pub(crate) planned: Vec<Planned>,
    /// What was counted.
    pub(crate) counters: Arc<Tally>,
    /// How the election thread is scheduled.
    pub(crate) scheduling: Scheduling,
    /// What is worse here than it could be.
    pub(crate) degraded: Vec<String>,
}

impl Agent {
    /// Checks rights, takes the run directory, forks the warden and locks the memory. To be called before there is any
    /// other thread, and so before logs are started. `source` is where the configuration came from, and is read again at a
    /// reload.
    ///
    /// # Errors
    /// What is missing on this host; a sentence for people.
    pub fn prepare(config: Config, source: Source, run_dir: &Path) -> anyhow::Result<Self> {
        rights::check()?;
        if let Some(name) = &config.net_namespace {
            net_namespace::enter(name)?;
        }
        let run_dir = Arc::new(RunDir::acquire(run_dir)?);
        let will = Will::new(&config).context("cannot make the memory that the warden reads")?;
        let mut degraded = Vec::new();
        let (config, warden) = Warden::fork(&will, &run_dir, config);
        let warden = warden.unwrap_or_else(|error| {
            degraded.push(format!("there is no warden ({error}): {}", warden::WITHOUT));
            Warden::none()
        });
        if getpid().as_raw() == 1 {
            degraded.push(format!(
                "vipd is process 1 of its container, and the kernel kills the warden with it: {}; start the container \
                 with an init (--init)",
                warden::WITHOUT
            ));
        }
        let errand = Errand::prepare(will.clone(), Arc::clone(&run_dir)).context("cannot open a socket")?;
        degraded.extend(realtime::lock_memory());
        Ok(Self {
            config: Arc::new(config),
            source,
            run_dir,
            will,
            errand: Arc::new(errand),
            warden: Arc::new(warden),
            degraded,
        })
    }

    /// What must be done when a thread panics: this ends the process, whichever thread it is. An agent that lost one
    /// of its parts is not left running. `flush` writes out log lines.
    pub fn panic_hook(&self, flush: fn()) -> impl Fn(&PanicHookInfo<'_>) + Send + Sync + 'static {
        let (errand, warden) = (Arc::clone(&self.errand), Arc::clone(&self.warden));
        move |panic| {
            // The election's own thread does nothing more; any other is not waited for, and what it may still do, the
            // will stops.
            let election = gettid() == getpid();
            if election {
                errand.give_away();
            }
            let message = panic.payload_as_str().unwrap_or("no message");
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(
                "vipd ends by a bug of its own and gives its addresses away: {message} ({place}, version {}); please \
                 report this line, and those before it",
                env!("CARGO_PKG_VERSION")
            );
            flush();
            if !election {
                errand.give_away();
            }
            // A warden takes away what is left when those who take over need not wait for it.
            if !warden.is_running() {
                errand.sweep();
            }
            // SAFETY: ends the process at once; exit handlers must not run beside threads that are at work.
            unsafe { libc::_exit(crate::cli::exit::BUG.into()) }
        }
    }

    /// Runs until SIGTERM or SIGINT. When this returns, nothing is left of it: no address, no program, no process, no
    /// file.
    ///
    /// # Errors
    /// What is missing on this host, or what broke; a sentence for people.
    pub fn run(mut self) -> anyhow::Result<()> {
        for sentence in &self.degraded {
            tracing::warn!("{sentence}");
        }
        let places = config::places(self.config.instances.len());
        let board = Arc::new(Board::new(places));
        let tracking = Tracking::prepare(&self.config, None);
        let known = tracking.known();
        let (commands, commands_in) = mpsc::channel(4);
        let (ready_out, ready) = oneshot::channel();
        let (ended_out, ended) = oneshot::channel::<()>();
        let (publisher, events) = notify::channel(places);
        let service = {
            let (board, warden) = (Arc::clone(&board), Arc::clone(&self.warden));
            let (config, source) = (Arc::clone(&self.config), self.source.clone());
            let (will, path) = (self.will.clone(), self.run_dir.control());
            // Before anything is said of a state: who reads that may ask for more.
            let control = control::listen(&path)
                .with_context(|| format!("cannot make the control socket {}", path.display()))?;
            let served = move || -> anyhow::Result<()> {
                let service =
                    Service { config, source, will, places, board, warden, control, events, tracking };
                let runtime = runtime()?;
                let served = LocalSet::new().block_on(&runtime, service.serve(ready, commands, ended));
                // Looking up a name or a file may hang; that is not waited for.
                runtime.shutdown_background();
                served
            };
            thread::Builder::new().name("service".to_owned()).spawn(served)?
        };
        let elected = runtime()?.block_on(self.elect(board, publisher, known, ready_out, commands_in));
        if elected.is_err() {
            self.errand.give_away();
        }
        drop(ended_out);
        // A panic there would have ended the process.
        let served = service.join().unwrap_or(Ok(()));
        self.warden.dismiss();
        self.run_dir.sweep();
        elected.and(served)
    }

    /// The election, on the calling thread.
    async fn elect(
        &mut self,
        board: Arc<Board>,
        publisher: Publisher,
        known: Known,
        ready: oneshot::Sender<Ready>,
        commands: mpsc::Receiver<Command>,
    ) -> anyhow::Result<()> {
        let config = &self.config;
        let mut monitor = Monitor::start(&election::protocols(config)).await.context(UNREADABLE)?;
        let (record, will) = (self.run_dir.record(), self.will.clone());
        leftovers::put_parameters_back(&record);
        leftovers::remove_links(monitor.links(), &record)?;
        monitor.read_anew().await.context(UNREADABLE)?;
        let mut ground = Ground::new(will.clone())?;
        for (number, instance) in config.instances.iter().enumerate() {
            ground.prepare(number, instance, monitor.links())?;
        }
        monitor.read_anew().await.context(UNREADABLE)?;
        let planned = election::plan(config, monitor.links())?;
        let things = planned.iter().flat_map(Planned::things);
        let things: Vec<Thing> = things.chain(election::statics(config, monitor.links())).collect();
        leftovers::remove(monitor.links(), &things, &record)?;
        let written = fs::write(&record, leftovers::record(&things, &ground));
        written.with_context(|| format!("cannot write {}", record.display()))?;
        let opened = Datapath::open(self.config.datapath, &planned, self.run_dir.path())?;
        let Opened { datapath, interfaces, counters, degraded } = opened;
        let counters = Arc::new(counters);
        board.set_interfaces(interfaces);
        self.degrade(degraded);
        let election = Election::new(
            &self.config,
            known,
            planned.clone(),
            ground,
            datapath,
            monitor,
            board,
            publisher,
            will,
            record,
        )?;
        let (scheduling, lost) = realtime::schedule();
        self.degrade(lost);
        let degraded = std::mem::take(&mut self.degraded);
        // Nobody listens any more when a signal came first; then the command to stop is already waiting.
        let _ = ready.send(Ready { planned, counters, scheduling, degraded });
        election.run(commands).await
    }

    /// Says what is worse here than it could be, in the log and from now on in the status.
    fn degrade(&mut self, sentence: Option<String>) {
        if let Some(sentence) = sentence {
            tracing::warn!("{sentence}");
            self.degraded.push(sentence);
        }
    }
}

const UNREADABLE: &str = "cannot read the interfaces of this host";

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
