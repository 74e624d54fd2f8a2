//! From questions and answers to who answered when.

use std::collections::BTreeSet;
use std::time::Duration;

use vipd_tests::{Moment, Reply};

/// From one question to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) at: Moment,
    pub(super) length: Duration,
    /// How many nodes answered.
    pub(super) nodes: usize,
}

/// The samples between `from` and `to`; questions and replies are in order.
pub(super) fn samples(asked: &[Moment], replies: &[Reply], from: Moment, to: Moment) -> Vec<Sample> {
    let spans = asked.windows(2).map(|pair| (pair[0], pair[1]));
    let mut rest = replies;
    let mut samples = Vec::new();
    for (at, next) in spans.filter(|(at, next)| *at >= from && *next <= to) {
        rest = &rest[rest.partition_point(|reply| reply.at < at)..];
        let within = &rest[..rest.partition_point(|reply| reply.at < next)];
        let nodes = within.iter().map(|reply| reply.mac).collect::<BTreeSet<_>>().len();
        samples.push(Sample { at, length: next.since(at), nodes });
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_has_the_nodes_that_answered_before_the_next_question() {
        let start = Moment::now();
        let at = |micros| start + Duration::from_micros(micros);
        let asked: Vec<Moment> = [0, 1000, 2000, 3000, 4000].map(at).into();
        let reply = |micros, node: u8| Reply { at: at(micros), mac: [node; 6] };
        let replies =
            [reply(100, 1), reply(1100, 1), reply(1150, 2), reply(1200, 1), reply(3999, 2), reply(4100, 2)];

        let nodes = |from, to| -> Vec<usize> {
            samples(&asked, &replies, at(from), at(to)).iter().map(|sample| sample.nodes).collect()
        };

        assert_eq!(nodes(0, 4000), [1, 2, 0, 1]);
        assert_eq!(nodes(500, 3500), [2, 0]);
    }
}
