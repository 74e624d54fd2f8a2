//! Checks that start no process, against the real HAProxy, real application servers and real hosts.

use vipd_tests::{Frame, Pair, Settings, Tap, services};

use super::{SOON, VIPD, conf, wait_for_priority};

/// One of each kind; which of them fail is to be seen in the priority.
const CHECKS: &str = "
vrrp_check tcp { tcp 127.0.0.1:80
 interval 0.1
 weight -1
}
vrrp_check http { http http://127.0.0.1/health
 status 200
 body app
 interval 0.1
 weight -2
}
vrrp_check process { process haproxy
 interval 0.1
 weight -4
}
vrrp_check backend { haproxy /run/haproxy/admin.sock web_servers
 interval 0.1
 weight -8
}
vrrp_check echo { icmp 192.168.1.50
 interval 0.1
 weight -16
}
vrrp_check neighbour { arp 192.168.1.50 eth0
 interval 0.1
 weight -32
}
";
const TRACKED: &str = "track_check {\ntcp\nhttp\nprocess\nbackend\necho\nneighbour\n}";

#[test]
fn tcp_http_process_haproxy_icmp_and_arp_see_what_is_down_and_what_is_back() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let mut services = pair.start_services().expect("nginx and haproxy");
    let client = pair.lab.connect(&pair.client, "eth1", "192.168.2.50/24", &pair.switch);
    drop(client.expect("cable"));
    let node = pair.lb1.start(VIPD, &conf(Settings::v3(100), CHECKS, TRACKED)).expect("vipd");
    node.wait_for_state("MASTER", SOON).expect("nobody else is there");
    assert_eq!(node.status().expect("status")["instances"][0]["priority"], 100, "all is well");

    // HAProxy dies: tcp, http, process and haproxy.
    services.lb1.kill().expect("it lives");
    wait_for_priority(&node, 85);
    services.lb1 = services::haproxy(&pair.lb1.host, &services.servers).expect("haproxy");
    wait_for_priority(&node, 100);

    // All application servers die: HAProxy answers 503.
    services.stop_applications().expect("they live");
    wait_for_priority(&node, 90);

    // A host goes away: icmp and arp.
    pair.client.command("ip link set eth0 down").expect("ip");
    wait_for_priority(&node, 42);
    pair.client.command("ip link set eth0 up").expect("ip");
    wait_for_priority(&node, 90);
}

/// What the guide's scripts take six seconds and more for. At 10 ms an advert, twenty of them are 200 ms by the clock of
/// the node that fails.
#[test]
fn the_address_moves_within_twenty_adverts_of_10_ms_when_haproxy_dies() {
    let pair = Pair::new().expect("lab");
    let services = pair.start_services().expect("nginx and haproxy");
    let checks = "vrrp_check haproxy { process haproxy\ninterval 0.05\n}\n";
    let start = |priority| {
        let settings = Settings::v3(priority).interval(std::time::Duration::from_millis(10));
        conf(settings, checks, "track_check {\nhaproxy\n}")
    };
    let lb1 = pair.lb1.start(VIPD, &start(110)).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(VIPD, &start(100)).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    let tap = Tap::open(pair.switch.host()).expect("tap");

    services.lb1.kill().expect("it lives");

    tap.drain().expect("tap");
    let mut adverts = 0;
    loop {
        let heard =
            |frame: &Frame| frame.advert().map(|advert| (frame.came_from(&pair.lb2.port), advert.priority));
        match tap.wait_for(SOON, heard).expect("an advert") {
            (true, _) => break,
            (false, 1..) => adverts += 1,
            (false, 0) => {}
        }
    }
    assert!(adverts <= 40, "{adverts} adverts: each passes the switch twice");
    pair.wait_for_holder(&pair.lb2, SOON).expect("lb2 alone holds the address");
}
