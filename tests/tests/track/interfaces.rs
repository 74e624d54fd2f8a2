//! Interfaces and addresses that come late, go, and come again: the node waits in FAULT, says for what, and goes on by itself.

use vipd_tests::{Agent, Datapath, Host, Pair, Settings, facts};

use super::{SOON, VIPD, conf};

/// Another network of `lb1`, made while an agent runs.
fn make(host: &Host) {
    for command in [
        "ip link add eth1 type veth peer name peer1",
        "ip address add 10.0.0.1/24 dev eth1",
        "ip link set peer1 up",
        "ip link set eth1 up",
    ] {
        host.command(command).expect("ip");
    }
}

fn settings() -> Settings {
    Settings::v3(100).line("interface eth1")
}

/// Late at boot, deleted and made again, renamed and named back; by XDP and by packet socket.
#[test]
fn an_interface_that_comes_late_goes_or_is_renamed_is_picked_up() {
    for datapath in [Datapath::Auto, Datapath::Socket] {
        // Arrange: the configuration names an interface that is not there.
        let pair = Pair::new().expect("lab");
        let host = &pair.lb1.host;
        let conf = conf(settings(), "", "").replace("interface eth0\n", "");

        // Act, assert
        let node = pair.lb1.start(Agent::Vipd(datapath), &conf).expect("vipd");
        let fault = node.wait_for_state("FAULT", SOON).expect("there is no eth1");
        assert!(fault.text.ends_with("interface eth1 does not exist (yet)"), "{}", fault.text);
        make(host);
        node.wait_for_state("MASTER", SOON).expect("eth1 has come");
        let held = facts::wait_for_address(host, Pair::vip(), SOON).expect("the master holds the address");
        assert_eq!(held.interface, "eth1");
        let attached = &node.status().expect("status")["interfaces"][0];
        assert_eq!(attached["name"], "eth1");
        assert_eq!(attached["datapath"] == "socket", datapath == Datapath::Socket, "{attached}");

        host.command("ip link del eth1").expect("ip");
        let fault = node.wait_for_state("FAULT", SOON).expect("eth1 has gone");
        assert!(fault.text.ends_with("interface eth1 does not exist (yet)"), "{}", fault.text);
        make(host);
        node.wait_for_state("MASTER", SOON).expect("eth1 has come again");
        facts::wait_for_address(host, Pair::vip(), SOON).expect("the master holds the address");

        host.command("ip link set eth1 down").expect("ip");
        let fault = node.wait_for_state("FAULT", SOON).expect("eth1 is down");
        assert!(fault.text.ends_with("interface eth1 is down"), "{}", fault.text);
        host.command("ip link set eth1 name other").expect("ip");
        host.command("ip link set other up").expect("ip");
        facts::wait_for_no_address(host, Pair::vip(), SOON)
            .expect("nothing is left on the renamed interface");
        host.command("ip link set other down").expect("ip");
        host.command("ip link set other name eth1").expect("ip");
        host.command("ip link set eth1 up").expect("ip");
        node.wait_for_state("MASTER", SOON).expect("eth1 is back");
        facts::wait_for_address(host, Pair::vip(), SOON).expect("the master holds the address");
        assert!(node.process().is_running());
    }
}

/// `track_src_ip`: FAULT while no interface carries the source of its adverts.
#[test]
fn track_src_ip_waits_for_the_source_address() {
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let conf = conf(Settings::v3(100), "", "mcast_src_ip 192.168.1.77\ntrack_src_ip");

    let node = pair.lb1.start(VIPD, &conf).expect("vipd");

    let fault = node.wait_for_state("FAULT", SOON).expect("nobody has the source");
    assert!(
        fault.text.ends_with("no interface carries 192.168.1.77, the source of its adverts"),
        "{}",
        fault.text
    );
    host.command("ip address add 192.168.1.77/24 dev eth0").expect("ip");
    node.wait_for_state("MASTER", SOON).expect("the source is there");
    host.command("ip address del 192.168.1.77/24 dev eth0").expect("ip");
    node.wait_for_state("FAULT", SOON).expect("the source is gone");
    // Whichever interface it is on.
    host.command("ip address add 192.168.1.77/32 dev lo").expect("ip");
    node.wait_for_state("MASTER", SOON).expect("the source is there");
}

/// Loss of carrier on an interface that is only tracked, at once.
#[test]
fn track_interface_is_fault_at_once_when_the_cable_is_pulled() {
    let pair = Pair::new().expect("lab");
    let port = pair.lab.connect(&pair.lb1.host, "eth1", "10.0.0.1/24", &pair.switch).expect("cable");
    let conf = conf(Settings::v3(100), "", "track_interface {\neth1\n}");
    let node = pair.lb1.start(VIPD, &conf).expect("vipd");
    node.wait_for_state("MASTER", SOON).expect("nobody else is there");

    port.link_down().expect("cable pulled");

    let fault = node.wait_for_state("FAULT", SOON).expect("fault");
    assert!(fault.text.ends_with("interface eth1 is down"), "{}", fault.text);
    port.link_up().expect("cable back");
    node.wait_for_state("MASTER", SOON).expect("it goes on");
}
