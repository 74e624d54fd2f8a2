//! Passes on the log lines of the kernel half, for debugging.

use std::os::fd::AsFd;
use std::thread;

use aya::Ebpf;
use aya_log::EbpfLogger;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tracing::{debug, warn};

/// Writes each record as a tracing event.
struct ToTracing;

impl log::Log for ToTracing {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        debug!(target: "vipd::kernel", "{}", record.args());
    }

    fn flush(&self) {}
}

/// Starts a thread that passes lines on as long as the process runs.
pub(super) fn forward(ebpf: &mut Ebpf) {
    let mut logger = match EbpfLogger::init_with_logger(ebpf, ToTracing) {
        Ok(logger) => logger,
        Err(error) => return warn!(%error, "the kernel half was built without log lines"),
    };
    let started = thread::Builder::new().name("kernel-log".into()).spawn(move || {
        while poll(&mut [PollFd::new(logger.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE).is_ok() {
            logger.flush();
        }
    });
    if let Err(error) = started {
        warn!(%error, "the kernel half's log lines are not read");
    }
}
