//! What both nodes are configured with, and what follows from it by the protocol.

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use vipd_tests::Moment;
use vipd_tests::guide::Conf;

/// Priority of the guide's backup, which gives the skew time.
const BACKUP_PRIORITY: u32 = 100;

/// Advertisement interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Interval {
    #[value(name = "1s")]
    Second,
    #[value(name = "100ms")]
    Tenth,
    #[value(name = "10ms")]
    Hundredth,
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Second => "1 s",
            Self::Tenth => "100 ms",
            Self::Hundredth => "10 ms",
        })
    }
}

impl Interval {
    pub(super) fn length(self) -> Duration {
        Duration::from_millis(match self {
            Self::Second => 1000,
            Self::Tenth => 100,
            Self::Hundredth => 10,
        })
    }

    /// As `advert_int` has it, in seconds.
    pub(super) fn seconds(self) -> &'static str {
        match self {
            Self::Second => "1",
            Self::Tenth => "0.1",
            Self::Hundredth => "0.01",
        }
    }
}

/// The guide's pair without scripts.
pub(super) struct Setting {
    pub(super) interval: Interval,
    /// For `lb1` and `lb2`.
    pub(super) confs: [Conf; 2],
}

impl Setting {
    /// Seconds are measured as the guide has them, version 2 with a password; fractions need version 3.
    pub(super) fn new(interval: Interval) -> Self {
        let vary = |conf: Conf| match interval {
            Interval::Second => conf.without_scripts(),
            _ => conf.without_scripts().version_3().advert(interval.seconds()),
        };
        Self { interval, confs: [vary(Conf::lb1()), vary(Conf::lb2())] }
    }

    /// What the backup adds to three intervals, and all that it waits after a resignation (RFC 3768 6.1, RFC 9568 6.1).
    pub(super) fn skew(&self) -> Duration {
        // Version 2 counts in seconds; its interval here is one.
        self.interval.length() * (256 - BACKUP_PRIORITY) / 256
    }

    /// Silence after which the backup takes over.
    pub(super) fn down_interval(&self) -> Duration {
        3 * self.interval.length() + self.skew()
    }

    /// The earliest moment at which the backup may speak, by what it heard last.
    pub(super) fn floor(&self, last: Heard) -> Moment {
        last.at + if last.resigned { self.skew() } else { self.down_interval() }
    }
}

/// The last advert that reached the backup.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) at: Moment,
    /// Its priority was 0.
    pub(super) resigned: bool,
}
