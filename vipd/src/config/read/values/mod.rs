//! Single values, checked: the same rules for both languages.

mod address;
mod notify;
mod route;
mod time;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;
use vipd_core::Version;

use super::super::model::{Checksum, Datapath, Password, StartState};

pub(super) use super::super::diagnostic::{Checked, Refusal};
pub(super) use address::*;
pub(super) use notify::*;
pub(super) use route::*;
pub(super) use time::*;

/// Longest interface name and label that the kernel takes (`IFNAMSIZ` less the closing zero).
const IFNAME_MAX: usize = 15;

/// `text` as it may stand in a sentence: in backquotes, without control characters, not endless.
pub(in super::super) fn quoted(text: &str) -> String {
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

/// Own intervals after which the Master is down.
pub(super) fn down_timer_adverts(text: &str) -> Checked<u8> {
    whole(text, "a number of adverts", 1..=100)
}

/// Count of announcements.
pub(super) fn repeat(text: &str) -> Checked<u8> {
    whole(text, "a number of announcements", 1..=255)
}

/// Count of announcements, or none.
pub(super) fn repeat_or_none(text: &str) -> Checked<u8> {
    whole(text, "a number of announcements", 0..=255)
}

/// Weight of something tracked.
pub(super) fn weight(text: &str, most: i16) -> Checked<i16> {
    whole(text, "a weight", -most..=most)
}

/// Results in a row.
pub(super) fn results(text: &str) -> Checked<u32> {
    whole(text, "a number of results", 1..=i32::MAX.unsigned_abs())
}

/// Number of processes that there must be.
pub(super) fn quorum(text: &str) -> Checked<u16> {
    whole(text, "a number of processes", 1..=u16::MAX)
}

/// Number of processes that there may be.
pub(super) fn quorum_max(text: &str) -> Checked<u16> {
    whole(text, "a number of processes", 0..=u16::MAX)
}

/// Number of hosts that must answer.
pub(super) fn fence_quorum(text: &str, asked: u16) -> Checked<u16> {
    whole(text, "a number of hosts that are asked", 1..=asked)
}

/// Number in a tracked file.
pub(super) fn file_value(text: &str) -> Checked<i32> {
    whole(text, "a number that a tracked file can hold", i32::MIN..=i32::MAX)
}

/// Protocol version.
pub(super) fn version(text: &str) -> Checked<Version> {
    match text {
        "2" => Ok(Version::V2),
        "3" => Ok(Version::V3),
        _ => Err(Refusal::new(format!("{} is not a version of VRRP", quoted(text)), "write 2 or 3")),
    }
}

/// `state`.
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
    if text.is_empty() || text == "." || text == ".." || text.contains(forbidden) {
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

/// An absolute path.
pub(super) fn path(text: &str) -> Checked<PathBuf> {
    if !text.starts_with('/') || text.contains(char::is_control) {
        let message = format!("{} is not an absolute path", quoted(text));
        return Err(Refusal::new(message, "write a path that begins with a slash"));
    }
    Ok(PathBuf::from(text))
}

/// User or group, by name or number.
pub(super) fn account(text: &str) -> Checked<String> {
    let forbidden = |c: char| c == ':' || c == '/' || c.is_whitespace() || c.is_control();
    if text.is_empty() || text.contains(forbidden) {
        let message = format!("{} is not the name of a user or group", quoted(text));
        return Err(Refusal::new(message, "write a name as `getent passwd` or `getent group` shows it"));
    }
    Ok(text.to_owned())
}

/// Name of a process, as `/proc/PID/comm` has it.
pub(super) fn process_name(text: &str) -> Checked<String> {
    if text.is_empty() || text.len() > 15 || text.contains('/') {
        let message = format!("{} is not the name of a process", quoted(text));
        return Err(Refusal::new(message, "write what `ps -o comm` shows: at most 15 octets without a path"));
    }
    name(text)
}

/// What the arguments of a process must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParamMatch {
    Exact,
    Partial,
    Initial,
}

/// `param_match`.
pub(super) fn param_match(text: &str) -> Checked<ParamMatch> {
    match text {
        "exact" => Ok(ParamMatch::Exact),
        "partial" => Ok(ParamMatch::Partial),
        "initial" => Ok(ParamMatch::Initial),
        _ => {
            let message = format!("{} is no way to compare arguments", quoted(text));
            Err(Refusal::new(message, "write exact, partial or initial"))
        }
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
