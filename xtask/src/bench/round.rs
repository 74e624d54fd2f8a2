//! One round: a pair of agents starts, loses its master in every way, and ends.

use std::fmt;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use vipd_tests::probe::{Probe, longest_gap};
use vipd_tests::{Balancer, Frame, Moment, Pair, Running, Tap, procs};

use super::contender::Contender;
use super::setting::{Heard, Setting};
use super::{millis, signed_millis};

/// For any step; more than any of them takes.
const LIMIT: Duration = Duration::from_secs(30);

/// How the master is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Frames from and to it vanish.
    Cut,
    /// Its link loses carrier.
    Link,
    /// Every process of its agent is stopped where it stands (SIGSTOP).
    Freeze,
    /// The agent's first process is killed (SIGKILL); others that it may have live on.
    Kill,
    /// Every process of the agent is killed.
    KillAll,
    /// Its agent is told to end (SIGTERM).
    Stop,
}

impl Fault {
    /// In the order in which a round has them.
    pub(super) const ALL: [Self; 6] =
        [Self::Cut, Self::Link, Self::Freeze, Self::Kill, Self::KillAll, Self::Stop];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Link => "link",
            Self::Freeze => "freeze",
            Self::Kill => "kill",
            Self::KillAll => "kill all",
            Self::Stop => "stop",
        }
    }

    fn strike(self, pair: &Pair, master: &Running) -> Result<()> {
        match self {
            Self::Cut => pair.lb1.port.cut(),
            Self::Link => pair.lb1.port.link_down(),
            Self::Freeze => master.freeze(),
            Self::Kill => master.process().kill_alone(),
            Self::KillAll => master.kill_all(),
            Self::Stop => master.process().stop(),
        }
    }

    /// True if the agent has to be started again.
    fn ends_agent(self) -> bool {
        matches!(self, Self::Kill | Self::KillAll | Self::Stop)
    }

    fn repair(self, pair: &Pair, master: &Running) -> Result<()> {
        match self {
            Self::Cut => pair.lb1.port.heal(),
            Self::Link => pair.lb1.port.link_up(),
            Self::Freeze => master.thaw(),
            Self::Kill | Self::KillAll | Self::Stop => Ok(()),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What was measured of one takeover; moments of frames are those at which they passed the switch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    struck: Moment,
    floor: Moment,
    spoke: Moment,
    claimed: Moment,
    outage: Duration,
}

/// What is told of a takeover, all in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    /// From the earliest moment that the protocol allows to the new master's first advert; negative if it came too early.
    AdvertPastFloor,
    /// The same for its first gratuitous ARP.
    ClaimPastFloor,
    /// From the first advert to the first gratuitous ARP.
    ClaimAfterAdvert,
    /// From the fault to the first advert.
    AdvertAfterFault,
    /// How long the client had no answer.
    Outage,
}

impl Measure {
    pub(super) const ALL: [Self; 5] = [
        Self::AdvertPastFloor,
        Self::ClaimPastFloor,
        Self::ClaimAfterAdvert,
        Self::AdvertAfterFault,
        Self::Outage,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AdvertPastFloor => "first advert past floor",
            Self::ClaimPastFloor => "first GARP past floor",
            Self::ClaimAfterAdvert => "first GARP after advert",
            Self::AdvertAfterFault => "first advert after fault",
            Self::Outage => "client's outage",
        }
    }

    pub(super) fn of(self, sample: &Sample) -> f64 {
        let Sample { struck, floor, spoke, claimed, outage } = *sample;
        match self {
            Self::AdvertPastFloor => signed_millis(spoke.minus(floor)),
            Self::ClaimPastFloor => signed_millis(claimed.minus(floor)),
            Self::ClaimAfterAdvert => signed_millis(claimed.minus(spoke)),
            Self::AdvertAfterFault => signed_millis(spoke.minus(struck)),
            Self::Outage => millis(outage),
        }
    }
}

impl Sample {
    pub(super) fn json(&self) -> Value {
        Measure::ALL.iter().map(|measure| (measure.name(), json!(measure.of(self)))).collect()
    }
}

/// Plays a round; one sample per fault, in the order of [`Fault::ALL`]. A fault comes `phase` after an advert.
pub(super) fn play(
    pair: &Pair,
    contender: Contender,
    setting: &Setting,
    phase: Duration,
) -> Result<Vec<Sample>> {
    let probe = Probe::start(&pair.client, Pair::vip())?;
    let watch = Watch { pair, probe, tap: Tap::open(pair.switch.host())? };
    let start = |balancer: &Balancer, conf| balancer.start(contender.agent(), &contender.conf(conf));
    // Whatever a round before this one has left.
    pair.restore()?;
    let mut lb1 = start(&pair.lb1, &setting.confs[0])?;
    // One after the other: loading a program into the kernel keeps a core busy, and two would be all there are.
    pair.wait_for_holder(&pair.lb1, LIMIT)?;
    let lb2 = start(&pair.lb2, &setting.confs[1])?;
    // Until then it has heard none of the adverts that the floor is counted from.
    lb2.wait_for_state("BACKUP", LIMIT)?;
    let mut samples = Vec::new();
    for fault in Fault::ALL {
        let heard = watch.settle().with_context(|| format!("before {fault}"))?;
        thread::sleep(phase);
        let doomed = lb1.processes();
        let struck = Moment::now();
        fault.strike(pair, &lb1)?;
        samples.push(watch.measure(setting, struck, heard).with_context(|| fault.name())?);
        fault.repair(pair, &lb1)?;
        if fault.ends_agent() {
            procs::wait_for_end(&doomed, LIMIT)?;
        }
        if fault.ends_agent() && fault != Fault::Stop {
            lb1 = start(&pair.lb1, &setting.confs[0])?;
        }
    }
    lb2.process().stop()?;
    lb2.process().wait(LIMIT)?;
    Ok(samples)
}

/// What looks on.
struct Watch<'a> {
    pair: &'a Pair,
    probe: Probe,
    tap: Tap,
}

impl Watch<'_> {
    /// Awaits that `lb1` alone holds the address, serves the probe, and that some adverts have gone by undisturbed.
    /// Returns when `lb2` heard the last of them.
    fn settle(&self) -> Result<Moment> {
        let Self { pair, tap, .. } = self;
        pair.wait_for_holder(&pair.lb1, LIMIT)?;
        self.wait_for_answer(&pair.lb1)?;
        tap.drain()?;
        let mut in_a_row = 0;
        let undisturbed = |frame: &Frame| {
            in_a_row = match frame.advert() {
                Some(_) if frame.came_from(&pair.lb2.port) => 0,
                Some(_) if frame.went_to(&pair.lb2.port) => in_a_row + 1,
                _ => in_a_row,
            };
            (in_a_row == 3).then_some(frame.at)
        };
        tap.wait_for(LIMIT, undisturbed).context("lb1 is not left alone")
    }

    /// Follows a takeover. `heard` is the last advert so far.
    fn measure(&self, setting: &Setting, struck: Moment, heard: Moment) -> Result<Sample> {
        let Self { pair, tap, probe } = self;
        let mut last = Heard { at: heard, resigned: false };
        let (mut spoke, mut claimed) = (None, None);
        let takeover = |frame: &Frame| {
            if let Some(advert) = frame.advert() {
                if spoke.is_none() && frame.went_to(&pair.lb2.port) {
                    last = Heard { at: frame.at, resigned: advert.priority == 0 };
                }
                if frame.came_from(&pair.lb2.port) {
                    spoke = spoke.or(Some(frame.at));
                }
            }
            let claim = frame.gratuitous_arp().filter(|claim| Pair::vip() == claim.ip);
            if claim.is_some() && frame.came_from(&pair.lb2.port) {
                claimed = claimed.or(Some(frame.at));
            }
            Some((spoke?, claimed?))
        };
        let (spoke, claimed) = tap.wait_for(LIMIT, takeover).context("lb2 did not take over")?;
        let served = self.wait_for_answer(&pair.lb2)?;
        let outage =
            longest_gap(&probe.answers(), struck, served).context("no answers before and after the fault")?;
        Ok(Sample { struck, floor: setting.floor(last), spoke, claimed, outage })
    }

    /// Awaits an echo by `balancer` and returns when the first one after now came.
    fn wait_for_answer(&self, balancer: &Balancer) -> Result<Moment> {
        let from = Moment::now();
        let mut seen = 0;
        while Moment::now().since(from) < LIMIT {
            let answers = self.probe.next(seen, LIMIT);
            seen += answers.len();
            if let Some(answer) = answers.iter().find(|answer| answer.by == balancer.ip && answer.at >= from)
            {
                return Ok(answer.at);
            }
        }
        bail!("{} does not answer the probe", balancer.host.name())
    }
}
