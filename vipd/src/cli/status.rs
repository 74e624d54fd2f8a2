//! `vipd status`.

use std::process::ExitCode;

use anstream::println;
use comfy_table::Table;
use comfy_table::presets::NOTHING;

use crate::control::{ChannelStatus, InstanceStatus, Reply, Request, Status, WardenStatus};
use crate::datapath::Form;
use crate::warden;

impl super::Status {
    pub(super) fn execute(self) -> ExitCode {
        match super::ask(&self.run_dir, &Request::Status) {
            Ok(Reply::Status(status)) if self.json => {
                println!("{}", serde_json::to_string_pretty(&status).unwrap_or_default());
                ExitCode::SUCCESS
            }
            Ok(Reply::Status(status)) => {
                println!("{}", table(&status));
                ExitCode::SUCCESS
            }
            Ok(_) => super::failed("the agent answers another question; is it of this version?"),
            Err(code) => code,
        }
    }
}

fn table(status: &Status) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "INSTANCE",
        "STATE",
        "SINCE",
        "PRIO",
        "VRID",
        "INTERFACE",
        "DATAPATH",
        "ADDRESSES",
        "MASTER",
    ]);
    for instance in &status.instances {
        table.add_row([
            instance.name.clone(),
            instance.state.clone(),
            span(instance.up_seconds),
            instance.priority.to_string(),
            instance.vrid.to_string(),
            instance.interface.clone(),
            datapath(status, instance),
            instance.addresses.join(" "),
            master(instance),
        ]);
    }
    // After the layout: escapes would count as letters.
    let mut text = table.trim_fmt();
    for state in ["MASTER", "BACKUP", "FAULT", "INIT"] {
        text = text.replace(&format!(" {state} "), &format!(" {} ", paint(state)));
    }
    let mut lines = vec![text];
    for instance in &status.instances {
        if let Some(event) = &instance.last_event {
            lines.push(format!("{}: {} because: {event}", instance.name, instance.state));
        }
        lines.extend(parts(instance));
        lines.extend(missing(instance));
        lines.extend(checksums(instance));
    }
    lines.extend(status.degraded.iter().cloned());
    if status.warden == WardenStatus::Gone {
        lines.push(format!("the warden is gone: {}", warden::WITHOUT));
    }
    lines.extend(status.notify.channels.iter().filter_map(undelivered));
    for interface in &status.interfaces {
        for refused in &interface.refused {
            lines.push(format!("{}: {refused}", interface.name));
        }
    }
    lines.join("\n")
}

/// What a channel could not deliver, if anything.
fn undelivered(channel: &ChannelStatus) -> Option<String> {
    let ChannelStatus { name, sent, failed, dropped } = channel;
    (failed + dropped > 0).then(|| format!("{name}: {sent} sent, {failed} failed, {dropped} dropped"))
}

/// The parts of the effective priority, where there is more than one.
fn parts(instance: &InstanceStatus) -> Option<String> {
    let counts = instance.tracking.iter().filter(|tracked| tracked.effect != "+0");
    let parts: Vec<String> =
        counts.map(|tracked| format!("{} ({})", tracked.effect, tracked.state)).collect();
    let sum = format!("{}: priority {} = {}", instance.name, instance.priority, instance.base_priority);
    (!parts.is_empty()).then(|| format!("{sum} {}", parts.join(" ")))
}

/// Addresses that should be there and are not.
fn missing(instance: &InstanceStatus) -> Option<String> {
    let InstanceStatus { name, addresses, addresses_missing, .. } = instance;
    let held = addresses.len().saturating_sub(addresses_missing.len());
    let list: Vec<String> = addresses_missing.iter().map(ToString::to_string).collect();
    (!list.is_empty()).then(|| {
        format!("{name}: holds {held} of {} addresses; missing: {}", addresses.len(), list.join(", "))
    })
}

/// Who sends which form of checksum and what it is answered with, where that is not the usual one.
fn checksums(instance: &InstanceStatus) -> Option<String> {
    let InstanceStatus { name, checksum_sent, peers, .. } = instance;
    let all = std::iter::once(checksum_sent).chain(peers.iter().map(|peer| &peer.checksum));
    if all.flatten().all(|form| *form == Form::Pseudo) {
        return None;
    }
    let tell = |forms: &[Form]| {
        let words = forms.iter().map(|form| match form {
            Form::Message => "over the message",
            Form::Pseudo => "with pseudo-header",
        });
        words.collect::<Vec<_>>().join(" and ")
    };
    let peers = peers.iter().map(|peer| format!("{} sends {}", peer.source, tell(&peer.checksum)));
    let told: Vec<String> =
        std::iter::once(format!("this node sends {}", tell(checksum_sent))).chain(peers).collect();
    Some(format!("{name}: checksums: {}", told.join(", ")))
}

fn datapath(status: &Status, instance: &InstanceStatus) -> String {
    let interface = status.interfaces.iter().find(|interface| interface.name == instance.interface);
    interface.map_or_else(String::new, |interface| interface.datapath.to_string())
}

fn master(instance: &InstanceStatus) -> String {
    match (instance.state.as_str(), instance.last_adv_source, instance.last_adv_priority) {
        ("MASTER", ..) => "this node".to_owned(),
        ("BACKUP", Some(source), Some(priority)) => format!("{source} (priority {priority})"),
        _ => "-".to_owned(),
    }
}

/// Colours a state as people expect it; the stream drops colours that nobody can see.
fn paint(state: &str) -> String {
    let colour = match state {
        "MASTER" => 32,
        "BACKUP" => 36,
        "FAULT" => 31,
        _ => 33,
    };
    format!("\x1b[{colour}m{state}\x1b[0m")
}

/// A span of time in its two largest units.
fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, ..) => format!("{hours}h{minutes}m"),
        _ => format!("{days}d{hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (61, "1m1s"), (3_700, "1h1m"), (90_061, "1d1h")] {
            assert_eq!(span(seconds), text);
        }
    }
}
