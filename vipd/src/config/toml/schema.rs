//! The JSON schema of the TOML form: made from the model, whose documentation it carries.

use std::net::IpAddr;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::super::model::{Account, Config, Garp};
use super::form::Seconds;

/// Keys that must be there, by the type that they are keys of.
const REQUIRED: &[(&str, &[&str])] = &[
    ("Config", &["instance"]),
    ("Instance", &["name", "interface", "virtual_router_id", "virtual_ipaddress"]),
    ("SyncGroup", &["name", "members"]),
    ("Check", &["name"]),
    ("FileTracker", &["name", "file"]),
    ("ProcessTracker", &["name", "process"]),
    ("Fifo", &["path"]),
    ("Webhook", &["url"]),
    ("Route", &["to"]),
    ("Account", &["user"]),
];

/// The schema of the TOML form (JSON Schema, draft 2020-12).
#[must_use]
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let more = [
        ("Config", more::<RootKeys>(&mut generator)),
        ("Instance", more::<InstanceKeys>(&mut generator)),
        ("ProcessTracker", more::<ProcessKeys>(&mut generator)),
    ];
    let mut root = generator.into_root_schema_for::<Config>().to_value();
    let mut definitions = root["$defs"].take().as_object().cloned().unwrap_or_default();
    for (name, definition) in definitions.iter_mut().chain([(&"Config".to_owned(), &mut root)]) {
        for (_, keys) in more.iter().filter(|(of, _)| of == name) {
            extend(definition, keys);
        }
        complete(name, definition);
    }
    without_null(&mut root);
    definitions.values_mut().for_each(without_null);
    root["title"] = json!("Configuration of vipd");
    root["$defs"] = Value::Object(definitions);
    root
}

/// The properties of a type that only the schema knows.
fn more<T: JsonSchema>(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let schema: Schema = T::json_schema(generator);
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn extend(definition: &mut Value, keys: &Map<String, Value>) {
    if let Some(properties) = definition["properties"].as_object_mut() {
        properties.extend(keys.clone());
    }
}

/// What the model cannot tell: which keys must be there, and that there are no others.
fn complete(name: &str, definition: &mut Value) {
    let Some(definition) = definition.as_object_mut() else { return };
    if !definition.contains_key("properties") {
        return;
    }
    let required = REQUIRED.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, keys)| keys);
    definition.remove("required");
    if !required.is_empty() {
        definition.insert("required".to_owned(), json!(required));
    }
    definition.insert("additionalProperties".to_owned(), json!(false));
}

/// TOML has no null: what may be left out is left out.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            for key in ["type", "anyOf", "enum"] {
                let Some(choices) = object.get_mut(key).and_then(Value::as_array_mut) else { continue };
                choices.retain(|choice| !choice.is_null() && choice != "null" && choice["type"] != "null");
                if choices.len() == 1 && key == "type" {
                    object[key] = object[key][0].clone();
                }
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(items) => items.iter_mut().for_each(without_null),
        _ => {}
    }
}

/// Keys of the file that leave no trace in the model but in what inherits from them.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct RootKeys {
    /// For instances that do not say otherwise.
    defaults: Option<Defaults>,
    /// Who runs scripts that name nobody.
    script_user: Option<UserOrAccount>,
    /// Carries static addresses that name no interface; eth0 by default.
    default_interface: Option<String>,
    /// Interfaces with announcements of their own pace.
    garp_group: Option<Vec<GarpGroup>>,
}

/// A user, alone or with a group.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum UserOrAccount {
    User(String),
    Account(Account),
}

/// For instances that do not say otherwise.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Defaults {
    /// Version of adverts of IPv4 instances; 2 by default.
    version: Option<u8>,
    /// Refuse what the RFCs leave no room for.
    strict_mode: Option<bool>,
    /// Group of IPv4 instances; 224.0.0.18 by default.
    mcast_group4: Option<IpAddr>,
    /// Group of IPv6 instances; ff02::12 by default.
    mcast_group6: Option<IpAddr>,
    /// One announcement of every address, and no second set, where nothing else is said.
    min_garp: Option<bool>,
    /// Own intervals without an advert after which the Master is down; 3 by default.
    down_timer_adverts: Option<u8>,
    /// As Master, leave an advert of lower priority unanswered.
    lower_prio_no_advert: Option<bool>,
    /// As Master, send one more advert before giving way to a higher priority; on by default.
    higher_prio_send_advert: Option<bool>,
    /// Tell pipes of every change of the effective priority.
    notify_priority_changes: Option<bool>,
    /// Send mail on every change.
    smtp_alert: Option<bool>,
    /// either, message or pseudo.
    checksum: Option<String>,
    /// Keepalived's word for `checksum = "message"`.
    v3_checksum_as_v2: Option<bool>,
    #[schemars(flatten)]
    garp: Garp,
}

/// Interfaces with announcements of their own pace.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used")]
struct GarpGroup {
    /// The interfaces.
    interfaces: Vec<String>,
    /// Least time between two gratuitous ARP, in seconds.
    garp_interval: Option<Seconds>,
    /// Least time between two unsolicited NA, in seconds.
    gna_interval: Option<Seconds>,
}

/// Keys of an instance that stand for others.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct InstanceKeys {
    /// The same as `unicast_src_ip`.
    mcast_src_ip: Option<IpAddr>,
    /// Refuse what the RFCs leave no room for.
    strict_mode: Option<bool>,
    /// Keepalived's word for `checksum = "message"`.
    v3_checksum_as_v2: Option<bool>,
}

/// Keys of a process that stand for others.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct ProcessKeys {
    /// `fork_delay` and `terminate_delay` in one, in seconds.
    delay: Option<Seconds>,
}
