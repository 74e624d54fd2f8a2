//! ARP messages for IPv4 over Ethernet (RFC 826, RFC 5227).

use core::net::Ipv4Addr;

use super::EmitError;
use super::eth::{self, Mac, Octets};

/// Octets of a message.
pub const LENGTH: usize = 28;
/// Octets of the longest frame emitted here: a VLAN tag before the message.
pub const FRAME_MAX: usize = eth::HEADER + eth::TAG + LENGTH;
/// Hardware Ethernet, protocol IPv4, and the lengths of their addresses.
const KIND: [u8; 6] = [0, 1, 8, 0, 6, 4];

/// Request or reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Who has the target address?
    Request,
    /// The sender has it.
    Reply,
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Request or reply.
    pub operation: Operation,
    /// The sender's hardware address.
    pub sender_mac: Mac,
    /// The sender's address.
    pub sender: [u8; 4],
    /// The target's address.
    pub target: [u8; 4],
}

impl Message {
    /// Reads the message at `at`; `None` if it is not about IPv4 over Ethernet, neither request nor reply, or cut short.
    #[inline(always)]
    pub fn read<F: Octets + ?Sized>(frame: &F, at: usize) -> Option<Self> {
        // The last field first: where it is, the others are too.
        let target = frame.read(at + 24)?;
        let operation = match frame.pair(at + 6)? {
            1 => Operation::Request,
            2 => Operation::Reply,
            _ => return None,
        };
        if frame.read(at)? != KIND {
            return None;
        }
        Some(Self { operation, sender_mac: frame.read(at + 8)?, sender: frame.read(at + 14)?, target })
    }

    /// Whether it announces the sender's own address, in either form (C-ARP-01, C-ARP-02). A probe (RFC 5227), which
    /// has no sender address, does not.
    #[must_use]
    #[inline(always)]
    pub const fn is_gratuitous(&self) -> bool {
        u32::from_ne_bytes(self.sender) == u32::from_ne_bytes(self.target)
            && u32::from_ne_bytes(self.sender) != 0
    }
}

/// A gratuitous ARP request to send, in the form of RFC 9568 §6.4.1 (C-ARP-01): to everybody, and the target hardware
/// address is the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GratuitousFrame {
    /// Source of the frame, and the address announced as that of `address`: the virtual router's, or the interface's own.
    pub mac: Mac,
    /// VLAN to tag it with, 0 for none.
    pub vlan: u16,
    /// The virtual address.
    pub address: Ipv4Addr,
}

impl GratuitousFrame {
    /// Writes the whole frame, and says how long it is.
    ///
    /// # Errors
    ///
    /// [`EmitError::Buffer`]; [`FRAME_MAX`] octets are enough.
    pub fn emit(&self, frame: &mut [u8]) -> Result<usize, EmitError> {
        let header = eth::Header { destination: eth::BROADCAST, source: self.mac, vlan: self.vlan };
        let at = header.emit(eth::ARP, frame)?;
        let message = frame.get_mut(at..at + LENGTH).ok_or(EmitError::Buffer)?;
        message[..6].copy_from_slice(&KIND);
        message[6..8].copy_from_slice(&1_u16.to_be_bytes());
        for half in message[8..].chunks_exact_mut(10) {
            half[..6].copy_from_slice(&self.mac);
            half[6..].copy_from_slice(&self.address.octets());
        }
        Ok(at + LENGTH)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_emitted_announcement_is_read_back(mac in any::<Mac>(), vlan in 0..4095_u16, bits in 1..u32::MAX) {
            let address = Ipv4Addr::from_bits(bits);
            let mut frame = [0; FRAME_MAX];
            let length = GratuitousFrame { mac, vlan, address }.emit(&mut frame).unwrap();

            let eth::Class::Arp(place) = eth::classify(&frame[..length], None) else { panic!("no ARP") };
            let message = Message::read(&frame[..length], place.at).unwrap();

            prop_assert_eq!(place.vlan, vlan);
            prop_assert!(message.is_gratuitous());
            prop_assert_eq!(message.operation, Operation::Request);
            prop_assert_eq!(message.sender_mac, mac);
            prop_assert_eq!(message.sender, address.octets());
            prop_assert_eq!(place.at + LENGTH, length);
        }

        #[test]
        fn no_message_makes_it_panic(frame in prop::collection::vec(any::<u8>(), 0..64), at in 0..70_usize) {
            let _ = Message::read(&frame[..], at);
        }
    }

    #[test]
    fn a_probe_claims_nothing() {
        let probe = Message {
            operation: Operation::Request,
            sender_mac: [2, 0, 0, 0, 0, 1],
            sender: [0; 4],
            target: [192, 0, 2, 1],
        };

        assert!(!probe.is_gratuitous());
    }

    #[test]
    fn a_short_buffer_is_refused() {
        let frame = GratuitousFrame { mac: [2; 6], vlan: 0, address: Ipv4Addr::new(192, 0, 2, 1) };

        for length in 0..eth::HEADER + LENGTH {
            assert_eq!(frame.emit(&mut vec![0; length]), Err(EmitError::Buffer), "{length} octets");
        }
    }
}
