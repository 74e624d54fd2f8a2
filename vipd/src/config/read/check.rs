//! Health checks.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::super::model::{Check, Command, HttpProbe, Probe};
use super::account;
use super::cursor::{Context, Cursor};
use super::defaults::Defaults;
use super::track::{WEIGHT_MAX, weight};
use super::values::{self, Checked, Refusal, quoted};

/// What a check can do, by key.
const PROBES: [&str; 7] = ["script", "tcp", "http", "process", "haproxy", "icmp", "arp"];

pub(super) fn check(cursor: &Cursor<'_>, cx: &mut Context<'_>, defaults: &Defaults) -> Check {
    let name = super::name(cursor, cx, "this check");
    let interval = cursor.number(cx, "interval", values::interval).unwrap_or(Duration::from_secs(1));
    let probe = probe(cursor, cx, &name, defaults);
    Check {
        // What was refused has been reported.
        probe: probe.unwrap_or_else(|| Probe::Process(String::new())),
        name,
        interval,
        timeout: cursor.number(cx, "timeout", values::interval).unwrap_or(interval),
        rise: cursor.number(cx, "rise", values::results).unwrap_or(1),
        fall: cursor.number(cx, "fall", values::results).unwrap_or(1),
        weight: weight(cursor, cx, WEIGHT_MAX, 0),
        init_fail: cursor.switch(cx, "init_fail").unwrap_or(false),
    }
}

/// The one thing that a check does.
fn probe(cursor: &Cursor<'_>, cx: &mut Context<'_>, name: &str, defaults: &Defaults) -> Option<Probe> {
    let given: Vec<&str> = PROBES.into_iter().filter(|key| cursor.has(key)).collect();
    let title = format!("check {}", quoted(name));
    match given.as_slice() {
        [] => {
            let help = format!("add `script`, or one of {}", PROBES[1..].join(", "));
            cx.findings.error(cursor.span, format!("{title} does nothing"), help);
        }
        [_] => {}
        _ => {
            let message = format!("{title} does more than one thing: {}", given.join(", "));
            cx.findings.error(cursor.span, message, "make a check for each of them");
        }
    }
    let script = account::command(cursor, cx, "script", None).map(|command| {
        let own = account::account(cursor, cx, "user");
        let account = own.or(command.account).or_else(|| defaults.script_user.clone());
        Probe::Script(Command { account, ..command })
    });
    let tcp = cursor.text(cx, "tcp", values::socket_address).map(Probe::Tcp);
    let http = cursor.text(cx, "http", url).map(|(server, host, path)| {
        let status = cursor.number(cx, "status", values::http_status).unwrap_or(200);
        let body = cursor.text(cx, "body", |text| Ok(text.to_owned()));
        Probe::Http(HttpProbe { server, host, path, status, body })
    });
    let process = cursor.text(cx, "process", values::process_name).map(Probe::Process);
    let haproxy = cursor
        .text(cx, "haproxy", values::path)
        .map(|socket| Probe::Haproxy { socket, backend: cursor.text(cx, "backend", values::name) });
    let icmp = cursor.text(cx, "icmp", values::host).map(Probe::Icmp);
    let arp = cursor.text(cx, "arp", values::host).and_then(|host| {
        cursor.demand(cx, &title, "interface", "eth0");
        Some(Probe::Arp { host, interface: cursor.text(cx, "interface", values::interface)? })
    });
    script.or(tcp).or(http).or(process).or(haproxy).or(icmp).or(arp)
}

/// Server, `Host` header and path of a URL.
fn url(text: &str) -> Checked<(SocketAddr, String, String)> {
    let help =
        "write it as http://127.0.0.1:80/health: an address, so that no check waits for DNS, and no TLS";
    let refusal = || Refusal::new(format!("{} is not a URL that can be checked", quoted(text)), help);
    let rest = text.strip_prefix("http://").ok_or_else(refusal)?;
    let (host, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let numeric =
        host.strip_prefix("localhost").map_or_else(|| host.to_owned(), |port| format!("127.0.0.1{port}"));
    let server = numeric.parse::<SocketAddr>().ok().or_else(|| {
        let ip: IpAddr = numeric.trim_matches(['[', ']']).parse().ok()?;
        Some(SocketAddr::new(ip, 80))
    });
    if path.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(refusal());
    }
    Ok((server.ok_or_else(refusal)?, host.to_owned(), path.to_owned()))
}
