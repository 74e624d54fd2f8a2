//! Virtual routers over IPv6: what leaves vipd, which groups it is in, which addresses are usable when, and who else claims
//! one. How it gets on with other routers is played in `interop`.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use serde_json::Value;
use vipd_tests::Make::Vipd;
use vipd_tests::{Agent, Datapath, Family, Frame, Host, Lan, Running, Settings, facts, frame};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const LADDER: [Datapath; 4] = [Datapath::XdpNative, Datapath::XdpGeneric, Datapath::Tcx, Datapath::Socket];
const LINK_LOCAL_VIP: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 5, 1);
/// The solicited-node groups of both virtual addresses (RFC 4291 2.7.1).
const SOLICITED: [&str; 2] = ["ff02::1:ff05:1", "ff02::1:ff00:100"];

fn lan() -> Lan {
    Lan::of(Family::V6, &[Vipd, Vipd]).expect("lab")
}

fn start(lan: &Lan, node: usize, datapath: Datapath, settings: &Settings) -> Running {
    let balancer = lan.node(node);
    let others = [lan.node(1 - node).ip];
    Agent::Vipd(datapath)
        .start(&balancer.host, &settings.keepalived(balancer.ip, &others))
        .unwrap_or_else(|error| panic!("{datapath:?}: {error:#}"))
}

fn macs(frame: &Frame) -> [String; 2] {
    [0, 6].map(|at| frame::show_mac(frame.bytes[at..at + 6].try_into().expect("6 octets")))
}

fn groups(host: &Host) -> String {
    host.command("ip -6 maddress show dev eth0").expect("ip")
}

/// What `ip` says of an address.
fn address(host: &Host, ip: Ipv6Addr) -> Value {
    let links: Value =
        serde_json::from_str(&host.command("ip -j -6 address show").expect("ip")).expect("JSON");
    let all =
        links.as_array().expect("a list").iter().filter_map(|link| link["addr_info"].as_array()).flatten();
    all.clone().find(|address| address["local"] == ip.to_string()).cloned().expect("the host has it")
}

/// C-TX-01 to C-TX-04, C-TX-08, C-PKT-03, C-PKT-06: the source is the interface's own link-local address also while a virtual
/// one is on it.
#[test]
fn every_advert_over_ipv6_has_the_header_that_the_rfcs_ask_for() {
    let lan = lan();
    let tap = lan.tap().expect("tap");
    let better = lan.start(0, &Settings::ipv6(110)).expect("vipd");
    let worse = lan.start(1, &Settings::ipv6(100)).expect("vipd");
    better.wait_for_state("MASTER").expect("the higher priority wins");
    lan.wait_for_master(0).expect("the better node is alone");
    better.process().stop().expect("SIGTERM");
    worse.wait_for_state("MASTER").expect("takeover after resignation");
    lan.wait_for_master(1).expect("the worse node is alone");

    let frames = tap.drain().expect("tap");
    for node in [0, 1] {
        let own = lan.node(node);
        let from = |frame: &&Frame| lan.sender(frame) == Some(node) && frame.advert().is_some();
        let adverts: Vec<&Frame> = frames.iter().filter(from).collect();
        assert!(adverts.len() > 3, "node {node} speaks");
        for advert in adverts {
            let context = format!("node {node}: {advert:02x?}");
            assert_eq!(macs(advert), ["33:33:00:00:00:12", &own.mac], "{context}");
            assert_eq!(advert.bytes[14..16], [0x6c, 0x00], "internetwork control: {context}");
            assert_eq!(advert.bytes[20..22], [112, 255], "next header, hop limit: {context}");
            let message = advert.advert().expect("an advert");
            let group: IpAddr = "ff02::12".parse().expect("an address");
            assert_eq!(
                (message.version, message.source, message.destination),
                (3, own.ip, group),
                "{context}"
            );
            assert_eq!(message.addresses, [IpAddr::V6(LINK_LOCAL_VIP), lan.vip()], "{context}");
        }
    }
}

/// C-ND-01, C-FSM-04: behind the first advert, from the address itself, overriding what was known. Hosts are told that it is a
/// router where it is one: where it forwards.
#[test]
fn a_new_master_sends_an_advert_and_then_advertises_its_addresses() {
    for forwards in [false, true] {
        let lan = lan();
        let (own, tap) = (lan.node(0), lan.tap().expect("tap"));
        own.host.sysctl("net/ipv6/conf/eth0/forwarding", &u8::from(forwards).to_string()).expect("sysctl");

        let router = lan.start(0, &Settings::ipv6(110)).expect("vipd");

        router.wait_for_state("MASTER").expect("nobody else is there");
        lan.wait_for_master(0).expect("it answers");
        let frames = tap.drain().expect("tap");
        let sent = frames.iter().filter(|frame| lan.sender(frame) == Some(0));
        let unsolicited = |frame: &&Frame| frame.neighbour_advertisement().is_some_and(|na| !na.flags[1]);
        let advertised: Vec<&Frame> = sent.clone().filter(unsolicited).collect();
        let first = sent.clone().find(|frame| frame.advert().is_some()).expect("an advert");
        assert!(first.at <= advertised[0].at, "an advert comes first");
        for ip in [LINK_LOCAL_VIP, "2001:db8:1::100".parse().expect("an address")] {
            let of = |frame: &&&Frame| frame.neighbour_advertisement().is_some_and(|na| na.ip == ip);
            assert!(advertised.iter().filter(of).count() >= 5, "five of {ip}");
        }
        for frame in advertised {
            let na = frame.neighbour_advertisement().expect("an advertisement");
            let context = format!("forwarding {forwards}: {frame:02x?}");
            assert_eq!(macs(frame), ["33:33:00:00:00:01", &own.mac], "{context}");
            assert_eq!((na.flags, na.hop_limit), ([forwards, false, true], 255), "{context}");
            assert_eq!(na.destination.to_string(), "ff02::1", "{context}");
            assert_eq!(na.mac.map(frame::show_mac).as_ref(), Some(&own.mac), "{context}");
        }
    }
}

/// C-L2-05, C-ND-05, C-ND-09: the group of VRRP is joined by everybody, those of the addresses by the Master alone; nobody waits
/// for duplicate address detection.
#[test]
fn groups_and_addresses_are_there_when_they_must_be() {
    let lan = lan();
    for node in [0, 1] {
        // As on any host.
        lan.node(node).host.sysctl("net/ipv6/conf/eth0/accept_dad", "1").expect("sysctl");
    }
    let better = lan.start(0, &Settings::ipv6(110)).expect("vipd");
    better.wait_for_state("MASTER").expect("nobody else is there");
    let worse = lan.start(1, &Settings::ipv6(100)).expect("vipd");
    worse.wait_for_state("BACKUP").expect("it listens");
    lan.wait_for_master(0).expect("the better node is alone");

    let [master, backup] = [0, 1].map(|node| groups(&lan.node(node).host));
    assert!(master.contains("ff02::12") && backup.contains("ff02::12"), "{master}{backup}");
    for group in SOLICITED {
        assert!(master.contains(group) && !backup.contains(group), "{group}: {master}{backup}");
    }
    for ip in [LINK_LOCAL_VIP, "2001:db8:1::100".parse().expect("an address")] {
        let held = address(&lan.node(0).host, ip);
        assert_eq!(held["prefixlen"], 64, "{held:#}");
        assert!(held["tentative"].is_null() && held["deprecated"].is_null(), "{held:#}");
    }
}

/// An address without a prefix length stands alone, and is not chosen as a source (as Keepalived has it).
#[test]
fn an_address_that_stands_alone_is_deprecated() {
    let lan = lan();
    let text =
        Settings::ipv6(110).keepalived(lan.node(0).ip, &[]).replace("2001:db8:1::100/64", "2001:db8:1::100");

    let vipd = Agent::Vipd(Datapath::Auto).start(&lan.node(0).host, &text).expect("vipd");

    vipd.wait_for_state("MASTER", SOON).expect("nobody else is there");
    facts::wait_for_address(&lan.node(0).host, lan.vip(), SOON).expect("it holds the address");
    let held = address(&lan.node(0).host, "2001:db8:1::100".parse().expect("an address"));
    assert_eq!((&held["prefixlen"], &held["deprecated"]), (&128.into(), &true.into()), "{held:#}");
    lan.wait_for_client(0).expect("it serves all the same");
}

/// RFC 4862 5.4: nothing is sent from an address before it is known to be nobody else's.
#[test]
fn a_tentative_link_local_address_is_no_source_of_adverts() {
    let lan = lan();
    let host = &lan.node(0).host;
    host.command("ip address del fe80::a/64 dev eth0").expect("ip");
    let router = lan.start(0, &Settings::ipv6(110)).expect("vipd");
    router.wait_for_state("FAULT").expect("there is no address to send from");
    let tap = lan.tap().expect("tap");

    host.sysctl("net/ipv6/conf/eth0/accept_dad", "1").expect("sysctl");
    host.command("ip address add fe80::a/64 dev eth0").expect("ip");

    let tentative = address(host, "fe80::a".parse().expect("an address"));
    let recovered = router.wait_for_state("BACKUP").expect("the address is its own");
    assert_eq!(tentative["tentative"], true, "{tentative:#}");
    let settled = address(host, "fe80::a".parse().expect("an address"));
    assert!(settled["tentative"].is_null(), "{settled:#}, {recovered:?}");
    let advert = tap.wait_for(SOON, Frame::advert).expect("an advert");
    assert_eq!(advert.source, lan.node(0).ip);
}

/// C-RX-01 to C-RX-21 on every rung: XDP, tcx and packet socket hear the same.
#[test]
fn every_rung_elects_and_takes_over() {
    for rung in LADDER {
        let lan = lan();
        let better = start(&lan, 0, rung, &Settings::ipv6(110));
        let worse = start(&lan, 1, rung, &Settings::ipv6(100));
        better.wait_for_state("MASTER", SOON).unwrap_or_else(|error| panic!("{rung:?}: {error}"));
        lan.wait_for_master(0).unwrap_or_else(|error| panic!("{rung:?}: {error:#}"));
        let statistics = worse.status().expect("status")["instances"][0]["statistics"].take();
        assert!(statistics["advertisement-rcvd"].as_u64() > Some(0), "{rung:?}: {statistics:#}");

        lan.node(0).port.cut().expect("cut");
        worse.wait_for_state("MASTER", SOON).unwrap_or_else(|error| panic!("{rung:?}: {error}"));
        lan.node(0).port.heal().expect("heal");
        worse.wait_for_state("BACKUP", SOON).unwrap_or_else(|error| panic!("{rung:?}: {error}"));
        lan.wait_for_master(0).unwrap_or_else(|error| panic!("{rung:?}: {error:#}"));
    }
}

/// Promise 7: it says why, with the rival's MAC; and it keeps the address.
#[test]
fn a_foreign_claim_is_said_counted_and_answered_by_an_advertisement() {
    for rung in [Datapath::Auto, Datapath::Tcx, Datapath::Socket] {
        let lan = lan();
        let master = start(&lan, 0, rung, &Settings::ipv6(110));
        master.wait_for_state("MASTER", SOON).expect("nobody else is there");
        lan.wait_for_master(0).expect("it holds the address");
        let tap = lan.tap().expect("tap");

        let rival = "02:00:00:00:00:99";
        lan.client.sysctl("net/ipv6/conf/eth0/ndisc_notify", "1").expect("sysctl");
        lan.client.command("ip address add 2001:db8:1::100/128 dev eth0 nodad").expect("a duplicate");
        // Now its kernel announces all its addresses anew.
        lan.client.command(&format!("ip link set eth0 address {rival}")).expect("ip");

        let said = master.process().wait_for_line("claims our address", SOON).expect("said");
        assert!(
            said.text.contains(rival) && said.text.contains("2001:db8:1::100"),
            "{rung:?}: {}",
            said.text
        );
        let defends = |frame: &Frame| {
            let na = frame.neighbour_advertisement().filter(|_| lan.sender(frame) == Some(0))?;
            (IpAddr::V6(na.ip) == lan.vip() && !na.flags[1]).then_some(na)
        };
        let defence = tap.wait_for(SOON, defends).expect("it advertises its address again");
        assert_eq!(defence.mac.map(frame::show_mac).as_ref(), Some(&lan.node(0).mac), "{rung:?}");
        let status = master.status().expect("status");
        assert!(status["instances"][0]["statistics"]["foreign-claims"].as_u64() > Some(0), "{status:#}");
        assert_eq!(status["instances"][0]["state"], "MASTER");
    }
}

#[test]
fn an_address_that_somebody_removes_is_put_back_and_the_master_stays() {
    let lan = lan();
    let router = lan.start(0, &Settings::ipv6(110)).expect("vipd");
    router.wait_for_state("MASTER").expect("nobody else is there");
    lan.wait_for_master(0).expect("it answers");

    lan.node(0).host.command(&format!("ip address del {}/64 dev eth0", lan.vip())).expect("ip");

    router.process().wait_for_line("put back", SOON).expect("said");
    lan.wait_for_master(0).expect("it answers again");
}

/// `virtual_ipaddress_excluded`: of either family, and in no advert.
#[test]
fn excluded_addresses_of_both_families_come_and_go_with_the_others() {
    let lan = lan();
    let (host, tap) = (&lan.node(0).host, lan.tap().expect("tap"));
    let excluded = ["2001:db8:1::200", "192.168.1.200"].map(|ip| ip.parse::<IpAddr>().expect("an address"));
    let lines = "virtual_ipaddress_excluded {\n2001:db8:1::200/64\n192.168.1.200/24\n}";

    let router = lan.start(0, &Settings::ipv6(110).line(lines)).expect("vipd");
    router.wait_for_state("MASTER").expect("nobody else is there");

    for ip in excluded {
        facts::wait_for_address(host, ip, SOON).expect("it comes");
    }
    let announced = |ip: IpAddr| {
        move |frame: &Frame| match ip {
            IpAddr::V4(ip) => frame.gratuitous_arp().filter(|claim| claim.ip == ip).map(drop),
            IpAddr::V6(ip) => frame.neighbour_advertisement().filter(|claim| claim.ip == ip).map(drop),
        }
    };
    for ip in excluded {
        tap.wait_for(SOON, announced(ip)).unwrap_or_else(|error| panic!("{ip}: {error}"));
    }
    let advert = tap.wait_for(SOON, Frame::advert).expect("an advert");
    assert_eq!(advert.addresses, [IpAddr::V6(LINK_LOCAL_VIP), lan.vip()]);
    router.process().stop().expect("SIGTERM");
    for ip in excluded {
        facts::wait_for_no_address(host, ip, SOON).expect("it goes");
    }
}

/// C-FSM-15: the same VRID in both families makes two virtual routers.
#[test]
fn both_families_run_side_by_side_with_one_vrid() {
    let lan = lan();
    for node in [0, 1] {
        let command = format!("ip address add 192.168.1.{}0/24 dev eth0", node + 1);
        lan.node(node).host.command(&command).expect("ip");
    }
    let both = |node: usize, priority_v6, priority_v4| {
        let ip = lan.node(node).ip;
        let v6 = Settings::ipv6(priority_v6).keepalived(ip, &[]);
        let v4 = Settings::v3(priority_v4).keepalived(ip, &[]).replace("VI_1", "VI_2");
        vipd_tests::guide::Conf::from([v6.text(), v4.text()].concat())
    };
    let agent = Agent::Vipd(Datapath::Auto);
    let a = agent.start(&lan.node(0).host, &both(0, 110, 100)).expect("vipd");
    let b = agent.start(&lan.node(1).host, &both(1, 100, 110)).expect("vipd");

    a.process().wait_for_line("(VI_1) Entering MASTER STATE", SOON).expect("IPv6 is node 0's");
    b.process().wait_for_line("(VI_2) Entering MASTER STATE", SOON).expect("IPv4 is node 1's");

    let vip4 = "192.168.1.100".parse().expect("an address");
    for (holder, other, ip) in [(0, 1, lan.vip()), (1, 0, vip4)] {
        facts::wait_for_address(&lan.node(holder).host, ip, SOON).expect("held");
        facts::wait_for_no_address(&lan.node(other).host, ip, SOON).expect("by one");
    }
}
