//! Formats on the wire, and the receive checks.
//!
//! A frame takes the same road in the XDP program, in the tcx program and behind a packet socket:
//!
//! 1. [`eth::classify`] reads a few octets and says whether the frame is for us to look at;
//! 2. the packet is copied into an [`L3`], from its IP header on;
//! 3. [`judge()`] makes the receive checks of RFC 9568 §7.1 and RFC 3768 §7.1, and says what the advert says or why it
//!    does not count. It is one for both families; [`ip::Family`] has what they differ in.

pub mod arp;
pub mod checksum;
pub mod eth;
pub mod ip;
pub mod ipv4;
pub mod ipv6;
mod judge;
mod listed;
pub mod nd;
mod reason;
pub mod vrrp;

use core::fmt;

use crate::abi::Addr;

pub use ip::{family, from_ip, from_ipv4, to_ip};
pub use judge::{Advert, Packet, Table, Verdict, judge, list_digest};
pub use listed::{Entry, Listed};
pub use reason::Reason;

/// Octets of a packet that are looked at: more than the longest advert has (1056 over IPv4, 1488 over IPv6).
pub const L3_MAX: usize = 2048;

/// A packet from its IP header on. Its alignment lets the kernel half read whole words.
#[repr(C, align(8))]
#[derive(Clone)]
pub struct L3(pub [u8; L3_MAX]);

impl L3 {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; L3_MAX])
    }

    /// Copies a packet in, as much as there is room for.
    pub fn fill(&mut self, packet: &[u8]) {
        for (to, from) in self.0.iter_mut().zip(packet) {
            *to = *from;
        }
    }
}

impl L3 {
    /// The four octets at `at`, a multiple of 4, as a number in the machine's own order; zero behind the buffer.
    #[inline(always)]
    pub(crate) fn word(&self, at: usize) -> u32 {
        debug_assert!(at.is_multiple_of(4));
        let (words, _) = self.0.as_chunks::<4>();
        words.get(at / 4).map_or(0, |word| u32::from_ne_bytes(*word))
    }
}

impl Default for L3 {
    fn default() -> Self {
        Self::new()
    }
}

/// Why a frame cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmitError {
    /// The buffer is too short.
    Buffer,
    /// An advert lists 1 to 255 addresses, over IPv6 1 to 90 (C-PKT-08).
    Addresses,
    /// The addresses are not all of one family (C-PKT-05).
    Family,
    /// Version 2 carries 1 to 255 whole seconds, version 3 carries 1 to 4095 centiseconds (C-PKT-07).
    Interval,
    /// The version is neither 2 nor 3.
    Version,
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Buffer => "the buffer is too short for the frame",
            Self::Addresses => "an advert lists 1 to 255 addresses, over IPv6 1 to 90",
            Self::Family => "an advert has addresses of one family, and version 2 is for IPv4",
            Self::Interval => "the interval does not fit the version",
            Self::Version => "there are versions 2 and 3 only",
        })
    }
}

impl core::error::Error for EmitError {}

/// One address's part of [`crate::abi::Rules::list_digest`]; the sum of a list does not depend on its order.
///
/// Each half is multiplied and shifted onto itself twice, so that lists which differ have different sums but for chance. It
/// keeps honest configurations apart, it is no defence against a forger: who can send adverts can copy the list.
#[must_use]
pub const fn address_digest(addr: &Addr) -> u64 {
    let (halves, _) = addr.as_chunks::<8>();
    mix(u64::from_be_bytes(halves[0])) ^ mix(u64::from_be_bytes(halves[1])).rotate_left(1)
}

/// [`address_digest`] of an IPv4 address, given as a number: its first half is zero, and so is what is made of it. Every
/// instruction of it counts up to 255 times in the kernel's verifier.
#[inline(always)]
const fn ipv4_digest(address: u32) -> u64 {
    mix(0xffff_0000_0000 | address as u64).rotate_left(1)
}

#[inline(always)]
const fn mix(x: u64) -> u64 {
    let x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 32)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 29)
}

/// The 16-bit number in network order at `at`, which must lie within the buffer.
#[inline(always)]
const fn be16(octets: &[u8; L3_MAX], at: usize) -> u16 {
    u16::from_be_bytes([octets[at], octets[at + 1]])
}

/// The four octets at `at`; zeros behind the buffer, where nobody asks, because the kernel half has no way to panic.
#[inline(always)]
fn four(octets: &[u8; L3_MAX], at: usize) -> [u8; 4] {
    octets.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default()
}

/// The sixteen octets at `at`, as [`four`].
#[inline(always)]
fn sixteen(octets: &[u8; L3_MAX], at: usize) -> [u8; 16] {
    octets.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::net::{Ipv4Addr, Ipv6Addr};

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn digests_of_neighbouring_addresses_differ() {
        let v4 = (0..10_000).map(|n| from_ipv4(Ipv4Addr::from_bits(0x0a00_0000 + n)));
        let v6 = (0..10_000).map(|n| Ipv6Addr::from_bits((0x2001_0db8 << 96) + n).octets());

        let digests: HashSet<u64> = v4.chain(v6).map(|addr| address_digest(&addr)).collect();

        assert_eq!(digests.len(), 20_000);
    }

    #[test]
    fn the_short_digest_of_an_ipv4_address_is_its_digest() {
        for address in [0, 1, 0xc000_0201, u32::MAX] {
            assert_eq!(ipv4_digest(address), address_digest(&from_ipv4(Ipv4Addr::from_bits(address))));
        }
    }

    proptest! {
        #[test]
        fn the_digest_of_a_list_depends_on_its_addresses_only(list in prop::collection::vec(any::<[u8; 16]>(), 1..20)) {
            let sum = |list: &[Addr]| list.iter().fold(0_u64, |sum, addr| sum.wrapping_add(address_digest(addr)));
            let reversed: Vec<Addr> = list.iter().rev().copied().collect();
            let mut other = list.clone();
            other[0][3] ^= 1;

            prop_assert_eq!(sum(&list), sum(&reversed));
            prop_assert_ne!(sum(&list), sum(&other));
        }
    }
}
