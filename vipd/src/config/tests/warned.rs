//! What a configuration says besides, and is used without: one warning each, with what follows from it.

use std::time::Duration;

use super::super::{Diagnostic, Probe, Severity, VirtualAddress, pending};
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
        ("use_ipvlan\nuse_ipvlan", 1, "`use_ipvlan` is ignored: adverts and addresses are on", "Keepalived"),
        ("debug 1\ndebug 2\ndebug 3", 1, "(and 2 more lines)", "remove it"),
        ("virtual_ipaddress { 10.0.0.101 use_vmac x1 }", 32, "`use_vmac` is ignored", "remove it"),
        (
            "virtual_ipaddress { 10.0.0.101 preferred_lft 5 home }",
            32,
            "`preferred_lft` is ignored",
            "remove it",
        ),
        ("track_bfd { a }", 1, "`track_bfd` is ignored", "remove it"),
        ("virtual_rules { ipproto tcp table 5 priority 5 }", 17, "the whole line is left out", "remove it"),
    ] {
        let loaded = accepted(&with(lines));
        let is_it = |found: &&Diagnostic| found.message.contains("is ignored");
        let first = loaded.warnings.iter().find(is_it).expect("a warning");
        assert_eq!(position(first), (5, column), "{first}");
        assert!(first.message.contains(message), "{message:?} is not said: {first}");
        assert!(first.help.contains(help), "{help:?} is no remedy in: {first}");
        assert!(only(&loaded).rules.is_empty() && only(&loaded).vmac.is_none(), "{lines:?} leaves no trace");
    }
}

#[test]
fn what_the_agent_does_not_act_on_yet_is_named_once_with_its_consequence() {
    // Whatever stands in the table today.
    let Some(consequence) = pending::consequence("unicast_ttl") else { return };
    let loaded = accepted(&format!(
        "{}{}",
        with("unicast_ttl 9"),
        with("unicast_ttl 8").replace("51", "52").replace("VI_1", "VI_2").replace("10.0.0.100", "10.0.0.101")
    ));
    let [warning] = loaded.warnings.iter().as_slice() else { panic!("{}", loaded.warnings) };
    assert_eq!(position(warning), (5, 1));
    let expected = format!("`unicast_ttl` is accepted, not acted on yet: {consequence} (and 1 more line)");
    assert_eq!(warning.message, expected);
}

/// C-FWD-02
#[test]
fn that_traffic_to_the_addresses_is_accepted_all_the_same_is_said() {
    assert_one_warning(&with("no_accept"), (5, 1), "accepts traffic to its addresses", "remove it");
}

#[test]
fn what_is_so_anyway_is_taken_without_a_word() {
    let global = "global_defs {\nreload_check_config\ndynamic_interfaces\nvrrp_check_unicast_src\n}\n";
    let loaded =
        accepted(&format!("{global}{}", with("accept\ncheck_unicast_src\nunicast_peer { 10.0.0.2 }")));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
}

#[test]
fn what_keepalived_takes_though_it_is_sloppy_is_taken_with_a_warning() {
    for (lines, at, message, help) in [
        ("virtual_ipaddress { 10.0.0.100 }", (5, 21), "already listed on line 4", "remove one"),
        ("unicast_peer { 10.0.0.2\n10.0.0.2\n}", (6, 1), "already listed on line 5", "remove one"),
        ("track_interface { eth0 weight -50 }", (5, 19), "own interface", "changes nothing"),
        ("track_src_ip", (5, 1), "no effect without a source", "add `unicast_src_ip`"),
        ("vmac_xmit_base", (5, 1), "no effect without `use_vmac`", "add `use_vmac`"),
        (
            "virtual_ipaddress_excluded { fd00::5/64 label eth0:a }",
            (5, 47),
            "IPv6 address has no label",
            "remove it",
        ),
        ("use_vmac\nunicast_peer { 10.0.0.2 }", (5, 1), "on the interface below", "add `vmac_xmit_base`"),
        ("use_vmac vrrp1 02:00:00:00:00:01", (5, 16), "a virtual MAC is 00:00:5e:00:01", "remove it"),
        ("virtual_rules { from 10.1.0.0/16 table 5 }", (5, 17), "no place in the list", "add `priority`"),
    ] {
        let loaded = accepted(&with(lines));
        let is_it = |found: &&Diagnostic| !found.message.contains("not acted on yet");
        let found: Vec<&Diagnostic> = loaded.warnings.iter().filter(is_it).collect();
        let [warning] = found.as_slice() else { panic!("not one warning:\n{}", loaded.warnings) };
        assert_eq!(position(warning), at, "{warning}");
        assert!(warning.message.contains(message), "{message:?} is not said: {warning}");
        assert!(warning.help.contains(help), "{help:?} is no remedy in: {warning}");
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
fn what_stands_behind_a_script_is_neither_its_argument_nor_its_user() {
    let text = format!("vrrp_script a {{\nscript \"/bin/a b\" nobody\n}}\n{}", with(""));
    let loaded = accepted(&text);
    assert!(
        loaded.warnings.iter().any(|found| found.message.contains("behind `script` is ignored")),
        "{}",
        loaded.warnings
    );
    let Probe::Script(script) = &loaded.config.checks[0].probe else { panic!("{:?}", loaded.config.checks) };
    assert_eq!(
        (script.argv.as_slice(), &script.account),
        (["/bin/a".to_owned(), "b".to_owned()].as_slice(), &None)
    );
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
    assert_one_warning(&text, (1, 1), "`virtual_server` is ignored: servers", "leave it for Keepalived");
}

#[test]
fn a_dollar_sign_that_names_no_definition_is_plain_text() {
    let loaded = accepted(&format!("global_defs {{\nrouter_id $LB${{1}}\n}}\n{}", with("")));
    assert_eq!(loaded.config.router_id.as_deref(), Some("$LB${1}"));
}
