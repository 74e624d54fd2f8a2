//! The lease: who asks for a virtual address hears nothing from a node that may not answer (promise 1: one answer).

use std::net::{Ipv4Addr, Ipv6Addr};

use vipd_common::abi::lease::{CLOSED, ENDED, OPEN};
use vipd_common::wire::Reason;
use vipd_common::wire::arp::Operation::{Reply, Request};

use crate::corpus::named;
use crate::emit::{VIP, VIP6, advert, advert6, advertisement, arp, solicitation};
use crate::monotonic;
use crate::programs::{INSTANCE, Road, kernel, publish, send};

const HOST: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 99);
const ALWAYS: u64 = u64::MAX;
const HOUR: u64 = 3_600_000_000_000;
/// Until the test is over.
const LONG: u16 = 4095;

#[test]
fn promise_1_requests_for_a_virtual_address_are_dropped_when_its_lease_is_over() {
    let receiver = named("v3_ipv4_1addr_msgonly").receiver;
    let frames = [
        ("request", arp(Request, HOST, VIP), true),
        ("probe", arp(Request, Ipv4Addr::UNSPECIFIED, VIP), true),
        ("announcement, request form", arp(Request, VIP, VIP), true),
        ("announcement, reply form", arp(Reply, VIP, VIP), false),
        ("reply to somebody", arp(Reply, HOST, VIP), false),
        ("request for another address", arp(Request, VIP, HOST), false),
    ];
    let leases = [
        ("no gate", OPEN, false),
        ("running", monotonic() + HOUR, false),
        ("without end", ALWAYS, false),
        ("over", monotonic(), true),
        ("ended by the kernel", ENDED, true),
        ("closed by the daemon", CLOSED, true),
    ];
    let mut kernel = kernel(&receiver);
    for road in Road::KERNEL {
        for (state, lease, over) in leases {
            kernel.set_lease(INSTANCE, lease);
            for (name, frame, asks) in &frames {
                let outcome = send(&mut kernel, &receiver, road, frame);

                let dropped = over && *asks;
                assert_eq!(outcome.pass, !dropped, "{name}, lease {state}, {road:?}");
                let counted = outcome.raised.contains(&(true, Reason::LeaseOver));
                assert_eq!(counted, dropped, "{name}, lease {state}, {road:?}: {outcome:?}");
            }
        }
    }
}

#[test]
fn promise_1_solicitations_for_a_virtual_address_are_dropped_when_its_lease_is_over() {
    let receiver = named("v3_ipv6_2addrs").receiver;
    let host = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x99);
    let frames = [
        ("solicitation", solicitation(host, VIP6), true),
        ("whether anybody has it", solicitation(Ipv6Addr::UNSPECIFIED, VIP6), true),
        ("announcement", advertisement(VIP6), false),
        ("solicitation for another address", solicitation(VIP6, host), false),
    ];
    let mut kernel = kernel(&receiver);
    for road in Road::KERNEL {
        for (lease, over) in [(OPEN, false), (monotonic() + HOUR, false), (ENDED, true), (CLOSED, true)] {
            kernel.set_lease(INSTANCE, lease);
            for (name, frame, asks) in &frames {
                let outcome = send(&mut kernel, &receiver, road, frame);

                let dropped = over && *asks;
                assert_eq!(outcome.pass, !dropped, "{name}, lease {lease}, {road:?}");
                let counted = outcome.raised.contains(&(true, Reason::LeaseOver));
                assert_eq!(counted, dropped, "{name}, lease {lease}, {road:?}: {outcome:?}");
            }
        }
    }
}

#[test]
fn promise_1_a_node_that_goes_before_us_ends_the_lease_before_the_daemon_runs() {
    let adverts = [
        ("higher priority", advert(51, 11, 101, LONG), true),
        ("equal priority, greater address", advert(51, 13, 100, LONG), true),
        ("equal priority, smaller address", advert(51, 11, 100, LONG), false),
        ("lower priority", advert(51, 13, 99, LONG), false),
        ("a resignation", advert(51, 13, 0, LONG), false),
        ("higher priority over IPv6", advert6(51, 0x11, 101, LONG), true),
        ("equal priority, greater address over IPv6", advert6(51, 0x13, 100, LONG), true),
        ("equal priority, smaller address over IPv6", advert6(51, 0x11, 100, LONG), false),
    ];
    for road in Road::KERNEL {
        for master in [0, 1] {
            for (name, frame, goes_before) in &adverts {
                let usual = if frame[12] == 8 { "v3_ipv4_1addr_msgonly" } else { "v3_ipv6_2addrs" };
                let mut receiver = named(usual).receiver;
                receiver.rules.master = master;
                let mut kernel = kernel(&receiver);
                assert!(kernel.extend_lease(INSTANCE, ALWAYS));

                send(&mut kernel, &receiver, road, frame);

                let ended = *goes_before && master == 1;
                let case = format!("{name}, master {master}, {road:?}");
                assert_eq!(kernel.lease(INSTANCE), if ended { ENDED } else { ALWAYS }, "{case}");
                let extended = kernel.extend_lease(INSTANCE, HOUR);
                assert_eq!(extended, !ended, "{case}: what the kernel has ended stays so");
                assert_eq!(kernel.lease(INSTANCE), if ended { ENDED } else { HOUR }, "{case}");
            }
        }
    }
}

/// Promise 1: a node that becomes Master while another one speaks does not begin to answer.
#[test]
fn a_lease_that_the_kernel_ends_before_it_was_first_extended_cannot_be_extended() {
    let mut receiver = named("v3_ipv4_1addr_msgonly").receiver;
    for road in Road::KERNEL {
        receiver.rules.master = 0;
        let mut kernel = kernel(&receiver);
        kernel.set_lease(INSTANCE, CLOSED);
        receiver.rules.master = 1;
        publish(&mut kernel, &receiver);

        send(&mut kernel, &receiver, road, &advert(51, 11, 200, LONG));

        assert!(!kernel.extend_lease(INSTANCE, ALWAYS), "{road:?}");
        kernel.set_lease(INSTANCE, CLOSED);
        assert!(kernel.extend_lease(INSTANCE, ALWAYS), "{road:?}: the next time it can");
    }
}

#[test]
fn where_there_is_no_gate_none_is_closed() {
    let mut receiver = named("v3_ipv4_1addr_msgonly").receiver;
    receiver.rules.master = 1;
    for road in Road::KERNEL {
        let mut kernel = kernel(&receiver);

        send(&mut kernel, &receiver, road, &advert(51, 11, 200, LONG));

        assert_eq!(kernel.lease(INSTANCE), OPEN, "{road:?}");
    }
}

#[test]
fn promise_1_an_address_on_another_interface_than_its_router_is_gated_there() {
    let mut receiver = named("v3_ipv4_1addr_msgonly").receiver;
    let carrier = receiver.key.ifindex;
    receiver.key.ifindex += 1;
    for road in Road::KERNEL {
        let mut kernel = kernel(&receiver);
        let vip = (carrier, receiver.vips[0]);
        kernel.publish(INSTANCE, receiver.key, &receiver.rules, &[vip], &[]).expect("publish");
        kernel.set_lease(INSTANCE, CLOSED);

        let outcome = send(&mut kernel, &receiver, road, &arp(Request, HOST, VIP));

        assert_eq!((outcome.pass, outcome.reasons()), (false, vec![Reason::LeaseOver]), "{road:?}");
    }
}
