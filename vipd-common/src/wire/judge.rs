//! The receive checks of an advert, in the order of section 5 of the conformance list: IP header, TTL, version, type,
//! lengths, checksum, VRID, then what one virtual router asks for.

use super::ip::{self, Family, Header};
use super::ipv6::is_link_local;
use super::{L3, Reason, be16, checksum, four, sixteen, vrrp};
use crate::abi::{self, Addr, Rules, Ttl};

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

    /// What is known of `source` where it is a unicast peer of a virtual router (C-UNI-02).
    fn peer(&self, instance: u32, source: &Addr) -> Option<Ttl>;

    /// Whether a unicast advert may come from whom it comes with the TTL that it has (C-UNI-02, C-UNI-03). The kernel half has
    /// it in a function of its own: its verifier would follow each outcome to the end.
    ///
    /// # Errors
    ///
    /// [`Reason::Peer`] or [`Reason::Ttl`].
    fn admit(&self, instance: u32, header: &Header) -> Result<(), Reason> {
        let Ttl { least, most } = self.peer(instance, &header.source).ok_or(Reason::Peer)?;
        if (least..=most).contains(&header.ttl) { Ok(()) } else { Err(Reason::Ttl) }
    }

    /// Sum of `length` octets of a packet from `from` on ([`checksum::fold`] makes 16 bits of it). Both are multiples of 4,
    /// and the octets lie within the buffer. The kernel half leaves it to the kernel: its verifier follows a loop turn by
    /// turn.
    fn sum(&self, packet: &L3, from: usize, length: usize) -> u64 {
        checksum::octets(packet.0.get(from..from + length).unwrap_or_default())
    }

    /// [`list_digest`]. The kernel half has it in a function of its own, for the same reason.
    fn list_digest<F: Family>(&self, packet: &L3, count: u8) -> u64 {
        list_digest::<F>(packet, count)
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
pub fn judge<F: Family, T: Table>(packet: &Packet<'_>, table: &T) -> Verdict {
    let header = match F::header(packet.l3, packet.length) {
        Ok(header) => header,
        Err(reason) => return Verdict { instance: None, advert: Err(reason), pass: true },
    };
    let octets = &packet.l3.0;
    let arrived = if header.total < packet.length { header.total } else { packet.length };
    let entry =
        if arrived >= F::HEADER + 2 { table.instance(packet.vlan, octets[F::HEADER + 1]) } else { None };
    // Always a number, for the compiler may not leave open what the kernel's verifier wants to know.
    let (number, rules) = entry.map_or((0, None), |(number, rules)| (number, Some(rules)));
    // One that is merely routed through this host is none of our business, whatever VRID it carries.
    let ours =
        rules.is_some_and(|rules| header.destination == rules.group || header.destination == rules.own);
    let advert = if ours || rules.is_none() && header.destination == F::GROUP {
        check::<F, T>(packet, &header, arrived, table, number, rules)
    } else {
        Err(Reason::Destination)
    };
    Verdict { instance: rules.map(|_| number), advert, pass: advert.is_ok() || !ours }
}

#[inline(always)]
fn check<F: Family, T: Table>(
    packet: &Packet<'_>,
    header: &Header,
    arrived: usize,
    table: &T,
    number: u32,
    rules: Option<&Rules>,
) -> Result<Advert, Reason> {
    let octets = &packet.l3.0;
    match rules {
        Some(rules) if rules.unicast != 0 => table.admit(number, header)?,
        _ if header.ttl != ip::TTL => return Err(Reason::Ttl),
        _ => {}
    }
    if arrived <= F::HEADER {
        return Err(Reason::Length);
    }
    let version = octets[F::HEADER] >> 4;
    let known = version == 3 || version == 2 && F::NUMBER == 4;
    if rules.map_or(!known, |rules| rules.version != version) {
        return Err(Reason::Version);
    }
    if octets[F::HEADER] & 0x0f != 1 {
        return Err(Reason::Type);
    }
    let count = octets[F::HEADER + 3];
    let length = vrrp::length::<F>(version, count);
    let whole = arrived >= F::HEADER + vrrp::FIXED && header.total <= packet.length;
    if !whole || header.total != F::HEADER + length || (version == 3 && count == 0) || count > F::LIST_MAX {
        return Err(Reason::Length);
    }
    let accepted = rules.map_or(abi::checksum::EITHER, |rules| rules.checksum);
    let checksum = checksum_form::<F, T>(packet.l3, table, version, length, accepted)?;
    let Some(rules) = rules else {
        return Err(if table.serves(packet.vlan) { Reason::Vrid } else { Reason::Vlan });
    };
    let advert = Advert {
        source: header.source,
        version,
        vrid: octets[F::HEADER + 1],
        priority: octets[F::HEADER + 2],
        interval_cs: if F::NUMBER == 4 && version == 2 {
            authenticate::<F>(packet.l3, count, rules)?;
            u16::from(octets[F::HEADER + 5]) * 100
        } else {
            // The upper four bits are reserved (C-PKT-04).
            be16(octets, F::HEADER + 4) & vrrp::INTERVAL_MAX
        },
        count,
        checksum,
        interval_differs: false,
        list_differs: false,
    };
    let multicast = header.destination == rules.group;
    let advert = check_for::<F, T>(packet.l3, table, rules, multicast, advert)?;
    if multicast == (rules.unicast == 0) { Ok(advert) } else { Err(Reason::Destination) }
}

/// The checks that one virtual router asks for.
#[inline(always)]
fn check_for<F: Family, T: Table>(
    l3: &L3,
    table: &T,
    rules: &Rules,
    multicast: bool,
    mut advert: Advert,
) -> Result<Advert, Reason> {
    let v2 = F::NUMBER == 4 && advert.version == 2;
    advert.interval_differs = advert.interval_cs != rules.interval_cs;
    if advert.interval_cs == 0 || (v2 && advert.interval_differs) {
        return Err(Reason::Interval);
    }
    if v2 && rules.priority == 255 {
        return Err(Reason::Owner);
    }
    let local_first = F::NUMBER == 4 || is_link_local(&sixteen(&l3.0, F::HEADER + vrrp::FIXED));
    if rules.local_first != 0 && !local_first {
        return Err(Reason::AddressList);
    }
    advert.list_differs =
        advert.count != rules.list_len || table.list_digest::<F>(l3, advert.count) != rules.list_digest;
    let refuse_list = rules.check_list != 0 && advert.list_differs && advert.priority != 255;
    if v2 && (advert.count == 0 || refuse_list) {
        return Err(Reason::AddressList);
    }
    if F::is_nobodys(&advert.source, multicast) {
        return Err(Reason::Source);
    }
    if advert.source == rules.own {
        return Err(Reason::OwnSource);
    }
    Ok(advert)
}

/// Which form the checksum of a message has, if it is sound in a form that is accepted.
#[inline(always)]
fn checksum_form<F: Family, T: Table>(
    l3: &L3,
    table: &T,
    version: u8,
    length: usize,
    accepted: u8,
) -> Result<u8, Reason> {
    let sum = table.sum(l3, F::HEADER, length);
    if F::NUMBER == 4 && version == 2 {
        return if checksum::is_sound(sum) { Ok(abi::checksum::EITHER) } else { Err(Reason::Checksum) };
    }
    if !F::PSEUDO_ONLY && accepted != abi::checksum::PSEUDO && checksum::is_sound(sum) {
        return Ok(abi::checksum::MESSAGE);
    }
    if !F::PSEUDO_ONLY && accepted == abi::checksum::MESSAGE {
        return Err(Reason::Checksum);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the longest message has 1448 octets")]
    let sum = sum + F::addresses_sum(l3) + checksum::pseudo_header(ip::VRRP, length as u16);
    if !checksum::is_sound(sum) {
        return Err(Reason::Checksum);
    }
    Ok(if F::PSEUDO_ONLY { abi::checksum::EITHER } else { abi::checksum::PSEUDO })
}

/// Authentication of version 2 (C-AUTH-01 to C-AUTH-04), in a time that does not depend on where passwords differ.
#[inline(always)]
fn authenticate<F: Family>(l3: &L3, count: u8, rules: &Rules) -> Result<(), Reason> {
    let octets = &l3.0;
    let kind = octets[F::HEADER + 4];
    if kind > 2 {
        return Err(Reason::AuthTypeUnknown);
    }
    if kind != rules.auth_type {
        return Err(Reason::AuthTypeMismatch);
    }
    let at = F::HEADER + vrrp::FIXED + usize::from(count) * F::ADDRESS;
    let (password, _) = rules.auth_data.as_chunks::<4>();
    let first = u32::from_ne_bytes(four(octets, at)) ^ u32::from_ne_bytes(password[0]);
    let second = u32::from_ne_bytes(four(octets, at + 4)) ^ u32::from_ne_bytes(password[1]);
    if kind == 1 && (first | second) != 0 { Err(Reason::AuthFailure) } else { Ok(()) }
}

/// The sum to hold against [`Rules::list_digest`].
#[must_use]
#[inline(always)]
pub fn list_digest<F: Family>(packet: &L3, count: u8) -> u64 {
    let count = if count > F::LIST_MAX { F::LIST_MAX } else { count };
    let mut digest = 0_u64;
    let mut place = 0;
    while place < usize::from(count) {
        digest = digest.wrapping_add(F::digest(packet, F::HEADER + vrrp::FIXED + place * F::ADDRESS));
        place += 1;
    }
    digest
}

#[cfg(test)]
mod tests;
