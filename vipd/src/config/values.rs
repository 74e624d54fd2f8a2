//! Single values, checked: the same rules for both languages.

use std::fmt::Display;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use vipd_core::Version;

use super::model::{Checksum, Datapath, Password};

/// Why a value is refused: what is wrong with it, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) help: String,
}

impl Refusal {
    pub(super) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// A value, or why it is none.
pub(super) type Checked<T> = Result<T, Refusal>;

/// Longest interface name and label that the kernel takes (`IFNAMSIZ` less the closing zero).
const IFNAME_MAX: usize = 15;
/// Longest wait that a configuration can ask for, in seconds: a day.
const WAIT_MAX: u32 = 86_400;
/// Longest `preempt_delay`, as in Keepalived.
const PREEMPT_DELAY_MAX: u32 = 1000;

/// `text` as it may stand in a sentence: in backquotes, without control characters, not endless.
pub(super) fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// A whole number of `T` within `range`; `what` names it in a sentence, such as "a priority".
fn whole<T>(text: &str, what: &str, range: RangeInclusive<T>) -> Checked<T>
where
    T: FromStr + PartialOrd + Display,
{
    text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let help = format!("write a whole number from {} to {}", range.start(), range.end());
        Refusal::new(format!("{} is not {what}", quoted(text)), help)
    })
}

/// Virtual router id, 1 to 255 (RFC 9568 section 5.2.3).
pub(super) fn vrid(text: &str) -> Checked<u8> {
    whole(text, "a virtual router id", 1..=255)
}

/// Priority, 1 to 255; 0 is what a Master says when it resigns (RFC 9568 section 5.2.4).
pub(super) fn priority(text: &str) -> Checked<u8> {
    whole(text, "a priority", 1..=255)
}

/// Count of announcements.
pub(super) fn repeat(text: &str) -> Checked<u8> {
    whole(text, "a number of announcements", 1..=255)
}

/// Whole seconds up to a day; 0 switches the thing off.
pub(super) fn wait(text: &str) -> Checked<Duration> {
    whole(text, "a wait in seconds", 0..=WAIT_MAX).map(|seconds| Duration::from_secs(seconds.into()))
}

/// Protocol version.
pub(super) fn version(text: &str) -> Checked<Version> {
    match text {
        "2" => Ok(Version::V2),
        "3" => Ok(Version::V3),
        _ => Err(Refusal::new(format!("{} is not a version of VRRP", quoted(text)), "write 2 or 3")),
    }
}

/// An advertisement interval in whole centiseconds; whether the version can carry it is judged later (C-PKT-07).
pub(super) fn advert_int(text: &str) -> Checked<Duration> {
    let help = "write seconds: 1 to 255 in version 2, 0.01 to 40.95 in steps of 0.01 in version 3";
    let interval = seconds(text)
        .ok_or_else(|| Refusal::new(format!("{} is not an advertisement interval", quoted(text)), help))?;
    if interval.subsec_nanos() % 10_000_000 != 0 {
        return Err(Refusal::new(format!("{} is not in steps of 10 milliseconds", quoted(text)), help));
    }
    if interval.is_zero() || interval > Duration::from_secs(255) {
        return Err(Refusal::new(
            format!("an advertisement interval of {} is out of range", quoted(text)),
            help,
        ));
    }
    Ok(interval)
}

/// Wait before preempting: seconds, fractions allowed.
pub(super) fn preempt_delay(text: &str) -> Checked<Duration> {
    seconds(text).filter(|delay| *delay <= Duration::from_secs(PREEMPT_DELAY_MAX.into())).ok_or_else(|| {
        let help = format!("write seconds from 0 to {PREEMPT_DELAY_MAX}, such as 2.5");
        Refusal::new(format!("{} is not a delay", quoted(text)), help)
    })
}

/// Decimal seconds, to the microsecond: digits with at most one point among them.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 6 {
        return None;
    }
    let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let micros: u32 = format!("{fraction:0<6}").parse().ok()?;
    Some(Duration::new(whole.into(), micros * 1000))
}

/// The state that a node wishes to start in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StartState {
    Master,
    Backup,
}

/// `state` of keepalived.conf.
pub(super) fn start_state(text: &str) -> Checked<StartState> {
    match text {
        "MASTER" => Ok(StartState::Master),
        "BACKUP" => Ok(StartState::Backup),
        _ => Err(Refusal::new(
            format!("{} is not a state to start in", quoted(text)),
            "write MASTER or BACKUP",
        )),
    }
}

/// `auth_type`; only passwords are carried (C-AUTH-04).
pub(super) fn auth_type(text: &str) -> Checked<()> {
    match text {
        "PASS" => Ok(()),
        "AH" => Err(Refusal::new(
            "authentication headers (`auth_type AH`) are not supported",
            "use `auth_type PASS`, or no authentication, on every node of this virtual router",
        )),
        _ => Err(Refusal::new(format!("{} is not a type of authentication", quoted(text)), "write PASS")),
    }
}

/// A password and whether it had to be cut to the 8 octets that an advert carries (C-AUTH-02). No refusal repeats it.
pub(super) fn password(text: &str) -> Checked<(Password, bool)> {
    if text.is_empty() {
        return Err(Refusal::new("the password is empty", "write a password of 1 to 8 octets"));
    }
    let mut octets = [0; 8];
    let length = text.len().min(octets.len());
    octets[..length].copy_from_slice(&text.as_bytes()[..length]);
    Ok((Password(octets), text.len() > octets.len()))
}

/// A name for logs and status.
pub(super) fn name(text: &str) -> Checked<String> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err(Refusal::new(format!("{} is not a name", quoted(text)), "write printable characters"));
    }
    Ok(text.to_owned())
}

/// Name of an interface, as the kernel takes it.
pub(super) fn interface(text: &str) -> Checked<String> {
    let refusal = |message: &str, help: &str| Err(Refusal::new(format!("{} {message}", quoted(text)), help));
    if text.len() > IFNAME_MAX {
        return refusal(
            "is too long for an interface",
            "write a name of at most 15 octets, as `ip link` shows it",
        );
    }
    if let Some((device, _)) = text.split_once(':') {
        let help = format!("write {} here; what `ip address` shows behind it is a label", quoted(device));
        return refusal("is an alias, not an interface", &help);
    }
    let forbidden = |c: char| c == '/' || c.is_whitespace() || c.is_control();
    if ["", ".", ".."].contains(&text) || text.contains(forbidden) {
        return refusal(
            "is not the name of an interface",
            "write a name as `ip link` shows it, such as eth0",
        );
    }
    Ok(text.to_owned())
}

/// Label of an address.
pub(super) fn label(text: &str) -> Checked<String> {
    if text.len() > IFNAME_MAX {
        let help = "write at most 15 octets, such as eth0:vip";
        return Err(Refusal::new(format!("the label {} is too long", quoted(text)), help));
    }
    if text.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let help = "write printable characters without spaces, such as eth0:vip";
        return Err(Refusal::new(format!("{} is not a label", quoted(text)), help));
    }
    Ok(text.to_owned())
}

/// An IPv4 address that a host can have.
pub(super) fn host(text: &str) -> Checked<IpAddr> {
    let address = match text.parse() {
        Ok(IpAddr::V4(address)) => address,
        Ok(IpAddr::V6(_)) => {
            return Err(Refusal::new(
                format!("{} is an IPv6 address, and this version carries IPv4 only", quoted(text)),
                "take it out, and let another agent carry it",
            ));
        }
        Err(_) => {
            let message = format!("{} is not an IP address", quoted(text));
            return Err(Refusal::new(message, "write an IPv4 address, such as 192.168.1.100"));
        }
    };
    if address.is_unspecified() || address.is_multicast() || address.is_broadcast() || address.is_loopback() {
        let message = format!("{} is not the address of one host on a network", quoted(text));
        return Err(Refusal::new(message, "write an address of the network, such as 192.168.1.100"));
    }
    Ok(address.into())
}

/// A virtual address with its prefix length; without one it stands alone (32).
pub(super) fn virtual_address(text: &str) -> Checked<(IpAddr, u8)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address = host(address)?;
    let prefix = prefix.map_or(Ok(32), |prefix| whole(prefix, "a prefix length", 1..=32))?;
    Ok((address, prefix))
}

/// Broadcast address of a virtual address: spelt out, or `+` and `-` for its network with the host bits set or cleared,
/// as ip-address(8) has it.
pub(super) fn broadcast(text: &str, address: IpAddr, prefix: u8) -> Checked<IpAddr> {
    let IpAddr::V4(address) = address else {
        return Err(Refusal::new("an IPv6 address has no broadcast address", "take `brd` out"));
    };
    let host_bits = u32::MAX.checked_shr(prefix.into()).unwrap_or(0);
    let bits = match text {
        "+" => address.to_bits() | host_bits,
        "-" => address.to_bits() & !host_bits,
        _ => text.parse::<Ipv4Addr>().map(Ipv4Addr::to_bits).map_err(|_| {
            let message = format!("{} is not a broadcast address", quoted(text));
            Refusal::new(message, "write an IPv4 address, or + for the last address of the network")
        })?,
    };
    Ok(Ipv4Addr::from_bits(bits).into())
}

/// Scope of an address: a name of iproute2's or a number (`rtm_scope` in linux/rtnetlink.h).
pub(super) fn scope(text: &str) -> Checked<u8> {
    match text {
        "global" => Ok(0),
        "site" => Ok(200),
        "link" => Ok(253),
        "host" => Ok(254),
        "nowhere" => Ok(255),
        number => number.parse().map_err(|_| {
            let help = "write global, site, link, host, nowhere, or a number from 0 to 255";
            Refusal::new(format!("{} is not a scope", quoted(text)), help)
        }),
    }
}

/// Checksum form of v3/IPv4 adverts (C-CK-04).
pub(super) fn checksum(text: &str) -> Checked<Checksum> {
    match text {
        "either" => Ok(Checksum::Either),
        "message" => Ok(Checksum::Message),
        "pseudo" => Ok(Checksum::Pseudo),
        _ => {
            let message = format!("{} is not a form of checksum", quoted(text));
            Err(Refusal::new(message, "write either, message or pseudo"))
        }
    }
}

/// A step of the ladder of datapaths.
pub(super) fn datapath(text: &str) -> Checked<Datapath> {
    Datapath::from_str(text, false).map_err(|_| {
        let help = "write auto, xdp-native, xdp-generic, tcx or socket";
        Refusal::new(format!("{} is not a datapath", quoted(text)), help)
    })
}
