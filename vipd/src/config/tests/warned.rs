//! What a configuration says besides, and is used without: one warning each, with what follows from it.

use std::time::Duration;

use super::super::{Severity, VirtualAddress};
use super::{accepted, only, position, with};

#[track_caller]
fn assert_one_warning(text: &str, at: (usize, usize), message: &str, help: &str) {
    let loaded = accepted(text);
    let [warning] = loaded.warnings.iter().as_slice() else {
        panic!("not one warning:\n{}", loaded.warnings)
    };
    assert_eq!(warning.severity, Severity::Warning);
    assert_eq!(position(warning), at, "{warning}");
    assert!(warning.message.contains(message), "{message:?} is not said: {warning}");
    assert!(warning.help.contains(help), "{help:?} is no remedy in: {warning}");
}

#[test]
fn a_word_that_is_not_acted_on_is_named_with_its_consequence() {
    for (lines, column, message, help) in [
        (
            "track_script { a }",
            1,
            "`track_script` is not acted on yet: health checks do not",
            "leave it for Keepalived",
        ),
        ("notify_master /bin/a\nnotify_master /bin/b", 1, "(and 1 more line)", "remove it"),
        ("vmac_xmit_base\nvmac_xmit_base\nvmac_xmit_base", 1, "(and 2 more lines)", "remove it"),
        ("@lb1 priority 200", 1, "`@` is not acted on yet", "remove it"),
        ("@^lb1 authentication { auth_type AH }", 1, "`@` is not acted on yet", "remove it"),
        ("include other.conf", 1, "the file is not read", "remove it"),
        ("$NAME=10.0.0.1", 1, "`$` is not acted on yet", "remove it"),
        ("~SEQ(x,1,1,3) priority 200", 1, "`~` is not acted on yet", "remove it"),
        ("virtual_ipaddress { 10.0.0.101 use_vmac x1 }", 32, "`use_vmac` is not acted on yet", "remove it"),
        (
            "unicast_peer { 10.0.0.2 min_ttl 254 max_ttl 255\n10.0.0.3 min_ttl 254 }\ntrack_src_ip",
            25,
            "`min_ttl`",
            "",
        ),
    ] {
        let loaded = accepted(&with(lines));
        let first = loaded.warnings.iter().next().expect("a warning");
        assert_eq!(position(first), (5, column), "{first}");
        assert!(first.message.contains(message), "{message:?} is not said: {first}");
        assert!(first.help.contains(help), "{help:?} is no remedy in: {first}");
        assert_eq!(only(&loaded).priority, 100, "{lines:?} leaves no trace");
    }
}

#[test]
fn a_word_that_nobody_knows_is_reported_with_what_was_probably_meant() {
    for (line, column, message, help) in [
        ("prioroty 200", 1, "`prioroty` is not a keyword", "did you mean `priority`?"),
        ("trak_script { a }", 1, "`trak_script` is not a keyword", "did you mean `track_script`?"),
        ("frobnicate", 1, "not a keyword of vrrp_instance", "correct its spelling"),
        ("router_id LB1", 1, "means nothing in vrrp_instance", "move it to global_defs"),
        ("virtual_ipaddress { 10.0.0.101 lable eth0:1 }", 32, "`lable`", "did you mean `label`?"),
        ("=====", 1, "this word is not a keyword", "correct its spelling"),
    ] {
        assert_one_warning(&with(line), (5, column), message, help);
    }
}

#[test]
fn what_has_no_effect_is_said() {
    for (lines, at, message, help) in [
        ("state MASTER\nnopreempt", (6, 1), "preempts all the same", "state BACKUP"),
        ("priority 255\nnopreempt", (6, 1), "preempts always", "below 255"),
        ("state MASTER\npreempt_delay 5", (6, 15), "at once", "state BACKUP"),
        ("nopreempt\npreempt_delay 5", (6, 15), "never preempts", "remove it"),
        ("priority 90\npriority 100", (6, 10), "only the last one counts", "the first is on line 5"),
        ("priority 100 200 300", (5, 14), "behind `priority` is ignored", "line of its own"),
        ("nopreempt yes", (5, 11), "behind `nopreempt` is ignored", "line of its own"),
        ("priority 100#comment", (5, 13), "in the middle of a word", "double quotes"),
    ] {
        assert_one_warning(&with(lines), at, message, help);
    }
}

#[test]
fn nopreempt_and_delay_count_only_where_they_do_in_keepalived() {
    for (lines, preempt, delay) in [
        ("", true, 0),
        ("preempt", true, 0),
        ("nopreempt", false, 0),
        ("state BACKUP\nnopreempt", false, 0),
        ("state MASTER\nnopreempt", true, 0),
        ("nopreempt\nstate MASTER", true, 0),
        ("nopreempt\npriority 255", true, 0),
        ("preempt_delay 2.5", true, 2500),
        ("preempt_delay 2.5\nstate MASTER", true, 0),
    ] {
        let loaded = accepted(&with(lines));
        let instance = only(&loaded);
        assert_eq!(
            (instance.preempt, instance.preempt_delay),
            (preempt, Duration::from_millis(delay)),
            "{lines:?}"
        );
    }
}

#[test]
fn priority_without_a_line_is_100_and_255_with_state_master() {
    for (lines, priority) in
        [("", 100), ("state BACKUP", 100), ("state MASTER", 255), ("state MASTER\npriority 7", 7)]
    {
        assert_eq!(only(&accepted(&with(lines))).priority, priority, "{lines:?}");
    }
}

#[test]
fn global_defaults_hold_wherever_they_stand_and_yield_to_the_instance() {
    let global = "global_defs {\nrouter_id \"node one\"\nvrrp_version 3\nvrrp_garp_master_delay 7\nvrrp_garp_master_repeat 2\n}\n";
    let instance = with("advert_int 0.02\ngarp_master_repeat 9");
    let before = accepted(&format!("{global}{instance}")).config;
    let after = accepted(&format!("{instance}{global}")).config;

    assert_eq!(before.router_id.as_deref(), Some("node one"));
    assert_eq!((before.router_id.as_ref(), before.instances.len()), (after.router_id.as_ref(), 1));
    let [mut before, after] = [before, after].map(|config| config.instances[0].clone());
    before.line = after.line;
    assert_eq!(before, after);
    let announcing = before.garp;
    assert_eq!(
        (announcing.delay, announcing.repeat, announcing.refresh_repeat),
        (Duration::from_secs(7), 9, 1)
    );
    assert_eq!(before.interval.as_centis(), 2);
}

#[test]
fn an_address_carries_what_its_line_says() {
    let address = |line: &str| {
        let text = with("").replace("10.0.0.100/24", line);
        let loaded = accepted(&text);
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        only(&loaded).addresses[0].clone()
    };
    let ip = "10.0.0.100".parse().expect("an address");
    let plain =
        VirtualAddress { ip, prefix: 24, dev: None, label: None, broadcast: None, scope: 0, no_track: false };
    let broadcast = |text: &str| Some(text.parse().expect("an address"));

    for (line, expected) in [
        ("10.0.0.100", VirtualAddress { prefix: 32, ..plain.clone() }),
        ("10.0.0.100/24", plain.clone()),
        ("10.0.0.100/24 dev eth1", VirtualAddress { dev: Some("eth1".to_owned()), ..plain.clone() }),
        ("10.0.0.100/24 label eth0:a", VirtualAddress { label: Some("eth0:a".to_owned()), ..plain.clone() }),
        (
            "10.0.0.100/24 brd 10.0.0.200",
            VirtualAddress { broadcast: broadcast("10.0.0.200"), ..plain.clone() },
        ),
        ("10.0.0.100/24 brd +", VirtualAddress { broadcast: broadcast("10.0.0.255"), ..plain.clone() }),
        ("10.0.0.100/24 brd -", VirtualAddress { broadcast: broadcast("10.0.0.0"), ..plain.clone() }),
        ("10.0.0.100/24 scope link", VirtualAddress { scope: 253, ..plain.clone() }),
        ("10.0.0.100/24 scope 42", VirtualAddress { scope: 42, ..plain.clone() }),
    ] {
        assert_eq!(address(line), expected, "{line}");
    }
}

#[test]
fn one_meaning_has_many_spellings() {
    let expected = accepted(&with("priority 110\nnopreempt")).config.instances[0].clone();
    for text in [
        "vrrp_instance VI_1 {\r\ninterface eth0\r\nvirtual_router_id 51\r\nvirtual_ipaddress {\r\n10.0.0.100/24\r\n}\r\npriority 110\r\nnopreempt\r\n}\r\n",
        "vrrp_instance VI_1\n\n{\n  interface eth0 # one\n  virtual_router_id 51 ! two\n  virtual_ipaddress\n  {\n    10.0.0.100/24\n  }\n  priority 110\n  nopreempt\n}",
        "vrrp_instance \"VI_1\" { interface \"eth0\"\nvirtual_router_id \"51\"\nvirtual_ipaddress { 10.0.0.100/24 }\npriority 110\nnopreempt }",
        "vrrp_instance VI_1{\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress{\n10.0.0.100/24}\npriority \\\n 110\nnopreempt}",
        "! top\nvrrp_instance VI_1 { # {{{ \"\n\n\ninterface eth0\nvirtual_router_id 51\npriority 110\nnopreempt\nvirtual_ipaddress { # }\n10.0.0.100/24\n} }",
    ] {
        let loaded = accepted(text);
        assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
        let mut instance = only(&loaded).clone();
        instance.line = expected.line;
        assert_eq!(instance, expected, "{text}");
    }
}

#[test]
fn blocks_of_others_are_skipped_whole_with_one_warning() {
    let text = format!(
        "virtual_server 10.0.0.1 80 {{\ndelay_loop 6\nreal_server 10.0.0.2 80 {{\nweight 1\n}}\n}}\n{}",
        with("")
    );
    assert_one_warning(&text, (1, 1), "`virtual_server` is not acted on yet", "leave it for Keepalived");
}

#[test]
fn a_dollar_sign_that_names_no_definition_is_plain_text() {
    let loaded = accepted(&format!("global_defs {{\nrouter_id $LB${{1}}\n}}\n{}", with("")));
    assert_eq!(loaded.config.router_id.as_deref(), Some("$LB${1}"));
}
