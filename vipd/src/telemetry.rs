//! Logs. Lines are handed to a writer thread; when it falls behind they are dropped and counted, so that no log can
//! delay the election.

use std::fmt;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};

use nix::sys::stat::fstat;
use tracing::{Event, Level, Subscriber};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

/// Lines that may wait for the writer thread.
const BACKLOG: usize = 4096;

/// Writes out what is still waiting when it is dropped; `None` where logs were not started.
static WRITER: Mutex<Option<WorkerGuard>> = Mutex::new(None);

/// Sends logs of `level` and above to standard error, in the journal's form when that is where standard error leads.
pub fn start(level: Level) {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(BACKLOG)
        .thread_name("log")
        .finish(std::io::stderr());
    *WRITER.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
    let logs = tracing_subscriber::fmt().with_max_level(level).with_writer(writer);
    if leads_to_journal() {
        logs.event_format(JournalLine).init();
    } else {
        logs.with_target(false).with_ansi(std::io::stderr().is_terminal()).init();
    }
}

/// Writes out the lines that wait, for the last time. Takes about a second at most, where nobody takes them off.
pub fn finish() {
    drop(WRITER.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// Whether systemd connected standard error to the journal: it names the stream's device and inode (systemd.exec(5)).
pub(crate) fn leads_to_journal() -> bool {
    let Ok(stat) = fstat(std::io::stderr()) else { return false };
    std::env::var("JOURNAL_STREAM").is_ok_and(|stream| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// A line for the journal: the priority in front (sd-daemon(3)), no time of its own.
struct JournalLine;

impl<S, N> FormatEvent<S, N> for JournalLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        write!(writer, "<{priority}>")?;
        for span in context.event_scope().into_iter().flatten() {
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                write!(writer, "{fields} ")?;
            }
        }
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
