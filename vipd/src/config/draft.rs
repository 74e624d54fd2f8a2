//! A configuration whose single values have been checked and keep their places, before it is judged as a whole. Both
//! languages are read into it.

use std::net::IpAddr;
use std::time::Duration;

use vipd_core::Version;

use super::diagnostic::Findings;
use super::model::{Checksum, Datapath, Password, VirtualAddress};
use super::source::{At, Span};
use super::values::{self, Checked, StartState};

/// The text that a file gives for a keyword, or why there is none, and where it stands.
pub(super) type Text<'a> = At<Checked<&'a str>>;

/// What a file says for one keyword.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Given<T> {
    /// Nothing.
    #[default]
    Missing,
    /// Something that was refused, which has been reported.
    Refused,
    /// A value.
    Value(At<T>),
}

impl<T> Given<T> {
    /// Takes a value, or reports why it is refused. Given twice, the last one counts, as in Keepalived.
    pub(super) fn set(&mut self, keyword: &str, span: Span, value: Checked<T>, findings: &mut Findings<'_>) {
        if let Self::Value(first) = self {
            let message = format!("`{keyword}` is given again; only the last one counts");
            let line = findings.source.line(first.span.start);
            findings.warn(span, message, format!("remove one of the two; the first is on line {line}"));
        }
        *self = match value {
            Ok(value) => Self::Value(At { value, span }),
            Err(refusal) => {
                findings.refuse(span, refusal);
                Self::Refused
            }
        };
    }

    /// The value, if there is one.
    pub(super) fn get(&self) -> Option<&At<T>> {
        match self {
            Self::Value(value) => Some(value),
            Self::Missing | Self::Refused => None,
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

impl<T: Copy> Given<T> {
    /// The value, `default` where there is none.
    pub(super) fn or(&self, default: T) -> T {
        self.get().map_or(default, |given| given.value)
    }
}

/// Which language a file is written in: remedies show its spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Keepalived,
    Toml,
}

impl Language {
    /// How `keyword` is given `value`, in backquotes.
    pub(super) fn setting(self, keyword: &str, value: &str) -> String {
        match self {
            Self::Keepalived => format!("`{keyword} {value}`"),
            Self::Toml if value.parse::<f64>().is_ok() => format!("`{keyword} = {value}`"),
            Self::Toml => format!("`{keyword} = \"{value}\"`"),
        }
    }

    /// How a list of addresses is written, in backquotes.
    pub(super) fn list(self, keyword: &str, value: &str) -> String {
        match self {
            Self::Keepalived => format!("`{keyword} {{ {value} }}`"),
            Self::Toml => format!("`{keyword} = [\"{value}\"]`"),
        }
    }
}

/// A whole file.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) language: Language,
    pub(super) router_id: Given<String>,
    pub(super) datapath: Given<Datapath>,
    /// For instances that give none.
    pub(super) version: Given<Version>,
    /// For instances that give none.
    pub(super) garp: GarpDraft,
    pub(super) instances: Vec<InstanceDraft>,
}

impl Draft {
    pub(super) fn new(language: Language) -> Self {
        Self {
            language,
            router_id: Given::Missing,
            datapath: Given::Missing,
            version: Given::Missing,
            garp: GarpDraft::default(),
            instances: Vec::new(),
        }
    }
}

/// When addresses are announced.
#[derive(Debug, Default)]
pub(super) struct GarpDraft {
    pub(super) delay: Given<Duration>,
    pub(super) repeat: Given<u8>,
    pub(super) refresh: Given<Duration>,
    pub(super) refresh_repeat: Given<u8>,
}

impl GarpDraft {
    /// Takes the value of a `garp_master_` keyword, with or without `vrrp_` before it; `false` where `keyword` is none.
    pub(super) fn set(&mut self, keyword: &str, text: &Text<'_>, findings: &mut Findings<'_>) -> bool {
        let At { value, span } = text.clone();
        match keyword.strip_prefix("vrrp_").unwrap_or(keyword) {
            "garp_master_delay" => self.delay.set(keyword, span, value.and_then(values::wait), findings),
            "garp_master_repeat" => self.repeat.set(keyword, span, value.and_then(values::repeat), findings),
            "garp_master_refresh" => self.refresh.set(keyword, span, value.and_then(values::wait), findings),
            "garp_master_refresh_repeat" => {
                self.refresh_repeat.set(keyword, span, value.and_then(values::repeat), findings);
            }
            _ => return false,
        }
        true
    }
}

/// One virtual router.
#[derive(Debug, Default)]
pub(super) struct InstanceDraft {
    /// Where it begins: what is missing in it is reported here.
    pub(super) span: Span,
    pub(super) name: Given<String>,
    pub(super) state: Given<StartState>,
    pub(super) interface: Given<String>,
    pub(super) vrid: Given<u8>,
    pub(super) version: Given<Version>,
    pub(super) priority: Given<u8>,
    pub(super) interval: Given<Duration>,
    pub(super) preempt: Given<bool>,
    pub(super) preempt_delay: Given<Duration>,
    pub(super) auth_type: Given<()>,
    pub(super) password: Given<Password>,
    pub(super) source: Given<IpAddr>,
    pub(super) peers: List<IpAddr>,
    pub(super) checksum: Given<Checksum>,
    pub(super) addresses: List<VirtualAddress>,
    pub(super) garp: GarpDraft,
}

/// A list, where the file gives one.
#[derive(Debug)]
pub(super) struct List<T> {
    pub(super) items: Vec<At<T>>,
    /// Where the list begins.
    pub(super) given: Option<Span>,
    /// An item was refused, which has been reported.
    pub(super) refused: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self { items: Vec::new(), given: None, refused: false }
    }
}

impl<T> List<T> {
    /// Adds an item, or reports why it is refused.
    pub(super) fn push(&mut self, span: Span, item: Checked<T>, findings: &mut Findings<'_>) {
        match item {
            Ok(value) => self.items.push(At { value, span }),
            Err(refusal) => {
                findings.refuse(span, refusal);
                self.refused = true;
            }
        }
    }
}

impl InstanceDraft {
    /// One that could not be read at all, which has been reported.
    pub(super) fn refused(span: Span) -> Self {
        Self {
            span,
            name: Given::Refused,
            interface: Given::Refused,
            vrid: Given::Refused,
            addresses: List { items: Vec::new(), given: None, refused: true },
            ..Self::default()
        }
    }

    /// Takes the value of a keyword that both languages spell alike; `false` where `keyword` is none.
    pub(super) fn set(&mut self, keyword: &str, text: &Text<'_>, findings: &mut Findings<'_>) -> bool {
        let At { value, span } = text.clone();
        match keyword {
            "interface" => self.interface.set(keyword, span, value.and_then(values::interface), findings),
            "virtual_router_id" => self.vrid.set(keyword, span, value.and_then(values::vrid), findings),
            "version" => self.version.set(keyword, span, value.and_then(values::version), findings),
            "priority" => self.priority.set(keyword, span, value.and_then(values::priority), findings),
            "advert_int" => self.interval.set(keyword, span, value.and_then(values::advert_int), findings),
            "preempt_delay" => {
                self.preempt_delay.set(keyword, span, value.and_then(values::preempt_delay), findings);
            }
            "mcast_src_ip" | "unicast_src_ip" => {
                self.source.set(keyword, span, value.and_then(values::host), findings);
            }
            "auth_pass" => self.set_password(text, findings),
            _ => return keyword.starts_with("garp_") && self.garp.set(keyword, text, findings),
        }
        true
    }

    /// Takes the password; one that is too long is cut, as in Keepalived (C-AUTH-02).
    fn set_password(&mut self, text: &Text<'_>, findings: &mut Findings<'_>) {
        findings.source.hide(text.span);
        let password = text.value.clone().and_then(values::password);
        if let Ok((_, true)) = password {
            let message = "the password is longer than 8 octets; adverts carry only the first 8";
            findings.warn(text.span, message, "shorten it to 8 octets: what is behind them protects nothing");
        }
        self.password.set("auth_pass", text.span, password.map(|(password, _)| password), findings);
    }
}

/// Takes a word that `ip address add` is told of an address; `None` where `keyword` is no such word.
pub(super) fn set_option(
    address: &mut VirtualAddress,
    keyword: &str,
    text: Checked<&str>,
) -> Option<Checked<()>> {
    Some(match keyword {
        "dev" => text.and_then(values::interface).map(|dev| address.dev = Some(dev)),
        "label" => text.and_then(values::label).map(|label| address.label = Some(label)),
        "scope" => text.and_then(values::scope).map(|scope| address.scope = scope),
        "brd" => text
            .and_then(|text| values::broadcast(text, address.ip, address.prefix))
            .map(|broadcast| address.broadcast = Some(broadcast)),
        _ => return None,
    })
}
