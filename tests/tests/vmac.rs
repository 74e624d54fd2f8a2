//! Virtual MACs: who sends with one, who answers for the address, and what becomes of the interface that has it. How it gets
//! on with other routers is played in `interop`.

mod common;

use std::time::Duration;

use nix::sys::signal::Signal;
use vipd_tests::Make::Vipd;
use vipd_tests::frame::{self, read_mac, show_mac, source_mac};
use vipd_tests::{Agent, Datapath, Family, Frame, Lan, Router, Settings, Tap, facts};

use self::common::Traces;

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
/// What makes settings of a priority.
type Make = fn(u8) -> Settings;

const FAMILIES: [(Family, Make, &str); 2] =
    [(Family::V4, Settings::v3, "vrrp.51"), (Family::V6, Settings::ipv6, "vrrp6.51")];

/// Two nodes with a virtual MAC, of which the better is Master.
struct Two {
    better: Router,
    worse: Router,
    lan: Lan,
}

fn two(family: Family, settings: impl Fn(u8) -> Settings) -> Two {
    let lan = Lan::of(family, &[Vipd, Vipd]).expect("lab");
    let better = lan.start(0, &settings(110)).expect("vipd");
    better.wait_for_state("MASTER").expect("nobody else is there");
    let worse = lan.start(1, &settings(100)).expect("vipd");
    worse.wait_for_state("BACKUP").expect("it listens");
    lan.wait_for_master(0).expect("the better node is alone, and alone answers for the address");
    Two { better, worse, lan }
}

/// Everything with the virtual MAC that enters the switch.
fn tap_of_vmac(lan: &Lan) -> Tap {
    Tap::everything_of(lan.switch.host(), read_mac(&lan.virtual_mac()).expect("MAC")).expect("tap")
}

/// C-TX-05, C-L2-01, C-L2-04, C-ARP-01, C-ND-01: adverts and announcements, priority 0 too.
#[test]
fn adverts_and_announcements_have_the_virtual_mac() {
    for (family, settings, _) in FAMILIES {
        let lan = Lan::of(family, &[Vipd]).expect("lab");
        let tap = lan.tap().expect("tap");
        let router = lan.start(0, &settings(110).vmac()).expect("vipd");
        router.wait_for_state("MASTER").expect("nobody else is there");
        lan.wait_for_master(0).expect("it answers with the virtual MAC");
        router.process().stop().expect("SIGTERM");
        router.process().wait(SOON).expect("it ends");

        let frames = tap.drain().expect("tap");
        let ours: Vec<&Frame> = frames.iter().filter(|frame| lan.sender(frame) == Some(0)).collect();
        let adverts: Vec<u8> = ours.iter().filter_map(|frame| Some(frame.advert()?.priority)).collect();
        assert_eq!(adverts.last(), Some(&0), "{family:?}: a resignation");
        for frame in ours {
            let announced = frame
                .gratuitous_arp()
                .map(|claim| claim.mac)
                .or(frame.neighbour_advertisement().and_then(|claim| claim.mac));
            if frame.advert().is_some() || announced.is_some() {
                let macs = source_mac(&frame.bytes).into_iter().chain(announced).map(show_mac);
                assert!(macs.into_iter().all(|mac| mac == lan.virtual_mac()), "{family:?}: {frame:02x?}");
            }
        }
    }
}

/// `vmac_xmit_base`: adverts leave as without a virtual MAC, the address is served under it.
#[test]
fn adverts_can_leave_with_the_interfaces_own_mac() {
    for (family, settings, _) in FAMILIES {
        let lan = Lan::of(family, &[Vipd]).expect("lab");
        let tap = lan.tap().expect("tap");

        let router = lan.start(0, &settings(110).vmac().line("vmac_xmit_base")).expect("vipd");

        router.wait_for_state("MASTER").expect("nobody else is there");
        lan.wait_for_master(0).expect("it answers with the virtual MAC");
        let advert = tap.wait_for(SOON, |frame| frame.advert().map(|_| frame.clone())).expect("an advert");
        assert_eq!(source_mac(&advert.bytes).map(show_mac).as_ref(), Some(&lan.node(0).mac), "{family:?}");
    }
}

/// C-L2-01, C-L2-02: the virtual MAC is heard of from the Master alone, from its first advert to its last.
#[test]
fn a_backup_sends_nothing_with_the_virtual_mac() {
    for (family, settings, name) in FAMILIES {
        let lan = Lan::of(family, &[Vipd, Vipd]).expect("lab");
        let tap = tap_of_vmac(&lan);
        // A router's kernel joins groups, and says so, on every interface that is up.
        for node in [0, 1] {
            lan.node(node).host.sysctl("net/ipv6/conf/all/forwarding", "1").expect("sysctl");
        }
        let worse = lan.start(1, &settings(100).vmac().line("preempt_delay 1000")).expect("vipd");
        let better = lan.start(0, &settings(110).vmac()).expect("vipd");
        better.wait_for_state("MASTER").expect("the higher priority wins");
        lan.wait_for_master(0).expect("the better node is alone");
        let before = tap.drain().expect("tap");
        let resigned = |frame: &Frame| {
            frame.advert().filter(|advert| advert.priority == 0 && lan.sender(frame) == Some(0))
        };
        let seen_by_all = lan.tap().expect("tap");

        better.process().stop().expect("SIGTERM");

        seen_by_all.wait_for(SOON, resigned).expect("a resignation");
        worse.wait_for_state("MASTER").expect("takeover");
        better.process().wait(SOON).expect("it ends");
        lan.wait_for_master(1).expect("the worse node is alone");
        let after = tap.drain().expect("tap");
        assert!(before.iter().any(|frame| frame.advert().is_some()), "{family:?}: adverts have it");
        let backup = before.iter().filter(|frame| lan.sender(frame) == Some(1));
        let said: Vec<&Frame> = backup.filter(|frame| is_before_it_was_master(frame, &before)).collect();
        assert!(said.is_empty(), "{family:?} {name}: {said:02x?}");
        let last = after.iter().rposition(|frame| lan.sender(frame) == Some(0)).expect("it spoke");
        let last = after[last].advert().map(|advert| advert.priority);
        assert_eq!(last, Some(0), "{family:?} {name}: the last word is the resignation");
    }
}

/// Nothing of a node that has not spoken by then.
fn is_before_it_was_master(frame: &Frame, all: &[Frame]) -> bool {
    let first = all.iter().find(|other| other.interface == frame.interface && other.advert().is_some());
    first.is_none_or(|first| frame.at < first.at)
}

/// C-L2-01, C-ARP-03, C-ND-03: the switch sends to whoever is Master, from the first advert on, and who asks is told the virtual
/// MAC.
#[test]
fn the_switch_learns_where_the_virtual_mac_is_and_keeps_it() {
    for (family, settings, _) in FAMILIES {
        let Two { lan, better: _better, worse } = two(family, |priority| settings(priority).vmac());
        let vmac = lan.virtual_mac();
        facts::wait_for_learned(&lan.switch, &vmac, lan.node(0).port.name(), SOON).expect("learned");

        lan.node(0).port.cut().expect("cut");
        worse.wait_for_state("MASTER").expect("takeover after silence");
        facts::wait_for_learned(&lan.switch, &vmac, lan.node(1).port.name(), SOON).expect("learned anew");
        lan.wait_for_client(1).expect("the client need not learn anything");
    }
}

/// C-ARP-03, C-ARP-05: a host that answers a client from the virtual address does not tell it the physical MAC.
#[test]
fn no_arp_binds_the_address_to_the_physical_mac() {
    let Two { lan, better: _better, .. } = two(Family::V4, |priority| Settings::v3(priority).vmac());
    let tap = lan.tap().expect("tap");
    lan.node(0).host.command("ip neighbour flush dev eth0").expect("ip");

    lan.client.command(&format!("ping -q -c 3 -i 0.2 -w 60 {}", lan.vip())).expect("it serves");

    let own = &lan.node(0).mac;
    for frame in tap.drain().expect("tap").iter().filter(|frame| lan.sender(frame) == Some(0)) {
        if let Some(arp) = frame::arp_sender(&frame.bytes).filter(|arp| lan.vip() == arp.ip) {
            assert_ne!(&show_mac(arp.mac), own, "{frame:02x?}");
        }
    }
}

/// C-ND-07, C-FWD-01, C-L2-07: without addresses of its own, and up while this node is Master only.
#[test]
fn the_interface_is_up_while_the_node_is_master() {
    for (family, settings, name) in FAMILIES {
        let Two { lan, better, worse: _worse } = two(family, |priority| settings(priority).vmac());
        let state = |node: usize| {
            let shown =
                lan.node(node).host.command(&format!("ip -o -d link show {name}")).expect("it is there");
            (
                shown.contains(",UP"),
                shown.contains("macvlan mode private"),
                shown.contains(&lan.virtual_mac()),
            )
        };

        assert_eq!(state(0), (true, true, true), "{family:?}");
        assert_eq!(state(1), (false, true, true), "{family:?}");
        let held = facts::addresses(&lan.node(0).host).expect("ip");
        let count = held.iter().filter(|address| address.interface == name).count();
        assert_eq!(count, settings(1).addresses().len(), "{family:?}: {held:?}");

        // Somebody else's hand.
        lan.node(0).host.command(&format!("ip link set {name} down")).expect("ip");
        lan.wait_for_master(0).expect("it is up again, with its addresses");
        assert_eq!(state(0), (true, true, true), "{family:?}");
        drop(better);
    }
}

/// C-UNI-06: adverts to peers leave as any packet of the host does, and the address is served under the virtual MAC.
#[test]
fn unicast_goes_with_a_virtual_mac() {
    for (family, settings, _) in FAMILIES {
        let Two { lan, better, worse } = two(family, |priority| settings(priority).vmac().unicast());

        better.process().stop().expect("SIGTERM");

        worse.wait_for_state("MASTER").expect("takeover after resignation");
        better.process().wait_for_whole_end(SOON).expect("it ends");
        lan.wait_for_master(1).expect("the worse node is alone");
        facts::wait_for_learned(&lan.switch, &lan.virtual_mac(), lan.node(1).port.name(), SOON)
            .expect("learned anew");
    }
}

/// Promise 4.
#[test]
fn however_the_agent_ends_nothing_of_the_virtual_mac_stays() {
    for (family, settings, _) in FAMILIES {
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            let lan = Lan::of(family, &[Vipd]).expect("lab");
            let host = &lan.node(0).host;
            let before = Traces::of(host).expect("facts");
            let router = lan.start(0, &settings(110).vmac()).expect("vipd");
            router.wait_for_state("MASTER").expect("nobody else is there");
            lan.wait_for_master(0).expect("it answers");

            router.process().signal(signal).expect("signal");
            router.process().wait_for_whole_end(SOON).expect("it ends");

            assert_eq!(Traces::of(host).expect("facts"), before, "{family:?} {signal}");
        }
    }
}

/// Promise 4, when nobody was left to clean up.
#[test]
fn the_next_start_removes_what_a_killed_agent_and_a_killed_warden_left() {
    for (family, settings, name) in FAMILIES {
        let lan = Lan::of(family, &[Vipd]).expect("lab");
        let host = &lan.node(0).host;
        let before = Traces::of(host).expect("facts");
        let router = lan.start(0, &settings(110).vmac()).expect("vipd");
        router.wait_for_state("MASTER").expect("nobody else is there");
        host.kill_everything().expect("power cut of its processes");
        drop(router);
        host.command(&format!("ip link show {name}")).expect("it is left");

        let router = lan.start(0, &settings(110)).expect("vipd, now without a virtual MAC");

        router.wait_for_state("MASTER").expect("nobody else is there");
        lan.wait_for_master(0).expect("it answers with its own MAC");
        router.process().stop().expect("SIGTERM");
        router.process().wait_for_whole_end(SOON).expect("it ends");
        assert_eq!(Traces::of(host).expect("facts"), before, "{family:?}");
    }
}

#[test]
fn an_interface_of_that_name_that_vipd_has_not_made_is_left_alone() {
    let lan = Lan::of(Family::V4, &[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    host.command("ip link add vrrp.51 link eth0 type macvlan mode bridge").expect("ip");
    let conf = Settings::v3(110).vmac().keepalived(lan.node(0).ip, &[]);

    let vipd = Agent::Vipd(Datapath::Auto).start(host, &conf).expect("it starts");

    vipd.process().wait_for_line("which vipd has not made", SOON).expect("said");
    assert!(!vipd.process().wait(SOON).expect("it ends").success());
    assert!(host.command("ip -d link show vrrp.51").expect("it is there").contains("mode bridge"));
}

/// Two virtual routers on one interface, and two names.
#[test]
fn each_virtual_router_has_an_interface_of_its_own() {
    let lan = Lan::of(Family::V4, &[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    let one = Settings::v3(110).line("use_vmac").keepalived(lan.node(0).ip, &[]);
    let other = Settings::v3(110)
        .line("use_vmac other0")
        .addresses_are(vec!["192.168.1.101".parse().expect("an address")])
        .keepalived(lan.node(0).ip, &[])
        .replace("VI_1", "VI_2")
        .replace("virtual_router_id 51", "virtual_router_id 52");
    let both = one.with_block(other.text());

    let _vipd = Agent::Vipd(Datapath::Auto).start(host, &both).expect("vipd");

    for (ip, interface, mac) in
        [("192.168.1.100", "vrrp.51", "00:00:5e:00:01:33"), ("192.168.1.101", "other0", "00:00:5e:00:01:34")]
    {
        let held = facts::wait_for_address(host, ip.parse().expect("an address"), SOON).expect("held");
        assert_eq!(held.interface, interface);
        let tap = lan.tap().expect("tap");
        lan.client.command(&format!("arping -q -I eth0 -c 1 -w 60 {ip}")).expect("it answers");
        let answers: Vec<String> = tap
            .drain()
            .expect("tap")
            .iter()
            .filter(|frame| lan.sender(frame) == Some(0))
            .filter_map(|frame| frame.arp_reply().map(|reply| show_mac(reply.mac)))
            .collect();
        assert_eq!(answers, [mac], "{ip}");
    }
}

/// Somebody else deletes it, or it goes with the interface below.
#[test]
fn the_interface_is_made_again_when_it_has_gone() {
    let lan = Lan::of(Family::V4, &[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    let make = || {
        for command in [
            "link add eth1 type veth peer name peer1",
            "address add 192.168.1.10/24 dev eth1",
            "link set peer1 up",
            "link set eth1 up",
        ] {
            host.command(&format!("ip {command}")).expect("ip");
        }
    };
    let settings = Settings::v3(110).vmac().line("interface eth1");
    let conf = settings.keepalived(lan.node(0).ip, &[]).replace("interface eth0\n", "");
    make();
    let router = Agent::Vipd(Datapath::Auto).start(host, &conf).expect("vipd");
    router.wait_for_state("MASTER", SOON).expect("nobody else is there");

    for (removed, why) in [("vrrp.51", "vrrp.51 does not exist"), ("eth1", "eth1 does not exist")] {
        facts::wait_for_address(host, lan.vip(), SOON).expect("held");
        host.command(&format!("ip link delete {removed}")).expect("ip");
        let fault = router.wait_for_state("FAULT", SOON).expect("nothing holds the address");
        assert!(fault.text.contains(why) || removed == "vrrp.51", "{}", fault.text);
        if removed == "eth1" {
            make();
        }
        router.wait_for_state("MASTER", SOON).unwrap_or_else(|error| panic!("{removed}: {error}"));
        let held = facts::wait_for_address(host, lan.vip(), SOON).expect("held");
        assert_eq!(held.interface, "vrrp.51");
        let ignores = host.read_file("/proc/sys/net/ipv4/conf/eth1/arp_ignore").expect("sysctl");
        assert_eq!(ignores.trim(), "1", "{removed}");
    }

    router.process().stop().expect("SIGTERM");
    router.process().wait_for_whole_end(SOON).expect("it ends");
    assert!(!host.command("ip link").expect("ip").contains("vrrp.51"));
    let ignores = host.read_file("/proc/sys/net/ipv4/conf/eth1/arp_ignore").expect("sysctl");
    assert_eq!(ignores.trim(), "0");
}
