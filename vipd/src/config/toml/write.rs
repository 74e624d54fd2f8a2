//! From the model to TOML that is read back as the same model: what has its default is left out.

use std::fmt::Write as _;

use serde::Serialize;
use toml::{Table, Value};
use vipd_core::Version;

use super::super::model::{
    Account, Check, Config, Deleted, Family, Fence, FileTracker, Garp, Instance, Mail, Notify, Probe,
    ProcessTracker, StartState, SyncGroup, Trackers, Webhook, WebhookFormat, Weight,
};

type Written<T> = Result<T, toml::ser::Error>;

/// Keys that tables begin with, in this order.
const FIRST: &[&str] =
    &["name", "ip", "interface", "virtual_router_id", "version", "state", "priority", "advert_int"];
/// Keys that are written whatever they say.
const NEEDED: &[&str] = &[
    "name",
    "interface",
    "virtual_router_id",
    "ip",
    "path",
    "url",
    "file",
    "script",
    "tcp",
    "http",
    "process",
    "haproxy",
    "icmp",
    "arp",
    "members",
    "to",
    "virtual_ipaddress",
];

/// The configuration in TOML. It holds the passwords.
///
/// # Errors
/// When it holds something that TOML cannot, such as a path that is not UTF-8.
pub fn to_toml(config: &Config) -> Written<String> {
    let mut config = config.clone();
    let script_user = script_user(&mut config);
    let config = &config;
    let mut root = table(config)?;
    if let Some(account) = script_user {
        let user = match account.group {
            None => Value::String(account.user),
            Some(_) => Value::Table(table(&account)?),
        };
        root.insert("script_user".to_owned(), user);
    }
    prune(&mut root, &table(&Config::default())?);
    each(&mut root, "check", &config.checks, |check| table(&plain_check(check)))?;
    each(&mut root, "file", &config.files, |file| table(&plain_file(file)))?;
    each(&mut root, "process", &config.processes, |process| table(&plain_process(process)))?;
    each(&mut root, "webhook", &config.webhooks, |webhook| table(&plain_webhook(webhook)))?;
    each(&mut root, "sync_group", &config.sync_groups, |group| table(&plain_group(group)))?;
    each(&mut root, "instance", &config.instances, |instance| table(&plain_instance(instance)))?;
    if let Some(mail) = &config.mail {
        prune_within(&mut root, "mail", &table(&plain_mail(mail))?);
    }
    for (written, instance) in tables(&mut root, "instance").zip(&config.instances) {
        if let Some(fence) = &instance.fence {
            prune_within(written, "fence", &table(&plain_fence(fence))?);
        }
        if instance.peers.is_empty()
            && let Some(source) = written.remove("unicast_src_ip")
        {
            written.insert("mcast_src_ip".to_owned(), source);
        }
        shorten(written, &instance.track, config);
    }
    for (written, group) in tables(&mut root, "sync_group").zip(&config.sync_groups) {
        shorten(written, &group.track, config);
    }
    Ok(document(&root))
}

/// Takes the user out of all commands, if it is the same for all.
fn script_user(config: &mut Config) -> Option<Account> {
    let scripts = config.checks.iter_mut().filter_map(|check| match &mut check.probe {
        Probe::Script(command) => Some(command),
        _ => None,
    });
    let instances = config.instances.iter_mut().map(|instance| &mut instance.notify);
    let told = instances.chain(config.sync_groups.iter_mut().map(|group| &mut group.notify));
    let told = told.flat_map(|notify| {
        let deleted = match &mut notify.deleted {
            Deleted::Command(command) => Some(command),
            _ => None,
        };
        let by_state = [&mut notify.master, &mut notify.backup, &mut notify.fault, &mut notify.stop];
        let others = [&mut notify.any, &mut notify.rx_lower_pri];
        by_state.into_iter().chain(others).flatten().chain(deleted)
    });
    let fifos = config.fifos.iter_mut().filter_map(|fifo| fifo.script.as_mut());
    let accounts: Vec<&mut Option<Account>> =
        scripts.chain(told).chain(fifos).map(|command| &mut command.account).collect();
    let common = (**accounts.first()?).clone()?;
    if accounts.iter().any(|account| account.as_ref() != Some(&common)) {
        return None;
    }
    for account in accounts {
        *account = None;
    }
    Some(common)
}

fn table(value: &impl Serialize) -> Written<Table> {
    Table::try_from(value)
}

/// The tables of a list.
fn tables<'r>(root: &'r mut Table, key: &str) -> impl Iterator<Item = &'r mut Table> {
    root.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_table_mut)
}

/// Leaves out of each item of a list what it would be without being said.
fn each<T>(root: &mut Table, key: &str, items: &[T], plain: impl Fn(&T) -> Written<Table>) -> Written<()> {
    tables(root, key).zip(items).try_for_each(|(written, item)| {
        prune(written, &plain(item)?);
        Ok(())
    })
}

fn prune_within(written: &mut Table, key: &str, plain: &Table) {
    if let Some(Value::Table(inner)) = written.get_mut(key) {
        prune(inner, plain);
    }
}

/// Leaves out what `plain` says as well.
fn prune(written: &mut Table, plain: &Table) {
    written.retain(|key, value| NEEDED.contains(&key) || plain.get(key) != Some(value));
}

/// Names alone where something is tracked with its own weight.
fn shorten(written: &mut Table, track: &Trackers, config: &Config) {
    let checks = config.checks.iter().map(|check| (check.name.as_str(), check.weight)).collect::<Vec<_>>();
    let files = config.files.iter().map(|file| (file.name.as_str(), file.weight)).collect::<Vec<_>>();
    let processes =
        config.processes.iter().map(|process| (process.name.as_str(), process.weight)).collect::<Vec<_>>();
    for (key, tracked, known) in [
        ("track_interface", &track.interfaces, &[][..]),
        ("track_check", &track.checks, &checks),
        ("track_file", &track.files, &files),
        ("track_process", &track.processes, &processes),
    ] {
        let items = written.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten();
        for (item, tracked) in items.zip(tracked) {
            let own = known
                .iter()
                .find(|(name, _)| *name == tracked.name)
                .map_or(Weight::default(), |(_, own)| *own);
            if own == tracked.weight {
                *item = Value::String(tracked.name.clone());
            } else if own.reverse == tracked.weight.reverse
                && let Value::Table(item) = item
            {
                item.remove("reverse");
            }
        }
    }
}

fn plain_check(check: &Check) -> Check {
    let interval = std::time::Duration::from_secs(1);
    // Another probe than any that a file can have.
    let (name, probe) = (check.name.clone(), Probe::Process(String::new()));
    let timeout = check.interval;
    Check { name, probe, interval, timeout, rise: 1, fall: 1, weight: Weight::default(), init_fail: false }
}

fn plain_file(file: &FileTracker) -> FileTracker {
    FileTracker { weight: Weight { value: 1, reverse: false }, init: None, ..file.clone() }
}

fn plain_process(process: &ProcessTracker) -> ProcessTracker {
    ProcessTracker {
        full_command: process.parameters != super::super::Parameters::Any,
        parameters: super::super::Parameters::Any,
        weight: Weight::default(),
        quorum: 1,
        quorum_max: None,
        fork_delay: std::time::Duration::ZERO,
        terminate_delay: std::time::Duration::ZERO,
        ..process.clone()
    }
}

fn plain_webhook(webhook: &Webhook) -> Webhook {
    Webhook {
        url: webhook.url.clone(),
        format: WebhookFormat::Json,
        token: None,
        timeout: std::time::Duration::from_secs(5),
        retries: 5,
    }
}

fn plain_mail(mail: &Mail) -> Mail {
    Mail {
        to: mail.to.clone(),
        from: None,
        server: "127.0.0.1".to_owned(),
        port: 25,
        helo: None,
        timeout: std::time::Duration::from_secs(30),
        no_faults: false,
    }
}

fn plain_fence(fence: &Fence) -> Fence {
    Fence {
        gateway: None,
        peers: Vec::new(),
        anchors: Vec::new(),
        quorum: fence.asked() / 2 + 1,
        interval: std::time::Duration::from_secs(1),
        timeout: std::time::Duration::from_millis(100).min(fence.interval),
    }
}

fn plain_group(group: &SyncGroup) -> SyncGroup {
    SyncGroup {
        track: Trackers::default(),
        tracking_weight: false,
        notify: Notify::default(),
        ..group.clone()
    }
}

fn plain_instance(instance: &Instance) -> Instance {
    let new = Instance::new(instance.name.clone(), instance.interface.clone(), instance.vrid);
    let default = Garp::default();
    Instance {
        version: if instance.family == Family::V6 { Version::V3 } else { Version::V2 },
        group: Instance::standard_group(instance.family),
        priority: if instance.state == StartState::Master { 255 } else { new.priority },
        garp: Garp {
            lower_prio_delay: instance.garp.delay,
            lower_prio_repeat: instance.garp.repeat,
            ..default
        },
        ..new
    }
}

/// The text: keys, then tables under headings, everything deeper in one value.
fn document(root: &Table) -> String {
    let mut text = String::new();
    let is_list = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_table));
    keys(root.iter().filter(|(_, value)| !value.is_table() && !is_list(value)), &mut text);
    for (key, value) in root {
        match value {
            Value::Table(table) => {
                let _ = write!(text, "\n[{key}]\n");
                keys(table.iter(), &mut text);
            }
            Value::Array(items) if is_list(value) => {
                for table in items.iter().filter_map(Value::as_table) {
                    let _ = write!(text, "\n[[{key}]]\n");
                    keys(table.iter(), &mut text);
                }
            }
            _ => {}
        }
    }
    text.trim_start().to_owned()
}

/// Lines of keys: those that a table begins with first.
fn keys<'t>(entries: impl Iterator<Item = (&'t String, &'t Value)>, text: &mut String) {
    let mut entries: Vec<_> = entries.collect();
    let place = |key: &str| FIRST.iter().position(|first| *first == key).unwrap_or(FIRST.len());
    entries.sort_by_key(|(key, _)| place(key));
    for (key, value) in entries {
        match value.as_array() {
            Some(items) if is_long(value) || items.len() > 1 && items.iter().any(Value::is_table) => {
                let _ = writeln!(text, "{key} = [");
                for item in items {
                    let _ = writeln!(text, "    {item},");
                }
                text.push_str("]\n");
            }
            _ => {
                let _ = writeln!(text, "{key} = {value}");
            }
        }
    }
}

/// Whether a list does not fit on a line.
fn is_long(value: &Value) -> bool {
    value.to_string().len() > 100
}
