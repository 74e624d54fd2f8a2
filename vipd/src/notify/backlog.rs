//! What waits for one receiver. A receiver that is slow or away costs its own oldest events, and nobody else anything.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::sync::Notify;

use super::tally::Tally;

/// Events that may wait for one receiver.
pub(super) const WAITING_MAX: usize = 256;

/// A bounded queue; the oldest make room for the newest.
pub(super) struct Backlog<T> {
    waiting: RefCell<VecDeque<T>>,
    tally: Rc<Tally>,
    /// Some were dropped since it was empty; said once.
    overflows: Cell<bool>,
    closed: Cell<bool>,
    news: Notify,
}

impl<T> Backlog<T> {
    pub(super) fn new(tally: Rc<Tally>) -> Rc<Self> {
        Rc::new(Self {
            waiting: RefCell::default(),
            tally,
            overflows: Cell::new(false),
            closed: Cell::new(false),
            news: Notify::new(),
        })
    }

    pub(super) fn push(&self, item: T) {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() == WAITING_MAX {
            waiting.pop_front();
            self.tally.dropped(1);
            if !self.overflows.replace(true) {
                tracing::warn!("{}: {WAITING_MAX} events wait; the oldest are dropped", self.tally.name());
            }
        }
        waiting.push_back(item);
        self.news.notify_one();
    }

    /// The next one, when there is one; `None` when it is closed and empty.
    pub(super) async fn next(&self) -> Option<T> {
        loop {
            if let Some(item) = self.waiting.borrow_mut().pop_front() {
                return Some(item);
            }
            self.overflows.set(false);
            if self.closed.get() {
                return None;
            }
            self.news.notified().await;
        }
    }

    /// Nothing more comes: vipd ends.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.news.notify_one();
    }

    /// Waits until it is closed.
    pub(super) async fn closed(&self) {
        while !self.closed.get() {
            self.news.notified().await;
        }
    }

    /// Whether any item that waits is like this.
    pub(super) fn holds(&self, like: impl FnMut(&T) -> bool) -> bool {
        self.waiting.borrow().iter().any(like)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_make_room_and_are_counted() {
        let tally = Rc::new(Tally::new("test"));
        let backlog = Backlog::new(Rc::clone(&tally));

        (0..WAITING_MAX + 3).for_each(|number| backlog.push(number));
        backlog.close();

        assert_eq!((backlog.len(), tally.status().dropped), (WAITING_MAX, 3));
        let mut taken = Vec::new();
        while let Some(number) = backlog.next().await {
            taken.push(number);
        }
        assert_eq!(taken, (3..WAITING_MAX + 3).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn what_comes_wakes_who_waits() {
        let backlog = Backlog::new(Rc::new(Tally::new("test")));

        let (next, ()) = tokio::join!(backlog.next(), async { backlog.push(1) });
        let (end, ()) = tokio::join!(backlog.next(), async { backlog.close() });

        assert_eq!((next, end), (Some(1), None));
    }
}
