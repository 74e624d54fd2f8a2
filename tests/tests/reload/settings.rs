//! What else can be different: each takes effect, and is taken back.

use std::time::Duration;

use vipd_tests::guide::{Conf, VRID};
use vipd_tests::{Frame, Pair, Running, Tap, facts, frame};

use super::{SOON, VIPD, address, next_advert, nodes, quick, reload, second, states};

/// A Master alone, with a second interface.
fn master() -> (Pair, Running, Tap) {
    let pair = Pair::new().expect("lab");
    pair.lb1.host.command("ip link add other0 type veth peer name other1").expect("ip");
    pair.lb1.host.command("ip address add 10.1.0.1/24 dev other0").expect("ip");
    for link in ["other0", "other1"] {
        pair.lb1.host.command(&format!("ip link set {link} up")).expect("ip");
    }
    let lb1 = pair.lb1.start(VIPD, &quick(Conf::lb1())).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let tap = Tap::open(pair.switch.host()).expect("tap");
    (pair, lb1, tap)
}

#[test]
fn another_interval_takes_effect_and_nobody_takes_over() {
    let nodes = nodes();
    let tap = Tap::open(nodes.pair.switch.host()).expect("tap");
    let before = states(nodes.lb2.process(), "VI_1");

    for (text, millis) in [("0.05", 50), ("0.4", 400)] {
        reload(
            &nodes.pair.lb1,
            &nodes.lb1,
            &quick(Conf::lb1()).replace("advert_int 0.1", &format!("advert_int {text}")),
        );
        while next_advert(&tap, &nodes.pair.lb1, VRID).interval != Duration::from_millis(millis) {}
        next_advert(&tap, &nodes.pair.lb1, VRID);
    }

    assert_eq!(states(nodes.lb2.process(), "VI_1"), before);
}

#[test]
fn peers_come_and_go() {
    let (pair, lb1, tap) = master();
    let peers = |list: &str| quick(Conf::lb1()).with_line(&format!("unicast_peer {{\n{list}\n}}"));
    let goes_to = |octet: u8| {
        let pick = |frame: &Frame| {
            let advert = frame.advert().filter(|_| frame.came_from(&pair.lb1.port))?;
            (advert.destination == address(octet)).then_some(())
        };
        tap.wait_for(SOON, pick).expect("an advert for it");
    };

    reload(&pair.lb1, &lb1, &peers("192.168.1.20"));
    goes_to(20);
    reload(&pair.lb1, &lb1, &peers("192.168.1.50"));
    goes_to(50);
    reload(&pair.lb1, &lb1, &quick(Conf::lb1()));
    while !next_advert(&tap, &pair.lb1, VRID).destination.is_multicast() {}
    assert_eq!(states(lb1.process(), "VI_1"), 2, "it has become MASTER once");
}

#[test]
fn routes_rules_and_static_ones_move() {
    let (pair, lb1, _tap) = master();
    let host = &pair.lb1.host;
    let conf = |n: u8| {
        let lines = format!(
            "virtual_routes {{\nblackhole 10.6.{n}.0/24\n}}\nvirtual_rules {{\nfrom 10.6.{n}.1 table 100 priority 700\n}}"
        );
        let statics = format!(
            "static_ipaddress {{\n10.5.{n}.1/24 dev other0\n}}\nstatic_routes {{\nblackhole 10.7.{n}.0/24\n}}"
        );
        quick(Conf::lb1()).with_line(&lines).with_block(&statics)
    };
    let listed = |n: Option<u8>| {
        let all = ["route show", "rule show", "-o address show"]
            .map(|what| host.command(&format!("ip {what}")).expect("ip"))
            .concat();
        let texts = |n: u8| {
            [
                format!("blackhole 10.6.{n}.0/24"),
                format!("10.6.{n}.1 "),
                format!("10.5.{n}.1/24"),
                format!("10.7.{n}.0/24"),
            ]
        };
        [1, 2].iter().all(|known| texts(*known).iter().all(|text| all.contains(text) == (n == Some(*known))))
    };

    for n in [Some(1), Some(2), None] {
        reload(&pair.lb1, &lb1, &n.map_or_else(|| quick(Conf::lb1()), conf));
        facts::wait_until(host, SOON, || Ok(listed(n).then_some(()))).unwrap_or_else(|error| {
            panic!("{n:?}: {error:#}: {}", host.command("ip route show").expect("ip"))
        });
    }
    assert_eq!(states(lb1.process(), "VI_1"), 2, "it has become MASTER once");
}

/// It is another interface, and so another virtual router.
#[test]
fn a_virtual_mac_comes_and_goes() {
    let (pair, lb1, tap) = master();
    let from = |mac: &str| {
        let pick = |frame: &Frame| {
            frame.advert().filter(|advert| advert.priority == 110 && frame.came_from(&pair.lb1.port))?;
            (frame::show_mac(frame::source_mac(&frame.bytes)?) == mac).then_some(())
        };
        tap.wait_for(SOON, pick).expect("an advert");
    };

    reload(&pair.lb1, &lb1, &quick(Conf::lb1()).with_line("use_vmac vrrp.51"));
    from("00:00:5e:00:01:33");
    assert!(pair.lb1.host.command("ip link show").expect("ip").contains("vrrp.51"));

    reload(&pair.lb1, &lb1, &quick(Conf::lb1()));
    from(&pair.lb1.mac);
    facts::wait_until(&pair.lb1.host, SOON, || {
        Ok((!pair.lb1.host.command("ip link show")?.contains("vrrp.51")).then_some(()))
    })
    .expect("its interface is gone");
}

/// Who is in a group shares its faults, and who is in it no more does not.
#[test]
fn sync_groups_come_and_go() {
    let (pair, lb1, _tap) = master();
    let other = second(200, 110, "").replace("interface eth0", "interface other0");
    let group = "vrrp_sync_group VG {\ngroup {\nVI_1\nVI_2\n}\n}\n";
    let both = || quick(Conf::lb1()).with_block(&other);
    reload(&pair.lb1, &lb1, &both());
    lb1.process().wait_for_line("(VI_2) Entering MASTER", SOON).expect("nobody else is there");
    let before = states(lb1.process(), "VI_1");

    reload(&pair.lb1, &lb1, &both().with_block(group));
    assert_eq!(states(lb1.process(), "VI_1"), before, "both are MASTER already");
    pair.lb1.host.command("ip link set other0 down").expect("ip");
    lb1.wait_for_state("FAULT", SOON).expect("it shares the fault");

    reload(&pair.lb1, &lb1, &both());
    lb1.wait_for_state("MASTER", SOON).expect("it has no fault of its own");

    pair.lb1.host.command("ip link set other0 up").expect("ip");
    lb1.process().wait_for_line("(VI_2) Entering MASTER", SOON).expect("nobody else is there");
    reload(&pair.lb1, &lb1, &both().with_block(group));
    let before = states(lb1.process(), "VI_1");
    reload(&pair.lb1, &lb1, &quick(Conf::lb1()));
    facts::wait_for_no_address(&pair.lb1.host, address(110), SOON).expect("VI_2 is gone");
    assert_eq!(states(lb1.process(), "VI_1"), before, "the others do not follow who leaves");
}

#[test]
fn a_fence_comes_and_goes() {
    let (pair, lb1, _tap) = master();
    let fence = "fence {\ngateway 192.168.1.1\npeers 192.168.1.2\nanchors 192.168.1.3\nquorum 2\ninterval 0.2\ntimeout 0.2\n}";

    reload(&pair.lb1, &lb1, &quick(Conf::lb1()).with_line(fence));
    lb1.wait_for_state("FAULT", SOON).expect("nobody answers");

    reload(&pair.lb1, &lb1, &quick(Conf::lb1()));
    lb1.wait_for_state("MASTER", SOON).expect("nobody asks any more");
    facts::wait_for_address(&pair.lb1.host, address(100), SOON).expect("it holds the address");
}

/// Where another file has the notifications, they go there from then on.
#[test]
fn other_commands_are_run() {
    let (pair, lb1, _tap) = master();
    let host = &pair.lb1.host;
    for name in ["one", "two"] {
        host.write_file(
            &format!("/etc/lab/{name}"),
            &format!("#!/bin/sh\necho {name} $3 >> /run/told\n"),
            0o755,
        )
        .expect("write");
    }
    let told = host.spawn("tail", &["-n", "+1", "--sleep-interval=0.05", "-F", "/run/told"]).expect("tail");
    let conf = |name: &str| quick(Conf::lb1()).with_line(&format!("notify \"/etc/lab/{name}\""));

    reload(&pair.lb1, &lb1, &conf("one"));
    pair.lb1.port.link_down().expect("cable pulled");
    told.wait_for_line("one FAULT", SOON).expect("told");
    reload(&pair.lb1, &lb1, &conf("two"));
    pair.lb1.port.link_up().expect("cable back");
    told.wait_for_line("two MASTER", SOON).expect("told");

    assert!(!host.read_file("/run/told").expect("told").contains("one MASTER"));
}
