//! Whether this node is the isolated one: asks gateway, peers and anchors, and counts who answers.
//!
//! On the election's thread, because a takeover waits for it: questions leave as soon as they are wanted, and the answer is
//! there with the frame that completes the quorum. In the steady state nothing is allocated.

mod lines;
mod round;

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv4Addr};

use vipd_core::{InstanceId, Instant};

use crate::config;
use crate::election::Planned;
use lines::{Line, Lines, Way};
use round::{Round, Step};

/// The fences of all virtual routers that have one.
pub(crate) struct Fences {
    fences: Vec<Fence>,
    lines: Lines,
}

/// One of them.
struct Fence {
    id: InstanceId,
    source: IpAddr,
    targets: Vec<Target>,
    round: Round,
    /// What the last round said.
    told: Option<(bool, usize)>,
}

/// What a round says that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Whose fence.
    pub(crate) id: InstanceId,
    /// Enough hosts have answered.
    pub(crate) connected: bool,
    /// How many.
    pub(crate) answered: usize,
    /// Of how many.
    pub(crate) asked: usize,
    /// How many are enough.
    pub(crate) quorum: usize,
    /// The round before said something else.
    pub(crate) is_news: bool,
}

/// A host that is asked.
struct Target {
    host: IpAddr,
    line: Line,
    /// When it was heard last.
    heard: Option<Instant>,
    /// There was no way to it when it was asked last.
    unreachable: bool,
}

/// The source of a question while there is none: as a probe has it (RFC 5227).
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl Fences {
    /// Opens what is needed to ask for these virtual routers.
    ///
    /// # Errors
    /// When the kernel refuses a socket.
    pub(crate) fn open<'a>(planned: impl IntoIterator<Item = &'a Planned>) -> io::Result<Self> {
        let mut lines = Lines::default();
        let fences = (0..).map(InstanceId).zip(planned).filter_map(|(id, planned)| {
            let config = planned.config.fence.as_ref()?;
            Some(Fence::new(id, config, planned, &mut lines))
        });
        let fences = fences.collect();
        lines.open()?;
        Ok(Self { fences, lines })
    }

    /// Opens everything anew for interfaces that have moved, and for another configuration. Who asks goes on asking, and asks
    /// all anew: what was on its way to the sockets of before is lost.
    ///
    /// # Errors
    /// When the kernel refuses a socket; nothing is changed then.
    pub(crate) fn follow<'a>(
        &mut self,
        planned: impl IntoIterator<Item = &'a Planned>,
        now: Instant,
    ) -> io::Result<()> {
        let mut moved = Self::open(planned)?;
        for fence in &mut moved.fences {
            if let Some(before) = self.fences.iter().find(|before| before.id == fence.id) {
                fence.round.resume(&before.round, now);
                fence.told = before.told;
            }
        }
        *self = moved;
        Ok(())
    }

    /// Asks whether this node is connected; [`judge`](Self::judge) tells the answer.
    pub(crate) fn prove(&mut self, id: InstanceId, now: Instant) {
        self.of(id).for_each(|fence| fence.round.begin(now));
    }

    /// Asks again and again from now on, or no more.
    pub(crate) fn repeat(&mut self, id: InstanceId, repeats: bool, now: Instant) {
        self.of(id).for_each(|fence| fence.round.repeat(repeats, now));
    }

    /// A frame of another node was seen on the interface of a virtual router: as good as an answer.
    pub(crate) fn seen(&mut self, id: InstanceId, source: IpAddr, at: Instant) {
        let targets = self.of(id).flat_map(|fence| &mut fence.targets);
        targets.filter(|target| target.host == source).for_each(|target| target.heard = Some(at));
    }

    /// In whose name neighbours are asked from now on.
    pub(crate) fn set_source(&mut self, id: InstanceId, source: Option<IpAddr>) {
        let source = source.unwrap_or(NOBODY);
        self.of(id).for_each(|fence| fence.source = source);
    }

    /// When [`judge`](Self::judge) has something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.fences.iter().filter_map(|fence| fence.round.deadline()).min()
    }

    /// Waits until somebody may have answered; who must then be [`read`](Self::read).
    ///
    /// # Errors
    /// When a socket cannot be polled.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        poll_fn(|context| self.lines.poll_readable(context)).await
    }

    /// Reads who has answered.
    pub(crate) fn read(&mut self, now: Instant) {
        let Self { fences, lines } = self;
        lines.read(|line, host| {
            let targets = fences.iter_mut().flat_map(|fence| &mut fence.targets);
            let heard = targets.filter(|target| target.line == line && target.host == host);
            heard.for_each(|target| target.heard = Some(now));
        });
    }

    /// Asks who has not answered, and tells of each round that is over. Once it has told of a deadline, what waits to be
    /// read must have been [`read`](Self::read) before: an answer that nobody looked at is one all the same.
    pub(crate) fn judge(&mut self, now: Instant, mut tell: impl FnMut(Verdict)) {
        let Self { fences, lines } = self;
        fences.iter_mut().filter_map(|fence| fence.judge(lines, now)).for_each(&mut tell);
    }

    fn of(&mut self, id: InstanceId) -> impl Iterator<Item = &mut Fence> {
        self.fences.iter_mut().filter(move |fence| fence.id == id)
    }
}

impl Fence {
    fn new(id: InstanceId, config: &config::Fence, planned: &Planned, lines: &mut Lines) -> Self {
        let mut targets = Vec::new();
        let neighbours = config.gateway.iter().chain(&config.peers);
        let neighbours = neighbours.map(|host| (*host, Way::Neighbour(planned.ifindex, host.is_ipv4())));
        let anchors = config.anchors.iter().map(|host| (*host, Way::Echo(host.is_ipv4())));
        for (host, way) in neighbours.chain(anchors) {
            targets.push(Target { host, line: lines.add(way, host), heard: None, unreachable: false });
        }
        let source = planned.source.unwrap_or(NOBODY);
        let round = Round::new(config.quorum.into(), config.interval, config.timeout);
        Self { id, source, targets, round, told: None }
    }

    /// Goes on as far as it can now.
    fn judge(&mut self, lines: &Lines, now: Instant) -> Option<Verdict> {
        loop {
            let possible = self.targets.iter().filter(|target| !target.unreachable).count();
            let answered = self.answered();
            match self.round.step(now, answered, possible) {
                Step::Done(connected) => {
                    let is_news = self.told.replace((connected, answered)) != Some((connected, answered));
                    let (id, quorum) = (self.id, self.round.quorum());
                    return Some(Verdict {
                        id,
                        connected,
                        answered,
                        asked: self.targets.len(),
                        quorum,
                        is_news,
                    });
                }
                Step::Ask => self.ask(lines),
                Step::Begun => self.targets.iter_mut().for_each(|target| target.unreachable = false),
                Step::Nothing => return None,
            }
        }
    }

    fn ask(&mut self, lines: &Lines) {
        let Self { source, targets, round, .. } = self;
        for target in targets.iter_mut().filter(|target| target.heard < round.began()) {
            let asked = lines.ask(target.line, target.host, *source);
            // A full queue is no sign that nobody is there.
            let full = Some(libc::ENOBUFS);
            target.unreachable = asked.as_ref().is_err_and(|error| error.raw_os_error() != full);
            if let Err(error) = asked {
                tracing::debug!("cannot ask {}: {error}", target.host);
            }
        }
    }

    /// How many hosts have been heard since the round began.
    fn answered(&self) -> usize {
        let Some(began) = self.round.began() else { return 0 };
        self.targets.iter().filter(|target| target.heard.is_some_and(|heard| heard >= began)).count()
    }
}
