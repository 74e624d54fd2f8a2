//! What is counted, under which name, and that nothing is counted twice or lost.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Host, Pair, Running};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Bad packets in all, and how many at once: no more than a socket's buffer holds.
const BAD: u64 = 10_000;
const AT_ONCE: u64 = 500;

/// Counters of RFC 8347 for all virtual routers together.
const GLOBAL: [&str; 4] = ["checksum-errors", "version-errors", "vrid-errors", "ip-ttl-errors"];
/// Counters of RFC 8347 for one virtual router.
const OWN: [&str; 9] = [
    "master-transitions",
    "advertisement-rcvd",
    "advertisement-sent",
    "interval-errors",
    "priority-zero-pkts-rcvd",
    "priority-zero-pkts-sent",
    "invalid-type-pkts-rcvd",
    "address-list-errors",
    "packet-length-errors",
];

fn quick(conf: Conf) -> Conf {
    conf.without_scripts().version_3().advert("0.2")
}

fn counter(status: &Value, name: &str) -> u64 {
    status["instances"][0]["statistics"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {status:#}"))
}

/// A socket of the client that sends whole IPv4 packets, less the header checksum, which the kernel puts in.
fn sender(client: &Host) -> Socket {
    client
        .run(|| -> io::Result<_> {
            let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(libc::IPPROTO_RAW)))?;
            socket.set_multicast_if_v4(&Ipv4Addr::new(192, 168, 1, 50))?;
            Ok(socket)
        })
        .expect("a raw socket")
}

/// An advert for the guide's virtual router that has been on its way through a router.
fn advert_with_ttl_254() -> Vec<u8> {
    let header = [0x45, 0xc0, 0, 32, 0, 0, 0, 0, 254, 112, 0, 0, 192, 168, 1, 50, 224, 0, 0, 18];
    [&header[..], &[0x31, 51, 255, 1, 0, 20, 0, 0, 192, 168, 1, 100]].concat()
}

fn wait_for_count(running: &Running, name: &str, count: u64) {
    let deadline = vipd_tests::Moment::now() + SOON;
    loop {
        let status = running.status().expect("status");
        let counted = counter(&status, name);
        if counted == count {
            return;
        }
        assert!(counted < count, "more than {count} {name}: {status:#}");
        assert!(!deadline.remaining().is_zero(), "fewer than {count} {name}: {status:#}");
    }
}

/// C-CNT-06, C-CNT-08, C-CNT-09, C-RX-21: each bad packet is counted once, on whichever road it comes; it is no advert,
/// moves nothing, and is no reason to fill the log.
#[test]
fn ten_thousand_bad_adverts_are_counted_exactly_and_change_nothing() {
    for rung in [Datapath::XdpNative, Datapath::Tcx, Datapath::Socket] {
        let pair = Pair::new().expect("lab");
        let vipd = pair.lb1.start(Agent::Vipd(rung), &quick(Conf::lb1())).expect("vipd");
        vipd.wait_for_state("MASTER", SOON).expect("nobody else is there");
        let lines = vipd.process().lines().len();
        let (socket, packet) = (sender(&pair.client), advert_with_ttl_254());

        for sent in (AT_ONCE..=BAD).step_by(usize::try_from(AT_ONCE).expect("small")) {
            for _ in 0..AT_ONCE {
                socket.send_to(&packet, &SocketAddrV4::new(GROUP, 0).into()).expect("send");
            }
            wait_for_count(&vipd, "ip-ttl-errors", sent);
        }

        let status = vipd.status().expect("status");
        assert_eq!(status["instances"][0]["state"], "MASTER", "{rung:?}: {status:#}");
        assert_eq!(counter(&status, "advertisement-rcvd"), 0, "{rung:?}: {status:#}");
        assert_eq!(counter(&status, "master-transitions"), 1, "{rung:?}: {status:#}");
        assert!(vipd.process().lines().len() < lines + 20, "{rung:?}: {:?}", vipd.process().lines());
    }
}

/// C-CNT-01, C-CNT-02, C-CNT-03, C-CNT-08
#[test]
fn status_has_the_counters_and_the_state_of_rfc_8347_by_their_names() {
    let pair = Pair::new().expect("lab");
    let lb1 = pair.lb1.start(Agent::Vipd(Datapath::Auto), &quick(Conf::lb1())).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(Agent::Vipd(Datapath::Auto), &quick(Conf::lb2())).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    lb1.process().stop().expect("SIGTERM");
    lb2.wait_for_state("MASTER", SOON).expect("takeover after resignation");

    let status = lb2.status().expect("status");

    for name in OWN {
        counter(&status, name);
    }
    for name in GLOBAL {
        assert!(status["statistics"][name].is_u64(), "no {name} in {status:#}");
    }
    assert_eq!(counter(&status, "master-transitions"), 1, "becoming BACKUP is none: {status:#}");
    assert!(counter(&status, "advertisement-rcvd") >= 1, "{status:#}");
    assert_eq!(counter(&status, "priority-zero-pkts-rcvd"), 1, "{status:#}");
    let own = &status["instances"][0];
    assert_eq!((&own["state"], &own["is-owner"]), (&"MASTER".into(), &false.into()), "{own:#}");
    assert_eq!(own["last-adv-source"], "192.168.1.10", "{own:#}");
    // Three intervals of 200 ms and 156/256 of one.
    assert_eq!((&own["skew-time-us"], &own["master-down-interval-us"]), (&121_875.into(), &721_875.into()));
    assert!(own["last-event"].as_str().is_some_and(|event| event.contains("resigned")), "{own:#}");
}
