use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::config::{self, Instance, VirtualAddress};

const ID: InstanceId = InstanceId(0);
const OTHER: InstanceId = InstanceId(1);

fn will() -> Will {
    Will::new(&Config::default()).expect("memory")
}

fn address(n: u8) -> Thing {
    Thing::Address(bare(n))
}

fn bare(n: u8) -> Address {
    let ip = Ipv4Addr::new(192, 0, 2, n);
    Address { ifindex: 3, ip: ip.into(), prefix: 24, label: None, broadcast: None, scope: 0, tracked: true }
}

fn taken(will: &Will) -> Vec<(Destination, Vec<u8>)> {
    let mut taken = Vec::new();
    will.take_resignations(|destination, octets| taken.push((destination, octets.to_vec())));
    taken
}

/// What a reload may bring, beside what the agent began with.
#[test]
fn an_agent_that_began_with_little_has_room_for_much_more() {
    let instance = |vrid| Instance::new("X".to_owned(), "eth0".to_owned(), vrid);
    let with = |count| Config { instances: (0..count).map(instance).collect(), ..Config::default() };
    let will = Will::new(&with(1)).expect("memory");

    let places = u8::try_from(config::places(1)).expect("few");
    assert!(will.fits(&with(places)));
    let addressed = |count: u16| {
        let address = |n: u16| VirtualAddress {
            ip: Ipv4Addr::from_bits(0x0a00_0000 + u32::from(n)).into(),
            prefix: 32,
            dev: None,
            label: None,
            broadcast: None,
            scope: 0,
            no_track: false,
        };
        let mut config = with(1);
        config.instances[0].excluded = (0..count).map(address).collect();
        config
    };
    assert!(will.fits(&addressed(2000)));
    assert!(!will.fits(&addressed(40_000)));
}

#[test]
fn only_masters_resign_and_each_once() {
    let will = will();
    let (wire, peer) = (Destination::Interface(3), Destination::Peer(Ipv4Addr::new(192, 0, 2, 9).into(), 3));
    will.set_resignations(ID, [(wire, &b"first"[..]), (peer, &b"second"[..])].into_iter());
    will.set_resignations(OTHER, [(wire, &b"backup"[..])].into_iter());
    will.set_master(ID, true);

    assert_eq!(taken(&will), [(wire, b"first".to_vec()), (peer, b"second".to_vec())]);
    assert_eq!(taken(&will), []);
}

#[test]
fn resignations_are_replaced_also_by_longer_and_by_fewer_ones() {
    let will = will();
    let wire = Destination::Interface(3);
    for list in [&["a", "b"][..], &["a much longer one", "b"], &["c"], &["d", "e", "f"]] {
        will.set_resignations(ID, list.iter().map(|text| (wire, text.as_bytes())));
        will.set_resignations(OTHER, [(wire, &b"of another"[..])].into_iter());
        will.set_master(ID, true);

        let texts: BTreeSet<Vec<u8>> = taken(&will).into_iter().map(|(_, octets)| octets).collect();

        assert_eq!(texts, list.iter().map(|text| text.as_bytes().to_vec()).collect());
    }
}

#[test]
fn an_executed_will_lets_nothing_be_put_anywhere() {
    let will = will();
    assert!(will.asks(&address(1)));

    will.execute();

    assert!(!will.asks(&address(2)));
}

#[test]
fn what_death_left_half_written_is_passed_over() {
    let will = will();
    will.set_master(ID, true);
    for length in [0, u32::MAX] {
        will.set_resignations(ID, [(Destination::Interface(7), &b"advert"[..])].into_iter());
        will.0.resignations[0].length.store(length, Ordering::SeqCst);
        will.0.holds[0].ifindex.store(7, Ordering::SeqCst);

        assert_eq!(taken(&will), []);
        assert_eq!(will.holds().count(), 0);
    }
}

/// Put back after somebody else has removed it, it is found there, and stays the agent's.
#[test]
fn what_is_ours_stays_ours_until_it_is_removed() {
    let will = will();
    for added in [true, false] {
        assert!(will.asks(&address(1)));
        will.asked(&address(1), added);
        assert!(will.is_ours(&address(1)));
    }

    will.removed(&address(1));

    assert_eq!(will.holds().count(), 0);
}

#[test]
fn what_was_there_before_is_not_ours() {
    let will = will();
    for (n, added) in [(1, true), (2, false)] {
        assert!(will.asks(&address(n)));
        will.asked(&address(n), added);
    }

    assert!(will.is_ours(&address(1)) && !will.is_ours(&address(2)));
    assert_eq!(will.holds().collect::<Vec<_>>(), [(Hold::Ours, Place::of(&bare(1)))]);
}

proptest! {
    /// The table against a plain set, with places that collide: there are more addresses than it had room for at once.
    #[test]
    fn the_table_holds_what_was_put_in_and_not_taken_out(steps in prop::collection::vec((any::<u8>(), any::<bool>()), 1..600)) {
        let will = will();
        let mut plain = BTreeSet::new();
        for (n, put) in steps {
            let address = address(n);
            if put {
                prop_assert!(will.asks(&address));
                will.asked(&address, true);
                plain.insert(n);
            } else {
                will.removed(&address);
                plain.remove(&n);
            }
            prop_assert_eq!(will.is_ours(&address), put);
        }
        let held: BTreeSet<IpAddr> = will.holds().map(|(_, place)| place.ip).collect();
        prop_assert_eq!(held, plain.into_iter().map(|n| bare(n).ip).collect());
    }
}
