//! Routes and policy rules that come and go with an instance (`virtual_routes`, `virtual_rules`), in the forms of
//! ip-route(8) and ip-rule(8) that are in common use.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::toml::form;
use super::Family;

/// A network: an address with a prefix length. `0.0.0.0/0` and `::/0` are the default route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// The address, host bits cleared.
    pub ip: IpAddr,
    /// 0 to 32, or to 128.
    pub len: u8,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub struct Route {
    /// Where it leads; its family is that of the route.
    pub to: Prefix,
    /// What becomes of packets; `Unicast` by default.
    #[serde(rename = "type")]
    pub kind: RouteKind,
    /// Gateway (`via`, `gw`, `gateway`).
    pub via: Option<IpAddr>,
    /// Interface (`dev`, `oif`).
    pub dev: Option<String>,
    /// Preferred source address of this host's own packets (`src`).
    pub src: Option<IpAddr>,
    /// Scope, the kernel's `RT_SCOPE_` value; the kernel's choice by default.
    pub scope: Option<u8>,
    /// Routing table (`table`), 254 (main) by default.
    pub table: u32,
    /// Priority of the route, least first (`metric`, `priority`, `preference`); the kernel's choice by default.
    pub metric: Option<u32>,
    /// Who put it there (`proto`), the kernel's `RTPROT_` value; the agent's own mark by default.
    #[serde(rename = "proto")]
    pub protocol: Option<u8>,
    /// Path MTU in octets (`mtu`).
    pub mtu: Option<u32>,
    /// The gateway is on the link even if no prefix says so (`onlink`).
    pub onlink: bool,
    /// Leave it alone when somebody else removes it (`no_track`); it is put back by default.
    pub no_track: bool,
}

/// What becomes of packets that a route takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RouteKind {
    /// They are forwarded.
    #[default]
    Unicast,
    /// They vanish.
    Blackhole,
    /// They are answered with "host unreachable".
    Unreachable,
    /// They are answered with "administratively prohibited".
    Prohibit,
    /// The search goes on with the next rule.
    Throw,
}

/// A policy rule.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
pub struct Rule {
    /// Its family.
    pub family: Family,
    /// Source of the packets (`from`); any by default.
    pub from: Option<Prefix>,
    /// Destination of the packets (`to`); any by default.
    pub to: Option<Prefix>,
    /// Interface that they come in by (`iif`, `dev`).
    pub iif: Option<String>,
    /// Interface that they leave by (`oif`).
    pub oif: Option<String>,
    /// Mark and mask (`fwmark`).
    #[serde(serialize_with = "form::fwmark")]
    #[schemars(with = "Option<String>")]
    pub fwmark: Option<(u32, u32)>,
    /// Where in the list of rules, least first (`preference`, `order`, `priority`); the kernel's choice by default.
    pub priority: Option<u32>,
    /// What to do with them.
    #[serde(flatten)]
    #[schemars(with = "form::Action")]
    pub action: RuleAction,
    /// Leave it alone when somebody else removes it (`no_track`); it is put back by default.
    pub no_track: bool,
}

/// What a policy rule does with packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RuleAction {
    /// Look the route up in this table (`table`, `lookup`).
    Table(u32),
    /// Drop them in silence.
    Blackhole,
    /// Answer with "host unreachable".
    Unreachable,
    /// Answer with "administratively prohibited".
    Prohibit,
}
