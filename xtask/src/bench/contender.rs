//! Who is measured: vipd, and Keepalived in the two settings that its users have.

use std::fmt;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath};

/// An agent with its setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contender {
    /// vipd, with this way to receive.
    Vipd(Datapath),
    /// Keepalived as it comes.
    Keepalived,
    /// Keepalived as its manual has it for real time.
    RealTime,
}

/// Lines for `global_defs` that make Keepalived a real-time process with locked memory. Without the last one it has
/// itself killed by the kernel when it computes for 10 ms without a pause, which a busy machine brings about.
const REAL_TIME: [&str; 3] = ["vrrp_rt_priority 50", "vrrp_no_swap", "vrrp_rlimit_rttime 10000000"];

impl Contender {
    /// All three, vipd on the best path that there is.
    pub(super) const ALL: [Self; 3] = [Self::Vipd(Datapath::Auto), Self::Keepalived, Self::RealTime];

    pub(super) fn agent(self) -> Agent {
        match self {
            Self::Vipd(datapath) => Agent::Vipd(datapath),
            Self::Keepalived | Self::RealTime => Agent::Keepalived,
        }
    }

    /// The configuration that it is started with.
    pub(super) fn conf(self, conf: &Conf) -> Conf {
        let lines: &[&str] = if self == Self::RealTime { &REAL_TIME } else { &[] };
        lines.iter().fold(conf.clone(), |conf, line| conf.with_global_line(line))
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vipd(_) | Self::Keepalived => self.agent().fmt(f),
            Self::RealTime => f.write_str("keepalived rt"),
        }
    }
}
