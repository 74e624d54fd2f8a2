//! Ethernet frames: what they carry, and with how many VLAN tags.

use core::net::IpAddr;

use super::{EmitError, ip, ipv4, ipv6, nd};

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ARP: u16 = 0x0806;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;
/// EtherType of a VLAN tag (IEEE 802.1Q).
pub const VLAN: u16 = 0x8100;
/// EtherType of a provider's VLAN tag (IEEE 802.1ad).
pub const PROVIDER_VLAN: u16 = 0x88a8;
/// Octets of a header without a tag.
pub const HEADER: usize = 14;
/// Octets of a VLAN tag.
pub const TAG: usize = 4;
/// To everybody.
pub const BROADCAST: Mac = [0xff; 6];
/// The VLAN of a frame with two tags that both name one. No virtual router is configured there: were such a frame taken
/// for one of the outer VLAN, a host could speak into a network that it is not part of (C-L2-06).
pub const STACKED: u16 = 0xffff;

/// An Ethernet address.
pub type Mac = [u8; 6];

/// A virtual router's own address, of the family 4 or 6 (RFC 9568 §7.3).
#[must_use]
pub const fn virtual_mac(family: u8, vrid: u8) -> Mac {
    [0x00, 0x00, 0x5e, 0x00, if family == 4 { 0x01 } else { 0x02 }, vrid]
}

/// The address of a multicast group (RFC 1112 §6.4, RFC 2464 §7).
#[must_use]
pub const fn group_mac(group: IpAddr) -> Mac {
    match group {
        IpAddr::V4(group) => {
            let [_, b, c, d] = group.octets();
            [0x01, 0x00, 0x5e, b & 0x7f, c, d]
        }
        IpAddr::V6(group) => {
            let [.., a, b, c, d] = group.octets();
            [0x33, 0x33, a, b, c, d]
        }
    }
}

/// A frame whose octets can be read.
pub trait Octets {
    /// The `N` octets at `at`; `None` where the frame ends before.
    fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]>;

    /// The 16-bit number in network order at `at`.
    #[inline(always)]
    fn pair(&self, at: usize) -> Option<u16> {
        self.read(at).map(u16::from_be_bytes)
    }
}

impl Octets for [u8] {
    fn read<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.get(at..)?.first_chunk().copied()
    }
}

/// What a frame is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Not for us to look at.
    Other,
    /// An IPv4 packet that claims to be an advert.
    Advert4(Place),
    /// An IPv6 packet that claims to be an advert.
    Advert6(Place),
    /// An ARP message.
    Arp(Place),
    /// An IPv6 packet that claims to be a neighbour solicitation or advertisement.
    Neighbour(Place),
}

/// Where the payload of a frame begins, and on which VLAN the frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Octets of the Ethernet header with its tags.
    pub at: usize,
    /// The VLAN, 0 for none, or [`STACKED`]. A tag with VLAN 0 carries a priority only.
    pub vlan: u16,
}

/// Sorts a frame by as few octets as it takes (C-XDP-02, C-XDP-04). `tag` is the VLAN tag that the network card or the
/// kernel has already taken off.
#[inline(always)]
pub fn classify<F: Octets + ?Sized>(frame: &F, tag: Option<u16>) -> Class {
    classified(frame, tag).unwrap_or(Class::Other)
}

#[inline(always)]
fn classified<F: Octets + ?Sized>(frame: &F, tag: Option<u16>) -> Option<Class> {
    let outside = join(0, tag.unwrap_or(0));
    let ethertype = frame.pair(12)?;
    if !is_tag(ethertype) {
        return payload(frame, ethertype, Place { at: HEADER, vlan: outside });
    }
    let first = join(outside, frame.pair(HEADER)?);
    let ethertype = frame.pair(HEADER + 2)?;
    if !is_tag(ethertype) {
        return payload(frame, ethertype, Place { at: HEADER + TAG, vlan: first });
    }
    let second = join(first, frame.pair(HEADER + TAG)?);
    let ethertype = frame.pair(HEADER + TAG + 2)?;
    payload(frame, ethertype, Place { at: HEADER + 2 * TAG, vlan: second })
}

#[inline(always)]
const fn is_tag(ethertype: u16) -> bool {
    ethertype == VLAN || ethertype == PROVIDER_VLAN
}

/// The VLAN of a frame on `vlan` after one more tag.
#[inline(always)]
const fn join(vlan: u16, tag: u16) -> u16 {
    match (vlan, tag & 0x0fff) {
        (vlan, 0) => vlan,
        (0, id) => id,
        _ => STACKED,
    }
}

#[inline(always)]
fn payload<F: Octets + ?Sized>(frame: &F, ethertype: u16, place: Place) -> Option<Class> {
    match ethertype {
        IPV4 => {
            let [protocol] = frame.read(place.at + ipv4::PROTOCOL_AT)?;
            let ours = protocol == ip::VRRP
                || protocol == ip::AUTH_HEADER
                    && frame.read(place.at + ipv4::DESTINATION_AT)? == ipv4::GROUP.octets();
            ours.then_some(Class::Advert4(place))
        }
        IPV6 => match frame.read(place.at + ipv6::NEXT_AT)? {
            [ip::VRRP] => Some(Class::Advert6(place)),
            [ipv6::ICMP] => {
                let [kind] = frame.read(place.at + ipv6::HEADER)?;
                (kind == nd::SOLICITATION || kind == nd::ADVERTISEMENT).then_some(Class::Neighbour(place))
            }
            [next] if ipv6::is_extension(next) => {
                let ours = frame.read(place.at + ipv6::HEADER)? == [ip::VRRP]
                    && frame.read(place.at + ipv6::DESTINATION_AT)? == ipv6::GROUP.octets();
                ours.then_some(Class::Advert6(place))
            }
            _ => None,
        },
        ARP => Some(Class::Arp(place)),
        _ => None,
    }
}

/// The header of a frame to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// To whom.
    pub destination: Mac,
    /// From whom: the virtual router's address, or the interface's own (C-TX-05).
    pub source: Mac,
    /// VLAN to tag it with, 0 for none.
    pub vlan: u16,
}

impl Header {
    /// Writes the header, and says how long it is.
    ///
    /// # Errors
    ///
    /// [`EmitError::Buffer`]
    pub fn emit(&self, ethertype: u16, frame: &mut [u8]) -> Result<usize, EmitError> {
        let mut parts = [0; HEADER + TAG];
        parts[..6].copy_from_slice(&self.destination);
        parts[6..12].copy_from_slice(&self.source);
        let length = if self.vlan == 0 {
            parts[12..14].copy_from_slice(&ethertype.to_be_bytes());
            HEADER
        } else {
            parts[12..14].copy_from_slice(&VLAN.to_be_bytes());
            parts[14..16].copy_from_slice(&(self.vlan & 0x0fff).to_be_bytes());
            parts[16..18].copy_from_slice(&ethertype.to_be_bytes());
            HEADER + TAG
        };
        frame.get_mut(..length).ok_or(EmitError::Buffer)?.copy_from_slice(&parts[..length]);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A frame with these tags before EtherType `ethertype` and a payload of protocol 112, be it IPv4 or IPv6.
    fn frame(tags: &[(u16, u16)], ethertype: u16) -> Vec<u8> {
        let mut frame = vec![0; 12];
        for (kind, tci) in tags {
            frame.extend(kind.to_be_bytes());
            frame.extend(tci.to_be_bytes());
        }
        frame.extend(ethertype.to_be_bytes());
        frame.extend([0; 6]);
        frame.extend([ip::VRRP, 0, 0, ip::VRRP]);
        frame.extend([0; 40]);
        frame
    }

    #[test]
    fn tags_in_the_frame_and_beside_it_name_one_vlan() {
        type Case<'a> = (&'a str, Option<u16>, &'a [(u16, u16)], Place);
        let cases: [Case<'_>; 9] = [
            ("no tag", None, &[], Place { at: 14, vlan: 0 }),
            ("tag in the frame", None, &[(VLAN, 0xc064)], Place { at: 18, vlan: 100 }),
            ("provider's tag", None, &[(PROVIDER_VLAN, 7)], Place { at: 18, vlan: 7 }),
            ("priority tag", None, &[(VLAN, 0xe000)], Place { at: 18, vlan: 0 }),
            ("priority tag outside", None, &[(VLAN, 0xe000), (VLAN, 100)], Place { at: 22, vlan: 100 }),
            ("two tags", None, &[(PROVIDER_VLAN, 7), (VLAN, 100)], Place { at: 22, vlan: STACKED }),
            ("tag beside the frame", Some(0x2064), &[], Place { at: 14, vlan: 100 }),
            ("one beside, one inside", Some(7), &[(VLAN, 100)], Place { at: 18, vlan: STACKED }),
            ("priority tag beside", Some(0xe000), &[(VLAN, 100)], Place { at: 18, vlan: 100 }),
        ];
        for (name, beside, tags, place) in cases {
            assert_eq!(classify(&frame(tags, IPV4)[..], beside), Class::Advert4(place), "{name}");
            assert_eq!(classify(&frame(tags, IPV6)[..], beside), Class::Advert6(place), "{name}");
            assert_eq!(classify(&frame(tags, ARP)[..], beside), Class::Arp(place), "{name}");
            assert_eq!(classify(&frame(tags, 0x88cc)[..], beside), Class::Other, "{name}");
        }
    }

    #[test]
    fn three_tags_are_nobodys() {
        assert_eq!(classify(&frame(&[(VLAN, 1); 3], IPV4)[..], None), Class::Other);
    }

    #[test]
    fn other_protocols_are_not_ours() {
        let mut udp = frame(&[], IPV4);
        udp[HEADER + ipv4::PROTOCOL_AT] = 17;

        assert_eq!(classify(&udp[..], None), Class::Other);
    }

    #[test]
    fn c_rx_11_of_ipv6_adverts_solicitations_and_advertisements_are_looked_at() {
        let place = Place { at: HEADER, vlan: 0 };
        let (group, elsewhere) = (ipv6::GROUP.octets(), ipv6::ALL_NODES.octets());
        let cases = [
            ("advert", ip::VRRP, elsewhere, 0x31, Class::Advert6(place)),
            ("hop-by-hop options before an advert", 0, group, ip::VRRP, Class::Advert6(place)),
            ("fragment of an advert", 44, group, ip::VRRP, Class::Advert6(place)),
            ("authentication header before an advert", 51, group, ip::VRRP, Class::Advert6(place)),
            ("MLD report", 0, group, ipv6::ICMP, Class::Other),
            ("fragment of an advert to another group", 44, elsewhere, ip::VRRP, Class::Other),
            ("TCP", 6, group, ip::VRRP, Class::Other),
            ("neighbour solicitation", ipv6::ICMP, elsewhere, 135, Class::Neighbour(place)),
            ("neighbour advertisement", ipv6::ICMP, elsewhere, 136, Class::Neighbour(place)),
            ("router advertisement", ipv6::ICMP, elsewhere, 134, Class::Other),
            ("echo request", ipv6::ICMP, elsewhere, 128, Class::Other),
        ];
        for (name, next, destination, first, class) in cases {
            let mut frame = frame(&[], IPV6);
            frame[HEADER + ipv6::NEXT_AT] = next;
            frame[HEADER + ipv6::DESTINATION_AT..][..16].copy_from_slice(&destination);
            frame[HEADER + ipv6::HEADER] = first;

            assert_eq!(classify(&frame[..], None), class, "{name}");
        }
    }

    #[test]
    fn c_tx_03_groups_have_the_hardware_addresses_of_their_rfcs() {
        assert_eq!(group_mac(ipv4::GROUP.into()), [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12]);
        assert_eq!(group_mac(ipv6::GROUP.into()), [0x33, 0x33, 0x00, 0x00, 0x00, 0x12]);
        assert_eq!(group_mac("239.129.2.3".parse().unwrap()), [0x01, 0x00, 0x5e, 0x01, 0x02, 0x03]);
    }

    proptest! {
        #[test]
        fn no_frame_makes_it_panic(frame in prop::collection::vec(any::<u8>(), 0..64), tag in any::<Option<u16>>()) {
            let _ = classify(&frame[..], tag);
        }

        #[test]
        fn an_emitted_header_is_read_back(
            destination in any::<Mac>(),
            source in any::<Mac>(),
            vlan in 0..4095_u16,
        ) {
            let mut frame = [0; 64];
            let at = Header { destination, source, vlan }.emit(ARP, &mut frame).unwrap();

            prop_assert_eq!(classify(&frame[..], None), Class::Arp(Place { at, vlan }));
            prop_assert_eq!(frame[..].read(0), Some(destination));
            prop_assert_eq!(frame[..].read(6), Some(source));
        }
    }
}
