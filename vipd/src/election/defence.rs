//! What is done when another node claims an address that this one holds: said, counted, and answered by announcing it
//! again, but not without limit: two hosts that defend one address would never stop (RFC 5227 section 2.4).
//!
//! The first claim is answered at once. Hosts believe who spoke last, and a node that takes addresses over announces them
//! several times: so every claim that comes after an answer is answered too, once they have ceased for a moment, but never
//! more than twice in [`DEFEND`].

use std::time::Duration;

use vipd_core::{InstanceId, Instant, State};

use super::board::Sent;
use super::clock;
use super::run::Election;
use crate::datapath::Claim;

/// Time in which an address is defended twice at most (RFC 5227 `DEFEND_INTERVAL`, which allows once: this is the last word).
const DEFEND: Duration = Duration::from_secs(10);
/// Claims have ceased when none was told for so long: twice as long as the kernel half holds them back at most (decision 19).
const QUIET: Duration = Duration::from_millis(200);
/// Least time between two log lines about the same node.
const SAY: Duration = Duration::from_mins(1);

/// What is remembered of claims for one virtual router.
#[derive(Debug, Default)]
pub(super) struct Defence {
    /// The last answer at once, and whether a last word followed it.
    defended: Option<(Instant, bool)>,
    /// When the claims that came since are to be answered.
    owed: Option<Instant>,
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
        let say = self.said.is_none_or(|(last, whose)| whose != mac || now.since(last) >= SAY);
        if say {
            self.said = Some((now, mac));
        }
        let recent = self.defended.filter(|(at, _)| now.since(*at) < DEFEND);
        if let Some((at, has_last_word)) = recent {
            let again = at + DEFEND;
            self.owed = Some(if has_last_word { again } else { again.min(now + QUIET) });
        } else {
            self.answered(now);
        }
        Answer { announce: recent.is_none(), say }
    }

    /// When the addresses are to be announced again, if claims are unanswered.
    pub(super) fn owed(&self) -> Option<Instant> {
        self.owed
    }

    /// The addresses are announced now.
    pub(super) fn answered(&mut self, now: Instant) {
        self.owed = None;
        self.defended = match self.defended {
            Some((at, _)) if now.since(at) < DEFEND => Some((at, true)),
            _ => Some((now, false)),
        };
    }
}

impl Election {
    /// Somebody else announces one of our addresses.
    pub(super) fn claimed(&mut self, claim: Claim) {
        let Claim { instance: id, ip, mac, .. } = claim;
        if self.router.state(id) != State::Master {
            return;
        }
        Sent::count(&self.board.sent(id).claims);
        let member = &mut self.members[usize::from(id.0)];
        let answer = member.defence.against(mac, clock::now());
        if answer.say {
            let name = &member.planned.config.name;
            tracing::warn!("({name}) another node, {}, claims our address {ip}", Mac(mac));
        }
        if !answer.announce && !self.defending.contains(&id) {
            self.defending.push(id);
        }
        if answer.announce && member.in_place {
            self.queue_announcement(id);
        }
    }

    /// When claims that are unanswered are to be answered.
    pub(super) fn defence_deadline(&self) -> Option<Instant> {
        self.defending.iter().filter_map(|id| self.members[usize::from(id.0)].defence.owed()).min()
    }

    /// Answers the claims that it is time to answer; a node that is Master no more has nothing to defend.
    pub(super) fn defend(&mut self, now: Instant) {
        let is_due = |election: &Self, id: InstanceId| {
            let owed = election.members[usize::from(id.0)].defence.owed();
            election.router.state(id) != State::Master || owed.is_none_or(|owed| owed <= now)
        };
        while let Some(place) = self.defending.iter().position(|id| is_due(self, *id)) {
            let id = self.defending.swap_remove(place);
            let member = &mut self.members[usize::from(id.0)];
            if self.router.state(id) != State::Master {
                member.defence.owed = None;
                continue;
            }
            member.defence.answered(now);
            if member.in_place {
                self.queue_announcement(id);
            }
        }
    }
}

/// A hardware address for people.
struct Mac([u8; 6]);

impl std::fmt::Display for Mac {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let octets = self.0.map(|octet| format!("{octet:02x}"));
        f.write_str(&octets.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIVAL: [u8; 6] = [2, 0, 0, 0, 0, 1];

    fn ms(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn the_first_claim_in_ten_seconds_is_answered_at_once_and_each_rival_is_named_once_a_minute() {
        let other = [2, 0, 0, 0, 0, 2];
        let cases = [
            // second, whose, announce, say
            (100, RIVAL, true, true),
            (101, RIVAL, false, false),
            (102, other, false, true),
            (109, other, false, false),
            (110, other, true, false),
            (162, other, true, true),
        ];
        let mut defence = Defence::default();
        for (second, mac, announce, say) in cases {
            assert_eq!(defence.against(mac, ms(second * 1000)), Answer { announce, say }, "at {second} s");
        }
    }

    /// When addresses are announced if claims come at these moments.
    fn answers(claims: &[u64]) -> Vec<u64> {
        let mut defence = Defence::default();
        let mut announced = Vec::new();
        for millis in 0..60_000 {
            if claims.contains(&millis) && defence.against(RIVAL, ms(millis)).announce {
                announced.push(millis);
            }
            if defence.owed().is_some_and(|owed| owed <= ms(millis)) {
                defence.answered(ms(millis));
                announced.push(millis);
            }
        }
        announced
    }

    #[test]
    fn the_last_word_is_ours_and_no_more_than_two_in_ten_seconds() {
        let forever: Vec<u64> = (50..45_000).step_by(50).collect();
        let cases: [(&str, &[u64], &[u64]); 5] = [
            ("one claim", &[1000], &[1000]),
            ("a burst", &[1000, 1001, 1002, 1003, 1004], &[1000, 1204]),
            ("bursts as Keepalived's", &[1000, 1001, 6000, 6001], &[1000, 1201, 11_000]),
            ("one after the last word", &[1000, 1001, 1300], &[1000, 1201, 11_000]),
            ("without end", &forever, &[50, 10_050, 20_050, 30_050, 40_050, 45_150]),
        ];
        for (name, claims, expected) in cases {
            let announced = answers(claims);

            assert_eq!(announced, expected, "{name}");
            assert!(announced.last() >= claims.last(), "{name}");
            assert!(announced.windows(3).all(|three| three[2] - three[0] >= 10_000), "{name}");
        }
    }
}
