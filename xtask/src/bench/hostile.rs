//! Frames that somebody on the LAN may send who means no good, by kind.

use std::net::{IpAddr, Ipv4Addr};

use clap::ValueEnum;
use vipd_tests::forge::{self, Forged};
use vipd_tests::{Pair, guide};

use super::setting::Interval;

/// As many senders as a flood that changes its sender has.
const SENDERS: u8 = 64;

/// A kind of frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// No flood: what the others are compared with.
    None,
    /// An advert from beyond a router: TTL 64.
    Ttl,
    /// An advert with a wrong checksum.
    Checksum,
    /// An advert of a virtual router that is not here.
    Vrid,
    /// An advert cut off in its head.
    Truncated,
    /// An advert with priority 120 and interval 0, which no router may send.
    Zero,
    /// A version 2 advert with a wrong password.
    Password,
    /// Valid adverts of lower priority than anybody's, from many senders.
    LookAlike,
    /// Valid adverts of lower priority from one sender whose interval changes each time.
    Intervals,
    /// Gratuitous ARP for the virtual address from many senders.
    Claims,
    /// Broadcast UDP that has nothing to do with VRRP.
    Udp,
}

impl Kind {
    pub(super) const ALL: [Self; 11] = [
        Self::None,
        Self::Ttl,
        Self::Checksum,
        Self::Vrid,
        Self::Truncated,
        Self::Zero,
        Self::LookAlike,
        Self::Intervals,
        Self::Claims,
        Self::Udp,
        Self::Password,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Ttl => "TTL 64",
            Self::Checksum => "wrong checksum",
            Self::Vrid => "unknown VRID",
            Self::Truncated => "truncated",
            Self::Zero => "interval 0",
            Self::Password => "wrong password",
            Self::LookAlike => "valid, many senders",
            Self::Intervals => "valid, intervals change",
            Self::Claims => "claims by GARP",
            Self::Udp => "unrelated UDP",
        }
    }

    /// The setting that it is meant for.
    pub(super) fn interval(self) -> Interval {
        if self == Self::Password { Interval::Second } else { Interval::Hundredth }
    }

    /// The frames that are sent in turn.
    pub(super) fn frames(self) -> Vec<Vec<u8>> {
        let one = advert(0);
        match self {
            Self::None => Vec::new(),
            Self::Ttl => vec![Forged { ttl: 64, ..one }.frame()],
            Self::Checksum => vec![forge::with_bad_checksum(one.frame())],
            Self::Vrid => vec![Forged { vrid: 200, ..one }.frame()],
            Self::Truncated => vec![forge::truncated(one.frame(), 6)],
            Self::Zero => vec![Forged { priority: 120, interval: 0, ..one }.frame()],
            Self::Password => {
                vec![Forged { version: 2, priority: 120, password: "Guess123", ..one }.frame()]
            }
            Self::LookAlike => (0..SENDERS).map(|n| advert(n).frame()).collect(),
            Self::Intervals => [1, 4095].map(|interval| Forged { interval, ..one.clone() }.frame()).into(),
            Self::Claims => (0..SENDERS).map(|n| forge::claim(advert(n).mac, vip())).collect(),
            Self::Udp => vec![forge::datagram(one.mac, one.source, &[0; 64])],
        }
    }
}

/// A valid advert of lower priority than anybody's, from one of many senders.
fn advert(sender: u8) -> Forged {
    Forged {
        mac: [0x02, 0xba, 0xd0, 0, 0, sender],
        source: Ipv4Addr::new(192, 168, 1, 110 + sender),
        ttl: 255,
        version: 3,
        vrid: guide::VRID,
        priority: 50,
        interval: 1,
        vip: vip(),
        password: "",
    }
}

fn vip() -> Ipv4Addr {
    match Pair::vip() {
        IpAddr::V4(vip) => vip,
        IpAddr::V6(_) => unreachable!("the guide's address is IPv4"),
    }
}
