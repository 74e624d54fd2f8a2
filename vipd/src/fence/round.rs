//! When hosts are asked, and when that is decided: no socket here.

use std::time::Duration;

use vipd_core::Instant;

/// How often a host that does not answer is asked in one round: a frame can get lost.
const ATTEMPTS: u32 = 3;

/// The rounds of one fence.
#[derive(Debug)]
pub(super) struct Round {
    quorum: usize,
    interval: Duration,
    timeout: Duration,
    asking: Option<Asking>,
    /// The next round, while one after the other is made.
    next: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Asking {
    began: Instant,
    attempts: u32,
    /// The next attempt, or the verdict.
    next: Instant,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait.
    Nothing,
    /// A round has begun: count anew.
    Begun,
    /// Ask those that have not answered.
    Ask,
    /// The round is over, and this is what it says.
    Done(bool),
}

impl Round {
    /// No round is going on.
    pub(super) fn new(quorum: usize, interval: Duration, timeout: Duration) -> Self {
        Self { quorum, interval, timeout, asking: None, next: None }
    }

    /// Goes on where another one was, with a round of its own if that was asking.
    pub(super) fn resume(&mut self, before: &Self, now: Instant) {
        self.next = before.next;
        if before.asking.is_some() {
            self.begin(now);
        }
    }

    /// Starts a round.
    pub(super) fn begin(&mut self, now: Instant) {
        self.asking = Some(Asking { began: now, attempts: 0, next: now });
    }

    /// From now on one round follows the other, or none does.
    pub(super) fn repeat(&mut self, repeats: bool, now: Instant) {
        match (repeats, self.next) {
            (true, None) => self.next = Some(now + self.interval),
            (true, Some(_)) => {}
            (false, _) => self.next = None,
        }
    }

    /// When there is something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.asking.map(|asking| asking.next).or(self.next)
    }

    /// How many hosts must answer.
    pub(super) fn quorum(&self) -> usize {
        self.quorum
    }

    /// What was heard from here on counts.
    pub(super) fn began(&self) -> Option<Instant> {
        self.asking.map(|asking| asking.began)
    }

    /// Decides, now that this many hosts have answered of those that can be asked.
    pub(super) fn step(&mut self, now: Instant, answered: usize, possible: usize) -> Step {
        if self.asking.is_none() && self.next.is_some_and(|next| next <= now) {
            self.begin(now);
            return Step::Begun;
        }
        let Some(asking) = &mut self.asking else { return Step::Nothing };
        let connected = answered >= self.quorum;
        let lost = possible < self.quorum && asking.attempts > 0;
        let due = asking.next <= now;
        if connected || lost || due && asking.attempts == ATTEMPTS {
            self.next = self.next.map(|_| asking.began + self.interval);
            self.asking = None;
            return Step::Done(connected);
        }
        if !due {
            return Step::Nothing;
        }
        // From the moment that it is asked: who was late in asking waits no less for the answer.
        asking.attempts += 1;
        asking.next = now + self.timeout / ATTEMPTS;
        Step::Ask
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn at(ms: u32) -> Instant {
        Instant::from_nanos(1_000_000_000) + ms * MS
    }

    fn round() -> Round {
        Round::new(2, 1000 * MS, 90 * MS)
    }

    #[test]
    fn the_answer_is_there_with_the_one_that_completes_the_quorum() {
        let mut round = round();
        round.begin(at(0));

        assert_eq!(round.step(at(0), 0, 3), Step::Ask);
        assert_eq!(round.step(at(1), 1, 3), Step::Nothing);
        assert_eq!(round.step(at(2), 2, 3), Step::Done(true));

        assert_eq!(round.deadline(), None);
        assert_eq!(round.step(at(3), 3, 3), Step::Nothing);
    }

    #[test]
    fn who_does_not_answer_is_asked_three_times_within_the_timeout() {
        let mut round = round();
        round.begin(at(0));

        let steps = [0, 29, 30, 60, 89, 90].map(|ms| round.step(at(ms), 1, 3));

        assert_eq!(steps, [Step::Ask, Step::Nothing, Step::Ask, Step::Ask, Step::Nothing, Step::Done(false)]);
    }

    #[test]
    fn a_quorum_that_cannot_be_reached_is_not_waited_for() {
        let mut round = round();
        round.begin(at(0));

        assert_eq!(round.step(at(0), 0, 3), Step::Ask);
        assert_eq!(round.step(at(0), 0, 1), Step::Done(false), "the sockets refused");
    }

    /// Promise 2: a node that got no CPU asks late, and gives the others the same time to answer.
    #[test]
    fn who_is_late_in_asking_waits_no_less() {
        let mut round = round();
        round.begin(at(0));
        round.step(at(0), 0, 3);

        assert_eq!(round.step(at(500), 0, 3), Step::Ask);
        assert_eq!(round.step(at(530), 0, 3), Step::Ask);
        assert_eq!(round.step(at(560), 0, 3), Step::Done(false));
    }

    #[test]
    fn as_long_as_it_repeats_rounds_follow_by_the_interval() {
        let mut round = round();
        round.repeat(true, at(0));
        assert_eq!(round.deadline(), Some(at(1000)));
        assert_eq!(round.step(at(999), 0, 3), Step::Nothing);

        assert_eq!(round.step(at(1000), 0, 3), Step::Begun);
        assert_eq!(round.began(), Some(at(1000)), "what was heard before does not count");
        assert_eq!(round.step(at(1000), 0, 3), Step::Ask);
        assert_eq!(round.step(at(1005), 2, 3), Step::Done(true));
        assert_eq!(round.deadline(), Some(at(2000)));

        round.repeat(false, at(1500));
        assert_eq!(round.deadline(), None);
    }
}
