//! "Testing Failover", tests 1 to 6, with the guide's own timers: these tests mostly wait, and many can run at once.

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Pair, Tap, facts, services};

use crate::{Lb1, Lb2, SOON, Site, VIPD, expect_the_same, follow, printed, shell};

/// Without weights: a check that is down is FAULT. The guide's weights move nothing beside `nopreempt`.
fn nopreempt_without_weights(conf: Conf) -> Conf {
    conf.nopreempt().replace("weight -20\n", "").replace("weight -30\n", "")
}

/// "With preempt: VIP moves back to LB1"; the timeline of "Preempt Mode".
#[test]
fn test_1_service_failure() {
    let story = |site: &mut Site| {
        site.stop_haproxy();
        site.expect(Lb2, "MASTER");
        site.expect_holder(Lb2);
        site.start_haproxy();
        site.expect(Lb1, "MASTER");
        site.expect_holder(Lb1);
    };
    let lb1 = ["BACKUP", "MASTER", "BACKUP", "MASTER", "STOP"];
    expect_the_same(printed, story, &lb1, &["BACKUP", "MASTER", "BACKUP", "STOP"]);
}

/// "With nopreempt: VIP stays on LB2"; the timeline of "Nopreempt Mode".
#[test]
fn test_1_service_failure_with_nopreempt() {
    let story = |site: &mut Site| {
        site.stop_haproxy();
        site.expect(Lb1, "FAULT");
        site.expect(Lb2, "MASTER");
        site.start_haproxy();
        site.expect(Lb1, "BACKUP");
        expect_adverts_of_lb2_only(site);
    };
    let lb1 = ["BACKUP", "MASTER", "FAULT", "BACKUP", "STOP"];
    expect_the_same(nopreempt_without_weights, story, &lb1, &["BACKUP", "MASTER", "STOP"]);
}

/// What the guide leaves out: with weights and `nopreempt`, as it prints them together, LB2 lets LB1 keep the address. It is
/// so in Keepalived, and `vipd check --peer` says so.
#[test]
fn test_1_service_failure_moves_nothing_where_nopreempt_meets_weights() {
    let story = |site: &mut Site| {
        let tap = Tap::open(site.pair.switch.host()).expect("tap");
        site.stop_haproxy();
        // Both checks are down; more adverts of that priority than a down interval holds.
        let mut lowered = 0;
        while lowered < 5 {
            let advert = site.next_advert(&tap);
            assert_eq!(advert.source, site.pair.lb1.ip, "LB2 is silent");
            lowered += usize::from(advert.priority == 60);
        }
        site.expect_holder(Lb1);
    };
    expect_the_same(Conf::nopreempt, story, &["BACKUP", "MASTER", "STOP"], &["BACKUP", "STOP"]);
}

/// Two down intervals pass in which nobody but LB2 speaks.
fn expect_adverts_of_lb2_only(site: &Site) {
    let tap = Tap::open(site.pair.switch.host()).expect("tap");
    for _ in 0..8 {
        assert_eq!(site.next_advert(&tap).source, site.pair.lb2.ip, "LB1 stays BACKUP");
    }
    site.expect_holder(Lb2);
}

/// The same with nginx on the load balancers, and the guide's script for it.
#[test]
fn test_1_service_failure_of_nginx() {
    for agent in [Agent::Keepalived, VIPD] {
        // Arrange
        let pair = Pair::new().expect("lab");
        let nginx = services::nginx(&pair.lb1.host).expect("nginx");
        let _other = services::nginx(&pair.lb2.host).expect("nginx");
        let for_nginx = |conf: Conf| {
            let conf = conf.replace("chk_haproxy\nchk_http\n", "chk_http\n");
            conf.replace("/etc/keepalived/check_http.sh", "/etc/keepalived/check_nginx.sh")
        };
        let lb1 = pair.lb1.start(agent, &for_nginx(Conf::lb1())).expect("lb1");
        lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
        let lb2 = pair.lb2.start(agent, &for_nginx(Conf::lb2())).expect("lb2");
        lb2.wait_for_state("BACKUP", SOON).expect("it listens");

        // Act, assert
        nginx.kill().expect("it lives");
        lb2.wait_for_state("MASTER", SOON).expect("LB2 takes over");
        pair.wait_for_holder(&pair.lb2, SOON).expect("one holder");
        let _nginx = services::nginx(&pair.lb1.host).expect("nginx");
        lb1.wait_for_state("MASTER", SOON).expect("LB1 returns");
        pair.wait_for_holder(&pair.lb1, SOON).expect("one holder");
    }
}

/// "After LB1 comes back, verify it stays as BACKUP (with nopreempt)".
#[test]
fn test_2_full_server_reboot() {
    let story = |site: &mut Site| {
        let lb1 = &site.pair.lb1;
        lb1.port.link_down().expect("no carrier");
        lb1.host.kill_everything().expect("everything ends");
        site.expect(Lb2, "MASTER");
        // Memory is lost in a reboot, and with it every address that no file names.
        lb1.host.command(&format!("ip address flush to {} dev eth0", Pair::vip())).expect("ip");
        lb1.port.link_up().expect("carrier");
        // Behind BACKUP and MASTER.
        site.logs[0] = follow(&lb1.host, 3);
        site.start_haproxy();
        site.start(Lb1);
        site.expect(Lb1, "BACKUP");
        expect_adverts_of_lb2_only(site);
    };
    let lb1 = ["BACKUP", "MASTER", "BACKUP", "STOP"];
    expect_the_same(nopreempt_without_weights, story, &lb1, &["BACKUP", "MASTER", "STOP"]);
}

/// "Verify LB2 takes over immediately (track_interface)".
#[test]
fn test_3_network_interface_failure() {
    let story = |site: &mut Site| {
        let eth0 = |site: &Site, to: &str| {
            site.pair.lb1.host.command(&format!("ip link set eth0 {to}")).expect("ip");
        };
        eth0(site, "down");
        site.expect(Lb1, "FAULT");
        site.expect(Lb2, "MASTER");
        site.expect_holder(Lb2);
        eth0(site, "up");
        site.expect(Lb1, "MASTER");
        site.expect_holder(Lb1);
    };
    let lb1 = ["BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER", "STOP"];
    expect_the_same(printed, story, &lb1, &["BACKUP", "MASTER", "BACKUP", "STOP"]);
}

/// "VIP should be released immediately": the agent has not ended before it is.
#[test]
fn test_4_keepalived_service_failure() {
    let story = |site: &mut Site| {
        site.stop(Lb1);
        let held = facts::address(&site.pair.lb1.host, Pair::vip()).expect("ip");
        assert_eq!(held, None, "LB1 has released the address");
        site.expect(Lb2, "MASTER");
        site.expect_holder(Lb2);
        site.start(Lb1);
        site.expect(Lb1, "MASTER");
        site.expect_holder(Lb1);
    };
    let lb1 = ["BACKUP", "MASTER", "STOP", "BACKUP", "MASTER", "STOP"];
    expect_the_same(printed, story, &lb1, &["BACKUP", "MASTER", "BACKUP", "STOP"]);
}

/// "The higher-priority node should become MASTER". Which of them is first on the way there is a matter of milliseconds.
#[test]
fn test_5_simultaneous_startup() {
    for agent in [Agent::Keepalived, VIPD] {
        let mut site = Site::open(agent, printed);
        for node in [Lb1, Lb2] {
            site.stop(node);
        }

        for node in [Lb1, Lb2] {
            site.start(node);
        }

        site.expect(Lb1, "MASTER");
        site.expect_holder(Lb1);
        let [lb1, _] = site.finish();
        assert_eq!(lb1, ["BACKUP", "MASTER", "STOP", "BACKUP", "MASTER", "STOP"], "{agent}");
    }
}

/// "How many requests fail (expect 1-3)". The loop is the guide's; the failover is that of its test 4.
#[test]
fn test_6_load_under_failover() {
    // Arrange
    let site = Site::open(VIPD, printed);
    let load = "while true; do\n\
        curl -s -o /dev/null -w \"%{http_code} %{time_total}s\\n\" http://192.168.1.100/health\n\
        sleep 0.1\n\
        done";
    let load = site.pair.client.spawn("bash", &["-c", load]).expect("bash");
    for _ in 0..10 {
        load.wait_for_line("200 ", SOON).expect("served");
    }

    // Act
    site.stop(Lb1);
    site.expect(Lb2, "MASTER");
    site.expect_holder(Lb2);

    // Assert: ten requests that began when LB2 was there are answered.
    load.skip_lines();
    for _ in 0..11 {
        load.wait_for_line("200 ", SOON).expect("served");
    }
    let lines = load.lines();
    let failed: Vec<_> = lines.iter().filter(|line| !line.text.starts_with("200 ")).collect();
    assert!(failed.len() <= 3, "{failed:?}");
}

/// "Quick Status Check Script", and the checklist's "VIP ownership".
#[test]
fn the_guides_quick_status_check_tells_who_holds_the_address() {
    let site = Site::open(VIPD, printed);
    let status = include_str!("../../fixtures/guide/keepalived-status.sh");
    for node in [Lb1, Lb2] {
        site.host(node).write_file("/etc/lab/keepalived-status.sh", status, 0o755).expect("writable");
    }

    let told = [(Lb1, "HELD (this node is MASTER)"), (Lb2, "NOT HELD (this node is BACKUP)")];
    for ((node, holds), last) in told.into_iter().zip(["MASTER", "BACKUP"]) {
        let said = shell(site.host(node), "/etc/lab/keepalived-status.sh");

        assert!(said.lines().any(|line| line == format!("VIP: {holds}")), "{said}");
        assert!(said.contains(&format!("transitioning to {last} for VI_1")), "{said}");
    }
}
