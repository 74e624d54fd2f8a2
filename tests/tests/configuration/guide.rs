//! Every configuration that the guide prints, and its template rendered for both nodes, is understood as it is meant.

use std::fs;

use serde_json::json;
use vipd::config::{Account, Config, Instance, Loaded, Probe, Severity, StartState};

use super::{accepted, fixtures, python};

fn printed(name: &str) -> String {
    fs::read_to_string(fixtures("guide").join(name)).expect("a fixture")
}

/// The guide's template as Ansible renders it for a node: Ansible trims the line ends behind blocks.
fn rendered(node: &str) -> String {
    let program = "import json, sys, jinja2\n\
        given = json.load(sys.stdin)\n\
        environment = jinja2.Environment(trim_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)\n\
        sys.stdout.write(environment.from_string(given['template']).render(**given['variables']))\n";
    let facts = |address: &str| json!({ "interface": "eth0", "address": address });
    let hosts = json!({
        "lb1": { "ansible_default_ipv4": facts("192.168.1.10") },
        "lb2": { "ansible_default_ipv4": facts("192.168.1.20") },
    });
    // The playbook's variables, and what Ansible knows of the hosts.
    let variables = json!({
        "vip": "192.168.1.100",
        "vrid": 51,
        "auth_pass": "Jinja2Pa",
        "inventory_hostname": node,
        "groups": { "load_balancers": ["lb1", "lb2"] },
        "hostvars": hosts,
        "ansible_default_ipv4": hosts[node]["ansible_default_ipv4"],
    });
    python(program, &json!({ "template": printed("keepalived.conf.j2"), "variables": variables }).to_string())
}

fn only(loaded: &Loaded) -> &Instance {
    let [instance] = loaded.config.instances.as_slice() else { panic!("{:?}", loaded.config) };
    instance
}

#[test]
fn the_template_rendered_by_jinja2_is_understood_on_both_nodes() {
    for (node, own, peer, priority) in
        [("lb1", "192.168.1.10", "192.168.1.20", 110), ("lb2", "192.168.1.20", "192.168.1.10", 100)]
    {
        let loaded = accepted("keepalived.conf", &rendered(node));

        let instance = only(&loaded);
        assert_eq!(loaded.config.router_id.as_deref(), Some(node));
        assert_eq!((instance.interface.as_str(), instance.vrid, instance.priority), ("eth0", 51, priority));
        assert_eq!((instance.state, instance.preempt), (StartState::Backup, false));
        assert_eq!(instance.password.map(|password| password.0), Some(*b"Jinja2Pa"));
        assert_eq!(instance.source, Some(own.parse().expect("an address")));
        assert_eq!(instance.peers.iter().map(|peer| peer.ip.to_string()).collect::<Vec<_>>(), [peer]);
        assert_eq!(
            (instance.addresses[0].ip.to_string(), instance.addresses[0].prefix),
            ("192.168.1.100".to_owned(), 24)
        );
        let Probe::Script(script) = &loaded.config.checks[0].probe else {
            panic!("{:?}", loaded.config.checks)
        };
        assert_eq!(script.argv, ["/usr/bin/killall", "-0", "haproxy"]);
        assert_eq!(script.account, Some(Account { user: "root".to_owned(), group: None }));
        assert_eq!(instance.notify.fault.as_ref().expect("a command").argv[1..], ["FAULT", "VI_1"]);
        assert!(loaded.config.script_security);
    }
}

/// The pair that the template makes agrees in everything. What it says of weights beside `nopreempt` is not what happens:
/// a Backup that does not preempt lets a Master of lower priority be.
#[test]
fn the_rendered_pair_agrees_and_its_weight_is_told_to_move_nothing() {
    let [mut lb1, mut lb2] = ["lb1", "lb2"].map(|node| accepted(&format!("{node}.conf"), &rendered(node)));

    let (found, failover) = lb1.compare(&mut lb2);

    let [error] = found.iter().as_slice() else { panic!("{found}") };
    assert_eq!(error.severity, Severity::Error);
    assert!(
        error.message.contains("`chk_haproxy` can never cause a failover: lb2 does not preempt"),
        "{error}"
    );
    let outcome = &failover[0].outcomes[1];
    assert_eq!((outcome.priorities, outcome.master.as_deref()), ([Some(90), Some(100)], Some("lb1")));
}

/// One node that is complete but for the `lines` of its instance and the `blocks` before it.
fn node(blocks: &str, lines: &str) -> String {
    let addresses =
        if lines.contains("virtual_ipaddress") { "" } else { "virtual_ipaddress {\n192.168.1.100/24\n}" };
    format!(
        "{blocks}\nvrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\n{addresses}\n{lines}\n}}\n"
    )
}

/// The lines of the only instance of a fragment that the guide prints, and what stands before it.
fn parts(fragment: &str) -> (String, String) {
    let (before, instance) = fragment.split_once("vrrp_instance VI_1 {").expect("an instance");
    let (lines, _) = instance.rsplit_once('}').expect("it is closed");
    (before.to_owned(), lines.to_owned())
}

fn model(name: &str, text: &str) -> Config {
    accepted(name, text).config
}

#[test]
fn one_several_and_addresses_on_several_interfaces_are_as_printed() {
    for (name, expected) in [
        ("single_vip.conf", vec![("192.168.1.100", "eth0", "eth0:vip")]),
        (
            "multi_vip.conf",
            vec![
                ("192.168.1.100", "eth0", "eth0:web"),
                ("192.168.1.101", "eth0", "eth0:api"),
                ("192.168.1.102", "eth0", "eth0:admin"),
            ],
        ),
        (
            "multi_interface.conf",
            vec![("192.168.1.100", "eth0", "eth0:vip"), ("10.0.0.100", "eth1", "eth1:internal")],
        ),
    ] {
        let config = model(name, &node("", &printed(name)));

        let addresses = config.instances[0].addresses.iter();
        let told: Vec<_> = addresses
            .map(|address| (address.ip.to_string(), address.dev.clone(), address.label.clone()))
            .collect();
        let some = |text: &str| Some(text.to_owned());
        let expected: Vec<_> =
            expected.into_iter().map(|(ip, dev, label)| (ip.to_owned(), some(dev), some(label))).collect();
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn checks_and_what_is_tracked_are_as_printed() {
    let (_, scripts) = parts(&printed("track_script.conf"));
    let checks = format!(
        "{}vrrp_script chk_http {{\nscript \"/etc/keepalived/check_http.sh\"\nweight -5\n}}\n",
        printed("process_check.conf")
    );
    let config = model("track_script.conf", &node(&checks, &scripts));
    let weights = |config: &Config| {
        let tracked = config.instances[0].track.checks.iter();
        tracked.map(|tracked| (tracked.name.clone(), tracked.weight.value)).collect::<Vec<_>>()
    };
    assert_eq!(weights(&config), [("chk_haproxy".to_owned(), -20), ("chk_http".to_owned(), -30)]);
    let check = &config.checks[0];
    assert_eq!((check.interval.as_secs(), check.timeout.as_secs(), check.fall, check.rise), (2, 2, 3, 2));

    let (_, interfaces) = parts(&printed("track_interface.conf"));
    let config = model("track_interface.conf", &node("", &interfaces));
    let tracked: Vec<_> = config.instances[0]
        .track
        .interfaces
        .iter()
        .map(|one| (one.name.as_str(), one.weight.value))
        .collect();
    assert_eq!(tracked, [("eth1", -30)], "eth0 is the instance's own, which is FAULT without a word");

    let (file, files) = parts(&printed("track_file.conf"));
    let config = model("track_file.conf", &node(&file, &files));
    assert_eq!(config.files[0].path.to_str(), Some("/etc/keepalived/manual_priority"));
    assert_eq!(config.instances[0].track.files[0].weight.value, -100);

    let config = model("fence.conf", &node(&printed("fence.conf"), "track_script {\nchk_fence\n}"));
    assert_eq!(weights(&config), [("chk_fence".to_owned(), -100)]);
    assert_eq!(
        (config.checks[0].interval.as_secs(), config.checks[0].fall, config.checks[0].rise),
        (5, 2, 3)
    );
}

#[test]
fn the_pairs_of_the_guide_agree_with_each_other() {
    let rest = "nopreempt\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {\n192.168.1.100/24\n}";
    // What the fragments leave out.
    for (name, lacking, complete) in [
        ("", "", ""),
        ("active_active_", "virtual_router_id", "interface eth0\nvirtual_router_id"),
        ("unicast_", "", ""),
        ("nopreempt_", "nopreempt\npriority", &format!("{rest}\npriority")),
    ] {
        let load = |node: &str| {
            let file = format!("{name}{node}.conf");
            accepted(&file, &printed(&file).replace(lacking, complete))
        };
        let (mut lb1, mut lb2) = (load("lb1"), load("lb2"));

        let (found, failover) = lb1.compare(&mut lb2);

        assert!(found.is_empty(), "{name}: {found}");
        // Each instance has a Master while all is well, and it is the one with the higher priority.
        for (table, instance) in failover.iter().zip(&lb1.config.instances) {
            let first = usize::from(instance.priority < 110);
            assert_eq!(table.outcomes[0].master.as_ref(), Some(&table.nodes[first]), "{name}: {table:?}");
        }
    }
}
