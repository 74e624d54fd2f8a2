//! Delivers to a receiver that may be away: one event after the other, with growing waits between the attempts.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::timeout;

use super::backlog::Backlog;
use super::tally::{Outage, Tally};

/// From the first attempt to the second; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// But not longer than this.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Why an attempt failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// It may succeed later.
    Passing(String),
    /// The receiver will never take this.
    Final(String),
}

/// Takes events off the backlog until that is closed and empty. Each is tried once and then `retries` times more; when
/// vipd has been told to stop, nothing is tried again.
pub(super) async fn deliver<T>(
    backlog: Rc<Backlog<T>>,
    tally: Rc<Tally>,
    retries: u8,
    attempt: impl AsyncFn(&T) -> Result<(), Failure>,
) {
    let outage = Outage::default();
    while let Some(item) = backlog.next().await {
        let mut left = retries;
        let mut wait = FIRST_WAIT;
        loop {
            let why = match attempt(&item).await {
                Ok(()) => {
                    tally.sent();
                    outage.over(&tally.name());
                    break;
                }
                Err(Failure::Passing(why)) => why,
                Err(Failure::Final(why)) => {
                    left = 0;
                    why
                }
            };
            outage.failed(&tally.name(), &why);
            if left == 0 || timeout(wait, backlog.closed()).await.is_ok() {
                tally.failed();
                break;
            }
            left -= 1;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::Instant;

    use super::*;

    /// Delivers these events to a receiver that answers in turn as told, then always says yes. The moments of the attempts,
    /// in seconds, with the event; and the counters.
    async fn deliver_to(
        answers: &[Result<(), Failure>],
        events: &[u8],
        retries: u8,
    ) -> (Vec<(u64, u8)>, [u64; 3]) {
        let tally = Rc::new(Tally::new("test"));
        let backlog = Backlog::new(Rc::clone(&tally));
        for event in events {
            backlog.push(*event);
        }
        let (began, attempts) = (Instant::now(), RefCell::default());
        let attempt = async |event: &u8| {
            let mut attempts: std::cell::RefMut<'_, Vec<(u64, u8)>> = attempts.borrow_mut();
            attempts.push((began.elapsed().as_secs(), *event));
            match answers.get(attempts.len() - 1) {
                Some(Err(Failure::Passing(why))) => Err(Failure::Passing(why.clone())),
                Some(Err(Failure::Final(why))) => Err(Failure::Final(why.clone())),
                _ => Ok(()),
            }
        };
        let all = deliver(Rc::clone(&backlog), Rc::clone(&tally), retries, attempt);
        // Closed when everything has been taken, long after the last attempt.
        let _ = timeout(Duration::from_hours(1), all).await;
        let status = tally.status();
        (attempts.into_inner(), [status.sent, status.failed, status.dropped])
    }

    fn passing() -> Result<(), Failure> {
        Err(Failure::Passing("away".to_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_and_the_next_event_waits_behind_the_one_that_is_tried() {
        let (attempts, counts) = deliver_to(&[passing(), passing(), passing()], &[1, 2], 5).await;

        assert_eq!(attempts, [(0, 1), (1, 1), (3, 1), (7, 1), (7, 2)]);
        assert_eq!(counts, [2, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_event_is_given_up_after_so_many_attempts_or_at_once_when_it_is_refused() {
        let refused = Err(Failure::Final("no".to_owned()));
        let (attempts, counts) = deliver_to(&[passing(), passing(), refused], &[1, 2, 3], 1).await;

        assert_eq!(attempts, [(0, 1), (1, 1), (1, 2), (1, 3)]);
        assert_eq!(counts, [1, 2, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_tried_again_when_vipd_stops() {
        let tally = Rc::new(Tally::new("test"));
        let backlog = Backlog::new(Rc::clone(&tally));
        for event in [1, 2] {
            backlog.push(event);
        }
        backlog.close();
        let began = Instant::now();

        deliver(backlog, Rc::clone(&tally), 5, async |_: &u8| passing()).await;

        assert_eq!((began.elapsed(), tally.status().failed), (Duration::ZERO, 2));
    }
}
