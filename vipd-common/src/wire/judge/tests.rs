//! What is emitted is accepted for what it is, and nothing makes the judge panic. Which frame fails which check is tested
//! with the whole corpus, in the kernel too: `tests/tests/kernel_frames`.

use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::super::eth::{self, Class};
use super::super::vrrp::{AdvertFrame, FRAME_MAX};
use super::super::{Entry, Listed, address_digest, from_ipv4};
use super::*;
use crate::abi::InstanceKey;

const IFINDEX: u32 = 3;
const OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 12);
const PEER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 11);

/// An advert and the virtual router that it is for.
#[derive(Clone, Debug)]
struct Case {
    version: u8,
    vrid: u8,
    vlan: u16,
    priority: u8,
    interval_cs: u16,
    addresses: Vec<Ipv4Addr>,
    password: Option<[u8; 8]>,
    pseudo: bool,
    unicast: bool,
}

prop_compose! {
    fn case()(
        version in 2..=3_u8,
        vrid in 1..=255_u8,
        vlan in prop_oneof![Just(0), 1..4095_u16],
        priority in any::<u8>(),
        interval in 1..=4095_u16,
        addresses in prop::collection::vec(any::<u32>().prop_map(Ipv4Addr::from_bits), 1..=255),
        password in any::<Option<[u8; 8]>>(),
        pseudo in any::<bool>(),
        unicast in any::<bool>(),
    ) -> Case {
        let v2 = version == 2;
        let interval_cs = if v2 { interval.min(255) * 100 } else { interval };
        let (password, pseudo) = (password.filter(|_| v2), pseudo && !v2);
        Case { version, vrid, vlan, priority, interval_cs, addresses, password, pseudo, unicast }
    }
}

impl Case {
    fn emit(&self) -> Vec<u8> {
        let mut frame = vec![0; FRAME_MAX];
        let advert = AdvertFrame {
            ethernet: eth::Header {
                destination: eth::VRRP_GROUP,
                source: eth::virtual_mac(self.vrid),
                vlan: self.vlan,
            },
            source: PEER,
            destination: if self.unicast { OWN } else { ipv4::GROUP },
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
        let digests = self.addresses.iter().map(|vip| address_digest(&from_ipv4(*vip)));
        Rules {
            own: from_ipv4(OWN),
            list_digest: digests.fold(0, u64::wrapping_add),
            auth_data: self.password.unwrap_or_default(),
            interval_cs: self.interval_cs,
            version: self.version,
            priority: 100,
            auth_type: u8::from(self.password.is_some()),
            checksum: abi::checksum::EITHER,
            unicast: u8::from(self.unicast),
            min_ttl: 255,
            list_len: u8::try_from(self.addresses.len()).expect("at most 255"),
            check_list: 1,
            ..Rules::default()
        }
    }

    fn form(&self) -> u8 {
        match (self.version, self.pseudo) {
            (2, _) => abi::checksum::EITHER,
            (_, true) => abi::checksum::PSEUDO,
            (_, false) => abi::checksum::MESSAGE,
        }
    }

    /// Judges a frame as this virtual router does.
    fn judge(&self, frame: &[u8]) -> Option<Verdict> {
        let Class::Advert(place) = eth::classify(frame, None) else { return None };
        let mut l3 = L3::new();
        l3.fill(&frame[place.at..]);
        let key = InstanceKey { ifindex: IFINDEX, vlan: self.vlan, family: 4, vrid: self.vrid };
        let entry = Entry { number: 9, key, rules: self.rules(), peers: &[from_ipv4(PEER)] };
        let table = Listed { ifindex: IFINDEX, family: 4, entries: &[entry] };
        let packet = Packet { l3: &l3, length: frame.len() - place.at, vlan: place.vlan };
        Some(judge(&packet, &table))
    }
}

proptest! {
    #[test]
    fn an_emitted_advert_is_accepted_for_what_it_says(case in case()) {
        let verdict = case.judge(&case.emit()).expect("an advert");

        let advert = Advert {
            source: from_ipv4(PEER),
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
    fn one_flipped_bit_behind_the_ethernet_header_is_never_accepted(
        case in case(),
        place in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let mut frame = case.emit();
        let start = eth::HEADER + if case.vlan == 0 { 0 } else { eth::TAG };
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
        first in prop_oneof![Just(0x45), any::<u8>()],
    ) {
        let mut l3 = L3::new();
        l3.fill(&octets);
        l3.0[0] = first;
        let key = InstanceKey { ifindex: IFINDEX, vlan: 0, family: 4, vrid: case.vrid };
        let entry = Entry { number: 9, key, rules: case.rules(), peers: &[] };
        let table = Listed { ifindex: IFINDEX, family: 4, entries: &[entry] };

        let verdict = judge(&Packet { l3: &l3, length: length.into(), vlan: 0 }, &table);

        prop_assert!(verdict.advert.is_err());
    }
}
