//! The frames of `fixtures/vrrp-packets.json`, each with the receiver that its verdict holds for.

use std::net::IpAddr;

use serde_json::{Value, json};
use vipd_common::abi::{Addr, InstanceKey, Rules, Ttl, checksum};
use vipd_common::wire::ipv6::is_link_local;
use vipd_common::wire::{address_digest, from_ip, ipv4, ipv6};

/// The loopback interface: where `BPF_PROG_TEST_RUN` says that its frames come from.
pub(crate) const IFINDEX: u32 = 1;

/// One frame.
pub(crate) struct Frame {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) octets: Vec<u8>,
    pub(crate) accepted: bool,
    /// The counter that must rise.
    pub(crate) counter: Option<String>,
    pub(crate) receiver: Receiver,
}

/// A virtual router.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) key: InstanceKey,
    pub(crate) rules: Rules,
    pub(crate) vips: Vec<Addr>,
    pub(crate) peers: Vec<(Addr, Ttl)>,
}

/// All frames.
pub(crate) fn frames() -> Vec<Frame> {
    let text = include_str!("../../fixtures/vrrp-packets.json");
    let list: Vec<Value> = serde_json::from_str(text).expect("the fixture is a list");
    list.iter().map(Frame::read).collect()
}

/// Those that claim to be adverts.
pub(crate) fn adverts() -> Vec<Frame> {
    frames().into_iter().filter(|frame| frame.kind == "advert").collect()
}

/// One by its name.
pub(crate) fn named(name: &str) -> Frame {
    frames().into_iter().find(|frame| frame.name == name).expect("the fixture has this frame")
}

impl Frame {
    fn read(value: &Value) -> Self {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        let kind = text("kind").expect("kind");
        let rx = match kind.as_str() {
            "advert" => value["rx"].clone(),
            // Announcements are for every neighbour: for us they are claims to the usual addresses.
            announcement => usual(announcement, value["name"].as_str().expect("name")),
        };
        Self {
            name: text("name").expect("name"),
            kind,
            octets: octets(value["hex"].as_str().expect("hex")),
            accepted: value["expect"] == "accept",
            counter: text("counter"),
            receiver: Receiver::read(&rx),
        }
    }
}

/// The virtual router whose address an announcement of the corpus claims.
fn usual(kind: &str, name: &str) -> Value {
    let vlan = if name.ends_with("vlan100") { 100 } else { 0 };
    match kind {
        "garp" | "arp-reply" => {
            json!({ "version": 3, "family": 4, "local": "192.0.2.12", "vips": ["192.0.2.1"], "vlan": vlan })
        }
        _ => json!({
            "version": 3,
            "family": 6,
            "local": "fe80::12",
            "vips": ["fe80::5:1", "2001:db8::1"],
            "vlan": vlan,
        }),
    }
}

impl Receiver {
    fn read(rx: &Value) -> Self {
        let number = |name: &str, default: u64| rx[name].as_u64().unwrap_or(default);
        let small = |name: &str, default| u8::try_from(number(name, default)).expect(name);
        let family = small("family", 4);
        let list = addresses(&rx["vips"]);
        let mut auth_data = [0; 8];
        let password = rx["auth_data"].as_str().unwrap_or_default();
        auth_data[..password.len()].copy_from_slice(password.as_bytes());
        let rules = Rules {
            own: address(&rx["local"]),
            group: if family == 4 { from_ip(ipv4::GROUP.into()) } else { from_ip(ipv6::GROUP.into()) },
            list_digest: list.iter().map(address_digest).fold(0, u64::wrapping_add),
            auth_data,
            interval_cs: u16::try_from(number("interval_ms", 1000) / 10).expect("interval"),
            version: small("version", 2),
            priority: small("priority", 100),
            auth_type: small("auth", 0),
            checksum: match rx["checksum"].as_str() {
                Some("message") => checksum::MESSAGE,
                Some("pseudo") => checksum::PSEUDO,
                _ => checksum::EITHER,
            },
            unicast: u8::from(rx["mode"] == "unicast"),
            local_first: u8::from(is_link_local(&list[0])),
            list_len: u8::try_from(list.len()).expect("list"),
            check_list: u8::from(rx["check_addr_list"] == true),
            alive_from: small("priority", 100),
            down_adverts: 3,
            ..Rules::default()
        };
        let vlan = u16::try_from(number("vlan", 0)).expect("vlan");
        let key = InstanceKey { ifindex: IFINDEX, vlan, family, vrid: small("vrid", 51) };
        let ttl = Ttl { least: small("min_ttl", 255), most: 255 };
        Self {
            key,
            rules,
            vips: list,
            peers: addresses(&rx["peers"]).into_iter().map(|peer| (peer, ttl)).collect(),
        }
    }

    /// The same virtual router on a VLAN.
    pub(crate) fn on_vlan(mut self, vlan: u16) -> Self {
        self.key.vlan = vlan;
        self
    }
}

fn addresses(list: &Value) -> Vec<Addr> {
    list.as_array().map(|list| list.iter().map(address).collect()).unwrap_or_default()
}

fn address(value: &Value) -> Addr {
    let address: IpAddr = value.as_str().expect("text").parse().expect("an address");
    from_ip(address)
}

fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        hex.chars().map(|digit| u8::try_from(digit.to_digit(16).expect("hex")).expect("digit")).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
