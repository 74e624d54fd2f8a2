//! What vipd says and does when somebody else is wrong: a second node that claims the address, adverts that fail a check.

use std::net::Ipv4Addr;
use std::time::Duration;

use vipd_tests::forge::{self, Forged};
use vipd_tests::frame::{read_mac, show_mac};
use vipd_tests::guide::{self, Conf};
use vipd_tests::{Agent, Datapath, Flood, Frame, Moment, Pair, Running, Tap, facts};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);

fn master(pair: &Pair, datapath: Datapath) -> Running {
    let conf = Conf::lb1().without_scripts().version_3().advert("0.1");
    let lb1 = pair.lb1.start(Agent::Vipd(datapath), &conf).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    pair.wait_for_holder(&pair.lb1, SOON).expect("it holds the address");
    lb1
}

/// Promise 7: it says why, with the rival's MAC; and it keeps the address.
#[test]
fn a_foreign_claim_is_said_once_counted_and_answered_by_an_announcement() {
    for datapath in [Datapath::Auto, Datapath::Tcx, Datapath::Socket] {
        let pair = Pair::new().expect("lab");
        let lb1 = master(&pair, datapath);
        let tap = Tap::open(pair.switch.host()).expect("tap");
        let rival = facts::mac(&pair.client, "eth0").expect("MAC");

        let claim = format!("arping -U -c 3 -w 10 -I eth0 -s {vip} {vip}", vip = Pair::vip());
        pair.client.command("ip address add 192.168.1.100/32 dev eth0").expect("a duplicate");
        // It is answered by nobody, which arping calls a failure.
        let _ = pair.client.command(&claim);

        let said = lb1.process().wait_for_line("claims our address", SOON).expect("said");
        assert!(said.text.contains(&rival) && said.text.contains("192.168.1.100"), "{}", said.text);
        let defends = |frame: &Frame| {
            frame.gratuitous_arp().filter(|garp| frame.came_from(&pair.lb1.port) && Pair::vip() == garp.ip)
        };
        let defence = tap.wait_for(SOON, defends).expect("lb1 announces its address again");
        assert_eq!(show_mac(defence.mac), pair.lb1.mac);
        let status = lb1.status().expect("status");
        let claims = status["instances"][0]["statistics"]["foreign-claims"].as_u64();
        assert!(claims >= Some(3), "{datapath:?}: {claims:?}");
        assert_eq!(status["instances"][0]["state"], "MASTER");
        let lines = lb1.process().lines();
        let said = lines.iter().filter(|line| line.text.contains("claims our address")).count();
        assert_eq!(said, 1, "{datapath:?}: once for one rival");
    }
}

/// A node that takes addresses over announces them several times, and hosts believe who spoke last: so does the client, and
/// that is lb1. The rival is a keepalived with another virtual router id and the same address.
#[test]
fn the_last_word_after_a_burst_of_claims_is_ours() {
    for datapath in [Datapath::Auto, Datapath::Socket] {
        let pair = Pair::new().expect("lab");
        let lb1 = master(&pair, datapath);
        pair.client.command(&format!("ping -q -c 1 -w 60 {}", Pair::vip())).expect("the client knows lb1");
        let tap = Tap::open(pair.switch.host()).expect("tap");

        // The second set comes when the test is over.
        let conf = Conf::lb2()
            .without_scripts()
            .version_3()
            .advert("0.1")
            .with_line("garp_master_delay 600\ngarp_master_repeat 5");
        let conf = conf.replace("virtual_router_id 51", "virtual_router_id 52");
        let _rival = pair.lb2.start(Agent::Keepalived, &conf).expect("keepalived");

        let mut claims = 0;
        let last_word = |frame: &Frame| {
            let ip = frame.gratuitous_arp()?.ip;
            assert_eq!(Pair::vip(), ip);
            claims += usize::from(frame.came_from(&pair.lb2.port));
            (claims == 5 && frame.came_from(&pair.lb1.port)).then_some(())
        };
        tap.wait_for(SOON, last_word).expect("lb1 announces its address after the last claim");
        let knows = |mac: &String| {
            facts::neighbour(&pair.client, Pair::vip()).map(|known| known.as_ref() == Some(mac))
        };
        facts::wait_until(&pair.client, SOON, || Ok(knows(&pair.lb1.mac)?.then_some(())))
            .expect("the client has found lb1");
        assert_eq!(lb1.status().expect("status")["instances"][0]["state"], "MASTER");
    }
}

/// C-CNT-06, C-CNT-09: however many adverts are wrong, a line or two say so, and the counters are exact.
#[test]
fn ten_thousand_bad_adverts_are_a_few_lines_and_an_exact_count() {
    for datapath in [Datapath::Auto, Datapath::Socket] {
        let pair = Pair::new().expect("lab");
        let lb1 = master(&pair, datapath);
        let honest = Forged {
            mac: read_mac(&facts::mac(&pair.client, "eth0").expect("MAC")).expect("MAC"),
            source: Ipv4Addr::new(192, 168, 1, 50),
            ttl: 255,
            version: 3,
            vrid: guide::VRID,
            priority: 200,
            interval: 10,
            vip: Ipv4Addr::new(192, 168, 1, 100),
            password: "",
        };
        let bad = forge::with_bad_checksum(honest.frame());
        let counted = || {
            let status = lb1.status().expect("status");
            status["instances"][0]["statistics"]["checksum-errors"].as_u64().expect("a counter")
        };

        let mut sent = 0;
        while sent < 10_000 {
            // Fewer at once than a veth queues, so that none is lost on the way.
            let burst = Flood::start(&pair.client, "eth0", vec![bad.clone()], SOON, 64).expect("flood");
            sent += burst.finish();
            let deadline = Moment::now() + SOON;
            while counted() < sent {
                assert!(!deadline.remaining().is_zero(), "{} of {sent} are counted", counted());
            }
        }

        assert_eq!(counted(), sent, "{datapath:?}");
        lb1.process().wait_for_line("checksum-errors", SOON).expect("it is said");
        let said = lb1.process().lines().iter().filter(|line| line.text.contains("checksum-errors")).count();
        assert!((1..=3).contains(&said), "{datapath:?}: {said} lines");
        assert_eq!(lb1.status().expect("status")["instances"][0]["state"], "MASTER");
    }
}
