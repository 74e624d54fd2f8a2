//! The guide's own check scripts, byte for byte, beside the programs that they look at.

use vipd_tests::guide::Conf;
use vipd_tests::{Balancer, Pair, Running, Settings, services, start_talkative_vipd};

use super::{SOON, VIPD, conf, wait_for_priority};

/// A `vrrp_script` block for one of the guide's scripts, which take their time on a loaded machine.
fn guides(name: &str, weight: i16) -> String {
    format!(
        "vrrp_script {name} {{\nscript \"/etc/keepalived/{name}.sh\"\ninterval 0.3\ntimeout 20\nweight {weight}\n}}\n"
    )
}

fn start(node: &Balancer, blocks: &str, tracked: &str) -> Running {
    let lines = format!("track_script {{\n{tracked}\n}}");
    let node = node.start(VIPD, &conf(Settings::v3(100), blocks, &lines)).expect("vipd");
    // Whichever is first.
    for _ in tracked.lines() {
        node.process().wait_for_line(" succeeded", SOON).expect("it succeeds");
    }
    node
}

#[test]
fn check_http_and_check_haproxy_backends_tell_whether_haproxy_serves() {
    let pair = Pair::new().expect("lab");
    let mut services = pair.start_services().expect("nginx and haproxy");
    let blocks = guides("check_http", -10) + &guides("check_haproxy_backends", -20);
    let node = start(&pair.lb1, &blocks, "check_http\ncheck_haproxy_backends");

    services.lb1.kill().expect("it lives");
    wait_for_priority(&node, 70);
    services.lb1 = services::haproxy(&pair.lb1.host, &services.servers).expect("haproxy");
    wait_for_priority(&node, 100);

    // HAProxy lives, and has nobody to send requests to.
    services.stop_applications().expect("they live");
    wait_for_priority(&node, 70);
}

#[test]
fn check_nginx_tells_whether_nginx_serves() {
    let pair = Pair::new().expect("lab");
    let nginx = services::nginx(&pair.lb1.host).expect("nginx");
    let node = start(&pair.lb1, &guides("check_nginx", -10), "check_nginx");

    nginx.kill().expect("it lives");
    wait_for_priority(&node, 90);

    let _nginx = services::nginx(&pair.lb1.host).expect("nginx");
    wait_for_priority(&node, 100);
}

/// Two of gateway, peer and name server are enough; without gateway and name server it fails, whatever the peer does.
#[test]
fn check_fence_tells_whether_this_node_is_isolated() {
    let pair = Pair::new().expect("lab");
    let gateway = pair.lab.host("gateway").expect("host");
    let port = pair.lab.connect(&gateway, "eth0", "192.168.1.1/24", &pair.switch).expect("cable");
    gateway.command("ip address add 8.8.8.8/32 dev lo").expect("ip");
    pair.lb1.host.command("ip route add default via 192.168.1.1").expect("ip");
    let node = start(&pair.lb1, &guides("check_fence", -50), "check_fence");

    // The peer alone is gone: two of three.
    pair.lb2.port.cut().expect("cut");
    // Now gateway and name server too.
    port.cut().expect("cut");
    wait_for_priority(&node, 50);

    port.heal().expect("heal");
    wait_for_priority(&node, 100);
}

/// The guide's "Failover Timeline": HAProxy dies on LB1, which is asked every two seconds; the third failure moves the
/// address, and neither the first nor the second does.
#[test]
fn killall_at_interval_2_and_fall_3_moves_the_address_after_the_third_failure() {
    let pair = Pair::new().expect("lab");
    let services = pair.start_services().expect("nginx and haproxy");
    let only_killall = |conf: Conf| conf.replace("chk_haproxy\nchk_http\n", "chk_haproxy\n");
    let lb1 = start_talkative_vipd(&pair.lb1.host, &only_killall(Conf::lb1())).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(VIPD, &only_killall(Conf::lb2())).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");

    services.lb1.kill().expect("it lives");

    let awaited =
        ["exit code 1; 2 more make it down", "exit code 1; 1 more make it down", "check chk_haproxy failed"];
    let told = awaited.map(|line| lb1.process().wait_for_line(line, SOON).expect("it is told").at);
    let lowered =
        lb1.process().wait_for_line("from 110 to 90: chk_haproxy failed", SOON).expect("it is told").at;
    assert!(told[0] < told[1] && told[1] < told[2] && told[2] <= lowered);
    let master = lb2.wait_for_state("MASTER", SOON).expect("LB2 takes over");
    assert!(master.at > told[2]);
    pair.wait_for_holder(&pair.lb2, SOON).expect("lb2 alone holds the address");
}
