//! One agent from start to end: the election thread, the service thread around it, and what is cleaned up when the
//! election thread fails.

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use crate::config::Config;
use crate::control::{self, InterfaceStatus};
use crate::datapath::{Datapath, Tally};
use crate::election::{self, Board, Command, Election, Planned};
use crate::last_will;
use crate::link::Monitor;
use crate::report::Reporter;
use crate::rights;
use crate::run_dir::RunDir;

/// What the election thread tells when it stands.
pub(crate) struct Ready {
    /// The configuration as it was found on this host.
    pub(crate) planned: Vec<Planned>,
    /// Where adverts are received.
    pub(crate) interfaces: Vec<InterfaceStatus>,
    /// What was counted.
    pub(crate) counters: Tally,
}

/// Runs an agent until SIGTERM or SIGINT. When this returns, nothing of it is left: no address, no program, no file.
///
/// # Errors
/// What is missing on this host, or what broke; a sentence for people.
pub fn run(config: Config, run_dir: &Path) -> anyhow::Result<()> {
    rights::check()?;
    let run_dir = RunDir::acquire(run_dir)?;
    let runtime = runtime()?;
    let board = Arc::new(Board::new(config.instances.len()));
    let config = Arc::new(config);
    let (commands, commands_in) = mpsc::channel(4);
    let (ready_out, ready) = oneshot::channel();
    let (ended_out, ended) = oneshot::channel::<()>();
    let thread = {
        let (config, board) = (Arc::clone(&config), Arc::clone(&board));
        thread::Builder::new().name("election".to_owned()).spawn(move || {
            // Dropped however the thread ends.
            let _ended = ended_out;
            elect(&config, board, ready_out, commands_in)
        })?
    };
    let service = LocalSet::new();
    let served =
        service.block_on(&runtime, serve(&config, &board, run_dir.control(), ready, commands, ended));
    let elected = thread.join();
    match elected {
        Ok(elected) => elected.and(served),
        Err(_panic) => {
            runtime.block_on(last_will::execute(&config, &board))?;
            anyhow::bail!("the election failed by a bug in vipd; its addresses were given away");
        }
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// The election thread.
fn elect(
    config: &Config,
    board: Arc<Board>,
    ready: oneshot::Sender<Ready>,
    commands: mpsc::Receiver<Command>,
) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let monitor = Monitor::start().await.context("cannot read the interfaces of this host")?;
        let planned = election::plan(config, monitor.links())?;
        last_will::remove_leftovers(monitor.links(), &planned)?;
        let (datapath, interfaces, counters) = Datapath::open(config.datapath, &planned)?;
        let election = Election::new(planned.clone(), datapath, monitor, board)?;
        // Nobody listens any more when a signal came first; then the command to stop is already waiting.
        let _ = ready.send(Ready { planned, interfaces, counters });
        election.run(commands).await
    })
}

/// The service thread: signals and the control socket, until the election has ended.
async fn serve(
    config: &Config,
    board: &Arc<Board>,
    socket: std::path::PathBuf,
    ready: oneshot::Receiver<Ready>,
    commands: mpsc::Sender<Command>,
    ended: oneshot::Receiver<()>,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let Ok(ready) = ready.await else {
        return Ok(());
    };
    let reporter = Reporter::new(config, Arc::clone(board), ready);
    let control = control::serve(&socket, Rc::new(move || reporter.status()))
        .with_context(|| format!("cannot listen on {}", socket.display()))?;
    tokio::task::spawn_local(control);
    tokio::pin!(ended);
    loop {
        tokio::select! {
            _ = &mut ended => return Ok(()),
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        // The election thread is gone already when this fails.
        let _ = commands.send(Command::Stop).await;
    }
}
