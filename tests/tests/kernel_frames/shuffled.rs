//! What the kernel half says of a frame does not depend on the order of virtual routers and of their addresses.

use std::net::Ipv4Addr;

use proptest::collection::vec;
use proptest::prelude::*;
use vipd::datapath::Kernel;
use vipd_common::abi::Counters;
use vipd_common::wire::{Reason, address_digest, from_ipv4, ipv4};

use crate::corpus::{Receiver, named};
use crate::emit::{advert_from, arp};
use crate::programs::{Road, run};

/// Virtual routers, and the first virtual router id.
const COUNT: u8 = 5;
const FIRST: u8 = 51;
const LISTED: u8 = 4;

fn address(router: u8, n: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 100 + 10 * router + n)
}

/// The number-th virtual router, with its addresses in this order.
fn receiver(router: u8, list: &[u8]) -> Receiver {
    let mut receiver = named("v3_ipv4_1addr_msgonly").receiver;
    receiver.key.vrid = FIRST + router;
    receiver.rules.priority = 100 + router;
    receiver.vips = list.iter().map(|n| from_ipv4(address(router, *n))).collect();
    receiver.rules.list_len = LISTED;
    receiver.rules.list_digest = receiver.vips.iter().map(address_digest).fold(0, u64::wrapping_add);
    receiver
}

/// The kernel half with the virtual routers in this order: the place of each in the file is its number.
fn kernel(order: &[(u8, Vec<u8>)]) -> Kernel {
    let mut kernel = Kernel::load().unwrap_or_else(|error| panic!("{error}"));
    for (number, (router, list)) in (0..).zip(order) {
        let Receiver { key, rules, vips, peers } = receiver(*router, list);
        let vips: Vec<_> = vips.into_iter().map(|vip| (key.ifindex, vip)).collect();
        kernel.publish(number, key, &rules, &vips, &peers).expect("publish");
    }
    kernel
}

/// Frames for these virtual routers and for one that is not there: adverts with the whole list, part of it and that of another
/// one, and a claim of each address.
fn frames() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for router in 0..=COUNT {
        let own: Vec<_> = (0..LISTED).map(|n| address(router, n).into()).collect();
        let other: Vec<_> = (0..LISTED).map(|n| address(router ^ 1, n).into()).collect();
        for (list, priority) in [(&own[..], 100), (&own[..2], 0), (&other, 255)] {
            let source = Ipv4Addr::new(192, 0, 2, 11).into();
            frames.push(advert_from(FIRST + router, source, ipv4::GROUP.into(), list, priority, 100));
        }
        let claim = |n| arp(vipd_common::wire::arp::Operation::Reply, address(router, n), address(router, n));
        frames.extend((0..LISTED).map(claim));
    }
    frames
}

/// What became of a frame: the verdict, and what was counted for which virtual router.
type Outcome = (u32, Vec<(Option<u8>, Reason)>);

fn outcomes(order: &[(u8, Vec<u8>)], road: Road) -> Vec<Outcome> {
    let mut kernel = kernel(order);
    let count = |kernel: &Kernel| -> Vec<(Option<u8>, Counters)> {
        let routers = (0..).zip(order).map(|(number, (router, _))| (Some(number), Some(*router)));
        let mut counted: Vec<_> = std::iter::once((None, None))
            .chain(routers)
            .map(|(number, router)| (router, kernel.stats().read(number).expect("counters")))
            .collect();
        counted.sort_by_key(|(router, _)| *router);
        counted
    };
    let judge = |frame: Vec<u8>| {
        let before = count(&kernel);
        let result = run(&mut kernel, road, &frame, &mut vec![0; frame.len()]).expect("the program runs");
        let mut raised = Vec::new();
        for ((router, before), (_, after)) in before.iter().zip(count(&kernel)) {
            // Records may be held back by the clock.
            let grown = |reason: &Reason| after[reason.index()] > before[reason.index()];
            let frames = |reason: &Reason| !matches!(reason, Reason::EventHeld | Reason::EventLost);
            raised
                .extend(Reason::ALL.into_iter().filter(frames).filter(grown).map(|reason| (*router, reason)));
        }
        (result.return_value, raised)
    };
    frames().into_iter().map(judge).collect()
}

fn orders() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let list = Just((0..LISTED).collect::<Vec<u8>>()).prop_shuffle();
    let routers = Just((0..COUNT).collect::<Vec<u8>>()).prop_shuffle();
    (routers, vec(list, usize::from(COUNT)))
        .prop_map(|(routers, lists)| routers.into_iter().zip(lists).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn every_order_has_the_same_frames_accepted(order in orders()) {
        let plain: Vec<_> = (0..COUNT).map(|router| (router, (0..LISTED).collect())).collect();
        for road in Road::KERNEL {
            let expected = outcomes(&plain, road);

            prop_assert_eq!(outcomes(&order, road), expected.clone(), "{:?}", road);

            let accepted = expected.iter().filter(|(_, raised)| raised.iter().any(|(_, reason)| *reason == Reason::Accepted));
            prop_assert_eq!(accepted.count(), 3 * usize::from(COUNT), "each virtual router hears its own");
        }
    }
}
