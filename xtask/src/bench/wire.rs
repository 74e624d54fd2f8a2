//! What the switch sees of a pair that may not be calm at all.

use std::time::Duration;

use anyhow::{Context, Result};
use vipd_tests::frame::read_mac;
use vipd_tests::{Frame, Moment, Pair, Running, Tap};

use super::setting::Interval;

/// Adverts in a row.
const CALM: u32 = 5;

/// A tap and what it has told so far.
pub(super) struct Wire<'a> {
    pair: &'a Pair,
    tap: Tap,
    interval: Duration,
}

/// What was seen in a span of time.
pub(super) struct Seen {
    pub(super) watched: Duration,
    /// Times that `lb2` began to send adverts.
    pub(super) takeovers: usize,
    /// Between two adverts of `lb1`, or between one and the end of the span.
    pub(super) longest_gap: Duration,
}

enum Spoke {
    /// An advert of `lb1` entered the switch.
    Master,
    /// It was sent on to `lb2`.
    Heard,
    /// An advert of `lb2` entered the switch.
    Backup,
}

impl<'a> Wire<'a> {
    /// Looks at what the two nodes of a pair send, and at nothing else.
    pub(super) fn open(pair: &'a Pair, interval: Interval) -> Result<Self> {
        let mac = |text| read_mac(text).context("MAC address");
        let tap = Tap::of(pair.switch.host(), &[mac(&pair.lb1.mac)?, mac(&pair.lb2.mac)?])?;
        Ok(Self { pair, tap, interval: interval.length() })
    }

    fn look(&self, frame: &Frame) -> Option<Spoke> {
        let Pair { lb1, lb2, .. } = self.pair;
        let advert = frame.advert().filter(|advert| advert.priority > 0)?;
        if frame.came_from(&lb1.port) {
            Some(Spoke::Master)
        } else if frame.came_from(&lb2.port) {
            Some(Spoke::Backup)
        } else {
            (frame.went_to(&lb2.port) && advert.source == lb1.ip).then_some(Spoke::Heard)
        }
    }

    /// Awaits adverts of `lb1` without one of `lb2` for longer than the backup is patient, and returns when the last of
    /// them came; `None` if there is no such calm within this time.
    pub(super) fn wait_for_calm(&mut self, within: Duration) -> Result<Option<Moment>> {
        let deadline = Moment::now() + within;
        self.tap.drain()?;
        let mut in_a_row = 0;
        while let Some(frame) = self.tap.next(deadline.remaining())? {
            match self.look(&frame) {
                Some(Spoke::Master) => in_a_row += 1,
                Some(Spoke::Backup) => in_a_row = 0,
                Some(Spoke::Heard) | None => {}
            }
            if in_a_row == CALM {
                return Ok(Some(frame.at));
            }
        }
        Ok(None)
    }

    /// Watches for some time.
    pub(super) fn watch(&mut self, time: Duration) -> Result<Seen> {
        self.tap.drain()?;
        let from = Moment::now();
        let to = from + time;
        let mut seen = Seen { watched: time, takeovers: 0, longest_gap: Duration::ZERO };
        let (mut master, mut backup) = (from, None);
        // Frames are counted by their stamps: this thread may come late itself.
        while let Some(frame) = self.tap.next(to.remaining())? {
            if frame.at > to {
                break;
            }
            match self.look(&frame) {
                Some(Spoke::Master) => {
                    seen.longest_gap = seen.longest_gap.max(frame.at.since(master));
                    master = frame.at;
                }
                Some(Spoke::Backup) => {
                    let still = backup.is_some_and(|last| frame.at.since(last) < 3 * self.interval);
                    seen.takeovers += usize::from(!still);
                    backup = Some(frame.at);
                }
                Some(Spoke::Heard) | None => {}
            }
        }
        seen.longest_gap = seen.longest_gap.max(to.since(master));
        Ok(seen)
    }

    /// Cuts `lb1` off, and returns the time from the last advert of it that `lb2` heard to the first of `lb2`; `None` if
    /// that does not come within this time.
    pub(super) fn cut(&mut self, within: Duration) -> Result<Option<Duration>> {
        let mut heard = None;
        let mut spoke = None;
        self.pair.lb1.port.cut()?;
        let deadline = Moment::now() + within;
        loop {
            // Nothing that was heard can be behind what is waiting now: the cut is done.
            let waiting = self.tap.next(Duration::ZERO)?;
            if let (None, Some(heard), Some(spoke)) = (&waiting, heard, spoke) {
                let spoke: Moment = spoke;
                return Ok(Some(spoke.since(heard)));
            }
            let frame = if waiting.is_some() { waiting } else { self.tap.next(deadline.remaining())? };
            let Some(frame) = frame else { return Ok(None) };
            match self.look(&frame) {
                // A takeover before the last advert that was heard was none of this failure.
                Some(Spoke::Heard) => (heard, spoke) = (Some(frame.at), None),
                Some(Spoke::Backup) if heard.is_some() => spoke = spoke.or(Some(frame.at)),
                _ => {}
            }
        }
    }
}

/// How often a node has said that it is Master now.
pub(super) fn masters(node: &Running) -> usize {
    node.process().lines().iter().filter(|line| line.text.contains("Entering MASTER STATE")).count()
}
