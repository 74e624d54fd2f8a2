//! vipd beside vipd: who holds the virtual address, and when it moves. The configuration is the guide's.

use std::net::IpAddr;
use std::time::Duration;

use vipd_tests::frame::show_mac;
use vipd_tests::guide::{self, Conf};
use vipd_tests::http::Client;
use vipd_tests::{Agent, Balancer, Datapath, Frame, Moment, Pair, Running, Services, Tap, facts};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);

/// The guide's site, up and serving, with `lb1` as master.
struct Site {
    client: Client,
    lb2: Running,
    lb1: Running,
    tap: Tap,
    _services: Services,
    pair: Pair,
}

fn site() -> Site {
    let pair = Pair::new().expect("lab");
    let tap = Tap::open(pair.switch.host()).expect("tap");
    let services = pair.start_services().expect("nginx and haproxy");
    let lb1 = pair.lb1.start(VIPD, &Conf::lb1()).expect("vipd");
    let lb2 = pair.lb2.start(VIPD, &Conf::lb2()).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("the higher priority wins");
    let held = pair.wait_for_holder(&pair.lb1, SOON).expect("the master holds the address");
    assert_eq!(
        (held.interface.as_str(), held.prefix, held.label.as_deref()),
        ("eth0", 24, Some(guide::LABEL))
    );
    let client = pair.start_client().expect("client");
    assert_eq!(served_by(&client, Moment::now()), "lb1");
    tap.drain().expect("tap");
    Site { client, lb2, lb1, tap, _services: services, pair }
}

/// Who answers a request that begins now or later.
fn served_by(client: &Client, since: Moment) -> String {
    client.wait_for_answer(since, SOON).expect("an answer").outcome.expect("a good answer")
}

/// The first advert that `balancer` sends from now on, as it passes the switch.
fn first_advert(tap: &Tap, balancer: &Balancer) -> Frame {
    let pick =
        |frame: &Frame| (frame.came_from(&balancer.port) && frame.advert().is_some()).then(|| frame.clone());
    tap.wait_for(SOON, pick).expect("an advert")
}

impl Site {
    /// `lb2` speaks, claims the address by gratuitous ARP, holds it, and serves the client.
    fn expect_takeover(&self, fault: Moment) {
        let Self { pair, tap, .. } = self;
        let advert = first_advert(tap, &pair.lb2).advert().expect("an advert");
        assert_eq!((advert.source, advert.version, advert.vrid), (pair.lb2.ip, 2, guide::VRID));
        assert_eq!((advert.priority, advert.addresses), (100, vec![Pair::vip()]));
        let claim = tap
            .wait_for(SOON, |frame| frame.gratuitous_arp().filter(|_| frame.came_from(&pair.lb2.port)))
            .expect("a claim by gratuitous ARP");
        assert_eq!((IpAddr::V4(claim.ip), show_mac(claim.mac)), (Pair::vip(), pair.lb2.mac.clone()));
        let held = facts::wait_for_address(&pair.lb2.host, Pair::vip(), SOON).expect("lb2 holds the address");
        assert_eq!((held.prefix, held.label.as_deref()), (24, Some(guide::LABEL)));
        let learned =
            || Ok((facts::neighbour(&pair.client, Pair::vip())? == Some(pair.lb2.mac.clone())).then_some(()));
        facts::wait_until(&pair.client, SOON, learned).expect("the client has learned the new master");
        facts::wait_for_learned(&pair.switch, &pair.lb2.mac, pair.lb2.port.name(), SOON)
            .expect("so has the switch");
        // A request that began at the fault may still have been answered by the old master.
        while served_by(&self.client, Moment::now()) != "lb2" {
            assert!(fault.remaining().is_zero() && Moment::now().since(fault) < SOON, "lb2 does not serve");
        }
    }

    /// `lb1` takes the address back and serves the client.
    fn expect_return(&self) {
        self.lb1.wait_for_state("MASTER", SOON).expect("the higher priority returns");
        self.pair.wait_for_holder(&self.pair.lb1, SOON).expect("lb1 alone holds the address");
        let returned = Moment::now();
        while served_by(&self.client, Moment::now()) != "lb1" {
            assert!(Moment::now().since(returned) < SOON, "lb1 does not serve");
        }
    }
}

/// C-FWD-02, C-FWD-04: the Master accepts what is sent to the address; the Backup does not have it.
#[test]
fn silence_of_the_master_moves_the_address_and_its_return_moves_it_back() {
    let site = site();

    let fault = Moment::now();
    site.pair.lb1.port.cut().expect("cut");
    site.expect_takeover(fault);

    // The isolated lb1 has been Master all the time: it is lb2 that has to yield.
    site.lb2.wait_for_state("MASTER", SOON).expect("logged");
    site.pair.lb1.port.heal().expect("heal");
    site.lb2.wait_for_state("BACKUP", SOON).expect("the lower priority yields");
    site.pair.wait_for_holder(&site.pair.lb1, SOON).expect("lb1 alone holds the address");
}

#[test]
fn a_pulled_cable_moves_the_address_and_plugging_it_in_moves_it_back() {
    let mut site = site();

    let fault = Moment::now();
    site.pair.lb1.port.link_down().expect("cable pulled");
    site.expect_takeover(fault);

    site.pair.lb1.port.link_up().expect("cable back");
    site.lb2.wait_for_state("MASTER", SOON).expect("logged");
    site.lb2.wait_for_state("BACKUP", SOON).expect("the lower priority yields");
    site.pair.wait_for_holder(&site.pair.lb1, SOON).expect("lb1 alone holds the address");
    site.client = site.pair.start_client().expect("client");
    assert_eq!(served_by(&site.client, Moment::now()), "lb1");
}

#[test]
fn an_interface_set_down_moves_the_address() {
    let site = site();

    let fault = Moment::now();
    site.pair.lb1.host.command("ip link set eth0 down").expect("ip");

    site.expect_takeover(fault);
}

#[test]
fn a_stopped_master_resigns_and_the_backup_waits_for_the_skew_time_only() {
    let mut site = site();

    // Act
    let fault = Moment::now();
    site.lb1.process().stop().expect("SIGTERM");

    // Assert: a resignation (priority 0, C-FSM-11), then a takeover that does not wait for the down interval, 3.6 s.
    let resignation = loop {
        let frame = first_advert(&site.tap, &site.pair.lb1);
        if frame.advert().is_some_and(|advert| advert.priority == 0) {
            break frame.at;
        }
    };
    let takeover = first_advert(&site.tap, &site.pair.lb2);
    assert!(takeover.at.since(resignation) < Duration::from_secs(3), "{:?}", takeover.at.since(resignation));
    let status = site.lb1.process().wait(SOON).expect("it ends");
    assert!(status.success(), "{status}");
    site.pair.wait_for_holder(&site.pair.lb2, SOON).expect("lb2 alone holds the address");
    site.expect_takeover(fault);

    // Started anew, the higher priority preempts.
    site.lb1 = site.pair.lb1.start(VIPD, &Conf::lb1()).expect("vipd");
    site.expect_return();
}

#[test]
fn a_killed_master_is_replaced() {
    let site = site();

    site.lb1.process().kill_alone().expect("SIGKILL");

    first_advert(&site.tap, &site.pair.lb2);
    facts::wait_for_address(&site.pair.lb2.host, Pair::vip(), SOON).expect("lb2 holds the address");
}

#[test]
fn a_dead_machine_is_replaced() {
    let site = site();

    let fault = Moment::now();
    site.pair.lb1.port.link_down().expect("cable pulled");
    site.pair.lb1.host.kill_everything().expect("power cut");

    site.expect_takeover(fault);
}

#[test]
fn the_higher_priority_wins_when_both_start_together() {
    let pair = Pair::new().expect("lab");
    let quick = |conf: Conf| conf.without_scripts().version_3().advert("0.2");

    let lb2 = pair.lb2.start(VIPD, &quick(Conf::lb2())).expect("vipd");
    let lb1 = pair.lb1.start(VIPD, &quick(Conf::lb1())).expect("vipd");

    lb1.wait_for_state("MASTER", SOON).expect("the higher priority wins");
    pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 alone holds the address");
    // From here on only lb1 speaks: ten adverts are more than two down intervals.
    let tap = Tap::open(pair.switch.host()).expect("tap");
    expect_adverts(&tap, &pair.lb1, &pair.lb2, 10);
    assert!(lb2.process().is_running());
}

#[test]
fn with_nopreempt_the_higher_priority_stays_backup_when_it_returns() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let quick = |conf: Conf| conf.without_scripts().version_3().advert("0.2").nopreempt();
    let lb1 = pair.lb1.start(VIPD, &quick(Conf::lb1())).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(VIPD, &quick(Conf::lb2())).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("listens first");
    lb1.process().stop().expect("SIGTERM");
    lb1.process().wait(SOON).expect("it ends");
    pair.wait_for_holder(&pair.lb2, SOON).expect("lb2 alone holds the address");

    // Act
    let lb1 = pair.lb1.start(VIPD, &quick(Conf::lb1())).expect("vipd");
    lb1.wait_for_state("BACKUP", SOON).expect("listens first");

    // Assert: two down intervals pass and lb1 says nothing.
    let tap = Tap::open(pair.switch.host()).expect("tap");
    expect_adverts(&tap, &pair.lb2, &pair.lb1, 10);
    pair.wait_for_holder(&pair.lb2, SOON).expect("lb2 alone holds the address");
}

/// `speaker` sends this many adverts and `silent` none in the meantime.
fn expect_adverts(tap: &Tap, speaker: &Balancer, silent: &Balancer, count: usize) {
    for _ in 0..count {
        let pick = |frame: &Frame| {
            let speaks = frame.came_from(&speaker.port) || frame.came_from(&silent.port);
            frame.advert().filter(|_| speaks)
        };
        let advert = tap.wait_for(SOON, pick).expect("an advert");
        assert_eq!(advert.source, speaker.ip, "{} speaks", silent.host.name());
    }
}
