//! A flood: the same few frames, as fast as one thread can send them.

use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::Result;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, MultiHeaders, sendmmsg};
use socket2::Socket;

use crate::Moment;
use crate::host::Host;
use crate::wire;

/// Frames in one system call.
const BATCH: usize = 64;

/// Sends frames from a host until it is dropped, or its time or number is over.
pub struct Flood {
    from: Moment,
    sent: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    /// Starts sending `frames` in turn out of `interface`, for at most this time and this many frames.
    ///
    /// # Errors
    /// If no packet socket can be opened there.
    pub fn start(
        host: &Host,
        interface: &str,
        frames: Vec<Vec<u8>>,
        at_most: Duration,
        count: u64,
    ) -> Result<Self> {
        let socket = wire::open(host, interface)?;
        wire::bypass_queues(&socket)?;
        let from = Moment::now();
        let sent = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let (tally, ended) = (Arc::clone(&sent), Arc::clone(&stop));
        let deadline = from + at_most;
        let goes_on = move || {
            !ended.load(Ordering::Relaxed)
                && tally.load(Ordering::Relaxed) < count
                && !deadline.remaining().is_zero()
        };
        let tally = Arc::clone(&sent);
        let thread = thread::Builder::new().name("flood".to_owned()).spawn(move || {
            let mut batches = batches(&frames).into_iter().cycle();
            while goes_on() {
                let Some(batch) = batches.next() else { return };
                let left = usize::try_from(count - tally.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
                match send(&socket, &batch[..left.min(batch.len())]) {
                    Ok(sent) => _ = tally.fetch_add(sent as u64, Ordering::Relaxed),
                    // A full queue passes; a link that is down may come back.
                    Err(_) => thread::sleep(Duration::from_millis(1)),
                }
            }
        })?;
        Ok(Self { from, sent, stop, thread: Some(thread) })
    }

    /// Frames sent so far.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Waits until it ends by itself; tells how many frames it has sent.
    #[must_use]
    pub fn finish(mut self) -> u64 {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.sent()
    }

    /// Frames a second, on average from its beginning until now.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "nobody sends 2^52 frames")]
    pub fn rate(&self) -> f64 {
        self.sent() as f64 / Moment::now().since(self.from).as_secs_f64()
    }

    /// True while it sends.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic has been shown already.
            let _ = thread.join();
        }
    }
}

/// The frames in an endless row, cut into batches that begin again where the row does.
fn batches(frames: &[Vec<u8>]) -> Vec<Vec<&[u8]>> {
    let turns = if frames.is_empty() { 0 } else { BATCH.div_ceil(frames.len()) };
    let row: Vec<&[u8]> = (0..turns).flat_map(|_| frames.iter().map(Vec::as_slice)).collect();
    row.chunks(BATCH).map(<[_]>::to_vec).collect()
}

/// Sends frames in one system call, and returns how many left.
fn send(socket: &Socket, frames: &[&[u8]]) -> io::Result<usize> {
    let parts: Vec<[IoSlice; 1]> = frames.iter().map(|frame| [IoSlice::new(frame)]).collect();
    let mut headers = MultiHeaders::<()>::preallocate(parts.len(), None);
    let addresses = vec![None; parts.len()];
    match sendmmsg(socket.as_raw_fd(), &mut headers, &parts, &addresses, [], MsgFlags::empty()) {
        Ok(results) => Ok(results.count()),
        Err(Errno::EINTR) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_hold_every_frame_equally_often() {
        for number in [1, 3, 64, 100] {
            let frames: Vec<Vec<u8>> = (0..number).map(|n| vec![n]).collect();

            let batches = batches(&frames);

            assert!(batches.iter().all(|batch| batch.len() <= BATCH));
            let row: Vec<u8> = batches.concat().iter().map(|frame| frame[0]).collect();
            assert_eq!(row.len() % frames.len(), 0);
            assert!(row.iter().enumerate().all(|(place, frame)| frames[place % frames.len()] == [*frame]));
        }
    }
}
