//! The guide's files mean what they mean to Keepalived (promise 8), and what is not acted on is said.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use vipd_core::{Interval, Version};

use super::super::{Config, Datapath, Garp, Instance, Loaded, Password, VirtualAddress, load, load_str};
use super::{only, refused};

fn example(name: &str) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    load(&path).unwrap_or_else(|found| panic!("{name} is refused:\n{found}"))
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

/// The guide's node, as Keepalived understands it.
fn node(router_id: &str, line: usize, priority: u8) -> Config {
    let label = Some("eth0:vip".to_owned());
    let address = VirtualAddress { dev: Some("eth0".to_owned()), label, ..vip("192.168.1.100") };
    Config {
        router_id: Some(router_id.to_owned()),
        datapath: Datapath::Auto,
        instances: vec![Instance {
            line,
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
    let expected = |smtp_alert| {
        [
            (4, "enable_script_security"),
            (5, "script_user"),
            (6, "max_auto_priority"),
            (12, "vrrp_script"),
            (37, CUT),
            (42, "track_script"),
            (46, "track_interface"),
            (49, "notify_master"),
            (50, "notify_backup"),
            (51, "notify_fault"),
            (52, "notify_stop"),
            (smtp_alert, "smtp_alert"),
        ]
    };

    assert_eq!(warnings(&example("lb1.conf")), expected(54));
    assert_eq!(warnings(&example("lb2.conf")), expected(53));
}

#[test]
fn the_toml_examples_are_the_nodes_of_the_guide_with_adverts_every_10_ms() {
    for (name, router_id, priority) in [("lb1.toml", "LB1", 110), ("lb2.toml", "LB2", 100)] {
        let mut expected = node(router_id, 5, priority);
        expected.instances[0].version = Version::V3;
        expected.instances[0].interval = Interval::from_centis(1).expect("not zero");
        expected.instances[0].password = None;

        let loaded = example(name);

        assert_eq!(loaded.config, expected, "{name}");
        assert!(loaded.warnings.is_empty(), "{name}: {}", loaded.warnings);
    }
}

#[test]
fn the_unicast_fragment_names_source_and_peer() {
    for (text, own, peer, priority) in [
        (include_str!("data/unicast_lb1.conf"), "192.168.1.10", "192.168.1.20", 110),
        (include_str!("data/unicast_lb2.conf"), "192.168.1.20", "192.168.1.10", 100),
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
fn the_rendered_template_is_understood() {
    let text = include_str!("data/rendered_template.conf");

    let loaded = load_str("keepalived.conf", text).expect("accepted");

    let instance = only(&loaded);
    assert_eq!(loaded.config.router_id.as_deref(), Some("lb1"));
    assert_eq!((instance.interface.as_str(), instance.vrid, instance.priority), ("eth0", 51, 110));
    assert_eq!((instance.preempt, instance.password), (false, Some(Password(*b"Jinja2Pa"))));
    assert_eq!(
        (instance.source, instance.peers[0].ip, instance.peers.len()),
        (Some(ip("192.168.1.10")), ip("192.168.1.20"), 1)
    );
    assert_eq!(instance.addresses, [vip("192.168.1.100")]);
    let keywords = ["enable_script_security", "script_user", "vrrp_script", CUT, "track_script"];
    let notify = ["notify_master", "notify_backup", "notify_fault"];
    let warned: Vec<&str> = warnings(&loaded).into_iter().map(|(_, keyword)| keyword).collect();
    assert_eq!(warned, [keywords.as_slice(), notify.as_slice()].concat());
}

#[test]
fn the_active_active_fragment_lacks_nothing_but_its_interfaces() {
    let fragments =
        [include_str!("data/active_active_lb1.conf"), include_str!("data/active_active_lb2.conf")];
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
    let fragments = [include_str!("data/nopreempt_lb1.conf"), include_str!("data/nopreempt_lb2.conf")];
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
