//! A wrong configuration is refused with file, line, column and a remedy (promise 5), and with all that is wrong.

use std::path::Path;

use super::super::{Severity, host_name, load, load_str};
use super::{position, refused, with};

/// The text is refused for one error, there and in these words.
#[track_caller]
fn assert_one_error(text: &str, at: (usize, usize), message: &str, help: &str) {
    let found = refused(text);
    let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
    let [error] = errors.as_slice() else { panic!("not one error in\n{text}\n{found}") };
    assert_eq!(position(error), at, "{text}\n{error}");
    assert!(error.message.contains(message), "{message:?} is not said: {error}");
    assert!(error.help.contains(help), "{help:?} is no remedy in: {error}");
}

#[test]
fn a_value_that_keepalived_conf_cannot_hold_is_refused_where_it_stands() {
    for (line, column, message, help) in [
        ("priority 0", 10, "`0` is not a priority", "1 to 255"),
        ("priority 256", 10, "`256` is not a priority", "1 to 255"),
        ("priority high", 10, "`high` is not a priority", "1 to 255"),
        ("priority -1", 10, "`-1` is not a priority", "1 to 255"),
        ("priority", 1, "`priority` needs a value", "same line"),
        ("priority { 100 }", 1, "takes a value, not a block", "same line"),
        ("priority '100'", 10, "single quotes", "double quotes"),
        ("version 4", 9, "`4` is not a version", "2 or 3"),
        ("state LEADER", 7, "`LEADER` is not a state", "MASTER or BACKUP"),
        ("state master", 7, "`master` is not a state", "MASTER or BACKUP"),
        ("advert_int 0", 12, "out of range", "1 to 255"),
        ("advert_int 256", 12, "out of range", "1 to 255"),
        ("advert_int 99999999999", 12, "not an advertisement interval", "seconds"),
        ("advert_int .", 12, "not an advertisement interval", "seconds"),
        ("advert_int 1e2", 12, "not an advertisement interval", "seconds"),
        ("advert_int 0.5", 12, "whole seconds only; Keepalived would round", "`vrrp_version 3`"),
        ("advert_int 0.005", 12, "steps of 10 milliseconds", "0.01 to 40.95"),
        ("version 3\nadvert_int 41", 12, "up to 40.95", "version 2"),
        ("preempt_delay 1001", 15, "`1001` is not a delay", "0 to 1000"),
        ("garp_master_delay 1.5", 19, "`1.5` is not a wait", "0 to 86400"),
        ("garp_master_repeat 0", 20, "`0` is not a number of announcements", "1 to 255"),
        ("garp_master_refresh -5", 21, "`-5` is not a wait", "0 to 86400"),
        ("garp_master_refresh_repeat 256", 28, "`256` is not a number of announcements", "1 to 255"),
        ("mcast_src_ip eth0", 14, "`eth0` is not an IP address", "192.168.1.100"),
        ("mcast_src_ip 224.0.0.18", 14, "not the address of one host", "192.168.1.100"),
        ("unicast_src_ip fd00::1", 16, "cannot come from fd00::1", "family of the virtual addresses"),
        ("unicast_peer\npriority 100", 1, "`unicast_peer` has no block", "`{`"),
        ("unicast_peer { }", 1, "names no peer", "multicast"),
        ("unicast_peer { 10.0.0.300 }", 16, "not an IP address", "192.168.1.100"),
        ("unicast_peer { fd00::2 }", 16, "cannot go to fd00::2", "family of the virtual addresses"),
        ("unicast_peer { 10.0.0.2 { } }", 16, "holds no blocks", "one address on each line"),
        ("unicast_peer { 10.0.0.2 min_ttl 256 }", 33, "`256` is not a TTL", "0 to 255"),
        ("unicast_peer { 10.0.0.2 min_ttl 9 max_ttl 8 }", 16, "no advert can arrive", "not above `max_ttl`"),
        ("unicast_src_ip 10.0.0.1\nmcast_src_ip 10.0.0.2", 14, "another source", "keep one"),
        ("unicast_ttl 0", 13, "`0` is not a TTL", "1 to 255"),
        ("mcast_dst_ip 10.0.0.1", 14, "not a group", "224.0.0.18"),
        ("mcast_dst_ip ff02::12", 14, "not a group", "224.0.0.18"),
        ("down_timer_adverts 0", 20, "`0` is not a number of adverts", "1 to 100"),
        ("garp_lower_prio_repeat 256", 24, "`256` is not a number of announcements", "0 to 255"),
        ("lower_prio_no_advert maybe", 22, "neither on nor off", "nothing for on"),
        ("use_vmac a-much-too-long-name", 10, "is too long for an interface", "at most 15 octets"),
        ("strict_mode\nunicast_peer { 10.0.0.2 }", 1, "allows no `unicast_peer`", "remove one"),
        ("strict_mode\npreempt_delay 5", 15, "allows no `preempt_delay`", "remove one"),
        ("track_interface { eth1 weight 300 }", 31, "`300` is not a weight", "-253 to 253"),
        ("track_interface { eth1 weight }", 24, "`weight` needs a value", "same line"),
        ("track_script { nobody }", 16, "no check called `nobody`", "add `vrrp_script nobody"),
        ("track_file { nobody }", 14, "no file called `nobody`", "add `track_file nobody"),
        ("track_process { nobody }", 17, "no process called `nobody`", "add `vrrp_track_process nobody"),
        ("notify \"\"", 8, "the command is empty", "path of a program"),
        ("notify \"/bin/a 'b\"", 8, "not closed", "close it"),
        ("notify /bin/a -v", 15, "no part of it", "in double quotes"),
        ("notify", 1, "needs a command", "same line"),
        ("virtual_routes { 10.1.0.0/16 }", 18, "leads nowhere", "add `via`"),
        ("virtual_routes { 10.1.2.3/16 via 10.0.0.9 }", 18, "bits behind its prefix", "10.1.0.0/16"),
        ("virtual_routes { fd00::/64 via 10.0.0.9 }", 18, "not of one family", "IPv4 addresses only"),
        ("virtual_routes { 10.1.0.0/16 dev eth0 table none }", 45, "not a routing table", "main, local"),
        ("virtual_rules { from 10.1.0.0/16 priority 5 }", 17, "does nothing", "add `table`"),
        ("fence { }", 1, "asks nobody", "add `gateway`"),
        ("fence { gateway 10.0.0.9\nquorum 2 }", 8, "`2` is not a number of hosts", "1 to 1"),
        ("fence { gateway 10.0.0.9\ninterval 1\ntimeout 2 }", 9, "longer than the interval", "at most 1"),
        ("authentication { auth_type AH }", 28, "not supported", "auth_type PASS"),
        ("authentication { auth_type MD5 }", 28, "`MD5` is not a type", "write PASS"),
        ("authentication { auth_type PASS }", 28, "has no password", "add `auth_pass`"),
        ("authentication { auth_pass x }", 28, "no `auth_type`", "add `auth_type PASS`"),
        ("authentication { auth_type PASS\nauth_pass \"\" }", 11, "empty", "1 to 8 octets"),
        ("authentication { auth_type PASS\nauth_pass }", 1, "needs a value", "same line"),
        ("notify \"/bin/x", 8, "quote is not closed", "close it"),
    ] {
        let last = 5 + line.matches('\n').count();
        let at = if line.starts_with("unicast_peer\n") { 5 } else { last };
        assert_one_error(&with(line), (at, column), message, help);
    }
}

#[test]
fn a_virtual_address_that_no_host_can_have_is_refused_where_it_stands() {
    for (line, column, message, help) in [
        ("10.0.0.1/33", 1, "`33` is not a prefix length", "1 to 32"),
        ("10.0.0.1/0", 1, "`0` is not a prefix length", "1 to 32"),
        ("10.0.0.1/255.255.255.0", 1, "not a prefix length", "1 to 32"),
        ("10.0.0", 1, "`10.0.0` is not an IP address", "192.168.1.100"),
        ("0.0.0.0/8", 1, "not the address of one host", "192.168.1.100"),
        ("10.0.0.1 label eth0:much-too-long", 16, "is too long", "at most 15 octets"),
        ("10.0.0.1 dev eth0-much-too-long", 14, "is too long for an interface", "at most 15 octets"),
        ("10.0.0.1 dev a/b", 14, "not the name of an interface", "ip link"),
        ("10.0.0.1 dev", 10, "`dev` needs a value", "same line"),
        ("10.0.0.1 scope world", 16, "`world` is not a scope", "global"),
        ("10.0.0.1 scope 256", 16, "`256` is not a scope", "0 to 255"),
        ("10.0.0.1 brd x", 14, "not a broadcast address", "+"),
        ("10.0.0.1 10.0.0.2", 10, "behind another address", "one address on each line"),
        ("10.0.0.1 {", 1, "holds no blocks", "one address on each line"),
    ] {
        let close = if line.ends_with('{') { "\n}" } else { "" };
        let text = format!(
            "vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {{\n{line}{close}\n10.0.0.9\n}}\n}}"
        );
        assert_one_error(&text, (5, column), message, help);
    }
}

#[test]
fn an_interface_or_id_that_cannot_be_is_refused_once_and_not_called_missing() {
    let file = |interface: &str, id: &str| {
        format!("vrrp_instance VI_1 {{\n{interface}\n{id}\nvirtual_ipaddress {{ 10.0.0.1 }}\n}}")
    };
    let (interface, id) = ("interface eth0", "virtual_router_id 51");
    for (interface, id, at, message, help) in [
        ("interface eth0:1", id, (2, 11), "is an alias", "write `eth0`"),
        ("interface a/b", id, (2, 11), "not the name of an interface", "ip link"),
        ("interface ..", id, (2, 11), "not the name of an interface", "ip link"),
        ("interface abcdefghijklmnop", id, (2, 11), "too long", "15 octets"),
        ("interface", id, (2, 1), "needs a value", "same line"),
        ("", id, (1, 1), "has no `interface`", "add `interface eth0`"),
        (interface, "virtual_router_id 0", (3, 19), "`0` is not a virtual router id", "1 to 255"),
        (interface, "virtual_router_id 256", (3, 19), "`256` is not a virtual router id", "1 to 255"),
        (interface, "", (1, 1), "has no `virtual_router_id`", "add `virtual_router_id 51`"),
    ] {
        assert_one_error(&file(interface, id), at, message, help);
    }
}

#[test]
fn braces_that_do_not_match_are_reported_at_the_block_and_hide_no_other_brace() {
    let closed = with("");
    for (text, at, message, help) in [
        ("vrrp_instance VI_1 {\ninterface eth0\n", (1, 1), "never closed", "at its end"),
        (
            "vrrp_instance A {\nauthentication {\n}\n\nvrrp_instance B {\n}\n",
            (1, 1),
            "never closed",
            "before line 5",
        ),
        ("global_defs {\n}\n}\n", (3, 1), "closes nothing", "remove it"),
        ("{\n}\n", (1, 1), "no name", "keyword before"),
        ("vrrp_instance VI_1 {\n} {\n}\n", (2, 3), "no name", "keyword before"),
        (&format!("{closed}}}"), (7, 1), "closes nothing", "remove it"),
        ("vrrp_instance VI_1\n", (1, 1), "`vrrp_instance` has no block", "`{`"),
        (&"a {\n".repeat(17), (17, 1), "nested too deeply", "close"),
    ] {
        assert_one_error(text, at, message, help);
    }
}

#[test]
fn what_two_instances_cannot_share_is_refused_at_the_second() {
    let instance = |name: &str, interface: &str, id: u8, address: &str| {
        format!(
            "vrrp_instance {name} {{\ninterface {interface}\nvirtual_router_id {id}\nvirtual_ipaddress {{ {address} }}\n}}\n"
        )
    };
    let first = instance("A", "eth0", 1, "10.0.0.1/24");
    for (second, at, message, help) in [
        (
            instance("A", "eth0", 2, "10.0.0.2"),
            (6, 15),
            "`A` is taken by the instance on line 1",
            "name of its own",
        ),
        (
            instance("B", "eth0", 1, "10.0.0.2"),
            (8, 19),
            "router 1 on `eth0` is already configured on line 3",
            "id of its own",
        ),
        (instance("B", "eth0", 2, "10.0.0.1"), (9, 21), "10.0.0.1 is already listed on line 4", "once"),
        (
            instance("B", "eth0", 2, "10.0.0.2 }\nvirtual_ipaddress_excluded { 10.0.0.1"),
            (10, 30),
            "10.0.0.1 is already listed on line 4",
            "once",
        ),
        (
            format!("{}vrrp_sync_group G {{ group {{ A B C }} }}", instance("B", "eth0", 2, "10.0.0.2")),
            (11, 33),
            "no instance called `C`",
            "name an instance",
        ),
        (
            format!(
                "{}vrrp_sync_group G {{ group {{ A B }} }}\nvrrp_sync_group H {{ group {{ B }} }}",
                instance("B", "eth0", 2, "10.0.0.2")
            ),
            (12, 29),
            "`B` is already in a group, on line 11",
            "one group only",
        ),
    ] {
        assert_one_error(&format!("{first}{second}"), at, message, help);
    }
    let apart = format!("{first}{}", instance("B", "eth1", 1, "10.0.0.2"));
    assert!(load_str("test.conf", &apart).is_ok(), "one id on two interfaces is two virtual routers");
}

#[test]
fn no_node_is_its_own_peer() {
    let own = "unicast_src_ip 10.0.0.1\nunicast_peer { 10.0.0.1 }";
    assert_one_error(&with(own), (6, 16), "this node's own", "other nodes");
}

#[test]
fn more_addresses_than_an_advert_lists_are_refused() {
    let list = |count: usize| {
        let lines: Vec<String> = (0..count).map(|n| format!("10.1.{}.{}", n / 200, n % 200 + 1)).collect();
        format!(
            "vrrp_instance VI_1 {{\ninterface eth0\nvirtual_router_id 51\nvirtual_ipaddress {{\n{}\n}}\n}}\n",
            lines.join("\n")
        )
    };

    assert_one_error(&list(256), (260, 1), "at most 255", "another instance");
    assert!(load_str("test.conf", &list(255)).is_ok());
}

#[test]
fn ipv6_is_version_3_of_one_family_and_of_as_many_addresses_as_fit() {
    let text = |lines: &str| with(lines).replace("10.0.0.100/24", "fe80::1:1/64");
    let many = |count: usize| {
        let list: Vec<String> = (0..count).map(|n| format!("fd00::{}", n + 1)).collect();
        text(&format!("virtual_ipaddress {{\n{}\n}}", list.join("\n")))
    };
    assert!(load_str("test.conf", &many(89)).is_ok());
    let globally = format!("global_defs {{ vrrp_version 2 }}\n{}", text(""));
    assert!(
        load_str("test.conf", &globally).is_ok(),
        "the version of the file is that of its IPv4 instances"
    );
    for (text, at, message, help) in [
        (text("version 2"), (5, 9), "version 2 carries no IPv6", "version 3"),
        (text("authentication { auth_type PASS\nauth_pass x }"), (6, 11), "carries no password", "remove"),
        (text("virtual_ipaddress { 10.0.0.1 }"), (5, 21), "of another family", "virtual_ipaddress_excluded"),
        (
            text("unicast_src_ip 10.0.0.1\nunicast_peer { fd00::2 }"),
            (5, 16),
            "cannot come from",
            "of the family",
        ),
        (text("unicast_peer { 10.0.0.2 }"), (5, 16), "cannot go to", "of the family"),
        (text("mcast_dst_ip 224.0.0.18"), (5, 14), "not a group", "ff02::12"),
        (text("mcast_dst_ip ff05::12"), (5, 14), "not a group", "ff02::12"),
        (many(90), (95, 1), "at most 90", "another instance"),
    ] {
        assert_one_error(&text, at, message, help);
    }
}

#[test]
fn more_instances_than_the_maps_hold_are_refused() {
    let instances = |count: usize| -> String {
        let one = |n: usize| {
            let (interface, id, address) = (n / 255, n % 255 + 1, format!("10.{}.{}.1", n / 250, n % 250));
            format!(
                "vrrp_instance V{n} {{\ninterface eth{interface}\nvirtual_router_id {id}\nvirtual_ipaddress {{ {address} }}\n}}\n"
            )
        };
        (0..count).map(one).collect()
    };

    assert_one_error(&instances(1025), (5121, 1), "at most 1024", "other nodes");
    assert!(load_str("test.conf", &instances(1024)).is_ok());
}

#[test]
fn a_password_in_version_3_is_refused_wherever_the_version_is_given() {
    let auth = "authentication { auth_type PASS\nauth_pass x }";
    let refusal = "version 3 carries no password";
    assert_one_error(&with(&format!("{auth}\nversion 3")), (6, 11), refusal, "use version 2");
    let global = format!("{}global_defs {{ vrrp_version 3 }}", with(auth));
    assert_one_error(&global, (6, 11), refusal, "remove the `authentication` block");
}

#[test]
fn a_file_without_a_virtual_router_is_refused() {
    for text in ["", "\n\n", "# only a comment", "global_defs { router_id LB1 }"] {
        assert_one_error(text, (1, 1), "no virtual router", "vrrp_instance");
    }
}

#[test]
fn every_error_is_reported_at_once_in_the_order_of_the_file() {
    let text = "global_defs {\nvrrp_version 9\n}\nvrrp_instance A {\ninterface eth0\npriority 300\nstate BOSS\n\
                virtual_ipaddress {\n10.0.0.1/40\nfd00::1\n}\n}\nvrrp_instance A {\ninterface eth0/1\n}";

    let found = refused(text);

    let places: Vec<_> = found.iter().map(position).collect();
    let first = [(2, 14), (4, 1), (6, 10), (7, 7), (9, 1), (10, 1)];
    assert_eq!(places, [first.as_slice(), &[(13, 1), (13, 1), (13, 15), (14, 11)]].concat(), "{found}");
}

#[test]
fn a_file_that_cannot_be_read_is_reported_by_name() {
    let missing = Path::new(env!("CARGO_MANIFEST_DIR")).join("no-such-file.conf");
    for (path, reason) in
        [(missing.as_path(), "No such file"), (Path::new(env!("CARGO_MANIFEST_DIR")), "directory")]
    {
        let found = load(path, &host_name()).expect_err("it cannot be read");

        let [error] = found.iter().as_slice() else { panic!("{found}") };
        assert_eq!((error.severity, error.place.is_none()), (Severity::Error, true));
        assert_eq!(error.file, path.display().to_string());
        assert!(error.message.contains(reason), "{error}");
        assert!(error.help.contains("may read"), "{error}");
    }
}

#[test]
fn a_word_in_another_encoding_is_refused_and_a_comment_is_not() {
    let text = |lossy: &str| with(lossy);
    let latin1 =
        String::from_utf8_lossy(b"authentication { auth_type PASS\nauth_pass gr\xfcn }").into_owned();
    assert_one_error(&text(&latin1), (6, 11), "not UTF-8", "save the file as UTF-8");
    let comment = String::from_utf8_lossy(b"# gr\xfcn").into_owned();
    assert!(load_str("test.conf", &text(&comment)).is_ok());
}
