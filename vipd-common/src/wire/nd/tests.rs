use proptest::prelude::*;

use super::super::eth::Class;
use super::*;

const VIP: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

fn announcement() -> Vec<u8> {
    let mut frame = vec![0; FRAME_MAX];
    let advertisement =
        AdvertisementFrame { mac: eth::virtual_mac(6, 51), vlan: 0, address: VIP, router: true };
    let length = advertisement.emit(&mut frame).unwrap();
    frame.truncate(length);
    frame
}

/// The announcement's packet with some octets changed and its checksum made right again, and what is made of it.
fn believed(change: impl FnOnce(&mut Vec<u8>)) -> Result<Option<Mac>, Reason> {
    let mut packet = announcement()[eth::HEADER..].to_vec();
    change(&mut packet);
    let message = packet.len() - ipv6::HEADER;
    packet[4..6].copy_from_slice(&u16::try_from(message).unwrap().to_be_bytes());
    packet[ipv6::HEADER + 2..][..2].fill(0);
    let pseudo = checksum::pseudo_header(ipv6::ICMP, u16::try_from(message).unwrap());
    let sum = checksum::field(checksum::octets(&packet[ipv6::SOURCE_AT..]) + pseudo);
    packet[ipv6::HEADER + 2..][..2].copy_from_slice(&sum);
    judged(&packet)
}

fn judged(packet: &[u8]) -> Result<Option<Mac>, Reason> {
    let mut l3 = L3::new();
    l3.fill(packet);
    claimant(&l3, packet.len(), |l3, from, length| checksum::octets(&l3.0[from..from + length]))
}

#[test]
fn c_nd_01_the_frame_is_that_of_rfc_4861_octet_by_octet() {
    let expected = "33330000000100005e00023386dd6c0000000020 3aff 20010db8000000000000000000000001\
                    ff020000000000000000000000000001 8800 1af8 a0000000 20010db8000000000000000000000001\
                    020100005e000233";

    let hex: Vec<String> = announcement().iter().map(|octet| format!("{octet:02x}")).collect();

    assert_eq!(hex.concat(), expected.replace(' ', ""));
}

/// A name, a change to the packet, and what is made of it then.
type Case = (&'static str, fn(&mut Vec<u8>), Result<Option<Mac>, Reason>);

#[test]
fn c_nd_02_an_advertisement_that_hosts_do_not_believe_is_no_claim() {
    let vmac = Some(eth::virtual_mac(6, 51));
    let cases: [Case; 12] = [
        ("as sent", |_| {}, Ok(vmac)),
        ("by a host", |packet| packet[44] ^= ROUTER, Ok(vmac)),
        ("without override", |packet| packet[44] = 0, Ok(vmac)),
        ("hop limit 254", |packet| packet[7] = 254, Err(Reason::Neighbour)),
        ("code 1", |packet| packet[41] = 1, Err(Reason::Neighbour)),
        ("an answer to everybody", |packet| packet[44] |= SOLICITED, Err(Reason::Neighbour)),
        (
            "an answer to one host",
            |packet| {
                packet[44] |= SOLICITED;
                packet[24..40].copy_from_slice(&VIP.octets());
            },
            Ok(None),
        ),
        ("no hardware address", |packet| packet.truncate(64), Ok(None)),
        ("an option of length 0", |packet| packet[65] = 0, Err(Reason::Neighbour)),
        ("an option that is cut short", |packet| packet[65] = 2, Err(Reason::Neighbour)),
        ("half an option", |packet| packet.truncate(68), Err(Reason::Neighbour)),
        ("another option behind", |packet| packet.extend([14, 1, 0, 0, 0, 0, 0, 0]), Ok(vmac)),
    ];
    for (name, change, expected) in cases {
        assert_eq!(believed(change), expected, "{name}");
    }
}

#[test]
fn a_short_buffer_is_refused() {
    let frame = AdvertisementFrame { mac: [2; 6], vlan: 0, address: VIP, router: false };

    for length in 0..announcement().len() {
        assert_eq!(frame.emit(&mut vec![0; length]), Err(EmitError::Buffer), "{length} octets");
    }
}

proptest! {
    #[test]
    fn an_emitted_announcement_is_read_back(
        mac in any::<Mac>(),
        vlan in 0..4095_u16,
        bits in any::<u128>(),
        router in any::<bool>(),
    ) {
        let address = Ipv6Addr::from_bits(bits);
        let mut frame = [0; FRAME_MAX];
        let length = AdvertisementFrame { mac, vlan, address, router }.emit(&mut frame).unwrap();

        let Class::Neighbour(place) = eth::classify(&frame[..length], None) else { panic!("no neighbour") };
        let message = Message::read(&frame[..length], place.at).unwrap();

        prop_assert_eq!(place.vlan, vlan);
        prop_assert_eq!(message, Message { advertises: true, target: address.octets() });
        prop_assert_eq!(judged(&frame[place.at..length]), Ok(Some(mac)));
    }

    #[test]
    fn one_flipped_bit_of_what_is_summed_up_is_never_believed(place in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut packet = announcement()[eth::HEADER..].to_vec();
        let place = ipv6::SOURCE_AT + place.index(packet.len() - ipv6::SOURCE_AT);
        packet[place] ^= 1_u8 << bit;

        prop_assert_eq!(judged(&packet), Err(Reason::Neighbour), "octet {}", place);
    }

    #[test]
    fn no_neighbour_packet_makes_it_panic(packet in prop::collection::vec(any::<u8>(), 0..2048), length in any::<u16>()) {
        let mut l3 = L3::new();
        l3.fill(&packet);

        let _ = Message::read(&packet[..], usize::from(length));
        let believed = claimant(&l3, length.into(), |_, _, _| 0xffff);

        prop_assert!(believed.is_err() || packet.len() > 64);
    }
}
