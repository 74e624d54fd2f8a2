//! A fast probe of a virtual address: a datagram every millisecond, echoed by whichever host holds the address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::Moment;
use crate::host::Host;

const PORT: u16 = 7;
const PACE: Duration = Duration::from_millis(1);
/// How often a thread that hears nothing looks whether it is to end.
const IDLE: Duration = Duration::from_millis(50);

/// Threads of a probe or an echo; they end on drop.
struct Threads {
    stop: Arc<AtomicBool>,
    handles: Vec<JoinHandle<()>>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for handle in self.handles.drain(..) {
            let _ = handle.join();
        }
    }
}

/// Sends back every datagram that reaches a host, on any of its addresses. It ends on drop.
pub struct Echo {
    _threads: Threads,
}

impl Echo {
    /// Starts it.
    ///
    /// # Errors
    /// If the host's port is taken.
    pub fn start(host: &Host) -> Result<Self> {
        let socket = open(host, PORT)?;
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let handle = thread::Builder::new().name("echo".to_owned()).spawn(move || echo(&socket, &ended))?;
        Ok(Self { _threads: Threads { stop, handles: vec![handle] } })
    }
}

fn echo(socket: &UdpSocket, ended: &AtomicBool) {
    let mut bytes = [0; 64];
    while !ended.load(Ordering::Relaxed) {
        if let Ok((length, from)) = socket.recv_from(&mut bytes) {
            // A lost echo is what the probe is there to see.
            let _ = socket.send_to(&bytes[..length], from);
        }
    }
}

/// An echo that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// When it came.
    pub at: Moment,
    /// Own address of the host that sent it.
    pub by: IpAddr,
}

/// Sends datagrams to an address every millisecond and notes the echoes. It ends on drop.
pub struct Probe {
    heard: Arc<Heard>,
    _threads: Threads,
}

impl Probe {
    /// Starts a probe from `host` to `target`.
    ///
    /// # Errors
    /// If no socket can be opened there.
    pub fn start(host: &Host, target: IpAddr) -> Result<Self> {
        let socket = open(host, 0)?;
        let heard = Arc::new(Heard::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (sender, noted) = (socket.try_clone()?, Arc::clone(&heard));
        let (send_ended, receive_ended) = (Arc::clone(&stop), Arc::clone(&stop));
        let to = SocketAddr::new(target, PORT);
        let send = thread::Builder::new()
            .name("probe send".to_owned())
            .spawn(move || send_at_pace(&sender, to, &send_ended))?;
        let receive = thread::Builder::new()
            .name("probe receive".to_owned())
            .spawn(move || receive(&socket, &noted, &receive_ended))?;
        Ok(Self { heard, _threads: Threads { stop, handles: vec![send, receive] } })
    }

    /// Every echo so far, in the order of arrival.
    #[must_use]
    pub fn answers(&self) -> Vec<Answer> {
        self.heard.lock().clone()
    }

    /// The echoes after the first `seen` ones; awaits one if there is none yet, at most `within` this time.
    #[must_use]
    pub fn next(&self, seen: usize, within: Duration) -> Vec<Answer> {
        let deadline = Moment::now() + within;
        let mut answers = self.heard.lock();
        while answers.len() <= seen && !deadline.remaining().is_zero() {
            let waited = self.heard.changed.wait_timeout(answers, deadline.remaining());
            answers = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        answers.get(seen..).unwrap_or_default().to_vec()
    }
}

/// The echoes that came back.
#[derive(Default)]
struct Heard {
    answers: Mutex<Vec<Answer>>,
    changed: Condvar,
}

impl Heard {
    fn lock(&self) -> MutexGuard<'_, Vec<Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn send_at_pace(socket: &UdpSocket, to: SocketAddr, ended: &AtomicBool) {
    let mut due = Moment::now();
    while !ended.load(Ordering::Relaxed) {
        // Nobody may be there, or nobody may be known there: the next one follows anyway.
        let _ = socket.send_to(b"probe", to);
        due = (due + PACE).max(Moment::now());
        thread::sleep(due.remaining());
    }
}

fn receive(socket: &UdpSocket, heard: &Heard, ended: &AtomicBool) {
    let mut bytes = [0; 64];
    while !ended.load(Ordering::Relaxed) {
        if let Ok((_, from)) = socket.recv_from(&mut bytes) {
            let answer = Answer { at: Moment::now(), by: from.ip() };
            heard.lock().push(answer);
            heard.changed.notify_all();
        }
    }
}

fn open(host: &Host, port: u16) -> Result<UdpSocket> {
    let open = move || -> io::Result<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port))?;
        socket.set_read_timeout(Some(IDLE))?;
        Ok(socket)
    };
    host.run(open).with_context(|| format!("{}: UDP port {port}", host.name()))
}

/// The longest time without an answer that ended between `from` and `to`, counted from the answer before it.
#[must_use]
pub fn longest_gap(answers: &[Answer], from: Moment, to: Moment) -> Option<Duration> {
    let gaps = answers.windows(2).filter(|pair| pair[1].at >= from && pair[1].at <= to);
    gaps.map(|pair| pair[1].at.since(pair[0].at)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_may_begin_before_the_span_but_ends_in_it() {
        let start = Moment::now();
        let at = |millis| start + Duration::from_millis(millis);
        let answers: Vec<Answer> = [0, 1, 40, 41, 90]
            .into_iter()
            .map(|ms| Answer { at: at(ms), by: Ipv4Addr::LOCALHOST.into() })
            .collect();

        assert_eq!(longest_gap(&answers, at(10), at(50)), Some(Duration::from_millis(39)));
        assert_eq!(longest_gap(&answers, at(91), at(100)), None);
    }
}
