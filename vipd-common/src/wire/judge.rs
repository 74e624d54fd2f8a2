//! The receive checks of an advert, in the order of section 5 of the conformance list: IP header, TTL, version, type,
//! lengths, checksum, VRID, then what one virtual router asks for.

use super::{L3, Reason, be16, checksum, four, ipv4, ipv4_digest, vrrp};
use crate::abi::{self, Addr, Rules};

/// Where the VRRP message begins: behind an IP header without options.
const MESSAGE: usize = ipv4::HEADER;
/// Where its address list begins.
const LIST: usize = MESSAGE + vrrp::FIXED;

/// A packet of protocol 112, with what its frame said.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    /// The packet, as much of it as there is room for. What lies behind `length` is not looked at.
    pub l3: &'a L3,
    /// Octets of the frame from the IP header on, padding included; may be more than there is room for.
    pub length: usize,
    /// VLAN of the frame, as of [`super::eth::Place`].
    pub vlan: u16,
}

/// The virtual routers that run where the packet came from, and what differs between the kernel half and user space.
pub trait Table {
    /// The virtual router `vrid` on `vlan`: its number and its rules.
    fn instance(&self, vlan: u16, vrid: u8) -> Option<(u32, &Rules)>;

    /// Whether any virtual router runs on `vlan`.
    fn serves(&self, vlan: u16) -> bool;

    /// Whether `source` is a unicast peer of a virtual router (C-UNI-02).
    fn is_peer(&self, instance: u32, source: &Addr) -> bool;

    /// Sum of `length` octets of a packet from `from` on ([`checksum::fold`] makes 16 bits of it). Both are multiples of 4,
    /// and the octets lie within the buffer. The kernel half leaves it to the kernel: its verifier follows a loop turn by
    /// turn.
    fn sum(&self, packet: &L3, from: usize, length: usize) -> u64 {
        checksum::octets(packet.0.get(from..from + length).unwrap_or_default())
    }

    /// [`list_digest`]. The kernel half has it in a function of its own, for the same reason.
    fn list_digest(&self, packet: &L3, count: u8) -> u64 {
        list_digest(packet, count)
    }
}

/// What an advert says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advert {
    /// From whom, by its IP header.
    pub source: Addr,
    /// 2 or 3.
    pub version: u8,
    /// Virtual router id.
    pub vrid: u8,
    /// 0 when the sender resigns.
    pub priority: u8,
    /// Its interval in centiseconds.
    pub interval_cs: u16,
    /// Addresses that it lists.
    pub count: u8,
    /// Its checksum form, as of [`abi::Stamp::checksum`].
    pub checksum: u8,
    /// Its interval is not ours, which version 3 allows (C-RX-16).
    pub interval_differs: bool,
    /// Its address list is not ours, which version 3 and the owner of the addresses may have (C-RX-13, C-RX-14).
    pub list_differs: bool,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The virtual router that it is for; `None` where none here is.
    pub instance: Option<u32>,
    /// What it says, or why it does not count.
    pub advert: Result<Advert, Reason>,
    /// Whether the frame may go on. It may not if it failed a check and is for a virtual router of ours; what is not ours
    /// goes on whatever it is (C-XDP-04).
    pub pass: bool,
}

impl Verdict {
    /// Why it does not count, or that it does.
    #[must_use]
    #[inline(always)]
    pub fn reason(&self) -> Reason {
        self.advert.err().unwrap_or(Reason::Accepted)
    }

    /// What to count: one reason for what does not count, [`Reason::Accepted`] and those that tell for an advert.
    #[inline(always)]
    pub fn count(&self, mut raise: impl FnMut(Reason)) {
        let advert = match &self.advert {
            Ok(advert) => advert,
            Err(reason) => return raise(*reason),
        };
        raise(Reason::Accepted);
        if advert.priority == 0 {
            raise(Reason::PriorityZero);
        }
        if advert.interval_differs {
            raise(Reason::Interval);
        }
        if advert.list_differs {
            raise(Reason::AddressList);
        }
        if advert.checksum == abi::checksum::PSEUDO {
            raise(Reason::Pseudo);
        }
    }
}

/// Judges a packet. Changes nothing (C-RX-21): what is to be counted or remembered is the caller's to do.
#[inline(always)]
pub fn judge<T: Table>(packet: &Packet<'_>, table: &T) -> Verdict {
    let header = match ipv4::Header::read(packet.l3, packet.length) {
        Ok(header) => header,
        Err(reason) => return Verdict { instance: None, advert: Err(reason), pass: true },
    };
    let octets = &packet.l3.0;
    let arrived = if header.total < packet.length { header.total } else { packet.length };
    let entry = if arrived >= MESSAGE + 2 { table.instance(packet.vlan, octets[MESSAGE + 1]) } else { None };
    let ours = entry.filter(|(_, rules)| concerns(&header, rules));
    let advert = match entry {
        None if header.destination != ipv4::GROUP.octets() => Err(Reason::Destination),
        Some(_) if ours.is_none() => Err(Reason::Destination),
        _ => check(packet, &header, arrived, table, entry),
    };
    Verdict { instance: entry.map(|(number, _)| number), advert, pass: advert.is_ok() || ours.is_none() }
}

/// Whether a packet is for the group or for us: one that is merely routed through this host is none of our business,
/// whatever VRID it carries.
#[inline(always)]
fn concerns(header: &ipv4::Header, rules: &Rules) -> bool {
    header.destination == ipv4::GROUP.octets() || header.destination == own(rules)
}

#[inline(always)]
fn own(rules: &Rules) -> [u8; 4] {
    [rules.own[0], rules.own[1], rules.own[2], rules.own[3]]
}

#[inline(always)]
fn check<T: Table>(
    packet: &Packet<'_>,
    header: &ipv4::Header,
    arrived: usize,
    table: &T,
    entry: Option<(u32, &Rules)>,
) -> Result<Advert, Reason> {
    let octets = &packet.l3.0;
    if header.ttl < entry.map_or(ipv4::TTL, |(_, rules)| rules.min_ttl) {
        return Err(Reason::Ttl);
    }
    if arrived <= MESSAGE {
        return Err(Reason::Length);
    }
    let version = octets[MESSAGE] >> 4;
    if entry.map_or(version != 2 && version != 3, |(_, rules)| rules.version != version) {
        return Err(Reason::Version);
    }
    if octets[MESSAGE] & 0x0f != 1 {
        return Err(Reason::Type);
    }
    let count = octets[MESSAGE + 3];
    let length = vrrp::length(version, count);
    let whole = arrived >= MESSAGE + vrrp::FIXED && header.total <= packet.length;
    if !whole || header.total != MESSAGE + length || (version == 3 && count == 0) {
        return Err(Reason::Length);
    }
    let accepted = entry.map_or(abi::checksum::EITHER, |(_, rules)| rules.checksum);
    let sum = table.sum(packet.l3, MESSAGE, length);
    let checksum = checksum_form(sum, header, version, length, accepted).ok_or(Reason::Checksum)?;
    let Some((instance, rules)) = entry else {
        return Err(if table.serves(packet.vlan) { Reason::Vrid } else { Reason::Vlan });
    };
    let advert = Advert {
        source: address(header.source),
        version,
        vrid: octets[MESSAGE + 1],
        priority: octets[MESSAGE + 2],
        interval_cs: if version == 2 {
            authenticate(packet.l3, count, rules)?;
            u16::from(octets[MESSAGE + 5]) * 100
        } else {
            // The upper four bits are reserved (C-PKT-04).
            be16(octets, MESSAGE + 4) & vrrp::INTERVAL_MAX
        },
        count,
        checksum,
        interval_differs: false,
        list_differs: false,
    };
    check_for(packet.l3, header, table, instance, rules, advert)
}

/// The checks that one virtual router asks for.
#[inline(always)]
fn check_for<T: Table>(
    l3: &L3,
    header: &ipv4::Header,
    table: &T,
    instance: u32,
    rules: &Rules,
    mut advert: Advert,
) -> Result<Advert, Reason> {
    let v2 = advert.version == 2;
    advert.interval_differs = advert.interval_cs != rules.interval_cs;
    if advert.interval_cs == 0 || (v2 && advert.interval_differs) {
        return Err(Reason::Interval);
    }
    if v2 && rules.priority == 255 {
        return Err(Reason::Owner);
    }
    advert.list_differs =
        advert.count != rules.list_len || table.list_digest(l3, advert.count) != rules.list_digest;
    let refuse_list = rules.check_list != 0 && advert.list_differs && advert.priority != 255;
    if v2 && (advert.count == 0 || refuse_list) {
        return Err(Reason::AddressList);
    }
    if ipv4::is_nobodys(header.source) {
        return Err(Reason::Source);
    }
    if header.source == own(rules) {
        return Err(Reason::OwnSource);
    }
    let multicast = header.destination == ipv4::GROUP.octets();
    if multicast != (rules.unicast == 0) {
        return Err(Reason::Destination);
    }
    if !multicast && !table.is_peer(instance, &advert.source) {
        return Err(Reason::Peer);
    }
    Ok(advert)
}

/// Which form the checksum of a message with this sum has; `None` if it is wrong in every form that is accepted.
#[inline(always)]
fn checksum_form(sum: u64, header: &ipv4::Header, version: u8, length: usize, accepted: u8) -> Option<u8> {
    if version == 2 {
        return checksum::is_sound(sum).then_some(abi::checksum::EITHER);
    }
    if accepted != abi::checksum::PSEUDO && checksum::is_sound(sum) {
        return Some(abi::checksum::MESSAGE);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the longest message has 1036 octets")]
    let sum = sum + checksum::pseudo_header(header.source, header.destination, length as u16);
    (accepted != abi::checksum::MESSAGE && checksum::is_sound(sum)).then_some(abi::checksum::PSEUDO)
}

/// Authentication of version 2 (C-AUTH-01 to C-AUTH-04), in a time that does not depend on where passwords differ.
#[inline(always)]
fn authenticate(l3: &L3, count: u8, rules: &Rules) -> Result<(), Reason> {
    let octets = &l3.0;
    let kind = octets[MESSAGE + 4];
    if kind > 2 {
        return Err(Reason::AuthTypeUnknown);
    }
    if kind != rules.auth_type {
        return Err(Reason::AuthTypeMismatch);
    }
    let at = LIST + usize::from(count) * 4;
    let (password, _) = rules.auth_data.as_chunks::<4>();
    let first = u32::from_ne_bytes(four(octets, at)) ^ u32::from_ne_bytes(password[0]);
    let second = u32::from_ne_bytes(four(octets, at + 4)) ^ u32::from_ne_bytes(password[1]);
    if kind == 1 && (first | second) != 0 { Err(Reason::AuthFailure) } else { Ok(()) }
}

/// The sum to hold against [`Rules::list_digest`].
#[must_use]
#[inline(always)]
pub fn list_digest(packet: &L3, count: u8) -> u64 {
    let mut digest = 0_u64;
    let mut place = 0;
    while place < usize::from(count) {
        let listed = u32::from_be(packet.word(LIST + place * 4));
        digest = digest.wrapping_add(ipv4_digest(listed));
        place += 1;
    }
    digest
}

#[inline(always)]
const fn address(octets: [u8; 4]) -> Addr {
    let [a, b, c, d] = octets;
    [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests;
