//! One round: a pair of agents starts, loses its master in two ways, and ends.

use std::fmt;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use vipd_tests::guide::Conf;
use vipd_tests::probe::{Probe, longest_gap};
use vipd_tests::{Agent, Balancer, Frame, Moment, Pair, Tap};

/// For any step; more than any of them takes.
const LIMIT: Duration = Duration::from_secs(30);
/// The backup of the guide, whose priority gives the skew time.
const BACKUP_PRIORITY: u32 = 100;

/// What both agents are configured with.
pub(super) struct Setting {
    /// Advertisement interval.
    pub(super) interval: Duration,
    /// Protocol version, 2 or 3.
    pub(super) version: u8,
    /// For `lb1` and `lb2`.
    pub(super) confs: [Conf; 2],
}

/// How the master is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Frames from and to it vanish.
    Cut,
    /// Its agent is stopped and resigns.
    Stop,
}

impl Fault {
    /// In the order in which a round has them.
    pub(super) const ALL: [Self; 2] = [Self::Cut, Self::Stop];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cut => "cut",
            Self::Stop => "stop",
        })
    }
}

/// What was measured of one takeover.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// How long the client had no answer.
    pub(super) outage: Duration,
    /// From the earliest moment that the protocol allows to the new master's first advert, in nanoseconds; negative if it
    /// came too early.
    pub(super) advert: i64,
    /// The same for its first gratuitous ARP.
    pub(super) claim: i64,
}

impl Setting {
    /// From the last advert that the backup heard to the earliest moment at which it may speak: the skew time after a
    /// resignation, and three intervals more after silence (RFC 3768 6.1, RFC 9568 6.1).
    fn floor(&self, fault: Fault) -> Duration {
        let unit = if self.version == 2 { Duration::from_secs(1) } else { self.interval };
        let skew = unit * (256 - BACKUP_PRIORITY) / 256;
        match fault {
            Fault::Cut => 3 * self.interval + skew,
            Fault::Stop => skew,
        }
    }
}

/// Plays a round; one sample per fault, in the order of [`Fault::ALL`]. A fault comes `phase` after an advert.
pub(super) fn play(pair: &Pair, agent: Agent, setting: &Setting, phase: Duration) -> Result<[Sample; 2]> {
    let probe = Probe::start(&pair.client, Pair::vip())?;
    let watch = Watch { pair, probe, tap: Tap::open(pair.switch.host())? };
    let lb1 = pair.lb1.start(agent, &setting.confs[0])?;
    let lb2 = pair.lb2.start(agent, &setting.confs[1])?;

    let heard = watch.settle()?;
    thread::sleep(phase);
    let struck = Moment::now();
    pair.lb1.port.cut()?;
    let cut = watch.measure(setting, Fault::Cut, struck, Some(heard))?;
    pair.lb1.port.heal()?;

    watch.settle()?;
    thread::sleep(phase);
    let struck = Moment::now();
    lb1.process().stop()?;
    let stop = watch.measure(setting, Fault::Stop, struck, None)?;

    lb1.process().wait(LIMIT)?;
    lb2.process().stop()?;
    lb2.process().wait(LIMIT)?;
    Ok([cut, stop])
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

    /// Follows a takeover. `heard` is the last advert so far from which the floor is counted.
    fn measure(
        &self,
        setting: &Setting,
        fault: Fault,
        struck: Moment,
        heard: Option<Moment>,
    ) -> Result<Sample> {
        let Self { pair, tap, probe } = self;
        let (mut heard, mut spoke, mut claimed) = (heard, None, None);
        let takeover = |frame: &Frame| {
            if let Some(advert) = frame.advert() {
                let counts = fault == Fault::Cut || advert.priority == 0;
                if spoke.is_none() && counts && frame.went_to(&pair.lb2.port) {
                    heard = Some(frame.at);
                }
                if frame.came_from(&pair.lb2.port) {
                    spoke = spoke.or(Some(frame.at));
                }
            }
            let claim = frame.gratuitous_arp().filter(|claim| Pair::vip() == claim.ip);
            if claim.is_some() && frame.came_from(&pair.lb2.port) {
                claimed = claimed.or(Some(frame.at));
            }
            Some((heard?, spoke?, claimed?))
        };
        let (heard, spoke, claimed) = tap.wait_for(LIMIT, takeover).context("lb2 did not take over")?;
        let served = self.wait_for_answer(&pair.lb2)?;
        let outage =
            longest_gap(&probe.answers(), struck, served).context("no answers before and after the fault")?;
        let floor = heard + setting.floor(fault);
        Ok(Sample { outage, advert: spoke.minus(floor), claim: claimed.minus(floor) })
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
