//! The guide's files mean what they mean to Keepalived (promise 8), and what is not acted on is said.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use vipd_core::{Interval, Version};

use super::super::model::*;
use super::super::{Loaded, host_name, load, load_str, pending};
use super::{only, refused, without_lines};

fn example(name: &str) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    load(&path, &host_name()).unwrap_or_else(|found| panic!("{name} is refused:\n{found}"))
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn vip(text: &str) -> VirtualAddress {
    VirtualAddress {
        ip: ip(text),
        prefix: 24,
        dev: None,
        label: None,
        broadcast: None,
        scope: 0,
        no_track: false,
    }
}

/// What a command line of the guide means; the file says that root runs scripts.
fn command(line: &str) -> Command {
    let account = Some(Account { user: "root".to_owned(), group: None });
    Command { argv: line.split(' ').map(str::to_owned).collect(), account }
}

fn check(name: &str, script: &str, [interval, timeout, rise, fall]: [u32; 4], weight: i16) -> Check {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    Check {
        name: name.to_owned(),
        probe: Probe::Script(command(script)),
        interval: seconds(interval),
        timeout: seconds(timeout),
        rise,
        fall,
        weight: Weight { value: weight, reverse: false },
        init_fail: false,
    }
}

fn tracked(name: &str, weight: i16) -> Tracked {
    Tracked { name: name.to_owned(), weight: Weight { value: weight, reverse: false } }
}

/// The guide's node, as Keepalived understands it.
fn node(router_id: &str, line: usize, priority: u8) -> Config {
    let label = Some("eth0:vip".to_owned());
    let address = VirtualAddress { dev: Some("eth0".to_owned()), label, ..vip("192.168.1.100") };
    let notify = |state: &str| Some(command(&format!("/etc/keepalived/notify.sh {state} VI_1")));
    Config {
        router_id: Some(router_id.to_owned()),
        script_security: true,
        checks: vec![
            check("chk_haproxy", "/usr/bin/killall -0 haproxy", [2, 2, 2, 3], -20),
            check("chk_http", "/etc/keepalived/check_http.sh", [3, 2, 3, 2], -30),
        ],
        instances: vec![Instance {
            line,
            state: if priority == 110 { StartState::Master } else { StartState::Backup },
            priority,
            password: Some(Password(*b"MySecret")),
            addresses: vec![address],
            garp: Garp {
                repeat: 3,
                lower_prio_repeat: 3,
                refresh: Duration::from_mins(1),
                refresh_repeat: 2,
                ..Garp::default()
            },
            track: Trackers {
                checks: vec![tracked("chk_haproxy", -20), tracked("chk_http", -30)],
                ..Trackers::default()
            },
            notify: Notify {
                master: notify("MASTER"),
                backup: notify("BACKUP"),
                fault: notify("FAULT"),
                stop: notify("STOP"),
                mail: true,
                ..Notify::default()
            },
            ..Instance::new("VI_1".to_owned(), "eth0".to_owned(), 51)
        }],
        ..Config::default()
    }
}

/// Line of every warning, and its keyword, which is what the message has in backquotes; the message if it has none.
fn warnings(loaded: &Loaded) -> Vec<(usize, &str)> {
    loaded
        .warnings
        .iter()
        .map(|warning| {
            let line = warning.place.as_ref().expect("a place").line;
            (line, warning.message.split('`').nth(1).unwrap_or(&warning.message))
        })
        .collect()
}

const CUT: &str = "the password is longer than 8 octets; adverts carry only the first 8";

#[test]
fn the_nodes_of_the_guide_give_the_model_that_keepalived_makes_of_them() {
    assert_eq!(example("lb1.conf").config, node("LB1", 29, 110));
    assert_eq!(example("lb2.conf").config, node("LB2", 29, 100));
}

#[test]
fn the_nodes_of_the_guide_give_one_warning_for_each_keyword_that_is_not_acted_on() {
    let is_pending = |keyword: &str| pending::consequence(keyword).is_some();
    let expected = |smtp_alert| {
        let keywords = [
            (4, "enable_script_security"),
            (5, "script_user"),
            (6, "max_auto_priority"),
            (12, "vrrp_script"),
            (37, CUT),
            (42, "track_script"),
            (46, "track_interface"),
            (47, "eth0"),
            (49, "notify_master"),
            (50, "notify_backup"),
            (51, "notify_fault"),
            (52, "notify_stop"),
            (smtp_alert, "smtp_alert"),
        ];
        let always = |keyword: &str| ["max_auto_priority", CUT, "eth0"].contains(&keyword);
        keywords.into_iter().filter(|(_, keyword)| always(keyword) || is_pending(keyword)).collect::<Vec<_>>()
    };

    assert_eq!(warnings(&example("lb1.conf")), expected(54));
    assert_eq!(warnings(&example("lb2.conf")), expected(53));
}

#[test]
fn the_toml_examples_are_the_nodes_of_the_guide_with_adverts_every_10_ms() {
    for (conf, toml) in [("lb1.conf", "lb1.toml"), ("lb2.conf", "lb2.toml")] {
        let mut expected = example(conf).config;
        expected.instances[0].version = Version::V3;
        expected.instances[0].interval = Interval::from_centis(1).expect("not zero");
        expected.instances[0].password = None;

        let loaded = example(toml);

        assert_eq!(without_lines(loaded.config), without_lines(expected), "{toml}");
    }
}

#[test]
fn the_unicast_fragment_names_source_and_peer() {
    for (text, own, peer, priority) in [
        (
            include_str!("../../../../tests/fixtures/guide/unicast_lb1.conf"),
            "192.168.1.10",
            "192.168.1.20",
            110,
        ),
        (
            include_str!("../../../../tests/fixtures/guide/unicast_lb2.conf"),
            "192.168.1.20",
            "192.168.1.10",
            100,
        ),
    ] {
        let loaded = load_str("keepalived.conf", text).expect("accepted");

        let instance = only(&loaded);
        assert_eq!(
            (instance.source, instance.peers[0].ip, instance.peers.len()),
            (Some(ip(own)), ip(peer), 1)
        );
        assert_eq!((instance.priority, instance.preempt), (priority, false));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    }
}

#[test]
fn the_active_active_fragment_lacks_nothing_but_its_interfaces() {
    let fragments = [
        include_str!("../../../../tests/fixtures/guide/active_active_lb1.conf"),
        include_str!("../../../../tests/fixtures/guide/active_active_lb2.conf"),
    ];
    for (text, priorities) in fragments.into_iter().zip([[110, 100], [100, 110]]) {
        let found = refused(text);
        let messages: Vec<&str> = found.iter().map(|error| error.message.as_str()).collect();
        assert_eq!(
            messages,
            ["instance `VI_WEB` has no `interface`", "instance `VI_API` has no `interface`"]
        );

        let complete = text.replace("virtual_router_id", "interface eth0\nvirtual_router_id");
        let loaded = load_str("keepalived.conf", &complete).expect("accepted");

        let parts = |instance: &Instance| (instance.vrid, instance.priority, instance.addresses.clone());
        let instances: Vec<_> = loaded.config.instances.iter().map(parts).collect();
        let web = (51, priorities[0], vec![vip("192.168.1.100")]);
        assert_eq!(instances, [web, (52, priorities[1], vec![vip("192.168.1.101")])]);
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    }
}

#[test]
fn the_nopreempt_fragment_lacks_nothing_but_interface_id_and_address() {
    let fragments = [
        include_str!("../../../../tests/fixtures/guide/nopreempt_lb1.conf"),
        include_str!("../../../../tests/fixtures/guide/nopreempt_lb2.conf"),
    ];
    for (text, priority) in fragments.into_iter().zip([110, 100]) {
        let found = refused(text);
        let messages: Vec<&str> = found.iter().map(|error| error.message.as_str()).collect();
        let expected = [
            "instance `VI_1` has no `interface`",
            "instance `VI_1` has no `virtual_router_id`",
            "instance `VI_1` has no virtual address",
        ];
        assert_eq!(messages, expected);

        let rest =
            "nopreempt\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.168.1.100/24\n}";
        let loaded = load_str("keepalived.conf", &text.replacen("\nnopreempt", &format!("\n{rest}"), 1))
            .expect("accepted");

        assert_eq!((only(&loaded).preempt, only(&loaded).priority), (false, priority));
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    }
}
