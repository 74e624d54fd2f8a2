//! What the tests share: a virtual router to talk to, and short words for inputs and actions.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use vipd_core::{
    Action, Advert, Announcing, Cause, Input, InstanceId, Instant, Interval, Router, Spec, State, Status,
    Transition, Version,
};

/// The one virtual router of a [`Node`].
pub(crate) const ID: InstanceId = InstanceId(0);
/// Own address of [`v3`] and [`v2`].
pub(crate) const OWN: IpAddr = v4(192, 0, 2, 12);
/// An address smaller than [`OWN`].
pub(crate) const SMALLER: IpAddr = v4(192, 0, 2, 11);
/// An address greater than [`OWN`].
pub(crate) const GREATER: IpAddr = v4(192, 0, 2, 13);

pub(crate) const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

pub(crate) const fn us(micros: u64) -> Instant {
    Instant::from_nanos(micros * 1000)
}

pub(crate) const fn ms(millis: u64) -> Instant {
    us(millis * 1000)
}

pub(crate) fn centis(cs: u16) -> Interval {
    Interval::from_centis(cs).expect("an interval above zero")
}

/// Version 3 at 100 cs, preempting at once, one announcement.
pub(crate) fn v3(priority: u8) -> Spec {
    Spec {
        version: Version::V3,
        priority,
        interval: centis(100),
        preempt: true,
        preempt_delay: Duration::ZERO,
        down_adverts: 3,
        mute_to_losers: false,
        last_word: false,
        group: None,
        fenced: false,
        source: OWN,
        announcing: Announcing {
            repeat: 1,
            delay: Duration::ZERO,
            refresh: Duration::ZERO,
            refresh_repeat: 1,
            losing_repeat: 1,
            losing_delay: Duration::ZERO,
        },
    }
}

/// [`v3`] in version 2, at 1 s.
pub(crate) fn v2(priority: u8) -> Spec {
    Spec { version: Version::V2, ..v3(priority) }
}

/// An advert at 100 cs.
pub(crate) fn advert(source: IpAddr, priority: u8, at: Instant) -> Advert {
    Advert { source, priority, interval: centis(100), at }
}

pub(crate) fn report(from: State, to: State, cause: Cause, at: Instant) -> Action {
    Action::Report(ID, Transition { from, to, cause, at })
}

pub(crate) const fn send(priority: u8) -> Action {
    Action::SendAdvert(ID, priority)
}

pub(crate) const fn hold(yes: bool) -> Action {
    Action::HoldAddresses(ID, yes)
}

pub(crate) const ANNOUNCE: Action = Action::Announce(ID);
pub(crate) const LOSER: Action = Action::ReportLoser(ID);

/// A router of one virtual router.
#[derive(Debug)]
pub(crate) struct Node(pub(crate) Router);

impl Node {
    /// In state Initialize.
    pub(crate) fn new(spec: Spec) -> Self {
        Self(Router::new(vec![spec]))
    }

    /// Started at `now`.
    pub(crate) fn started(spec: Spec, now: Instant) -> Self {
        let mut node = Self::new(spec);
        node.tell(Input::Startup, now);
        node
    }

    /// A MASTER that was made so by silence at `now`.
    pub(crate) fn master(spec: Spec, now: Instant) -> Self {
        let mut node = Self::started(spec, us(0));
        node.expire(now);
        assert_eq!(node.state(), State::Master, "the down interval has not passed");
        node
    }

    pub(crate) fn tell(&mut self, input: Input, now: Instant) -> Vec<Action> {
        self.0.handle(ID, input, now);
        self.actions()
    }

    /// Tells of an advert at the moment of its arrival.
    pub(crate) fn hear(&mut self, advert: Advert) -> Vec<Action> {
        self.tell(Input::AdvertSeen(advert), advert.at)
    }

    pub(crate) fn expire(&mut self, now: Instant) -> Vec<Action> {
        self.0.expire(now);
        self.actions()
    }

    /// Lets the next timer fire, on time.
    pub(crate) fn fire(&mut self) -> (Instant, Vec<Action>) {
        let due = self.0.next_deadline().expect("a timer runs");
        (due, self.expire(due))
    }

    pub(crate) fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.0.poll_action()).collect()
    }

    pub(crate) fn state(&self) -> State {
        self.0.state(ID)
    }

    pub(crate) fn status(&self) -> Status {
        self.0.status(ID)
    }

    /// When it would take over.
    pub(crate) fn silence_deadline(&self) -> Option<Instant> {
        self.0.silence_deadline(ID)
    }

    /// Why it changed state last.
    pub(crate) fn cause(&self) -> Option<Cause> {
        self.status().last_transition.map(|transition| transition.cause)
    }
}
