//! The JSON schema tells of the same keys as the reader asks for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::{load_str, read, schema};

/// A file with every kind of table in it.
const EVERYTHING: &str = "\
script_user = { user = 'nobody', group = 'daemon' }
virtual_rules = []
[defaults]
[mail]
to = ['a@example.com']
[[garp_group]]
interfaces = ['eth0']
[[check]]
name = 's'
script = { command = '/bin/true' }
user = 'nobody'
[[check]]
name = 'h'
http = 'http://127.0.0.1/'
[[check]]
name = 'p'
haproxy = '/run/haproxy/admin.sock'
[[check]]
name = 'a'
arp = '10.0.0.9'
interface = 'eth0'
[[file]]
name = 'f'
file = '/f'
init_file = {}
[[process]]
name = 'p'
process = 'p'
[[sync_group]]
name = 'G'
members = ['VI_1']
[[fifo]]
path = '/run/f'
user = 'root'
[[webhook]]
url = 'https://example.com/'
[[instance]]
name = 'VI_1'
interface = 'eth0'
virtual_router_id = 51
virtual_ipaddress = [{ ip = '10.0.0.100/24' }]
unicast_peer = [{ ip = '10.0.0.2' }]
virtual_routes = [{ to = '10.1.0.0/16', dev = 'eth0' }]
virtual_rules = [{ from = '10.1.0.0/16', table = 5, priority = 5 }]
fence = { gateway = '10.0.0.9' }
notify = { command = '/bin/n', user = 'nobody' }
track_check = [{ name = 's' }]
";

/// The keys that a schema of a table allows.
fn keys(schema: &Value) -> BTreeSet<&str> {
    let properties = schema["properties"].as_object().expect("a table");
    properties.keys().map(String::as_str).collect()
}

#[test]
fn the_schema_has_the_keys_that_are_read_and_no_others() {
    let text = EVERYTHING.replace("virtual_rules = []\n", "");
    load_str("test.toml", &text).unwrap_or_else(|found| panic!("{}", found.render(false)));
    let asked = read::ASKED.with_borrow(Clone::clone);
    let schema = schema();

    let table_of = |list: &Value| list["anyOf"][1].clone();
    let instance = &schema["$defs"]["Instance"]["properties"];
    for (what, described) in [
        ("the file", schema.clone()),
        ("`defaults`", schema["$defs"]["Defaults"].clone()),
        ("`mail`", schema["$defs"]["Mail"].clone()),
        ("a group of interfaces", schema["$defs"]["GarpGroup"].clone()),
        ("a check", schema["$defs"]["Check"].clone()),
        ("a tracked file", schema["$defs"]["FileTracker"].clone()),
        ("a tracked process", schema["$defs"]["ProcessTracker"].clone()),
        ("a sync group", schema["$defs"]["SyncGroup"].clone()),
        ("a pipe", schema["$defs"]["Fifo"].clone()),
        ("a webhook", schema["$defs"]["Webhook"].clone()),
        ("an instance", schema["$defs"]["Instance"].clone()),
        ("`fence`", schema["$defs"]["Fence"].clone()),
        ("`init_file`", schema["$defs"]["FileInit"].clone()),
        ("a route", schema["$defs"]["Route"].clone()),
        ("a rule", schema["$defs"]["Rule"].clone()),
        ("an account", schema["$defs"]["Account"].clone()),
        ("an address", table_of(&instance["virtual_ipaddress"]["items"])),
        ("a peer", table_of(&instance["unicast_peer"]["items"])),
        ("what is tracked by name", table_of(&instance["track_check"]["items"])),
    ] {
        let asked = asked.get(what).unwrap_or_else(|| panic!("{what} is not in the file"));
        assert_eq!(&keys(&described), asked, "{what}");
    }
}

#[test]
fn the_schema_carries_the_documentation_of_the_model() {
    let schema = schema();

    let described = |value: &Value| value["description"].as_str().unwrap_or_default().to_owned();
    let instance = &schema["$defs"]["Instance"];
    for (key, property) in instance["properties"].as_object().expect("a table") {
        assert!(!described(property).is_empty() || property.get("$ref").is_some(), "{key} is not described");
    }
    assert!(described(&instance["properties"]["unicast_ttl"]).contains("255 by default"));
    assert_eq!(
        instance["required"],
        serde_json::json!(["name", "interface", "virtual_router_id", "virtual_ipaddress"])
    );
    assert_eq!(instance["additionalProperties"], false);
    assert!(!schema.to_string().contains("null"), "TOML has no null");
}
