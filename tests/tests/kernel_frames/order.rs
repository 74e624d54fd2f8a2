//! One frame raises one counter, that of the first check that fails, however much else is wrong with it.

use vipd_common::wire::{Reason, checksum};

use crate::corpus::named;
use crate::programs::{Road, kernel, publish, send};

/// A way to spoil the usual advert: a field, or a checksum after all fields are set.
enum Spoil {
    Field(fn(&mut [u8])),
    Sum(usize),
}

/// In the order of the checks: IP header, TTL, version, type, length, checksum, VRID, then what one virtual router asks for.
const CHECKS: [(Reason, Spoil); 10] = [
    (Reason::IpHeader, Spoil::Sum(24)),
    (Reason::Fragment, Spoil::Field(|frame| frame[20] |= 0x20)),
    (Reason::Ttl, Spoil::Field(|frame| frame[22] = 254)),
    (Reason::Version, Spoil::Field(|frame| frame[34] = 0x41 | frame[34] & 0x0f)),
    (Reason::Type, Spoil::Field(|frame| frame[34] = frame[34] & 0xf0 | 2)),
    (Reason::Length, Spoil::Field(|frame| frame[37] = 3)),
    (Reason::Checksum, Spoil::Sum(40)),
    (Reason::Vrid, Spoil::Field(|frame| frame[35] = 99)),
    (Reason::Interval, Spoil::Field(|frame| frame[38..40].fill(0))),
    (Reason::Source, Spoil::Field(|frame| frame[26..30].fill(0))),
];

/// The usual advert, spoiled in the ways whose bits are set.
fn spoiled(ways: u32) -> (Vec<u8>, Option<Reason>) {
    let mut frame = named("v3_ipv4_1addr_msgonly").octets;
    let chosen = || CHECKS.iter().enumerate().filter(|(bit, _)| ways >> bit & 1 == 1).map(|(_, check)| check);
    for (_, spoil) in chosen() {
        if let Spoil::Field(set) = spoil {
            set(&mut frame);
        }
    }
    for (at, octets) in [(24, 14..34), (40, 34..46)] {
        frame[at..at + 2].fill(0);
        let sum = checksum::field(checksum::octets(&frame[octets]));
        frame[at..at + 2].copy_from_slice(&sum);
    }
    for (_, spoil) in chosen() {
        if let Spoil::Sum(at) = spoil {
            frame[*at] ^= 0x40;
        }
    }
    (frame, chosen().next().map(|(reason, _)| *reason))
}

/// C-SEC-01, C-RX-01: nothing behind the TTL is used before the TTL is right.
#[test]
fn c_sec_01_the_first_failed_check_is_counted_whatever_else_is_wrong() {
    let receiver = named("v3_ipv4_1addr_msgonly").receiver;
    let mut kernel = kernel(&receiver);
    publish(&mut kernel, &receiver);
    for ways in 0..1 << CHECKS.len() {
        let (frame, first) = spoiled(ways);
        for road in Road::ALL {
            let outcome = send(&mut kernel, &receiver, road, &frame);

            assert_eq!(outcome.reasons(), [first.unwrap_or(Reason::Accepted)], "{ways:#b} on {road:?}");
        }
    }
}
