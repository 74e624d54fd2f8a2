//! The Internet checksum (RFC 1071).
//!
//! Sums are kept in the machine's own octet order: the one's complement sum of swapped octets is the swapped sum, so
//! only what is put beside octets of a packet has to be in network order.

use super::L3;

/// Sum of `COUNT` words of 32 bits of a packet from `at` on, a multiple of 4: of what has a length that is known beforehand.
/// The rest is for [`Table::sum`](super::Table::sum).
#[must_use]
#[inline(always)]
pub fn words<const COUNT: usize>(packet: &L3, at: usize) -> u64 {
    let mut sum = 0;
    let mut word = 0;
    while word < COUNT {
        sum += u64::from(packet.word(at + word * 4));
        word += 1;
    }
    sum
}

/// Sum of any octets, the last of an odd number being padded with zero.
#[must_use]
pub fn octets(octets: &[u8]) -> u64 {
    let (pairs, rest) = octets.as_chunks::<2>();
    let pairs = pairs.iter().map(|pair| u64::from(u16::from_ne_bytes(*pair)));
    pairs.sum::<u64>() + rest.first().map_or(0, |last| u64::from(u16::from_ne_bytes([*last, 0])))
}

/// Sum of what a pseudo-header has beside the two addresses: the protocol, and the message's length (C-CK-03, C-CK-05).
#[must_use]
#[inline(always)]
pub fn pseudo_header(protocol: u8, length: u16) -> u64 {
    u64::from(u16::from(protocol).to_be()) + u64::from(length.to_be())
}

/// Folds a sum into 16 bits.
#[must_use]
#[inline(always)]
pub const fn fold(sum: u64) -> u16 {
    let sum = (sum & 0xffff_ffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    #[expect(clippy::cast_possible_truncation, reason = "four folds leave 16 bits")]
    let folded = sum as u16;
    folded
}

/// Whether a sum over octets that include their checksum is that of sound ones.
#[must_use]
#[inline(always)]
pub const fn is_sound(sum: u64) -> bool {
    fold(sum) == 0xffff
}

/// The checksum field for octets with this sum, the field taken as zero.
#[must_use]
pub const fn field(sum: u64) -> [u8; 2] {
    (!fold(sum)).to_ne_bytes()
}

/// The checksum field after one pair of octets, at an even offset, was replaced (RFC 1624, C-CK-07).
#[must_use]
pub fn replaced(checksum: [u8; 2], old: [u8; 2], new: [u8; 2]) -> [u8; 2] {
    let [checksum, old, new] = [checksum, old, new].map(u16::from_ne_bytes);
    field(u64::from(!checksum) + u64::from(!old) + u64::from(new))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_sum_is_that_of_rfc_1071() {
        // RFC 1071 §3: 0001 f203 f4f5 f6f7 add up to ddf2.
        let sum = octets(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);

        assert_eq!(fold(sum).to_ne_bytes(), [0xdd, 0xf2]);
        assert_eq!(field(sum), [0x22, 0x0d]);
    }

    proptest! {
        #[test]
        fn an_incremental_update_equals_a_full_computation(
            mut message in prop::collection::vec(any::<u8>(), 4..64),
            place in 1..2_usize,
            new in any::<[u8; 2]>(),
        ) {
            // The one sum that has two forms is that of zeros alone; a VRRP message is never that.
            message[0] = 0x31;
            let at = place * 2;
            let old = [message[at], message[at + 1]];
            let before = field(octets(&message));
            message[at..at + 2].copy_from_slice(&new);

            prop_assert_eq!(replaced(before, old, new), field(octets(&message)));
        }

        #[test]
        fn words_and_octets_give_one_sum(packet in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut l3 = L3::new();
            l3.fill(&packet);

            prop_assert_eq!(fold(words::<50>(&l3, 0)), fold(octets(&packet)));
        }
    }
}
