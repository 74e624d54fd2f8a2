//! Nothing depends on the order of instances, addresses, interfaces and lines in the file.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Pair, Tap, facts};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);

/// A virtual router: its name, what stands in its block, and its addresses.
struct Instance {
    name: &'static str,
    lines: [String; 3],
    addresses: Vec<&'static str>,
}

/// Three virtual routers on two interfaces: the first and the last belong to `lb1`, the second to `lb2`.
fn instances(priorities: [u8; 3]) -> Vec<Instance> {
    let instance = |name, interface, vrid, priority, addresses| {
        let lines = [
            format!("interface {interface}"),
            format!("virtual_router_id {vrid}"),
            format!("priority {priority}\nversion 3\nadvert_int 0.2"),
        ];
        Instance { name, lines, addresses }
    };
    vec![
        instance(
            "VI_1",
            "eth0",
            51,
            priorities[0],
            vec!["192.168.1.100/24", "192.168.1.101/24", "192.168.1.99/24"],
        ),
        instance("VI_2", "eth1", 51, priorities[1], vec!["192.168.2.100/24", "192.168.2.101/24 dev eth0"]),
        instance("VI_3", "eth0", 52, priorities[2], vec!["192.168.1.103/24", "192.168.2.103/24 dev eth1"]),
    ]
}

/// The file with its instances in this order; every other time everything inside them is reversed too.
fn file(order: [usize; 3], reversed: bool, priorities: [u8; 3]) -> Conf {
    let instances = instances(priorities);
    let block = |place: usize| {
        let Instance { name, lines, addresses } = &instances[place];
        let mut addresses = addresses.clone();
        let mut parts = vec![lines.join("\n")];
        if reversed {
            addresses.reverse();
            parts = lines.iter().rev().cloned().collect();
        }
        let list = format!("virtual_ipaddress {{\n{}\n}}", addresses.join("\n"));
        parts.insert(if reversed { 0 } else { parts.len() }, list);
        format!("vrrp_instance {name} {{\n{}\n}}\n", parts.join("\n"))
    };
    let text = order.map(block).concat();
    let globals = "global_defs {\nvrrp_garp_master_repeat 2\n}\n";
    Conf::from(if reversed { text + globals } else { globals.to_owned() + &text })
}

/// The virtual addresses on a host, with their interfaces.
fn held(pair: &Pair, of_lb1: bool) -> BTreeSet<(String, String)> {
    let balancer = if of_lb1 { &pair.lb1 } else { &pair.lb2 };
    let addresses = facts::addresses(&balancer.host).expect("ip");
    let is_virtual = |ip: &str| ip.ends_with(".99") || ip.contains(".10") && ip.len() == 13;
    let virtual_ones = addresses.into_iter().map(|address| (address.interface, address.ip.to_string()));
    virtual_ones.filter(|(_, ip)| is_virtual(ip)).collect()
}

fn wait_until_held(pair: &Pair, by_lb1: bool, expected: &BTreeSet<(String, String)>, context: &str) {
    let host = if by_lb1 { &pair.lb1.host } else { &pair.lb2.host };
    facts::wait_until(host, SOON, || Ok((held(pair, by_lb1) == *expected).then_some(())))
        .unwrap_or_else(|error| panic!("{context}: {error}: {:?}", held(pair, by_lb1)));
}

/// Addresses with their interfaces.
fn on(list: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    list.iter().map(|(interface, ip)| ((*interface).to_owned(), (*ip).to_owned())).collect()
}

/// C-PKT-06, C-FSM-15
#[test]
fn every_order_of_the_file_gives_the_same_masters_and_the_same_addresses() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let second = pair.lab.switch("sw2").expect("switch");
    for (balancer, octet) in [(&pair.lb1, 10), (&pair.lb2, 20)] {
        pair.lab.connect(&balancer.host, "eth1", &format!("192.168.2.{octet}/24"), &second).expect("cable");
    }
    let agent = Agent::Vipd(Datapath::Auto);
    let lb2 = pair.lb2.start(agent, &file([0, 1, 2], false, [100; 3])).expect("vipd");
    let of_lb1 = on(&[
        ("eth0", "192.168.1.99"),
        ("eth0", "192.168.1.100"),
        ("eth0", "192.168.1.101"),
        ("eth0", "192.168.1.103"),
        ("eth1", "192.168.2.103"),
    ]);
    let of_lb2 = on(&[("eth1", "192.168.2.100"), ("eth0", "192.168.2.101")]);
    let all = of_lb1.union(&of_lb2).cloned().collect();

    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (order, reversed) in orders.into_iter().zip([false, true].into_iter().cycle()) {
        let context = format!("order {order:?}, reversed {reversed}");
        wait_until_held(&pair, false, &all, &context);

        // Act
        let tap = Tap::open(pair.switch.host()).expect("tap");
        let lb1 = pair.lb1.start(agent, &file(order, reversed, [110, 90, 120])).expect("vipd");

        // Assert
        let advert = tap
            .wait_for(SOON, |frame| {
                frame.advert().filter(|advert| advert.source == pair.lb1.ip && advert.vrid == 51)
            })
            .expect("an advert of the first virtual router");
        let mut listed = ["192.168.1.100", "192.168.1.101", "192.168.1.99"];
        if reversed {
            listed.reverse();
        }
        assert_eq!(advert.addresses, listed.map(|ip| ip.parse::<IpAddr>().expect("an address")), "{context}");
        wait_until_held(&pair, true, &of_lb1, &context);
        wait_until_held(&pair, false, &of_lb2, &context);
        for running in [&lb1, &lb2] {
            let status = running.status().expect("status");
            for instance in status["instances"].as_array().expect("a list") {
                assert_eq!(instance["statistics"]["address-list-errors"], 0, "{context}: {instance:#}");
            }
        }
        lb1.process().stop().expect("SIGTERM");
        lb1.process().wait(SOON).expect("it ends");
    }
}
