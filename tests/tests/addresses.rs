//! What a Master holds: addresses by the hundred and with all that can be said of one, routes and rules, and what is there
//! whatever the election says.

mod common;

use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;
use vipd_tests::Make::Vipd;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Family, Frame, Host, Lan, Moment, Running, Settings, facts, vipd_binary};

use self::common::Traces;

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);

fn start(lan: &Lan, conf: &Conf) -> Running {
    let agent = Agent::Vipd(Datapath::Auto).start(&lan.node(0).host, conf).expect("vipd");
    agent.wait_for_state("MASTER", SOON).expect("nobody else is there");
    agent
}

fn conf(lan: &Lan, family: Family, lines: &str) -> Conf {
    let settings = if family == Family::V4 { Settings::v3(110) } else { Settings::ipv6(110) };
    settings.line(lines).keepalived(lan.node(0).ip, &[])
}

/// What `ip -j` lists.
fn listed(host: &Host, command: &str) -> Vec<Value> {
    let text = host.command(&format!("ip -j {command}")).expect("ip");
    let list: Value = serde_json::from_str(if text.trim().is_empty() { "[]" } else { &text }).expect("JSON");
    list.as_array().expect("a list").clone()
}

fn wait_for_count(host: &Host, count: usize, is_virtual: impl Fn(IpAddr) -> bool) {
    let held = || -> anyhow::Result<usize> {
        Ok(facts::addresses(host)?.iter().filter(|address| is_virtual(address.ip)).count())
    };
    facts::wait_until(host, SOON, || Ok((held()? == count).then_some(())))
        .unwrap_or_else(|error| panic!("{error}: {} of {count}", held().expect("ip")));
}

/// 1,000 on one instance: taken over, announced and given away, and no advert waits for that.
#[test]
fn a_thousand_addresses_move_together() {
    for family in [Family::V4, Family::V6] {
        let lan = Lan::of(family, &[Vipd, Vipd]).expect("lab");
        let address = |n: usize| match family {
            Family::V4 => format!("10.9.{}.{}/16", n / 250, n % 250 + 1),
            Family::V6 => format!("2001:db8:9::{:x}/64", n + 1),
        };
        let is_virtual =
            |ip: IpAddr| ip.to_string().starts_with(if ip.is_ipv4() { "10.9." } else { "2001:db8:9:" });
        let mut lines = "virtual_ipaddress_excluded {\n".to_owned();
        for n in 0..999 {
            writeln!(lines, "{}", address(n)).expect("memory");
        }
        lines.push('}');
        let settings = |priority| {
            let usual = if family == Family::V4 { Settings::v3(priority) } else { Settings::ipv6(priority) };
            usual.line(&lines).line("garp_master_repeat 1")
        };
        let better = lan.start(0, &settings(110)).expect("vipd");
        better.wait_for_state("MASTER").expect("nobody else is there");
        let worse = lan.start(1, &settings(100)).expect("vipd");
        worse.wait_for_state("BACKUP").expect("it listens");
        wait_for_count(&lan.node(0).host, 999, is_virtual);
        let tap = lan.tap().expect("tap");

        better.process().stop().expect("SIGTERM");

        worse.wait_for_state("MASTER").expect("takeover after resignation");
        wait_for_count(&lan.node(1).host, 999, is_virtual);
        better.process().wait_for_whole_end(SOON).expect("it ends");
        wait_for_count(&lan.node(0).host, 0, is_virtual);
        let mut announced = std::collections::BTreeSet::new();
        let mut adverts = 0;
        let all_announced = |frame: &Frame| {
            lan.sender(frame).filter(|sender| *sender == 1)?;
            let claimed = frame.gratuitous_arp().map(|claim| IpAddr::V4(claim.ip));
            let claimed = claimed.or(frame.neighbour_advertisement().map(|claim| IpAddr::V6(claim.ip)));
            announced.extend(claimed.filter(|ip| is_virtual(*ip)));
            adverts += usize::from(frame.advert().is_some());
            (announced.len() == 999).then_some(())
        };
        tap.wait_for(SOON, all_announced).unwrap_or_else(|error| panic!("{error}: {}", announced.len()));
        assert!(adverts > 0, "{family:?}: an advert came first");
    }
}

/// An address that the kernel refuses is named, and not announced; those that are there serve. One that somebody takes away
/// and that is not to be put back (`no_track`) is missing too.
///
/// C-ARP-05
#[test]
fn addresses_are_held_when_all_are_and_what_is_missing_is_named() {
    let lan = Lan::new(&[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    host.sysctl("net/ipv6/conf/eth0/disable_ipv6", "1").expect("no IPv6");
    let lines =
        "virtual_ipaddress_excluded {\n2001:db8:5::1/64\n10.3.0.1/32 no_track\n10.4.0.1/32 dev none0\n}";
    let status = |vipd: &Running| vipd.status().expect("status")["instances"][0].take();
    // What is said is in the status a moment later.
    let expect_missing = |vipd: &Running, missing: &[&str]| {
        let deadline = Moment::now() + SOON;
        while status(vipd)["addresses-missing"] != serde_json::json!(missing) {
            assert!(!deadline.remaining().is_zero(), "{:#}", status(vipd));
        }
        assert_eq!(status(vipd)["addresses-held"], false);
    };
    let tap = lan.tap().expect("tap");

    let vipd = start(&lan, &conf(&lan, Family::V4, lines));

    vipd.process().wait_for_line("of 4 addresses 2 are missing", SOON).expect("it is said");
    expect_missing(&vipd, &["2001:db8:5::1", "10.4.0.1"]);
    let table = vipd.status_table().expect("status");
    assert!(table.contains("holds 2 of 4 addresses; missing: 2001:db8:5::1, 10.4.0.1"), "{table}");
    lan.wait_for_master(0).expect("those that are there serve");
    let frames = tap.drain().expect("tap");
    assert!(
        frames.iter().all(|frame| frame.neighbour_advertisement().is_none()),
        "what is missing is not announced"
    );

    host.command("ip address delete 10.3.0.1/32 dev eth0").expect("ip");
    vipd.process().wait_for_line("of 4 addresses 3 are missing", SOON).expect("it is said");
    expect_missing(&vipd, &["2001:db8:5::1", "10.4.0.1", "10.3.0.1"]);
}

/// `scope`, `broadcast`, `label`, `dev`, `no_track`.
#[test]
fn an_address_is_what_the_file_says_of_it() {
    let lan = Lan::new(&[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    host.command("ip link add other0 type veth peer name other1").expect("ip");
    for link in ["other0", "other1"] {
        host.command(&format!("ip link set {link} up")).expect("ip");
    }
    let lines = "virtual_ipaddress_excluded {\n10.1.0.1/24 brd 10.1.0.255 label eth0:one scope link\n\
                 10.2.0.1/24 brd + dev other0\n10.3.0.1/32 no_track\n2001:db8:5::1/64 dev other0\n}";

    let _vipd = start(&lan, &conf(&lan, Family::V4, lines));

    facts::wait_for_address(host, "2001:db8:5::1".parse().expect("an address"), SOON).expect("held");
    let all: Vec<Value> = listed(host, "address show")
        .iter()
        .flat_map(|link| {
            let name = link["ifname"].clone();
            let addresses = link["addr_info"].as_array().cloned().unwrap_or_default();
            addresses.into_iter().map(move |mut address| {
                address["on"] = name.clone();
                address
            })
        })
        .collect();
    let of = |ip: &str| all.iter().find(|address| address["local"] == ip).unwrap_or_else(|| panic!("{ip}"));
    let one = of("10.1.0.1");
    assert_eq!((&one["broadcast"], &one["label"]), (&"10.1.0.255".into(), &"eth0:one".into()), "{one:#}");
    assert_eq!((&one["scope"], &one["prefixlen"], &one["on"]), (&"link".into(), &24.into(), &"eth0".into()));
    let two = of("10.2.0.1");
    assert_eq!((&two["broadcast"], &two["on"]), (&"10.2.0.255".into(), &"other0".into()), "{two:#}");
    assert_eq!(of("2001:db8:5::1")["on"], "other0");

    // Taken away by somebody else: one comes back, the other was let go.
    host.command("ip address del 10.3.0.1/32 dev eth0").expect("ip");
    host.command("ip address del 10.1.0.1/24 dev eth0").expect("ip");
    facts::wait_for_address(host, "10.1.0.1".parse().expect("an address"), SOON).expect("put back");
    facts::wait_for_no_address(host, "10.3.0.1".parse().expect("an address"), SOON).expect("let go");
}

/// The kernel removes the other addresses of a network with its first one. One virtual router that gives its address away does
/// not cost another its own, nor is anybody else blamed.
#[test]
fn an_address_stays_when_the_first_one_of_its_network_goes_with_another_virtual_router() {
    // Arrange: the node's own address is not of the network of the virtual ones.
    let lan = Lan::new(&[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    let instance = |vrid: u8| {
        format!(
            "vrrp_instance V{vrid} {{\nstate BACKUP\ninterface eth0\nvirtual_router_id {vrid}\npriority 100\nversion 3\n\
             advert_int 0.1\nvirtual_ipaddress {{\n10.77.0.{vrid}/16\n}}\n}}\n"
        )
    };
    let conf = Conf::from((1..=3).map(instance).collect::<String>());
    let agent = Agent::Vipd(Datapath::Auto).start(host, &conf).expect("vipd");
    let address = |n: u8| IpAddr::from([10, 77, 0, n]);
    for n in 1..=3 {
        facts::wait_for_address(host, address(n), SOON).expect("held");
    }
    let listed = listed(host, "address show dev eth0 primary to 10.77.0.0/16");
    let primary = listed.iter().flat_map(|link| link["addr_info"].as_array().cloned().unwrap_or_default());
    let primary: Vec<Value> = primary.map(|address| address["local"].clone()).collect();
    let first =
        (1..=3).find(|n| primary.contains(&address(*n).to_string().into())).expect("one is the first");

    // Act
    host.command(&format!("{} hold V{first}", vipd_binary().expect("built").display())).expect("held");

    // Assert
    facts::wait_for_no_address(host, address(first), SOON).expect("given away");
    for other in (1..=3).filter(|n| *n != first) {
        facts::wait_for_address(host, address(other), SOON).expect("it stays");
    }
    agent.process().stop().expect("SIGTERM");
    agent.process().wait_for_whole_end(SOON).expect("it ends");
    let lines = agent.process().lines();
    assert!(lines.iter().all(|line| !line.text.contains("somebody else")), "{lines:#?}");
}

/// `virtual_routes` and `virtual_rules` in their common forms: there with the addresses, gone with them, put back when
/// somebody else removes them.
#[test]
fn routes_and_rules_come_and_go_with_the_addresses() {
    for family in [Family::V4, Family::V6] {
        let lan = Lan::of(family, &[Vipd]).expect("lab");
        let host = &lan.node(0).host;
        let before = Traces::of(host).expect("facts");
        let lines = match family {
            Family::V4 => {
                "virtual_routes {\n10.7.0.0/16 via 192.168.1.50 dev eth0 src 192.168.1.100 metric 7\n\
                 10.8.0.0/16 dev eth0 scope link table 1000 mtu 1400\nblackhole 10.6.0.0/16\n\
                 default via 192.168.1.50 table 100\n10.9.0.0/16 via 172.16.0.1 dev eth0 onlink\n}\n\
                 virtual_rules {\nfrom 192.168.1.100 table 100 priority 700\n\
                 to 10.8.0.0/16 lookup 1000 pref 701\niif eth0 fwmark 7/0xff table 100 pref 702\n\
                 oif eth0 table 100 pref 703\n}"
            }
            Family::V6 => {
                "virtual_routes {\n2001:db8:7::/48 via 2001:db8:1::32 dev eth0 metric 7\n\
                 2001:db8:8::/48 dev eth0 table 1000\nunreachable 2001:db8:6::/48\n\
                 default via 2001:db8:1::32 table 100\n}\n\
                 virtual_rules {\nfrom 2001:db8:1::100 table 100 priority 700\n}"
            }
        };
        let ip = if family == Family::V4 { "-4" } else { "-6" };
        let routes = || {
            let all = listed(host, &format!("{ip} route show table all proto 112"));
            let text = |route: &Value| {
                let kind = route["type"].as_str().filter(|kind| *kind != "unicast").unwrap_or_default();
                let table = route["table"].as_str().unwrap_or("main");
                let gateway = route["gateway"].as_str().unwrap_or("-");
                format!("{kind} {} {gateway} {table}", route["dst"].as_str().unwrap_or_default())
            };
            let mut all: Vec<String> = all.iter().map(text).collect();
            all.sort();
            all
        };
        let rules = || {
            let all = listed(host, &format!("{ip} rule show"));
            all.iter().filter(|rule| (700..800).contains(&rule["priority"].as_u64().unwrap_or(0))).count()
        };
        let (expected, count): (Vec<&str>, usize) = match family {
            Family::V4 => {
                let routes = vec![
                    " 10.7.0.0/16 192.168.1.50 main",
                    " 10.8.0.0/16 - 1000",
                    " 10.9.0.0/16 172.16.0.1 main",
                    " default 192.168.1.50 100",
                    "blackhole 10.6.0.0/16 - main",
                ];
                (routes, 4)
            }
            Family::V6 => {
                let routes = vec![
                    " 2001:db8:7::/48 2001:db8:1::32 main",
                    " 2001:db8:8::/48 - 1000",
                    " default 2001:db8:1::32 100",
                    "unreachable 2001:db8:6::/48 - main",
                ];
                (routes, 1)
            }
        };
        let in_place = || Ok((routes() == expected && rules() == count).then_some(()));
        let wait = |what: &str| {
            facts::wait_until(host, SOON, in_place).unwrap_or_else(|error| {
                panic!("{family:?}, {what}: {error}: {:?}, {} rules", routes(), rules())
            });
        };

        let vipd = start(&lan, &conf(&lan, family, lines));
        wait("at first");

        let removals = match family {
            Family::V4 => ["route del 10.7.0.0/16", "rule del priority 700"],
            Family::V6 => ["-6 route del 2001:db8:7::/48", "-6 rule del priority 700"],
        };
        for removal in removals {
            host.command(&format!("ip {removal}")).expect("ip");
            vipd.process().wait_for_line("it is put back", SOON).expect("said");
            wait(removal);
        }
        if family == Family::V4 {
            // The kernel forgets routes by an interface that goes down, and does not say so; and those from an address that
            // goes away.
            host.command("ip address del 192.168.1.100/24 dev eth0").expect("ip");
            wait("after its address went");
        }

        vipd.process().stop().expect("SIGTERM");
        vipd.process().wait_for_whole_end(SOON).expect("it ends");
        assert_eq!(Traces::of(host).expect("facts"), before, "{family:?}");
    }
}

/// Promise 4 holds for them too.
#[test]
fn a_killed_agent_leaves_no_route_and_no_rule() {
    let lan = Lan::new(&[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    let before = Traces::of(host).expect("facts");
    let lines = "virtual_routes {\nblackhole 10.6.0.0/16\n}\nvirtual_rules {\nfrom 10.6.0.1 table 100\n}";
    let vipd = start(&lan, &conf(&lan, Family::V4, lines));
    facts::wait_until(host, SOON, || Ok(host.command("ip rule show")?.contains("10.6.0.1").then_some(())))
        .expect("they are there");

    vipd.process().kill_alone().expect("SIGKILL");

    vipd.process().wait_for_whole_end(SOON).expect("it ends");
    assert_eq!(Traces::of(host).expect("facts"), before);
}

/// A route like one that is there is not taken over: it would be gone with the addresses.
#[test]
fn a_route_that_was_there_before_stays() {
    let lan = Lan::new(&[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    host.command("ip route add blackhole 10.6.0.0/16").expect("ip");
    let vipd = start(&lan, &conf(&lan, Family::V4, "virtual_routes {\nblackhole 10.6.0.0/16\n}"));

    vipd.process().wait_for_line("there is another one like it", SOON).expect("said");
    vipd.process().stop().expect("SIGTERM");
    vipd.process().wait_for_whole_end(SOON).expect("it ends");

    assert!(host.command("ip route show").expect("ip").contains("blackhole 10.6.0.0/16"));
}

/// `static_ipaddress`, `static_routes`, `static_rules`: there on a Backup too, put back, gone with the agent.
#[test]
fn what_is_static_is_there_while_the_agent_runs() {
    let lan = Lan::new(&[Vipd, Vipd]).expect("lab");
    let host = &lan.node(1).host;
    let master = lan.start(0, &Settings::v3(110)).expect("vipd");
    master.wait_for_state("MASTER").expect("nobody else is there");
    let before = Traces::of(host).expect("facts");
    let statics = "static_ipaddress {\n10.5.0.1/24 dev eth0\n}\nstatic_routes {\n10.6.0.0/16 via 10.5.0.2 dev eth0\n}\n\
                   static_rules {\nfrom 10.6.0.1 table 100 priority 700\n}\n";
    let conf = Settings::v3(100).keepalived(lan.node(1).ip, &[]);
    let conf = conf.with_block(statics);
    let there = || {
        let address = facts::address(host, "10.5.0.1".parse().expect("an address"))?.is_some();
        let route = host.command("ip route show")?.contains("10.6.0.0/16 via 10.5.0.2");
        let rule = host.command("ip rule show")?.contains("from 10.6.0.1 lookup 100");
        Ok((address && route && rule).then_some(()))
    };

    let backup = Agent::Vipd(Datapath::Auto).start(host, &conf).expect("vipd");
    backup.wait_for_state("BACKUP", SOON).expect("it listens");
    facts::wait_until(host, SOON, there).expect("they are there");

    // With its address the kernel removes the route.
    for removal in ["address del 10.5.0.1/24 dev eth0", "rule del priority 700", "route del 10.6.0.0/16"] {
        host.command(&format!("ip {removal}")).expect("ip");
        facts::wait_until(host, SOON, there).unwrap_or_else(|error| panic!("{removal}: {error}"));
    }
    backup.process().stop().expect("SIGTERM");
    backup.process().wait_for_whole_end(SOON).expect("it ends");
    assert_eq!(Traces::of(host).expect("facts"), before);
}

/// `promote_secondaries`: the kernel keeps the other addresses of a network when its first one goes; the parameter is what it
/// was when the agent ends.
#[test]
fn secondaries_are_promoted_while_the_agent_runs() {
    let lan = Lan::new(&[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    host.sysctl("net/ipv4/conf/eth0/promote_secondaries", "0").expect("sysctl");
    let before = Traces::of(host).expect("facts");
    let vipd = start(&lan, &conf(&lan, Family::V4, "promote_secondaries"));
    facts::wait_for_address(host, lan.vip(), SOON).expect("held");

    let promotes = host.read_file("/proc/sys/net/ipv4/conf/eth0/promote_secondaries").expect("sysctl");

    assert_eq!(promotes.trim(), "1");
    vipd.process().kill_alone().expect("SIGKILL");
    vipd.process().wait_for_whole_end(SOON).expect("it ends");
    assert_eq!(Traces::of(host).expect("facts"), before);
}

/// On an interface that comes late, and comes again (`default_interface`).
#[test]
fn what_is_static_follows_its_interface() {
    let lan = Lan::new(&[Vipd]).expect("lab");
    let host = &lan.node(0).host;
    let conf = Settings::v3(110).keepalived(lan.node(0).ip, &[]);
    let conf = conf.with_block(
        "global_defs {\ndefault_interface late0\n}\nstatic_ipaddress {\n10.5.0.1/24\n}\n\
         static_routes {\n10.6.0.0/16 dev late0\n}",
    );
    let vipd = Agent::Vipd(Datapath::Auto).start(host, &conf).expect("vipd");
    vipd.wait_for_state("MASTER", SOON).expect("nobody else is there");

    for _ in 0..2 {
        host.command("ip link add late0 type veth peer name late1").expect("ip");
        host.command("ip link set late0 up").expect("ip");
        host.command("ip link set late1 up").expect("ip");

        facts::wait_for_address(host, "10.5.0.1".parse().expect("an address"), SOON).expect("held");
        facts::wait_until(host, SOON, || {
            Ok(host.command("ip route show")?.contains("10.6.0.0/16 dev late0").then_some(()))
        })
        .expect("the route");
        host.command("ip link delete late0").expect("ip");
    }
    assert_eq!(vipd.status().expect("status")["instances"][0]["state"], "MASTER");
}
