//! What `vipd check` says besides, before the night: the rules of the guide.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::super::{Diagnostic, Diagnostics, Severity, load_str};
use super::{accepted, position, with};

/// A host's files, in a folder of their own, which goes with them.
struct Root(PathBuf);

impl Root {
    fn new(name: &str) -> Self {
        let root = std::env::temp_dir().join(format!("vipd-lint-{}-{name}", std::process::id()));
        fs::create_dir_all(&root).expect("a folder");
        Self(root)
    }

    fn file(&self, path: &str, text: &str, mode: u32) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("permissions");
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn assert_one(found: &Diagnostics, at: (usize, usize), message: &str, help: &str) {
    let [only] = found.iter().as_slice() else { panic!("not one finding:\n{found}") };
    assert_finding(only, at, message, help);
}

#[track_caller]
fn assert_finding(found: &Diagnostic, at: (usize, usize), message: &str, help: &str) {
    assert_eq!(position(found), at, "{found}");
    assert!(found.message.contains(message), "{message:?} is not said: {found}");
    assert!(found.help.contains(help), "{help:?} is no remedy in: {found}");
}

/// A file with checks `a` and `b`, and an instance whose block holds `lines`. They begin on line 12.
fn with_checks(weights: [i16; 2], lines: &str) -> String {
    let [a, b] = weights;
    format!(
        "vrrp_check a {{\ntcp 127.0.0.1:80\nweight {a}\n}}\nvrrp_check b {{ tcp 127.0.0.1:81\nweight {b}\n}}\n{}",
        with(lines)
    )
}

#[test]
fn weights_that_change_nothing_are_named() {
    let both = "track_check { a\nb }";
    for (weights, lines, at, message, help) in [
        ([-20, 0], "priority 255\ntrack_check { a\nb }", (13, 15), "priority 255 stays 255", "below 255"),
        (
            [-20, 0],
            "nopreempt\ntrack_check { a\nb }",
            (13, 15),
            "`nopreempt` lets a MASTER of lower",
            "weight 0",
        ),
        ([30, 253], &format!("priority 40\n{both}"), (13, 15), "held at 254", "within 1 to 254"),
    ] {
        let mut loaded = accepted(&with_checks(weights, lines));
        let found = loaded.lint(Path::new("/nonexistent"), false);
        assert_one(&found, at, message, help);
    }
    for weights in [[-20, -30], [20, 30], [0, -50], [0, 0]] {
        let mut loaded = accepted(&with_checks(weights, both));
        let found = loaded.lint(Path::new("/nonexistent"), false);
        assert!(found.is_empty(), "{weights:?}\n{found}");
    }
}

#[test]
fn weights_in_a_group_that_counts_none_are_named() {
    let group = "vrrp_sync_group G {\ngroup { VI_1\nVI_2 }\n}\n";
    let second = with("").replace("VI_1", "VI_2").replace("51", "52").replace("10.0.0.100", "10.0.0.101");
    let text = format!("{}{second}{group}", with_checks([-20, 0], "track_check { a\nb }"));

    let found = accepted(&text).lint(Path::new("/nonexistent"), false);
    assert_one(&found, (12, 15), "the group `G` counts no weights", "sync_group_tracking_weight");

    let counted = text.replace("VI_2 }", "VI_2 }\nsync_group_tracking_weight");
    assert!(accepted(&counted).lint(Path::new("/nonexistent"), false).is_empty());
}

#[test]
fn runs_that_overlap_and_checks_that_nobody_tracks_are_named() {
    let text = "vrrp_check a {\ntcp 127.0.0.1:80\ninterval 2\ntimeout 3\n}\n";
    let tracked = format!("{text}{}", with("track_check { a }"));
    let found = accepted(&tracked).lint(Path::new("/nonexistent"), false);
    assert_one(&found, (4, 9), "may take 3 s, and the next is due after 2 s", "at most 2");

    for (block, at, message) in [
        ("vrrp_script c {\nscript true\n}\n", (1, 1), "nobody tracks the script `c`"),
        ("vrrp_check c {\ntcp 127.0.0.1:80\n}\n", (1, 1), "nobody tracks the check `c`"),
        ("track_file c {\nfile /c\n}\n", (1, 1), "nobody tracks the file `c`"),
        ("vrrp_track_process c {\nprocess c\n}\n", (1, 1), "nobody tracks the process `c`"),
    ] {
        let found = accepted(&format!("{block}{}", with(""))).lint(Path::new("/nonexistent"), false);
        assert_one(&found, at, message, "or remove it");
    }
}

#[test]
fn mail_to_nobody_is_named() {
    let found = accepted(&with("smtp_alert")).lint(Path::new("/nonexistent"), false);
    assert_one(&found, (5, 1), "nobody is named to get it", "notification_email");
    let named = format!("global_defs {{\nnotification_email {{ a@example.com }}\n}}\n{}", with("smtp_alert"));
    assert!(accepted(&named).lint(Path::new("/nonexistent"), false).is_empty());
}

#[test]
fn programs_that_cannot_be_run_or_could_be_changed_are_named() {
    if !nix::unistd::geteuid().is_root() {
        // Only root can make files that belong to root.
        return;
    }
    let root = Root::new("programs");
    root.file("etc/fine.sh", "#!/bin/sh\n", 0o755);
    root.file("bin/sh", "", 0o755);
    root.file("etc/data", "", 0o644);
    root.file("etc/everybody.sh", "#!/bin/sh\n", 0o777);
    root.file("etc/python.sh", "#!/usr/bin/python9 -u\n", 0o755);
    root.file("etc/windows.sh", "#!/bin/sh\r\n", 0o755);
    root.file("loose/x.sh", "#!/bin/sh\n", 0o755);
    fs::set_permissions(root.0.join("loose"), fs::Permissions::from_mode(0o777)).expect("permissions");
    root.file("sticky/x.sh", "#!/bin/sh\n", 0o755);
    fs::set_permissions(root.0.join("sticky"), fs::Permissions::from_mode(0o1777)).expect("permissions");
    symlink("fine.sh", root.0.join("etc/link.sh")).expect("a link");

    for (line, message, help) in [
        ("notify /etc/missing.sh", "`/etc/missing.sh` is not there", "correct the path"),
        ("notify /etc/data", "`/etc/data` is not executable", "chmod +x /etc/data"),
        ("notify /etc", "`/etc` is no file", "name a program"),
        ("notify /etc/everybody.sh", "can be written by everybody, and root runs it", "chmod go-w"),
        ("notify /loose/x.sh", "`/loose` can be written by everybody", "chmod go-w /loose"),
        ("notify \"/loose/x.sh a\" nobody", "`/loose` can be written by everybody", "chmod go-w /loose"),
        ("notify /etc/python.sh", "interpreter that is not there: /usr/bin/python9", "its first line"),
        ("notify /etc/windows.sh", "interpreter that is not there: /bin/sh\\r", "edited on Windows"),
        ("notify \"/etc/fine.sh | logger\"", "no shell runs this: `|`", "/bin/sh -c"),
        ("notify \"/etc/fine.sh > /dev/null\"", "no shell runs this: `>`", "/bin/sh -c"),
    ] {
        let found = accepted(&with(line)).lint(&root.0, false);
        assert_one(&found, (5, 8), message, help);
    }
    for line in ["/etc/fine.sh", "/etc/link.sh", "/sticky/x.sh", "fine.sh", "\"/bin/sh -c 'a | b'\""] {
        let found = accepted(&with(&format!("notify {line}\nnotify_master {line}"))).lint(&root.0, false);
        assert!(found.is_empty(), "{line}\n{found}");
    }
    let secure = format!("global_defs {{ enable_script_security }}\n{}", with("notify /etc/everybody.sh"));
    let found = accepted(&secure).lint(&root.0, false);
    assert_one(&found, (6, 8), "it will not be run", "chmod go-w");
}

#[test]
fn multicast_in_a_cloud_is_named() {
    let unicast = with("unicast_src_ip 10.0.0.1\nunicast_peer { 10.0.0.2 }");
    for (name, field, text, cloud) in [
        ("nitro", "sys_vendor", "Amazon EC2\n", "AWS"),
        ("xen", "bios_version", "4.11.amazon\n", "AWS"),
        ("board", "board_vendor", "Amazon EC2\n", "AWS"),
        ("gce", "sys_vendor", "Google\n", "Google Cloud"),
        ("azure", "chassis_asset_tag", "7783-7084-3265-9085-8269-3286-77\n", "Azure"),
        ("droplet", "sys_vendor", "DigitalOcean\n", "DigitalOcean"),
    ] {
        let root = Root::new(name);
        root.file(&format!("sys/class/dmi/id/{field}"), text, 0o444);

        let found = accepted(&with("")).lint(&root.0, false);

        assert_one(
            &found,
            (2, 11),
            &format!("`VI_1` go to a multicast group, and {cloud} carries none"),
            "unicast_peer",
        );
        assert!(accepted(&unicast).lint(&root.0, false).is_empty());
    }
    let root = Root::new("own");
    root.file("sys/class/dmi/id/sys_vendor", "Dell Inc.\n", 0o444);
    root.file("sys/class/dmi/id/chassis_asset_tag", "7783-7084-3265-9085-8269-3286-78\n", 0o444);
    assert!(accepted(&with("")).lint(&root.0, false).is_empty());
}

/// What is found when these two are the nodes of a pair, in the order of the files.
fn compared(own: &str, peer: &str) -> Diagnostics {
    let load = |name: &str, text: &str| {
        load_str(name, text).unwrap_or_else(|found| panic!("{}", found.render(false)))
    };
    load("lb1.conf", own).compare(&mut load("lb2.conf", peer)).0
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn every_drift_that_matters_is_named_with_both_places() {
    let base = "priority 110";
    let peer_base = "priority 100";
    for (own, peer, severity, at, message, help) in [
        (
            "version 3",
            "",
            Severity::Error,
            (6, 9),
            "version is 3 here and 2 there (lb2.conf:",
            "both become MASTER",
        ),
        (
            "advert_int 2",
            "",
            Severity::Error,
            (6, 12),
            "advert_int is 2 here and 1 there",
            "both become MASTER",
        ),
        (
            "version 3\nadvert_int 0.5",
            "version 3\nadvert_int 0.25",
            Severity::Warning,
            (7, 12),
            "advert_int is 0.5 here and 0.25 there (lb2.conf:7)",
            "takeovers",
        ),
        (
            "authentication { auth_type PASS\nauth_pass a }",
            "authentication { auth_type PASS\nauth_pass b }",
            Severity::Error,
            (7, 11),
            "the passwords differ (lb2.conf:7)",
            "both become MASTER",
        ),
        (
            "authentication { auth_type PASS\nauth_pass a }",
            "",
            Severity::Error,
            (7, 11),
            "only one node has a password",
            "both become MASTER",
        ),
        (
            "version 3\nchecksum message",
            "version 3\nchecksum pseudo",
            Severity::Error,
            (7, 10),
            "form of checksum",
            "both become MASTER",
        ),
        (
            "mcast_dst_ip 224.0.0.19",
            "",
            Severity::Error,
            (6, 14),
            "group is 224.0.0.19 here",
            "both become MASTER",
        ),
        (
            "unicast_peer { 10.0.0.2 }",
            "",
            Severity::Error,
            (6, 1),
            "by unicast, the other by multicast",
            "neither hears",
        ),
        (
            "unicast_src_ip 10.0.0.1\nunicast_peer { 10.0.0.3 }",
            "unicast_src_ip 10.0.0.2\nunicast_peer { 10.0.0.1 }",
            Severity::Error,
            (7, 1),
            "sends from 10.0.0.2, which is not among the peers here (lb2.conf:7)",
            "list that address",
        ),
        (
            "unicast_src_ip 10.0.0.1\nunicast_peer { 10.0.0.2 }",
            "unicast_src_ip 10.0.0.2\nunicast_peer { 10.0.0.3 }",
            Severity::Error,
            (6, 16),
            "sends from 10.0.0.1, which is not among the peers there (lb2.conf:7)",
            "list that address",
        ),
        (
            "virtual_ipaddress { 10.0.0.101/24 }",
            "",
            Severity::Error,
            (6, 21),
            "10.0.0.101 is not on the other node",
            "nobody serves it",
        ),
        (
            "virtual_ipaddress_excluded { 10.0.0.101/24 }",
            "virtual_ipaddress_excluded { 10.0.0.101/32 }",
            Severity::Warning,
            (6, 30),
            "prefix length 24 here and 32 there",
            "the same on both",
        ),
        (
            "priority 100",
            "",
            Severity::Warning,
            (6, 10),
            "both nodes have priority 100 (lb2.conf:5)",
            "different",
        ),
        (
            "nopreempt",
            "",
            Severity::Warning,
            (6, 1),
            "this node does not preempt, the other preempts",
            "on both nodes",
        ),
        (
            "state MASTER",
            "state MASTER",
            Severity::Warning,
            (6, 7),
            "both nodes have `state MASTER`",
            "higher priority",
        ),
        (
            "down_timer_adverts 5",
            "",
            Severity::Warning,
            (6, 20),
            "down_timer_adverts is 5 here and 3 there",
            "still there",
        ),
        (
            "garp_master_repeat 9",
            "",
            Severity::Warning,
            (6, 20),
            "(`garp_master_repeat`)",
            "the same on both",
        ),
        ("use_vmac", "", Severity::Warning, (6, 1), "only one node uses a virtual MAC", "both or on none"),
        ("no_accept", "", Severity::Error, (6, 1), "only one node takes traffic", "both nodes"),
        (
            "fence { gateway 10.0.0.9 }",
            "",
            Severity::Warning,
            (6, 1),
            "tests whether it is the isolated",
            "both nodes",
        ),
        ("track_interface { eth1 }", "", Severity::Warning, (6, 19), "does not track `eth1`", "broken node"),
        (
            "track_interface { eth1 weight -50 }",
            "track_interface { eth1 weight -40 }",
            Severity::Warning,
            (6, 19),
            "`eth1` weighs -50 here and -40 there",
            "the same weight",
        ),
        ("virtual_router_id 52", "virtual_router_id 52", Severity::Warning, (0, 0), "", ""),
    ] {
        let found = compared(&with(&format!("{base}\n{own}")), &with(&format!("{peer_base}\n{peer}")));

        if message.is_empty() {
            assert!(found.is_empty(), "{own}\n{found}");
            continue;
        }
        assert_one(&found, at, message, help);
        assert_eq!(found.iter().next().map(|found| found.severity), Some(severity), "{own}");
    }
}

#[test]
fn what_only_the_other_node_has_is_named_in_its_file() {
    let own = with("priority 110");
    let peer = with("virtual_ipaddress { 10.0.0.102 }");
    let found = compared(&own, &peer);
    assert_one(&found, (5, 21), "10.0.0.102 is not on the first node", "list it there");
    assert_eq!(found.iter().next().expect("one").file, "lb2.conf");

    let found = compared(&own, &own.replace("51", "52").replace("110", "100"));
    let files: Vec<_> = found.iter().map(|found| (found.file.as_str(), position(found))).collect();
    assert_eq!(files, [("lb1.conf", (3, 19)), ("lb2.conf", (3, 19))], "{found}");
}

/// The outcomes of a pair: scenario, priorities, Master.
fn outcomes(own: &str, peer: &str) -> Vec<(String, [Option<u8>; 2], Option<String>)> {
    let load = |name: &str, text: &str| {
        load_str(name, text).unwrap_or_else(|found| panic!("{}", found.render(false)))
    };
    let (_, tables) = load("lb1.conf", own).compare(&mut load("lb2.conf", peer));
    let [table] = tables.as_slice() else { panic!("{} tables", tables.len()) };
    table
        .outcomes
        .iter()
        .map(|outcome| (outcome.scenario.clone(), outcome.priorities, outcome.master.clone()))
        .collect()
}

/// The guide's "Weight Calculation".
#[test]
fn the_failover_table_of_the_guide_is_what_the_guide_says() {
    let [lb1, lb2] = ["lb1.conf", "lb2.conf"].map(|name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
        fs::read_to_string(path).expect("an example")
    });

    let outcomes = outcomes(&lb1, &lb2);

    let scenario = |at: usize| (outcomes[at].1, outcomes[at].2.as_deref().expect("a Master"));
    assert_eq!(outcomes[0].0, "all healthy");
    assert_eq!(scenario(0), ([Some(110), Some(100)], "LB1"));
    assert_eq!(outcomes[1].0, "check `chk_haproxy` down on LB1");
    assert_eq!(scenario(1), ([Some(90), Some(100)], "LB2"));
    assert_eq!(outcomes[2].0, "check `chk_http` down on LB1");
    assert_eq!(scenario(2), ([Some(80), Some(100)], "LB2"));
    assert_eq!(outcomes[3].0, "all of these on LB1");
    assert_eq!(scenario(3), ([Some(60), Some(100)], "LB2"));
    assert_eq!(scenario(4), ([Some(110), Some(80)], "LB1"));
}

/// The guide's warning: with -5 and priorities 110 and 100, a failure causes no failover; -11 or more does.
#[test]
fn a_weight_that_is_too_small_is_an_error_with_the_weight_that_is_needed() {
    let node = |priority: u8, weight: i16, lines: &str| {
        with_checks([weight, 0], &format!("priority {priority}\n{lines}\ntrack_check {{ a }}"))
    };
    for (weight, needed) in [(-5, "-11 or less"), (-10, "-11 or less")] {
        let found = compared(&node(110, weight, ""), &node(100, weight, ""));
        let is_it = |found: &&Diagnostic| found.severity == Severity::Error;
        let error = found.iter().find(is_it).unwrap_or_else(|| panic!("{found}"));
        assert_finding(error, (14, 15), "can never cause a failover", &format!("write a weight of {needed}"));
    }
    assert!(compared(&node(110, -11, ""), &node(100, -11, "")).is_empty());

    // What the guide does not tell: a Backup that does not preempt lets a Master of lower priority be.
    let found = compared(&node(110, -20, "nopreempt"), &node(100, -20, "nopreempt"));
    assert_one(&found, (14, 15), "does not preempt", "write weight 0");
    let table = outcomes(&node(110, -20, "nopreempt"), &node(100, -20, "nopreempt"));
    assert_eq!((table[1].1, table[1].2.as_deref()), ([Some(90), Some(100)], table[0].2.as_deref()));
    let table = outcomes(&node(110, 0, "nopreempt"), &node(100, 0, "nopreempt"));
    assert_eq!((table[1].1, table[1].2.as_deref()), ([None, Some(100)], Some("lb2.conf")), "{table:?}");

    // A weight that decides while everything is well.
    let found = compared(&node(110, 0, ""), &node(100, 20, ""));
    assert!(found.iter().any(|found| found.message.contains("the weights decide")), "{found}");
}
