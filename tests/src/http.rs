//! A client that asks a server over HTTP again and again and keeps account of the answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::Moment;
use crate::host::Host;

/// How a client asks.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The server.
    pub server: SocketAddr,
    /// From the start of one request to the start of the next; longer if the answer takes longer.
    pub every: Duration,
    /// After which a connection or an answer counts as lost.
    pub patience: Duration,
}

/// What became of one request.
#[derive(Clone, Debug)]
pub struct Request {
    /// When it was begun.
    pub began: Moment,
    /// When it was answered or given up.
    pub ended: Moment,
    /// `X-Served-By` of an answer with status 200 (empty without one), or what went wrong.
    pub outcome: Result<String, String>,
}

/// A client at work; it ends on drop.
pub struct Client {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<nix::Result<()>>>,
}

#[derive(Default)]
struct Shared {
    requests: Mutex<Vec<Request>>,
    changed: Condvar,
    stop: AtomicBool,
}

impl Client {
    /// Starts a client on `host` that sends `GET /health`.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(host: &Host, plan: Plan) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let worker = Arc::clone(&shared);
        let thread = host.spawn_thread("client", move || worker.ask(plan))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The requests that have ended so far, in the order in which they did.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().clone()
    }

    /// The requests that have ended after the first `seen` ones; awaits one if there is none yet, at most `within` this
    /// time.
    #[must_use]
    pub fn next(&self, seen: usize, within: Duration) -> Vec<Request> {
        let deadline = Moment::now() + within;
        let mut requests = self.shared.lock();
        while requests.len() <= seen && !deadline.remaining().is_zero() {
            requests = self.shared.wait(requests, deadline.remaining());
        }
        requests.get(seen..).unwrap_or_default().to_vec()
    }

    /// Awaits an answer to a request that began at `since` or later.
    ///
    /// # Errors
    /// If none comes `within` this time; the error tells what became of the last request.
    pub fn wait_for_answer(&self, since: Moment, within: Duration) -> Result<Request> {
        let deadline = Moment::now() + within;
        let mut requests = self.shared.lock();
        loop {
            let answered = requests.iter().rev().take_while(|request| request.began >= since);
            if let Some(request) = answered.filter(|request| request.outcome.is_ok()).last() {
                return Ok(request.clone());
            }
            if deadline.remaining().is_zero() {
                bail!("no answer within {within:?}; the last request: {:?}", requests.last());
            }
            requests = self.shared.wait(requests, deadline.remaining());
        }
    }

    /// Ends the client and returns its account.
    ///
    /// # Errors
    /// If its thread has panicked.
    pub fn finish(mut self) -> Result<Account> {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok().context("the client's thread panicked")??;
        }
        Ok(Account::of(&self.requests()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Sums over a client's requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Requests sent.
    pub sent: usize,
    /// Requests without a good answer.
    pub lost: usize,
    /// The longest time from one good answer to the next that had a lost request in between; zero without loss.
    pub longest_outage: Duration,
}

impl Account {
    /// The account of these requests.
    #[must_use]
    pub fn of(requests: &[Request]) -> Self {
        let lost = requests.iter().filter(|request| request.outcome.is_err()).count();
        let mut longest_outage = Duration::ZERO;
        let mut last_good: Option<Moment> = None;
        let mut lost_since = false;
        for request in requests {
            if request.outcome.is_err() {
                lost_since = true;
                continue;
            }
            if let (Some(before), true) = (last_good, lost_since) {
                longest_outage = longest_outage.max(request.ended.since(before));
            }
            last_good = Some(request.ended);
            lost_since = false;
        }
        Self { sent: requests.len(), lost, longest_outage }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(
        &self,
        held: MutexGuard<'a, Vec<Request>>,
        at_most: Duration,
    ) -> MutexGuard<'a, Vec<Request>> {
        self.changed.wait_timeout(held, at_most).unwrap_or_else(PoisonError::into_inner).0
    }

    fn ask(&self, plan: Plan) {
        while !self.stop.load(Ordering::Relaxed) {
            let began = Moment::now();
            let outcome = ask_once(plan).map_err(|error| format!("{error:#}"));
            self.lock().push(Request { began, ended: Moment::now(), outcome });
            self.changed.notify_all();
            // The pace of the load, not a wait for anything.
            thread::sleep((began + plan.every).remaining());
        }
    }
}

fn ask_once(plan: Plan) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&plan.server, plan.patience)?;
    stream.set_read_timeout(Some(plan.patience))?;
    stream.write_all(b"GET /health HTTP/1.0\r\nHost: example.com\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let status = answer.split_whitespace().nth(1).context("empty answer")?;
    if status != "200" {
        bail!("status {status}");
    }
    let mut headers = answer.lines().filter_map(|line| line.split_once(": "));
    let served_by = headers.find(|(name, _)| name.eq_ignore_ascii_case("x-served-by"));
    Ok(served_by.map(|(_, value)| value.to_owned()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_lasts_from_the_last_good_answer_to_the_next() {
        let start = Moment::now();
        let at = |millis| start + Duration::from_millis(millis);
        let request = |began, ended, good| Request {
            began: at(began),
            ended: at(ended),
            outcome: if good { Ok(String::new()) } else { Err("timeout".to_owned()) },
        };
        let requests =
            [request(0, 1, true), request(10, 60, false), request(60, 110, false), request(110, 111, true)];

        let account = Account::of(&requests);

        let expected = Account { sent: 4, lost: 2, longest_outage: Duration::from_millis(110) };
        assert_eq!(account, expected);
    }

    #[test]
    fn a_slow_pace_without_loss_is_no_outage() {
        let start = Moment::now();
        let good = |millis| {
            let at = start + Duration::from_millis(millis);
            Request { began: at, ended: at, outcome: Ok(String::new()) }
        };

        assert_eq!(Account::of(&[good(0), good(500)]).longest_outage, Duration::ZERO);
    }
}
