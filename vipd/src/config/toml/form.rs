//! How values of the model look in TOML, where serde's own choice is not what people would write, and what the schema
//! says of them.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use vipd_core::{Interval, Version};

use super::super::model::{
    Account, Command, Deleted, Parameters, Password, Peer, Prefix, Probe, RuleAction, Secret, StaticAddress,
    Tracked, VirtualAddress,
};

/// Seconds, whole where they can be. The number is the one nearest to the decimal digits, which `as_secs_f64` is not.
pub(in super::super) fn seconds<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
    let digits = format!("{}.{:06}", time.as_secs(), time.subsec_micros());
    match digits.parse() {
        Ok(fraction) if time.subsec_nanos() != 0 => to.serialize_f64(fraction),
        _ => to.serialize_u64(time.as_secs()),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives fields by reference")]
pub(in super::super) fn interval<S: Serializer>(interval: &Interval, to: S) -> Result<S::Ok, S::Error> {
    seconds(&interval.as_duration(), to)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives fields by reference")]
pub(in super::super) fn version<S: Serializer>(version: &Version, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u8(match version {
        Version::V2 => 2,
        Version::V3 => 3,
    })
}

/// A password as text that is read back as the same octets. One that was cut within a character gets some character in
/// its place, whose end is cut again.
#[expect(clippy::ref_option, reason = "serde gives fields by reference")]
pub(in super::super) fn password<S: Serializer>(
    password: &Option<Password>,
    to: S,
) -> Result<S::Ok, S::Error> {
    let Some(Password(octets)) = password else { return to.serialize_none() };
    let length = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    let octets = &octets[..length];
    let completions: [&[u8]; 7] =
        [b"", b"\xbf", b"\x80", b"\xbf\xbf", b"\x80\x80", b"\xbf\xbf\xbf", b"\x80\x80\x80"];
    let mut texts = completions.iter().map(|more| [octets, *more].concat());
    let text = texts.find_map(|text| String::from_utf8(text).ok());
    to.serialize_some(&text.unwrap_or_else(|| String::from_utf8_lossy(octets).into_owned()))
}

pub(in super::super) fn reveal<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&secret.0)
}

#[expect(clippy::ref_option, reason = "serde gives fields by reference")]
pub(in super::super) fn reveal_some<S: Serializer>(
    secret: &Option<Secret>,
    to: S,
) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|secret| &secret.0).serialize(to)
}

#[expect(clippy::ref_option, reason = "serde gives fields by reference")]
pub(in super::super) fn fwmark<S: Serializer>(mark: &Option<(u32, u32)>, to: S) -> Result<S::Ok, S::Error> {
    mark.map(|(mark, mask)| format!("{mark:#x}/{mask:#x}")).serialize(to)
}

/// Words of a command: in one text where it is split into the same words again, else in a list.
struct CommandLine<'c>(&'c [String]);

impl Serialize for CommandLine<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let plain = |word: &String| {
            !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "\"'\\".contains(c))
        };
        if self.0.iter().all(plain) { to.serialize_str(&self.0.join(" ")) } else { self.0.serialize(to) }
    }
}

pub(in super::super) fn program<S: Serializer>(program: &str, to: S) -> Result<S::Ok, S::Error> {
    CommandLine(&[program.to_owned()]).serialize(to)
}

impl Serialize for Command {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let line = CommandLine(&self.argv);
        let Some(Account { user, group }) = &self.account else { return line.serialize(to) };
        let mut table = to.serialize_map(None)?;
        table.serialize_entry("command", &line)?;
        account(&mut table, user, group.as_deref())?;
        table.end()
    }
}

fn account<M: SerializeMap>(table: &mut M, user: &str, group: Option<&str>) -> Result<(), M::Error> {
    table.serialize_entry("user", user)?;
    group.map_or(Ok(()), |group| table.serialize_entry("group", group))
}

impl Serialize for Deleted {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fault => to.serialize_bool(false),
            Self::Deleted => to.serialize_bool(true),
            Self::Command(command) => command.serialize(to),
        }
    }
}

impl Serialize for Probe {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut table = to.serialize_map(None)?;
        match self {
            Self::Script(command) => {
                table.serialize_entry("script", &CommandLine(&command.argv))?;
                if let Some(Account { user, group }) = &command.account {
                    account(&mut table, user, group.as_deref())?;
                }
            }
            Self::Tcp(address) => table.serialize_entry("tcp", address)?,
            Self::Http(http) => {
                table.serialize_entry("http", &format!("http://{}{}", http.host, http.path))?;
                if http.status != 200 {
                    table.serialize_entry("status", &http.status)?;
                }
                if let Some(body) = &http.body {
                    table.serialize_entry("body", body)?;
                }
            }
            Self::Process(name) => table.serialize_entry("process", name)?,
            Self::Haproxy { socket, backend } => {
                table.serialize_entry("haproxy", socket)?;
                if let Some(backend) = backend {
                    table.serialize_entry("backend", backend)?;
                }
            }
            Self::Icmp(host) => table.serialize_entry("icmp", host)?,
            Self::Arp { host, interface } => {
                table.serialize_entry("arp", host)?;
                table.serialize_entry("interface", interface)?;
            }
        }
        table.end()
    }
}

impl Serialize for Parameters {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut table = to.serialize_map(None)?;
        let (words, form) = match self {
            Self::Any => return table.end(),
            Self::Exact(words) => (words, "exact"),
            Self::Partial(words) => (words, "partial"),
            Self::Initial(words) => (words, "initial"),
        };
        table.serialize_entry("parameters", words)?;
        table.serialize_entry("param_match", form)?;
        table.end()
    }
}

impl Serialize for Tracked {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut table = to.serialize_map(None)?;
        table.serialize_entry("name", &self.name)?;
        table.serialize_entry("weight", &self.weight.value)?;
        table.serialize_entry("reverse", &self.weight.reverse)?;
        table.end()
    }
}

impl Serialize for VirtualAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let ip = format!("{}/{}", self.ip, self.prefix);
        let Self { dev, label, broadcast, scope, no_track, .. } = self;
        if (dev, label, broadcast, *scope, *no_track) == (&None, &None, &None, 0, false) {
            return to.serialize_str(&ip);
        }
        let mut table = to.serialize_map(None)?;
        table.serialize_entry("ip", &ip)?;
        dev.iter().try_for_each(|dev| table.serialize_entry("dev", dev))?;
        label.iter().try_for_each(|label| table.serialize_entry("label", label))?;
        broadcast.iter().try_for_each(|broadcast| table.serialize_entry("brd", broadcast))?;
        if *scope != 0 {
            table.serialize_entry("scope", scope)?;
        }
        if *no_track {
            table.serialize_entry("no_track", no_track)?;
        }
        table.end()
    }
}

impl Serialize for StaticAddress {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        VirtualAddress { dev: Some(self.dev.clone()), ..self.address.clone() }.serialize(to)
    }
}

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if (self.min_ttl, self.max_ttl) == (255, 255) {
            return self.ip.serialize(to);
        }
        let mut table = to.serialize_map(None)?;
        table.serialize_entry("ip", &self.ip)?;
        table.serialize_entry("min_ttl", &self.min_ttl)?;
        table.serialize_entry("max_ttl", &self.max_ttl)?;
        table.end()
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{}/{}", self.ip, self.len))
    }
}

impl Serialize for RuleAction {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut table = to.serialize_map(None)?;
        match self {
            Self::Table(number) => table.serialize_entry("table", number)?,
            Self::Blackhole => table.serialize_entry("type", "blackhole")?,
            Self::Unreachable => table.serialize_entry("type", "unreachable")?,
            Self::Prohibit => table.serialize_entry("type", "prohibit")?,
        }
        table.end()
    }
}

/// A type whose schema stands here.
macro_rules! schema {
    ($type:ty, $schema:expr) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

/// Seconds.
pub(in super::super) struct Seconds;
schema!(Seconds, json_schema!({ "type": "number", "minimum": 0 }));

/// Words of a command.
pub(in super::super) struct Words;
schema!(Words, words());

fn words() -> Schema {
    json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" }, "minItems": 1 }] })
}

schema!(Command, command());

fn command() -> Schema {
    json_schema!({
        "anyOf": [
            words(),
            {
                "type": "object",
                "properties": {
                    "command": words(),
                    "user": { "type": "string", "description": "Who runs it; `script_user` by default." },
                    "group": { "type": "string", "description": "The group; that of the user by default." }
                },
                "required": ["command"],
                "additionalProperties": false
            }
        ]
    })
}

schema!(Deleted, json_schema!({ "anyOf": [{ "type": "boolean" }, command()] }));

schema!(
    VirtualAddress,
    json_schema!({
        "anyOf": [
            { "type": "string", "description": "Address, and perhaps its prefix length: `192.168.1.100/24`." },
            {
                "type": "object",
                "properties": {
                    "ip": { "type": "string", "description": "Address, and perhaps its prefix length." },
                    "dev": { "type": "string", "description": "Interface that carries it." },
                    "label": { "type": "string", "maxLength": 15, "description": "As `ip address` shows it." },
                    "brd": { "type": "string", "description": "Broadcast address, or + or -." },
                    "scope": { "type": ["string", "integer"], "description": "global, site, link, host, nowhere or a number." },
                    "no_track": { "type": "boolean", "description": "Leave it alone when somebody else removes it." }
                },
                "required": ["ip"],
                "additionalProperties": false
            }
        ]
    })
);

impl JsonSchema for StaticAddress {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "StaticAddress".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        VirtualAddress::json_schema(generator)
    }
}

schema!(
    Peer,
    json_schema!({
        "anyOf": [
            { "type": "string", "description": "Its address." },
            {
                "type": "object",
                "properties": {
                    "ip": { "type": "string", "description": "Its address." },
                    "min_ttl": { "type": "integer", "minimum": 0, "maximum": 255 },
                    "max_ttl": { "type": "integer", "minimum": 0, "maximum": 255 }
                },
                "required": ["ip"],
                "additionalProperties": false
            }
        ]
    })
);

schema!(
    Tracked,
    json_schema!({
        "anyOf": [
            { "type": "string", "description": "Its name." },
            {
                "type": "object",
                "properties": {
                    "name": { "type": "string" },
                    "weight": { "type": "integer", "minimum": -254, "maximum": 254 },
                    "reverse": { "type": "boolean", "description": "Up counts as down and down as up." }
                },
                "required": ["name"],
                "additionalProperties": false
            }
        ]
    })
);

schema!(
    Prefix,
    json_schema!({ "type": "string", "description": "A network such as 10.0.0.0/8, or `default`." })
);

/// What a check does: one of these keys.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(in super::super) struct ProbeKeys {
    /// Run a program; exit code 0 is success.
    script: Option<Words>,
    /// Who runs it; `script_user` by default.
    user: Option<String>,
    /// The group; that of the user by default.
    group: Option<String>,
    /// Open a TCP connection: `127.0.0.1:80`.
    tcp: Option<String>,
    /// Ask an HTTP server: `http://127.0.0.1:80/health`.
    http: Option<String>,
    /// Status that is success; 200 by default.
    status: Option<u16>,
    /// Text that the body must hold.
    body: Option<String>,
    /// At least one process has this name.
    process: Option<String>,
    /// HAProxy's admin socket reports a server as UP.
    haproxy: Option<String>,
    /// Name of the backend whose servers count.
    backend: Option<String>,
    /// The host answers an echo request.
    icmp: Option<String>,
    /// The host answers an ARP request or neighbour solicitation on `interface`.
    arp: Option<String>,
    /// Where `arp` asks.
    interface: Option<String>,
}

/// What the arguments of a process must be.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(in super::super) struct ParameterKeys {
    /// Arguments that are compared.
    parameters: Option<Vec<String>>,
    /// exact, partial (these first) or initial (these first, the last perhaps longer).
    param_match: Option<String>,
}

/// What a rule does: one of these keys.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(in super::super) struct Action {
    /// Look the route up in this table.
    table: Option<u32>,
    /// blackhole, unreachable or prohibit.
    r#type: Option<String>,
}
