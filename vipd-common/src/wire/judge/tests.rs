//! What is emitted is accepted for what it is, and nothing makes the judge panic. Which frame fails which check is tested
//! with the whole corpus, in the kernel too: `tests/tests/kernel_frames`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::super::eth::{self, Class};
use super::super::ip::{TTL, V4, V6};
use super::super::vrrp::{AdvertFrame, FRAME_MAX};
use super::super::{Entry, Listed, address_digest, from_ip, ipv4, ipv6};
use super::*;
use crate::abi::InstanceKey;

const IFINDEX: u32 = 3;

/// An advert and the virtual router that it is for.
#[derive(Clone, Debug)]
struct Case {
    family: u8,
    version: u8,
    vrid: u8,
    vlan: u16,
    priority: u8,
    interval_cs: u16,
    addresses: Vec<IpAddr>,
    password: Option<[u8; 8]>,
    pseudo: bool,
    unicast: bool,
}

prop_compose! {
    fn case()(
        (family, version) in prop_oneof![Just((4, 2)), Just((4, 3)), Just((6, 3))],
        vrid in 1..=255_u8,
        vlan in prop_oneof![Just(0), 1..4095_u16],
        priority in any::<u8>(),
        interval in 1..=4095_u16,
        addresses in prop::collection::vec(any::<u128>(), 1..=255),
        password in any::<Option<[u8; 8]>>(),
        pseudo in any::<bool>(),
        unicast in any::<bool>(),
    ) -> Case {
        let v2 = version == 2;
        let interval_cs = if v2 { interval.min(255) * 100 } else { interval };
        let (password, pseudo) = (password.filter(|_| v2), pseudo && !v2 && family == 4);
        let address = |bits: u128| match family {
            4 => IpAddr::V4(Ipv4Addr::from_bits((bits >> 96).try_into().unwrap())),
            _ => IpAddr::V6(Ipv6Addr::from_bits(bits)),
        };
        let most = if family == 4 { 255 } else { 90 };
        let mut addresses: Vec<IpAddr> = addresses.into_iter().take(most).map(address).collect();
        if family == 6 {
            addresses[0] = "fe80::5:1".parse().unwrap();
        }
        Case { family, version, vrid, vlan, priority, interval_cs, addresses, password, pseudo, unicast }
    }
}

impl Case {
    fn group(&self) -> IpAddr {
        if self.family == 4 { ipv4::GROUP.into() } else { ipv6::GROUP.into() }
    }

    fn host(&self, number: u8) -> IpAddr {
        match self.family {
            4 => Ipv4Addr::new(192, 0, 2, number).into(),
            _ => Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number.into()).into(),
        }
    }

    fn own(&self) -> IpAddr {
        self.host(12)
    }

    fn peer(&self) -> IpAddr {
        self.host(11)
    }

    fn peers(&self) -> [(Addr, Ttl); 1] {
        [(from_ip(self.peer()), Ttl { least: 255, most: 255 })]
    }

    fn emit(&self) -> Vec<u8> {
        let mut frame = vec![0; FRAME_MAX];
        let advert = AdvertFrame {
            ethernet: eth::Header {
                destination: eth::group_mac(self.group()),
                source: eth::virtual_mac(self.family, self.vrid),
                vlan: self.vlan,
            },
            source: self.peer(),
            destination: if self.unicast { self.own() } else { self.group() },
            ttl: TTL,
            version: self.version,
            vrid: self.vrid,
            priority: self.priority,
            interval_cs: self.interval_cs,
            addresses: &self.addresses,
            password: self.password.as_ref(),
            checksum: if self.pseudo { abi::checksum::PSEUDO } else { abi::checksum::MESSAGE },
        };
        let length = advert.emit(&mut frame).expect("fits");
        frame.truncate(length);
        frame
    }

    fn rules(&self) -> Rules {
        let digests = self.addresses.iter().map(|vip| address_digest(&from_ip(*vip)));
        Rules {
            own: from_ip(self.own()),
            group: from_ip(self.group()),
            list_digest: digests.fold(0, u64::wrapping_add),
            auth_data: self.password.unwrap_or_default(),
            interval_cs: self.interval_cs,
            version: self.version,
            priority: 100,
            auth_type: u8::from(self.password.is_some()),
            checksum: abi::checksum::EITHER,
            unicast: u8::from(self.unicast),
            local_first: u8::from(is_link_local(&from_ip(self.addresses[0]))),
            list_len: u8::try_from(self.addresses.len()).expect("at most 255"),
            check_list: 1,
            ..Rules::default()
        }
    }

    fn form(&self) -> u8 {
        match (self.version, self.pseudo) {
            _ if self.family == 6 => abi::checksum::EITHER,
            (2, _) => abi::checksum::EITHER,
            (_, true) => abi::checksum::PSEUDO,
            (_, false) => abi::checksum::MESSAGE,
        }
    }

    /// Judges a frame as this virtual router does.
    fn judge(&self, frame: &[u8]) -> Option<Verdict> {
        let class = eth::classify(frame, None);
        let (Class::Advert4(place) | Class::Advert6(place)) = class else { return None };
        let mut l3 = L3::new();
        l3.fill(&frame[place.at..]);
        let packet = Packet { l3: &l3, length: frame.len() - place.at, vlan: place.vlan };
        let family = if matches!(class, Class::Advert4(_)) { 4 } else { 6 };
        Some(self.judge_packet(family, &packet))
    }

    fn judge_packet(&self, family: u8, packet: &Packet<'_>) -> Verdict {
        let key = InstanceKey { ifindex: IFINDEX, vlan: self.vlan, family: self.family, vrid: self.vrid };
        let entry = Entry { number: 9, key, rules: self.rules(), peers: &self.peers() };
        let table = Listed { ifindex: IFINDEX, family, entries: &[entry] };
        if family == 4 { judge::<V4, _>(packet, &table) } else { judge::<V6, _>(packet, &table) }
    }
}

proptest! {
    #[test]
    fn an_emitted_advert_is_accepted_for_what_it_says(case in case()) {
        let verdict = case.judge(&case.emit()).expect("an advert");

        let advert = Advert {
            source: from_ip(case.peer()),
            version: case.version,
            vrid: case.vrid,
            priority: case.priority,
            interval_cs: case.interval_cs,
            count: u8::try_from(case.addresses.len()).unwrap(),
            checksum: case.form(),
            interval_differs: false,
            list_differs: false,
        };
        prop_assert_eq!(verdict, Verdict { instance: Some(9), advert: Ok(advert), pass: true });
    }

    #[test]
    fn one_flipped_bit_of_what_is_summed_up_is_never_accepted(
        case in case(),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut frame = case.emit();
        // IPv6 has no checksum of what stands before its addresses.
        let start = eth::HEADER
            + if case.vlan == 0 { 0 } else { eth::TAG }
            + if case.family == 4 { 0 } else { ipv6::SOURCE_AT };
        let place = start + place.index(frame.len() - start);
        frame[place] ^= 1_u8 << bit;

        let accepted = case.judge(&frame).is_some_and(|verdict| verdict.advert.is_ok());

        prop_assert!(!accepted, "octet {place}");
    }

    /// C-SEC-02
    #[test]
    fn no_packet_makes_it_panic(
        case in case(),
        octets in prop::collection::vec(any::<u8>(), 0..100),
        length in any::<u16>(),
        first in prop_oneof![Just(0x45), Just(0x60), any::<u8>()],
        next in prop_oneof![Just(ip::VRRP), any::<u8>()],
        family in prop_oneof![Just(4), Just(6)],
    ) {
        let mut l3 = L3::new();
        l3.fill(&octets);
        (l3.0[0], l3.0[6]) = (first, next);

        let verdict = case.judge_packet(family, &Packet { l3: &l3, length: length.into(), vlan: 0 });

        prop_assert!(verdict.advert.is_err());
    }
}

#[test]
fn c_uni_03_a_peer_has_a_lowest_and_a_highest_ttl() {
    let (peer, own) = ("192.0.2.11".parse().unwrap(), "192.0.2.12".parse().unwrap());
    let vip: IpAddr = "192.0.2.1".parse().unwrap();
    let cases = [
        (Ttl { least: 255, most: 255 }, 255, None),
        (Ttl { least: 255, most: 255 }, 254, Some(Reason::Ttl)),
        (Ttl { least: 60, most: 64 }, 59, Some(Reason::Ttl)),
        (Ttl { least: 60, most: 64 }, 60, None),
        (Ttl { least: 60, most: 64 }, 64, None),
        (Ttl { least: 60, most: 64 }, 65, Some(Reason::Ttl)),
    ];
    for (allowed, ttl, expected) in cases {
        let mut frame = [0; FRAME_MAX];
        let advert = AdvertFrame {
            ethernet: eth::Header { destination: [2; 6], source: [4; 6], vlan: 0 },
            source: peer,
            destination: own,
            ttl,
            version: 3,
            vrid: 51,
            priority: 100,
            interval_cs: 100,
            addresses: &[vip],
            password: None,
            checksum: abi::checksum::MESSAGE,
        };
        let length = advert.emit(&mut frame).unwrap();
        let mut l3 = L3::new();
        l3.fill(&frame[eth::HEADER..length]);
        let rules = Rules { own: from_ip(own), version: 3, unicast: 1, ..Rules::default() };
        let key = InstanceKey { ifindex: IFINDEX, vlan: 0, family: 4, vrid: 51 };
        let entry = Entry { number: 9, key, rules, peers: &[(from_ip(peer), allowed)] };
        let table = Listed { ifindex: IFINDEX, family: 4, entries: &[entry] };

        let packet = Packet { l3: &l3, length: length - eth::HEADER, vlan: 0 };
        let verdict = judge::<V4, _>(&packet, &table);

        assert_eq!(verdict.advert.err(), expected, "TTL {ttl} where {allowed:?} is allowed");
    }
}

#[test]
fn c_rx_17_a_list_begins_with_a_link_local_address_where_our_own_does() {
    let addresses =
        |list: &[&str]| -> Vec<IpAddr> { list.iter().map(|text| text.parse().unwrap()).collect() };
    let (local, global) = (["fe80::5:1", "2001:db8::1"], ["2001:db8::1", "fe80::5:1"]);
    for (own, heard, expected) in [
        (local, local, None),
        (local, global, Some(Reason::AddressList)),
        (global, global, None),
        (global, local, None),
    ] {
        let case = |list: &[&str]| Case {
            family: 6,
            version: 3,
            vrid: 51,
            vlan: 0,
            priority: 100,
            interval_cs: 100,
            addresses: addresses(list),
            password: None,
            pseudo: false,
            unicast: false,
        };
        let frame = case(&heard).emit();

        let verdict = case(&own).judge(&frame).expect("an advert");

        assert_eq!(verdict.advert.err(), expected, "{heard:?} where {own:?} is configured");
    }
}
