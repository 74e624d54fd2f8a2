//! Says which adverts failed a check or do not match the configuration, and why: a line for each kind however many there
//! are; the counters are exact (C-CNT-06).

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vipd_common::abi::Counters;
use vipd_common::wire::Reason;
use vipd_core::InstanceId;

use crate::datapath::Tally;

/// From one look at the counters to the next.
const PACE: Duration = Duration::from_secs(2);
/// What goes on all the time is said again after this long.
const REPEAT: Duration = Duration::from_mins(10);
/// No trouble, or said by somebody else.
const FINE: [Reason; 5] =
    [Reason::Accepted, Reason::PriorityZero, Reason::Pseudo, Reason::Claim, Reason::LeaseOver];

/// Looks at the counters without end, on the service thread; `names` are those of the virtual routers in their places.
pub(crate) async fn watch(names: Rc<RefCell<Vec<Option<String>>>>, tally: Arc<Tally>) {
    let mut seen = Vec::new();
    loop {
        tokio::time::sleep(PACE).await;
        let names = names.borrow();
        seen.resize(names.len(), Seen::default());
        for ((id, name), seen) in (0..).map(InstanceId).zip(&*names).zip(&mut seen) {
            let Some(name) = name else {
                *seen = Seen::default();
                continue;
            };
            let news = seen.news(&tally.of(id), Instant::now());
            if !news.is_empty() {
                tracing::warn!("({name}) adverts that are wrong or do not match: {}", news.join(", "));
            }
        }
    }
}

/// What is known of the counters of one virtual router.
#[derive(Clone, Default)]
struct Seen {
    counts: Counters,
    said: [Option<Instant>; Reason::COUNT],
}

impl Seen {
    /// The kinds of trouble that are to be said now, each with its count so far.
    fn news(&mut self, counts: &Counters, now: Instant) -> Vec<String> {
        let before = std::mem::replace(&mut self.counts, *counts);
        let troubles = Reason::ALL.into_iter().filter(|reason| !FINE.contains(reason));
        let grown = troubles.filter(|reason| counts[reason.index()] > before[reason.index()]);
        let due = grown.filter(|reason| {
            let said = &mut self.said[reason.index()];
            let due = said.is_none_or(|last| now.duration_since(last) >= REPEAT);
            if due {
                *said = Some(now);
            }
            due
        });
        due.map(|reason| format!("{} {}{}", reason.name(), counts[reason.index()], meaning(reason))).collect()
    }
}

/// What a kind of trouble most likely means, where that is not in its name.
fn meaning(reason: Reason) -> &'static str {
    match reason {
        // C-MIX-05
        Reason::Version => {
            " (a node with our virtual router id speaks another version of VRRP: two Masters are likely)"
        }
        Reason::Interval => " (a node with our virtual router id has another advert_int)",
        Reason::Owner => " (another node takes itself for the Master of addresses that this node owns)",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C-MIX-05
    #[test]
    fn c_cnt_06_each_kind_of_trouble_is_said_once_and_again_after_ten_minutes() {
        let start = Instant::now();
        let mut seen = Seen::default();
        let mut counts = [0; Reason::COUNT];
        let mut grow = |reason: Reason, more: u64, minute: u64| {
            counts[reason.index()] += more;
            seen.news(&counts, start + Duration::from_mins(minute))
        };

        assert_eq!(grow(Reason::Accepted, 100, 0), [""; 0], "nothing is wrong");
        assert_eq!(grow(Reason::Checksum, 10_000, 0), ["checksum-errors 10000"]);
        assert_eq!(grow(Reason::Checksum, 10_000, 1), [""; 0], "it has been said");
        assert_eq!(grow(Reason::Ttl, 1, 1), ["ip-ttl-errors 1"], "another kind");
        assert_eq!(grow(Reason::Accepted, 1, 20), [""; 0], "it has stopped");
        assert_eq!(grow(Reason::Checksum, 1, 21), ["checksum-errors 20001"]);
        let [said] = &grow(Reason::Version, 1, 22)[..] else { panic!("it is said") };
        assert!(said.starts_with("version-errors 1 ") && said.contains("two Masters are likely"), "{said}");
    }
}
