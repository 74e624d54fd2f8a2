//! Neighbour solicitations and advertisements (RFC 4861 §4.3, §4.4).

use core::net::Ipv6Addr;

use super::eth::{self, Mac, Octets};
use super::{EmitError, L3, Reason, be16, checksum, ip, ipv6};
use crate::abi::Addr;

/// ICMPv6 type of a neighbour solicitation.
pub const SOLICITATION: u8 = 135;
/// ICMPv6 type of a neighbour advertisement.
pub const ADVERTISEMENT: u8 = 136;
/// Octets of a message before its options.
pub const FIXED: usize = 24;
/// Octets that lengths of options count, and of the option with a hardware address.
const OPTION: usize = 8;
/// Type and length of the option that says for whom an address is advertised.
const TARGET_ADDRESS: [u8; 2] = [2, 1];
/// Where the message says whom it is about.
const TARGET_AT: usize = 8;
/// The advertising node is a router.
const ROUTER: u8 = 0x80;
/// It was asked.
const SOLICITED: u8 = 0x40;
/// What it says goes before what was known.
const OVERRIDE: u8 = 0x20;
/// Octets of the longest message that is believed: more than nodes send.
const MESSAGE_MAX: usize = 256;
/// Options that are looked at; a message with more is not believed. The kernel's verifier follows them one by one.
const OPTIONS_MAX: usize = 4;
/// Octets of the longest frame emitted here: a VLAN tag, the message with one option.
pub const FRAME_MAX: usize = eth::HEADER + eth::TAG + ipv6::HEADER + FIXED + OPTION;

/// Whom a message is about, read from the frame at hand: nothing is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// It advertises the target; otherwise it asks for it.
    pub advertises: bool,
    /// The address.
    pub target: Addr,
}

impl Message {
    /// Reads the packet at `at`, one of [`eth::Class::Neighbour`]; `None` if it is cut short.
    #[inline(always)]
    pub fn read<F: Octets + ?Sized>(frame: &F, at: usize) -> Option<Self> {
        // The last field first: where it is, the others are too.
        let target = frame.read(at + ipv6::HEADER + TARGET_AT)?;
        let [kind] = frame.read(at + ipv6::HEADER)?;
        Some(Self { advertises: kind == ADVERTISEMENT, target })
    }
}

/// For which hardware address an advertisement announces its target to others; `None` if it is but an answer, or names none.
/// `length` octets of the packet have arrived, and `sum` adds up octets as [`Table::sum`](super::Table::sum) does.
///
/// # Errors
///
/// [`Reason::Neighbour`]: hosts do not believe it (C-ND-02, RFC 4861 §7.1.2).
#[inline(always)]
pub fn claimant(
    packet: &L3,
    length: usize,
    sum: impl FnOnce(&L3, usize, usize) -> u64,
) -> Result<Option<Mac>, Reason> {
    let octets = &packet.0;
    let message = usize::from(be16(octets, 4));
    // Options are multiples of 8 octets long.
    let whole = length >= ipv6::HEADER + FIXED
        && message >= FIXED
        && message.is_multiple_of(8)
        && message <= MESSAGE_MAX
        && ipv6::HEADER + message <= length;
    if !whole || octets[0] >> 4 != 6 || octets[7] != ip::TTL || octets[ipv6::HEADER + 1] != 0 {
        return Err(Reason::Neighbour);
    }
    let answer = octets[ipv6::HEADER + 4] & SOLICITED != 0;
    if answer && octets[ipv6::DESTINATION_AT] == 0xff {
        return Err(Reason::Neighbour);
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 256 octets")]
    let pseudo = checksum::pseudo_header(ipv6::ICMP, message as u16);
    let addresses = checksum::words::<8>(packet, ipv6::SOURCE_AT);
    if !checksum::is_sound(sum(packet, ipv6::HEADER, message) + addresses + pseudo) {
        return Err(Reason::Neighbour);
    }
    let mac = option(packet, ipv6::HEADER + FIXED, ipv6::HEADER + message)?;
    Ok(mac.filter(|_| !answer))
}

/// Goes through the options from `at` to `end`.
#[inline(always)]
fn option(packet: &L3, mut at: usize, end: usize) -> Result<Option<Mac>, Reason> {
    // Where the hardware address is: the address itself, carried from turn to turn, would be more for the verifier to follow.
    let mut found = 0;
    let mut number = 0;
    while number < OPTIONS_MAX && at < end {
        let Some(option) = packet.0.get(at..).and_then(<[u8]>::first_chunk) else { break };
        if option[1] == 0 {
            break;
        }
        if *option == TARGET_ADDRESS {
            found = at + option.len();
        }
        at += usize::from(option[1]) * OPTION;
        number += 1;
    }
    if at != end {
        return Err(Reason::Neighbour);
    }
    Ok(packet.0.get(found..).filter(|_| found != 0).and_then(<[u8]>::first_chunk).copied())
}

/// An unsolicited neighbour advertisement to send, in the form of RFC 9568 §6.4.1 (C-ND-01): to all nodes, from the address
/// itself, overriding what they know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisementFrame {
    /// Source of the frame, and the address announced as that of `address`: the virtual router's, or the interface's own.
    pub mac: Mac,
    /// VLAN to tag it with, 0 for none.
    pub vlan: u16,
    /// The virtual address.
    pub address: Ipv6Addr,
    /// This host forwards, so that others may keep it as a router.
    pub router: bool,
}

impl AdvertisementFrame {
    /// Writes the whole frame, and says how long it is.
    ///
    /// # Errors
    ///
    /// [`EmitError::Buffer`]; [`FRAME_MAX`] octets are enough.
    pub fn emit(&self, frame: &mut [u8]) -> Result<usize, EmitError> {
        let group = ipv6::ALL_NODES;
        let header =
            eth::Header { destination: eth::group_mac(group.into()), source: self.mac, vlan: self.vlan };
        let at = header.emit(eth::IPV6, frame)?;
        let packet = frame.get_mut(at..).ok_or(EmitError::Buffer)?;
        let length = FIXED + OPTION;
        let start = ipv6::emit(self.address, group, ipv6::ICMP, ip::TTL, length, packet)?;
        let message = packet.get_mut(start..start + length).ok_or(EmitError::Buffer)?;
        message.fill(0);
        message[0] = ADVERTISEMENT;
        message[4] = OVERRIDE | if self.router { ROUTER } else { 0 };
        message[TARGET_AT..FIXED].copy_from_slice(&self.address.octets());
        message[FIXED..FIXED + 2].copy_from_slice(&TARGET_ADDRESS);
        message[FIXED + 2..].copy_from_slice(&self.mac);
        let addresses = checksum::octets(&self.address.octets()) + checksum::octets(&group.octets());
        let pseudo = checksum::pseudo_header(ipv6::ICMP, 32);
        let sum = checksum::field(checksum::octets(message) + addresses + pseudo);
        message[2..4].copy_from_slice(&sum);
        Ok(at + start + length)
    }
}

#[cfg(test)]
mod tests;
