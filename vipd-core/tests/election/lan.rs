//! A network of nodes in virtual time: adverts take 100 us, may be lost, and reach only nodes of the same segment.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use vipd_core::{Action, Advert, Fault, Input, Instant, Interval, Spec, State, Transition};

use crate::support::Node;

/// How long an advert is on its way.
pub(crate) const LATENCY: Duration = Duration::from_micros(100);

/// A repeatable source of chance (splitmix64).
#[derive(Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) % bound as u64).expect("smaller than the bound")
    }
}

/// A node with its place in the network.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) node: Node,
    pub(crate) spec: Spec,
    /// Whom it reaches: the hosts of the same number.
    pub(crate) segment: usize,
    /// A dead host hears nothing, sends nothing and has no timers.
    dead: bool,
}

/// The network.
#[derive(Debug)]
pub(crate) struct Lan {
    pub(crate) hosts: Vec<Host>,
    pub(crate) now: Instant,
    /// Every change of state, with its host.
    pub(crate) history: Vec<(usize, Transition)>,
    /// Arrival of the last advert that was delivered to anybody.
    pub(crate) last_arrival: Instant,
    /// How many of 100 deliveries are lost.
    pub(crate) loss: usize,
    pub(crate) chance: Chance,
    /// Adverts on their way to a host, in the order of arrival and then of sending.
    frames: BTreeMap<(Instant, u64), (usize, Advert)>,
    sent: u64,
}

impl Lan {
    /// Hosts of one segment, all of them started, and no loss.
    pub(crate) fn started(specs: Vec<Spec>, seed: u64) -> Self {
        let host = |spec: Spec| Host { node: Node::new(spec.clone()), spec, segment: 0, dead: false };
        let mut lan = Self {
            hosts: specs.into_iter().map(host).collect(),
            now: Instant::default(),
            history: vec![],
            last_arrival: Instant::default(),
            loss: 0,
            chance: Chance(seed),
            frames: BTreeMap::new(),
            sent: 0,
        };
        for host in 0..lan.hosts.len() {
            lan.tell(host, Input::Startup);
        }
        lan
    }

    pub(crate) fn tell(&mut self, host: usize, input: Input) {
        let actions = self.hosts[host].node.tell(input, self.now);
        self.carry_out(host, actions);
    }

    /// Cuts the power.
    pub(crate) fn kill(&mut self, host: usize) {
        self.hosts[host].dead = true;
    }

    /// Starts a dead host from scratch.
    pub(crate) fn boot(&mut self, host: usize) {
        let Host { node, spec, dead, .. } = &mut self.hosts[host];
        *node = Node::new(spec.clone());
        *dead = false;
        self.tell(host, Input::Startup);
    }

    /// Goes on to the next arrival or timer, at most to `end`; `false` when nothing happens until then.
    pub(crate) fn step(&mut self, end: Instant) -> bool {
        let arrival = self.frames.first_key_value().map(|((at, _), _)| *at);
        let timer = self.next_timer();
        let Some(next) = arrival.into_iter().chain(timer.map(|(at, _)| at)).min().filter(|at| *at <= end)
        else {
            self.now = end;
            return false;
        };
        self.now = next;
        if arrival == Some(next) {
            self.deliver();
        } else if let Some((_, host)) = timer {
            let actions = self.hosts[host].node.expire(next);
            self.carry_out(host, actions);
        }
        true
    }

    pub(crate) fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
    }

    /// Runs until a host is Master; when that was.
    pub(crate) fn run_until_master(&mut self, host: usize) -> Instant {
        let end = self.now + Duration::from_secs(1_000);
        while self.state(host) != State::Master {
            assert!(self.step(end), "host {host} never became Master: {:?}", self.history);
        }
        self.now
    }

    pub(crate) fn state(&self, host: usize) -> State {
        self.hosts[host].node.state()
    }

    /// The Masters of a segment.
    pub(crate) fn masters(&self, segment: usize) -> Vec<usize> {
        (0..self.hosts.len())
            .filter(|host| self.hosts[*host].segment == segment && self.state(*host) == State::Master)
            .collect()
    }

    /// Something bad, or the end of it, happens to some host.
    pub(crate) fn disturb(&mut self) {
        let host = self.chance.below(self.hosts.len());
        match self.chance.below(7) {
            0 => self.hosts[host].segment = self.chance.below(3),
            1 => self.hosts[host].segment = 0,
            2 => self.tell(host, Input::Shutdown),
            3 => self.tell(host, Input::FaultRaised(Fault::Link)),
            4 => self.tell(host, Input::FaultCleared(Fault::Link)),
            5 if self.hosts[host].spec.priority < 255 => {
                let priority = u8::try_from(1 + self.chance.below(254)).expect("1 to 254");
                self.tell(host, Input::PriorityChanged(priority));
            }
            _ => self.tell(host, Input::Startup),
        }
    }

    fn next_timer(&self) -> Option<(Instant, usize)> {
        let timer = |host: usize| Some((self.hosts[host].node.0.next_deadline()?, host));
        (0..self.hosts.len()).filter(|host| !self.hosts[*host].dead).filter_map(timer).min()
    }

    fn deliver(&mut self) {
        let Some((_, (host, advert))) = self.frames.pop_first() else { return };
        if !self.hosts[host].dead {
            self.last_arrival = self.now;
            self.tell(host, Input::AdvertSeen(advert));
        }
    }

    fn carry_out(&mut self, host: usize, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Report(_, transition) => self.history.push((host, transition)),
                Action::SendAdvert(_, priority) => self.broadcast(host, priority),
                Action::HoldAddresses(..)
                | Action::Announce(_)
                | Action::ReportLoser(_)
                | Action::ProveConnected(_) => {}
            }
        }
    }

    fn broadcast(&mut self, sender: usize, priority: u8) {
        let (source, interval): (IpAddr, Interval) =
            (self.hosts[sender].spec.source, self.hosts[sender].spec.interval);
        let at = self.now + LATENCY;
        for receiver in 0..self.hosts.len() {
            let reached = self.hosts[receiver].segment == self.hosts[sender].segment;
            if receiver != sender && reached && self.chance.below(100) >= self.loss {
                self.sent += 1;
                self.frames.insert((at, self.sent), (receiver, Advert { source, priority, interval, at }));
            }
        }
    }
}
