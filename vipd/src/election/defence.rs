//! What is done when another node claims an address that this one holds: said, counted, and answered by announcing it
//! again, but not without limit: two hosts that defend one address would never stop (RFC 5227 section 2.4).

use std::time::Duration;

use vipd_core::Instant;

/// Least time between two answers for one virtual router (RFC 5227 `DEFEND_INTERVAL`).
const DEFEND: Duration = Duration::from_secs(10);
/// Least time between two log lines about the same node.
const SAY: Duration = Duration::from_mins(1);

/// What is remembered of claims for one virtual router.
#[derive(Debug, Default)]
pub(super) struct Defence {
    defended: Option<Instant>,
    said: Option<(Instant, [u8; 6])>,
}

/// What to do about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Announce the addresses again.
    pub(super) announce: bool,
    /// Say it.
    pub(super) say: bool,
}

impl Defence {
    /// Takes note of a claim by the node with this hardware address.
    pub(super) fn against(&mut self, mac: [u8; 6], now: Instant) -> Answer {
        let announce = self.defended.is_none_or(|last| now.since(last) >= DEFEND);
        let say = self.said.is_none_or(|(last, whose)| whose != mac || now.since(last) >= SAY);
        if announce {
            self.defended = Some(now);
        }
        if say {
            self.said = Some((now, mac));
        }
        Answer { announce, say }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_defended_once_in_ten_seconds_and_each_rival_is_named_once_a_minute() {
        let (one, other) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
        let cases = [
            // second, whose, announce, say
            (100, one, true, true),
            (101, one, false, false),
            (102, other, false, true),
            (109, other, false, false),
            (110, other, true, false),
            (162, other, true, true),
        ];
        let mut defence = Defence::default();
        for (second, mac, announce, say) in cases {
            let now = Instant::from_nanos(second * 1_000_000_000);

            assert_eq!(defence.against(mac, now), Answer { announce, say }, "at {second} s");
        }
    }
}
