//! The lab itself, proved with two Keepalived on it.

use std::net::IpAddr;
use std::time::Duration;

use vipd_tests::guide::{self, Conf};
use vipd_tests::{Agent, Moment, Pair, Tap, facts};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);

#[test]
fn keepalived_takes_over_when_the_masters_cable_is_cut_and_http_goes_on() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let _services = pair.start_services().expect("nginx and haproxy");
    let lb1 = pair.lb1.start(Agent::Keepalived, &Conf::lb1()).expect("keepalived");
    let lb2 = pair.lb2.start(Agent::Keepalived, &Conf::lb2()).expect("keepalived");
    lb1.wait_for_state("MASTER", SOON).expect("the higher priority wins");
    lb2.wait_for_state("BACKUP", SOON).expect("the lower priority loses");
    let held =
        facts::wait_for_address(&pair.lb1.host, Pair::vip(), SOON).expect("the master holds the address");
    assert_eq!((held.prefix, held.label.as_deref()), (24, Some(guide::LABEL)));
    let client = pair.start_client().expect("client");
    let before = client.wait_for_answer(Moment::now(), SOON).expect("an answer");
    assert_eq!(before.outcome.as_deref(), Ok("lb1"));
    let tap = Tap::open(pair.switch.host()).expect("tap");

    // Act
    let fault = Moment::now();
    pair.lb1.port.cut().expect("cut");

    // Assert
    let first = tap
        .wait_for(SOON, |frame| frame.advert().filter(|_| frame.came_from(&pair.lb2.port)))
        .expect("the backup speaks");
    assert_eq!((first.source, first.version, first.vrid, first.priority), (pair.lb2.ip, 2, guide::VRID, 100));
    let claim = tap
        .wait_for(SOON, |frame| frame.gratuitous_arp().filter(|_| frame.came_from(&pair.lb2.port)))
        .expect("the new master claims the address");
    assert_eq!(IpAddr::V4(claim.ip), Pair::vip());
    facts::wait_for_address(&pair.lb2.host, Pair::vip(), SOON).expect("the new master holds the address");
    let learned =
        || Ok((facts::neighbour(&pair.client, Pair::vip())?.as_ref() == Some(&pair.lb2.mac)).then_some(()));
    facts::wait_until(&pair.client, SOON, learned).expect("the client has learned the new master");
    let answers =
        || client.wait_for_answer(fault + Duration::from_millis(1), SOON).map(|request| request.outcome);
    assert_eq!(answers().expect("an answer after the fault").as_deref(), Ok("lb2"));
    let account = client.finish().expect("account");
    assert!(account.lost > 0 && account.longest_outage > Duration::from_secs(2), "{account:?}");
}

#[test]
fn the_switch_learns_where_a_virtual_mac_moves_when_the_cable_is_pulled() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let vmac = |conf: Conf| conf.without_scripts().with_line("use_vmac");
    let lb1 = pair.lb1.start(Agent::Keepalived, &vmac(Conf::lb1())).expect("keepalived");
    let lb2 = pair.lb2.start(Agent::Keepalived, &vmac(Conf::lb2())).expect("keepalived");
    lb1.wait_for_state("MASTER", SOON).expect("the higher priority wins");
    lb2.wait_for_state("BACKUP", SOON).expect("the lower priority loses");
    let virtual_mac = "00:00:5e:00:01:33";
    facts::wait_for_learned(&pair.switch, virtual_mac, pair.lb1.port.name(), SOON).expect("learned at first");

    // Act
    pair.lb1.port.link_down().expect("cable pulled");

    // Assert
    lb2.wait_for_state("MASTER", SOON).expect("takeover");
    facts::wait_for_learned(&pair.switch, virtual_mac, pair.lb2.port.name(), SOON).expect("learned anew");
}
