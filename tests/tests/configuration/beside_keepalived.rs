//! The same files, given to the real `keepalived --config-test` and to vipd: what one takes the other takes, and where one
//! finds fault the other does. The differences that are meant are listed here, and told in docs/keepalived-differences.md.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vipd::config::{Diagnostic, Diagnostics, load, load_str};
use vipd_tests::{Host, Lab};

use super::fixtures;

/// Whose lines count in files with conditions.
const NODE: &str = "lb1";

/// Files that keepalived takes and vipd refuses, with what vipd says.
const REFUSED_ON_PURPOSE: &[(&str, &str)] = &[
    ("differs_authentication_header.conf", "`auth_type AH`"),
    ("differs_own_peer.conf", "is this node's own"),
    ("differs_address_on_two_instances.conf", "is already listed"),
    ("differs_no_instance.conf", "no virtual router"),
];

/// Files in which keepalived finds fault and vipd does not.
const TAKEN_ON_PURPOSE: &[&str] = &[
    "differs_order.conf",
    "differs_fraction_of_interval.conf",
    "differs_joined_lines.conf",
    "differs_own_keywords.conf",
];

/// Whether vipd judges as keepalived does.
#[derive(Clone, Copy, PartialEq)]
enum Judged {
    /// Both take it, or both find fault.
    Alike,
    /// Only vipd refuses it.
    Harder,
    /// Only keepalived finds fault.
    Softer,
}
use Judged::{Alike, Harder, Softer};

/// Lines of an instance.
const LINES: &[(Judged, &str)] = &[
    (Alike, "virtual_ipaddress {\n10.0.0.5/24 label eth0:abcdefghijklmnop\n}"),
    (Alike, "virtual_ipaddress {\n10.0.0.5/24 label foo\n}"),
    (Alike, "virtual_ipaddress_excluded {\nfd00::5/64 label eth0:a\n}"),
    (Alike, "virtual_ipaddress {\n10.0.0.5/255.255.255.0\n}"),
    (Alike, "virtual_ipaddress {\n10.0.0.5 peer 10.0.0.6\n}"),
    (Alike, "virtual_ipaddress {\n~SEQ(A,1,2) ~SEQ(B,1,100) 10.9.${A}.${B}\n}"),
    (Harder, "virtual_ipaddress {\n10.0.0.5/0\n}"),
    (Harder, "virtual_ipaddress {\n127.0.0.5/8\n}"),
    (Harder, "virtual_ipaddress {\n224.0.0.5\n}"),
    (Harder, "virtual_ipaddress_excluded {\n::ffff:10.0.0.1\n}"),
    (Harder, "garp_master_repeat 300"),
    (Alike, "garp_master_repeat 0"),
    (Alike, "garp_master_delay 0.5"),
    (Alike, "garp_lower_prio_repeat 0"),
    (Alike, "down_timer_adverts 101"),
    (Alike, "use_vmac vr1 00:00:5e:00:01"),
    (Alike, "use_vmac 00:00:5e:00:01:33"),
    (Alike, "use_vmac\nunicast_peer {\n10.0.0.2\n}"),
    (Alike, "track_interface {\n}"),
    (Alike, "track_interface {\nabcdefghijklmnopq\n}"),
    (Alike, "state BACKUP\npriority 255"),
    (Alike, "state master"),
    (Alike, "state MASTER\npriority 100\npreempt_delay 5"),
    (Alike, "mcast_src_ip 10.0.0.1\ntrack_src_ip"),
    (Alike, "unicast_peer {\n10.0.0.2 min_ttl 254\n}"),
    (Alike, "unicast_peer {\nfd00::2\n}"),
    (Harder, "unicast_ttl 0\nunicast_peer {\n10.0.0.2\n}"),
    (Alike, "authentication {\nauth_type PASS\n}"),
    (Alike, "authentication {\nauth_type SIMPLE\nauth_pass x\n}"),
    (Harder, "authentication {\nauth_pass x\n}"),
    (Alike, "version 3\nadvert_int 40.95"),
    (Alike, "version 3\nadvert_int 41"),
    (Alike, "version 3\nadvert_int 0.015"),
    (Alike, "advert_int 255"),
    (Alike, "accept"),
    (Harder, "strict_mode\nunicast_peer {\n10.0.0.2\n}"),
    (Alike, "strict_mode\nauthentication {\nauth_type PASS\nauth_pass x\n}"),
    (Harder, "notify_master \"\""),
    (Alike, "notify_master /bin/true\nnotify_master /bin/false"),
    (Alike, "virtual_routes {\n10.1.0.0/16 dev eth0\n}"),
    (Alike, "virtual_routes {\n10.1.0.0/16 dev eth0 scope link\n}"),
    (Alike, "virtual_routes {\nfd01::/64 via fd00::1 dev eth0\n}"),
    (Alike, "virtual_routes {\n10.1.0.0/16\n}"),
    (Harder, "virtual_routes {\n10.1.2.3/16 dev eth0\n}"),
    (Harder, "virtual_routes {\n10.1.0.0/16 dev eth0 mtu lock 1400\n}"),
    (Alike, "virtual_rules {\niif eth0 table 5 priority 5\n}"),
    (Alike, "}"),
    (Softer, "priority \\\n110"),
];

/// A machine with the interfaces and addresses that the files name.
fn machine(lab: &Lab) -> Host {
    let host = lab.host(NODE).expect("host");
    for (name, address) in [("eth0", "10.0.0.1/24"), ("eth1", "10.7.0.1/24")] {
        host.command(&format!("ip link add {name} type veth peer name peer-{name}")).expect("ip");
        host.command(&format!("ip link set peer-{name} up")).expect("ip");
        host.command(&format!("ip link set {name} up")).expect("ip");
        host.command(&format!("ip address add {address} dev {name}")).expect("ip");
    }
    host
}

/// Whether keepalived finds no fault in a file, and what it says.
fn keepalived(host: &Host, file: &Path) -> (bool, String) {
    let file = file.to_owned();
    host.run(move || {
        let output = Command::new("keepalived")
            .args(["--config-test", "--log-console", "--config-id", NODE, "--use-file"])
            .arg(&file)
            .output()
            .expect("keepalived is there: cargo xtask setup");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    })
}

/// What vipd finds besides what it does not do.
fn faults(found: &Diagnostics) -> Vec<&Diagnostic> {
    let is_fault = |found: &&Diagnostic| {
        !found.message.contains("not acted on yet") && !found.message.contains("` is ignored: ")
    };
    found.iter().filter(is_fault).collect()
}

fn samples(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let files = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    let mut files: Vec<PathBuf> = files.filter(|path| path.to_string_lossy().contains(".conf")).collect();
    files.sort();
    files
}

#[test]
fn keepalived_and_vipd_find_fault_with_the_same_files() {
    let lab = Lab::new().expect("lab");
    let host = machine(&lab);
    let mut disagree = Vec::new();

    for file in samples(&fixtures("keepalived")) {
        let name = file.file_name().expect("a file").to_string_lossy().into_owned();
        let (is_fine, said) = keepalived(&host, &file);
        let vipd = load(&file, NODE);

        match (is_fine, vipd) {
            (true, Ok(_)) | (false, Err(_)) => {}
            (true, Err(found)) => match REFUSED_ON_PURPOSE.iter().find(|(listed, _)| *listed == name) {
                Some((_, reason)) => assert!(found.to_string().contains(reason), "{name}: {found}"),
                None => disagree.push(format!("{name}: keepalived takes it, vipd says\n{found}")),
            },
            (false, Ok(loaded)) if !faults(&loaded.warnings).is_empty() => {}
            (false, Ok(_)) if TAKEN_ON_PURPOSE.contains(&name.as_str()) => {}
            (false, Ok(_)) => disagree.push(format!("{name}: vipd takes it, keepalived says\n{said}")),
        }
    }

    assert!(disagree.is_empty(), "{}", disagree.join("\n"));
}

#[test]
fn keepalived_and_vipd_find_fault_with_the_same_lines() {
    let lab = Lab::new().expect("lab");
    let host = machine(&lab);
    let mut disagree = Vec::new();

    for (expected, lines) in LINES {
        let text = format!(
            "vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {{\n10.0.0.100/24\n}}\n{lines}\n}}\n"
        );
        host.write_file("/run/lines.conf", &text, 0o644).expect("a file");
        let (is_fine, said) = keepalived(&host, Path::new("/run/lines.conf"));
        let (judged, vipd) = match (is_fine, load_str("lines.conf", &text)) {
            (true, Err(found)) => (Harder, found.to_string()),
            (false, Ok(loaded)) if faults(&loaded.warnings).is_empty() => (Softer, String::new()),
            _ => (Alike, String::new()),
        };
        if judged != *expected {
            disagree.push(format!("{lines}\nkeepalived: {is_fine} {said}\nvipd: {vipd}"));
        }
    }

    assert!(disagree.is_empty(), "{}", disagree.join("\n\n"));
}

/// A list of differences that are none any more would be wrong documentation.
#[test]
fn every_difference_that_is_meant_is_one() {
    let lab = Lab::new().expect("lab");
    let host = machine(&lab);
    let listed = REFUSED_ON_PURPOSE.iter().map(|(name, _)| (*name, true));
    for (name, taken) in listed.chain(TAKEN_ON_PURPOSE.iter().map(|name| (*name, false))) {
        let file = fixtures("keepalived").join(name);
        let (is_fine, said) = keepalived(&host, &file);
        assert_eq!(is_fine, taken, "{name}: {said}");
        assert_eq!(load(&file, NODE).is_err(), taken, "{name}");
    }
}

/// The samples that come with keepalived, as many people have copied them.
#[test]
fn what_keepalived_ships_and_takes_itself_is_taken() {
    let lab = Lab::new().expect("lab");
    let host = machine(&lab);
    let samples = samples(Path::new("/usr/share/doc/keepalived/samples"));
    assert!(samples.len() > 20, "only {} samples", samples.len());

    for file in samples {
        let (is_fine, _) = keepalived(&host, &file);
        let Err(found) = load(&file, NODE) else { continue };
        // Many configure no virtual router, only IPVS.
        let only_ipvs = found.to_string().contains("no virtual router");
        assert!(!is_fine || only_ipvs, "{}: {found}", file.display());
    }
}
