//! MASTER: when to send adverts and announcements (RFC 9568 §6.4.3).

use core::time::Duration;

use crate::{Announcing, Instant, Spec};

/// Least time between two replies of a virtual router to adverts that lose the election (C-FSM-10). RFC 9568 asks for
/// the reply; in version 2, where RFC 3768 is silent, it heals a split as well.
const REPLY_GAP: Duration = Duration::from_millis(100);

/// The timers of a Master.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Master {
    /// Adver_Timer.
    advert: Instant,
    /// When the last advert was sent.
    sent: Instant,
    /// The second set of announcements, until it is sent, and how many (C-ARP-07).
    second_set: Option<(Instant, u8)>,
    /// The next of the sets that are sent as long as this node is Master, counted from when it became one.
    refresh: Option<Instant>,
    /// The last reply to an advert that loses.
    replied: Option<Instant>,
    /// It has resigned, and waits for another Master to be heard.
    pub(crate) hands_over: bool,
}

/// What a timer asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Send an advert.
    Advert,
    /// Announce the addresses this many times.
    Announce(u8),
}

impl Master {
    /// A Master from `now` on, its first advert and first set of announcements being sent.
    pub(crate) fn new(spec: &Spec, now: Instant) -> Self {
        let Announcing { repeat, delay, refresh, .. } = spec.announcing;
        let timer = |span: Duration| (!span.is_zero()).then(|| now + span);
        Self {
            advert: now + spec.interval.as_duration(),
            sent: now,
            second_set: timer(delay).map(|at| (at, repeat)),
            refresh: timer(refresh),
            replied: None,
            hands_over: false,
        }
    }

    /// When the next timer is due.
    pub(crate) fn deadline(&self) -> Instant {
        [self.second_set.map(|(at, _)| at), self.refresh]
            .into_iter()
            .flatten()
            .fold(self.advert, Instant::min)
    }

    /// Takes the timer that is due next and arms it anew if it is periodic.
    pub(crate) fn fire(&mut self, spec: &Spec, now: Instant) -> Task {
        let due = self.deadline();
        if self.advert == due {
            self.advert = next_due(due, spec.interval.as_duration(), now);
            self.hands_over = false;
            self.sent = now;
            Task::Advert
        } else if let Some((_, copies)) = self.second_set.take_if(|(at, _)| *at == due) {
            Task::Announce(copies)
        } else {
            self.refresh = Some(next_due(due, spec.announcing.refresh, now));
            Task::Announce(spec.announcing.refresh_repeat)
        }
    }

    /// Restarts Adver_Timer: an advert is sent now, out of turn (C-FSM-08).
    pub(crate) fn restart_advert(&mut self, spec: &Spec, now: Instant) {
        self.advert = now + spec.interval.as_duration();
        self.sent = now;
    }

    /// Goes on by another configuration: the next advert is sent within its interval, and what is announced again and again
    /// counts from now on where that is new.
    pub(crate) fn reconfigure(&mut self, before: &Spec, spec: &Spec, now: Instant) {
        if !self.hands_over {
            self.advert = self.advert.min(now + spec.interval.as_duration());
        }
        let refresh = spec.announcing.refresh;
        if refresh != before.announcing.refresh {
            self.refresh = (!refresh.is_zero()).then(|| now + refresh);
        }
    }

    /// Resigns for somebody else to take over. If nobody does, it goes on as before after `patience`.
    pub(crate) fn hand_over(&mut self, now: Instant, patience: Duration) {
        self.hands_over = true;
        self.advert = now + patience;
    }

    /// How long this Master has been silent, if that is so long that a Backup may have taken over.
    pub(crate) fn overdue(&self, spec: &Spec, now: Instant) -> Option<Duration> {
        Some(now.since(self.sent)).filter(|silent| *silent >= spec.lease())
    }

    /// Whether an advert that loses may be replied to; if so, the reply is taken as sent, and a second set of
    /// announcements is due after the delay that is configured for it.
    pub(crate) fn may_reply(&mut self, spec: &Spec, now: Instant) -> bool {
        let free = self.replied.is_none_or(|last| now.since(last) >= REPLY_GAP);
        if free {
            let Announcing { losing_repeat, losing_delay, .. } = spec.announcing;
            self.replied = Some(now);
            if !losing_delay.is_zero() && losing_repeat > 0 {
                self.second_set = Some((now + losing_delay, losing_repeat));
            }
            if !spec.mute_to_losers {
                self.sent = now;
            }
        }
        free
    }
}

/// The next turn of a periodic timer. It keeps its phase, so that lateness does not add up; when whole turns were
/// missed it begins a new phase, so that a late Master sends one advert and no burst (C-TX-10).
fn next_due(due: Instant, period: Duration, now: Instant) -> Instant {
    let next = due + period;
    if next > now { next } else { now + period }
}
