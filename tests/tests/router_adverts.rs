//! Router advertisements for a virtual router over IPv6: vipd sends none; a daemon of its own does, which a notify script
//! starts and stops. Here it is radvd, which can send them from the virtual link-local address.

use std::net::Ipv6Addr;
use std::time::Duration;

use vipd_tests::Make::Vipd;
use vipd_tests::frame::read_mac;
use vipd_tests::{Family, Frame, Host, Lan, Settings, Tap};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIRTUAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 5, 1);

/// Both nodes have the same (C-ND-06: Backups hold the options of the Master).
const RADVD: &str = "interface eth0 {
    AdvSendAdvert on;
    MinRtrAdvInterval 3;
    MaxRtrAdvInterval 4;
    AdvRASrcAddress { fe80::5:1; };
    prefix 2001:db8:1::/64 { };
};
";
/// SIGKILL: a daemon that ends in peace takes back what it said, and hosts would lose their router.
const NOTIFY: &str = "#!/bin/sh
case $3 in
    MASTER) radvd -C /etc/radvd.conf -p /run/radvd.pid -m stderr_clean ;;
    *) [ ! -e /run/radvd.pid ] || kill -KILL $(cat /run/radvd.pid); rm -f /run/radvd.pid ;;
esac
";

/// Source and Router Lifetime of a router advertisement (RFC 4861 section 4.2).
fn router_advert(frame: &Frame) -> Option<(Ipv6Addr, u16)> {
    let octets = &frame.bytes;
    let is_one =
        octets.get(12..14) == Some(&[0x86, 0xdd]) && octets[20] == 58 && octets.get(54) == Some(&134);
    let source: [u8; 16] = octets.get(22..38)?.try_into().ok()?;
    is_one.then(|| (source.into(), u16::from_be_bytes([octets[60], octets[61]])))
}

/// Awaits that a host has a route.
fn wait_for_route(host: &Host, route: &str) {
    let monitor = host.spawn("ip", &["-6", "monitor", "route"]).expect("ip");
    // Adverts come again and again, and each refreshes it.
    if !host.command("ip -6 route show default").expect("ip").contains(route) {
        monitor.wait_for_line(route, SOON).expect("the route is made");
    }
}

/// C-ND-04, C-ND-06
#[test]
fn router_adverts_of_the_virtual_router_come_from_the_master_alone() {
    // Arrange
    let lan = Lan::of(Family::V6, &[Vipd, Vipd]).expect("lab");
    lan.client.sysctl("net/ipv6/conf/eth0/accept_ra", "2").expect("a host");
    let taps = [0, 1].map(|node| {
        let host = &lan.node(node).host;
        host.sysctl("net/ipv6/conf/all/forwarding", "1").expect("a router");
        host.write_file("/etc/radvd.conf", RADVD, 0o644).expect("write");
        host.write_file("/etc/lab/router", NOTIFY, 0o755).expect("write");
        let mac = read_mac(&lan.node(node).mac).expect("MAC");
        Tap::everything_of(lan.switch.host(), mac).expect("tap")
    });
    let settings = |priority| Settings::ipv6(priority).line("notify /etc/lab/router");
    let better = lan.start(0, &settings(110)).expect("vipd");
    better.wait_for_state("MASTER").expect("nobody else is there");
    let worse = lan.start(1, &settings(100)).expect("vipd");
    worse.wait_for_state("BACKUP").expect("it listens");
    let from_virtual = |frame: &Frame| router_advert(frame).filter(|(source, _)| *source == VIRTUAL);
    taps[0].wait_for(SOON, from_virtual).expect("the Master's daemon speaks");
    let route = format!("default via {VIRTUAL} dev eth0");
    wait_for_route(&lan.client, &route);

    // Act
    better.process().stop().expect("SIGTERM");
    worse.wait_for_state("MASTER").expect("takeover after resignation");
    taps[1].wait_for(SOON, from_virtual).expect("the new Master's daemon speaks");
    better.process().wait_for_whole_end(SOON).expect("it ends");

    // Assert
    let routes = lan.client.command("ip -6 route show default").expect("ip");
    assert!(routes.contains(&route), "hosts have kept their router: {routes}");
    let later = taps[0].drain().expect("tap");
    let withdrawn = later.iter().filter_map(router_advert).filter(|(_, lifetime)| *lifetime == 0).count();
    assert_eq!(withdrawn, 0, "nobody was told that the router is gone");
    worse.process().stop().expect("SIGTERM");
    worse.process().wait_for_whole_end(SOON).expect("nothing of it is left");
}
