//! The TOML form, from the parsed document to the draft. What it does not know it refuses: unlike keepalived.conf, a
//! TOML file is written for vipd.

use std::borrow::Cow;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::diagnostic::Findings;
use super::draft::{Draft, InstanceDraft, Language, List, set_option};
use super::keywords::{self, Scope};
use super::model::VirtualAddress;
use super::source::{At, Span};
use super::suggest;
use super::values::{self, Checked, Refusal, quoted};

type Value<'a> = Spanned<DeValue<'a>>;
type Key<'a> = Spanned<Cow<'a, str>>;

const ROOT_KEYS: &[&str] = &["router_id", "datapath", "instance"];
const INSTANCE_KEYS: &[&str] = &[
    "name",
    "interface",
    "virtual_router_id",
    "version",
    "priority",
    "advert_int",
    "preempt",
    "preempt_delay",
    "auth_pass",
    "checksum",
    "virtual_ipaddress",
    "unicast_src_ip",
    "mcast_src_ip",
    "unicast_peer",
    "garp_master_delay",
    "garp_master_repeat",
    "garp_master_refresh",
    "garp_master_refresh_repeat",
];
const ADDRESS_KEYS: &[&str] = &["ip", "dev", "label", "brd", "scope"];
/// Keys of an instance whose value is text; those that [`InstanceDraft::set`] takes besides are numbers.
const TEXT_KEYS: &[&str] = &["interface", "unicast_src_ip", "mcast_src_ip", "auth_pass"];

/// Reads the text of `findings`. `None` where it is not TOML, which is reported.
pub(super) fn read(findings: &mut Findings<'_>) -> Option<Draft> {
    let text = findings.source.text();
    if let Some((at, sign)) = text.match_indices(char::REPLACEMENT_CHARACTER).next() {
        findings.error((at..at + sign.len()).into(), "this is not UTF-8 text", "save the file as UTF-8");
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or_default().into();
        findings.error(
            span,
            format!("this is not TOML: {}", error.message()),
            "correct it as toml.io describes",
        );
    }
    if !errors.is_empty() {
        return None;
    }
    let mut reader = Reader { findings };
    let mut draft = Draft::new(Language::Toml);
    for (key, value) in table.get_ref() {
        reader.root(key, value, &mut draft);
    }
    Some(draft)
}

struct Reader<'f, 'a> {
    findings: &'f mut Findings<'a>,
}

impl Reader<'_, '_> {
    fn root(&mut self, key: &Key<'_>, value: &Value<'_>, draft: &mut Draft) {
        let span = span(value);
        let keyword = key.get_ref().as_ref();
        match keyword {
            "router_id" => {
                draft.router_id.set(
                    keyword,
                    span,
                    text(keyword, value).and_then(values::name),
                    self.findings,
                );
            }
            "datapath" => {
                let datapath = text(keyword, value).and_then(values::datapath);
                draft.datapath.set(keyword, span, datapath, self.findings);
            }
            "instance" => {
                if let DeValue::Array(tables) = value.get_ref() {
                    draft.instances.extend(tables.iter().map(|table| self.instance(table)));
                } else {
                    draft.instances.push(InstanceDraft::refused(span));
                    self.findings.error(
                        span,
                        "`instance` is a list",
                        "write `[[instance]]` above each instance",
                    );
                }
            }
            _ => self.unknown(key, "a key of the file", ROOT_KEYS, Scope::Global),
        }
    }

    fn instance(&mut self, value: &Value<'_>) -> InstanceDraft {
        let span = span(value);
        let DeValue::Table(table) = value.get_ref() else {
            self.findings.error(span, "an instance is a table", "write `[[instance]]` above each instance");
            return InstanceDraft::refused(span);
        };
        let mut draft = InstanceDraft { span, ..InstanceDraft::default() };
        for (key, value) in table {
            self.instance_key(key, value, &mut draft);
        }
        draft
    }

    fn instance_key(&mut self, key: &Key<'_>, value: &Value<'_>, draft: &mut InstanceDraft) {
        let span = span(value);
        let keyword = key.get_ref().as_ref();
        match keyword {
            "name" => {
                draft.name.set(keyword, span, text(keyword, value).and_then(values::name), self.findings);
            }
            "checksum" => {
                let checksum = text(keyword, value).and_then(values::checksum);
                draft.checksum.set(keyword, span, checksum, self.findings);
            }
            "preempt" => {
                let preempt = match value.get_ref() {
                    DeValue::Boolean(preempt) => Ok(*preempt),
                    _ => Err(Refusal::new(
                        "`preempt` is either true or false",
                        "write one of them, without quotes",
                    )),
                };
                draft.preempt.set(keyword, span, preempt, self.findings);
            }
            "virtual_ipaddress" => {
                for address in self.list(keyword, value, &mut draft.addresses) {
                    self.address(address, &mut draft.addresses);
                }
            }
            "unicast_peer" => {
                for peer in self.list(keyword, value, &mut draft.peers) {
                    let host = text("a peer", peer).and_then(values::host);
                    draft.peers.push(self::span(peer), host, self.findings);
                }
            }
            _ => {
                let given = if TEXT_KEYS.contains(&keyword) {
                    text(keyword, value).map(Cow::Borrowed)
                } else {
                    number(keyword, value)
                };
                let given = At { value: given.as_deref().map_err(Clone::clone), span };
                if !draft.set(keyword, &given, self.findings) {
                    self.unknown(key, "a key of an instance", INSTANCE_KEYS, Scope::Instance);
                }
            }
        }
    }

    /// The items of a list of addresses.
    fn list<'v, 'a, T>(
        &mut self,
        keyword: &str,
        value: &'v Value<'a>,
        list: &mut List<T>,
    ) -> &'v [Value<'a>] {
        let span = span(value);
        list.given = Some(span);
        if let DeValue::Array(items) = value.get_ref() {
            return items;
        }
        let help = format!("write {}", Language::Toml.list(keyword, "192.168.1.100"));
        list.push(span, Err(Refusal::new(format!("`{keyword}` is a list"), help)), self.findings);
        &[]
    }

    /// An address alone, or a table that says more of it.
    fn address(&mut self, value: &Value<'_>, list: &mut List<VirtualAddress>) {
        let plain = |(ip, prefix)| VirtualAddress {
            ip,
            prefix,
            dev: None,
            label: None,
            broadcast: None,
            scope: 0,
            no_track: false,
        };
        let DeValue::Table(table) = value.get_ref() else {
            let address = text("an address", value).and_then(values::virtual_address).map(plain);
            return list.push(span(value), address, self.findings);
        };
        let Some(ip) = table.get("ip") else {
            let refusal =
                Refusal::new("this address has no `ip`", "add `ip = \"192.168.1.100/24\"`, with your own");
            return list.push(span(value), Err(refusal), self.findings);
        };
        let mut address = match text("ip", ip).and_then(values::virtual_address) {
            Ok(address) => plain(address),
            Err(refusal) => return list.push(span(ip), Err(refusal), self.findings),
        };
        for (key, value) in table.iter().filter(|(key, _)| key.get_ref() != "ip") {
            let keyword = key.get_ref().as_ref();
            let given = match value.get_ref() {
                DeValue::Integer(_) if keyword == "scope" => number(keyword, value),
                _ => text(keyword, value).map(Cow::Borrowed),
            };
            match set_option(&mut address, keyword, given.as_deref().map_err(Clone::clone)) {
                Some(Ok(())) => {}
                Some(Err(refusal)) => list.push(span(value), Err(refusal), self.findings),
                None => self.unknown(key, "a key of an address", ADDRESS_KEYS, Scope::Address),
            }
        }
        list.push(span(ip), Ok(address), self.findings);
    }

    fn unknown(&mut self, key: &Key<'_>, what: &str, known: &[&'static str], scope: Scope) {
        let keyword = key.get_ref().as_ref();
        let help = if keyword == "state" {
            "remove it: the priorities decide which node is master".to_owned()
        } else if let Some(consequence) = keywords::consequence(scope, keyword) {
            format!("remove it: vipd does not act on it yet ({consequence})")
        } else if let Some(nearest) = suggest::nearest(keyword, known.iter().copied()) {
            format!("did you mean `{nearest}`?")
        } else {
            format!("remove it; what can stand here is {}", known.join(", "))
        };
        let span = Span::from(key.span());
        self.findings.error(span, format!("{} is not {what}", quoted(keyword)), help);
    }
}

fn span(value: &Value<'_>) -> Span {
    value.span().into()
}

/// The text that a value holds.
fn text<'v>(keyword: &str, value: &'v Value<'_>) -> Checked<&'v str> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text.as_ref()),
        _ => Err(Refusal::new(format!("{} is text", quoted(keyword)), "write it in double quotes")),
    }
}

/// The number that a value holds, as plain decimal digits where it can be written so.
fn number<'v>(keyword: &str, value: &'v Value<'_>) -> Checked<Cow<'v, str>> {
    let digits = match value.get_ref() {
        DeValue::Integer(number) if number.radix() != 10 => return Ok(decimal(number)),
        DeValue::Integer(number) => number.as_str(),
        DeValue::Float(number) => number.as_str(),
        _ => {
            let message = format!("{} is a number", quoted(keyword));
            return Err(Refusal::new(message, "write it in decimal digits, without quotes"));
        }
    };
    Ok(Cow::Borrowed(digits.strip_prefix('+').unwrap_or(digits)))
}

/// A number in another base than ten, in decimal digits; as it stands where it is too large to be any value of ours.
fn decimal<'v>(number: &'v DeInteger<'_>) -> Cow<'v, str> {
    let decimal = u64::from_str_radix(number.as_str(), number.radix()).map(|number| number.to_string());
    decimal.map_or(Cow::Borrowed(number.as_str()), Cow::Owned)
}
