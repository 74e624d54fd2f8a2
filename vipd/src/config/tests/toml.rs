//! The TOML form means the same as keepalived.conf, by the same rules, and refuses what it does not know.

use super::super::{Checksum, Datapath, Instance, Severity, load_str};
use super::{accepted, position, with};

/// A file with one instance, whose table holds `lines` besides what it needs. They begin on line 5.
fn instance(lines: &str) -> String {
    format!(
        "[[instance]]\nname = \"VI_1\"\ninterface = \"eth0\"\nvirtual_router_id = 51\n{lines}\nvirtual_ipaddress = [\"10.0.0.100/24\"]\n"
    )
}

#[track_caller]
fn assert_one_error(text: &str, at: (usize, usize), message: &str, help: &str) {
    let found = load_str("test.toml", text).err().unwrap_or_else(|| panic!("accepted:\n{text}"));
    let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
    let [error] = errors.as_slice() else { panic!("not one error in\n{text}\n{found}") };
    assert_eq!(position(error), at, "{text}\n{error}");
    assert!(error.message.contains(message), "{message:?} is not said: {error}");
    assert!(error.help.contains(help), "{help:?} is no remedy in: {error}");
}

#[test]
fn the_same_meaning_gives_the_same_model_in_both_languages() {
    for (conf, toml) in [
        ("", ""),
        ("priority 110\nnopreempt", "priority = 110\npreempt = false"),
        ("priority 16", "priority = 0x10"),
        ("version 3\nadvert_int 0.01", "version = 3\nadvert_int = 0.01"),
        ("advert_int 2", "advert_int = 2"),
        ("advert_int 2.0\npreempt_delay 1.5", "advert_int = 2.0\npreempt_delay = 1.5"),
        ("authentication {\nauth_type PASS\nauth_pass secret\n}", "auth_pass = \"secret\""),
        (
            "garp_master_delay 1\ngarp_master_repeat 2\ngarp_master_refresh 3\ngarp_master_refresh_repeat 4",
            "garp_master_delay = 1\ngarp_master_repeat = 2\ngarp_master_refresh = 3\ngarp_master_refresh_repeat = 4",
        ),
        ("mcast_src_ip 10.0.0.1", "mcast_src_ip = \"10.0.0.1\""),
        (
            "unicast_src_ip 10.0.0.1\nunicast_peer {\n10.0.0.2\n10.0.0.3\n}",
            "unicast_src_ip = \"10.0.0.1\"\nunicast_peer = [\"10.0.0.2\", \"10.0.0.3\"]",
        ),
    ] {
        let line_of_its_own = |mut instance: Instance| {
            instance.line = 0;
            instance
        };
        let conf = accepted(&with(conf)).config;
        let toml = load_str("test.toml", &instance(toml)).unwrap_or_else(|found| panic!("{found}"));

        assert!(toml.warnings.is_empty(), "{}", toml.warnings);
        let [conf, toml] =
            [conf, toml.config].map(|config| config.instances.into_iter().map(line_of_its_own));
        assert_eq!(conf.collect::<Vec<_>>(), toml.collect::<Vec<_>>());
    }
}

#[test]
fn an_address_table_means_what_the_words_behind_an_address_mean() {
    let conf = with("").replace("10.0.0.100/24", "10.0.0.100/24 dev eth1 label eth1:a brd + scope link");
    let table = "{ ip = \"10.0.0.100/24\", dev = \"eth1\", label = \"eth1:a\", brd = \"+\", scope = 253 }";
    let toml = instance("").replace("\"10.0.0.100/24\"", table);

    let toml = load_str("test.toml", &toml).expect("accepted").config;

    assert_eq!(toml.instances[0].addresses, accepted(&conf).config.instances[0].addresses);
}

#[test]
fn datapath_and_checksum_are_named_in_kebab_case() {
    let text = format!("datapath = \"xdp-generic\"\n{}", instance("checksum = \"message\""));

    let config = load_str("test.toml", &text).expect("accepted").config;

    assert_eq!((config.datapath, config.instances[0].checksum), (Datapath::XdpGeneric, Checksum::Message));
}

#[test]
fn a_line_that_toml_cannot_hold_is_refused_where_it_stands() {
    for (line, column, message, help) in [
        ("prioroty = 1", 1, "`prioroty` is not a key of an instance", "did you mean `priority`?"),
        ("track_script = [\"a\"]", 1, "`track_script` is not a key", "write `track_check`"),
        ("track_chek = [\"a\"]", 1, "`track_chek` is not a key", "did you mean `track_check`?"),
        ("track_check = [\"a\"]", 16, "no check called `a`", "add a `[[check]]`"),
        ("track_check = \"a\"", 15, "is a list", "write `track_check = [\"name\"]`"),
        ("track_interface = [{ weight = 5 }]", 20, "has no `name`", "add `name = "),
        ("notify = 5", 10, "`notify` is text", "double quotes"),
        ("notify = []", 10, "the command is empty", "path of a program"),
        ("notify = { user = \"root\" }", 10, "has no `command`", "add `command = "),
        ("fence = 5", 9, "is a table", "`{ key = value }`"),
        ("fence = { gateway = \"10.0.0.9\", quorums = 1 }", 33, "not a key of `fence`", "`quorum`"),
        ("accept = 1", 10, "true or false", "without quotes"),
        ("zzz = 1", 1, "`zzz` is not a key", "what can stand here is name, interface"),
        ("priority = \"110\"", 12, "`priority` is a number", "without quotes"),
        ("priority = 256", 12, "`256` is not a priority", "1 to 255"),
        ("priority = 110.5", 12, "`110.5` is not a priority", "1 to 255"),
        ("priority = 0xffffffffffffffffff", 12, "is not a priority", "1 to 255"),
        ("preempt = \"no\"", 11, "true or false", "without quotes"),
        ("checksum = \"both\"", 12, "`both` is not a form", "either, message or pseudo"),
        ("checksum = 3", 12, "`checksum` is text", "double quotes"),
        ("mcast_src_ip = 10", 16, "`mcast_src_ip` is text", "double quotes"),
        ("advert_int = 0.5", 14, "whole seconds only", "set `version = 3`"),
        ("advert_int = 1e-2", 14, "not an advertisement interval", "0.01"),
        ("advert_int = nan", 14, "not an advertisement interval", "0.01"),
        ("version = 3\nauth_pass = \"x\"", 13, "no password", "remove `auth_pass`"),
        ("unicast_peer = \"10.0.0.2\"", 16, "is a list", "write `unicast_peer = [\"192.168.1.100\"]`"),
        ("unicast_peer = []", 16, "names no peer", "multicast"),
        ("unicast_peer = [10]", 17, "is text", "double quotes"),
        ("priority = 1 2", 12, "not TOML", "toml.io"),
        ("priority = ", 12, "not TOML", "toml.io"),
        ("name = \"again\"", 1, "not TOML: duplicate key", "toml.io"),
    ] {
        assert_one_error(&instance(line), (5 + line.matches('\n').count(), column), message, help);
    }
}

#[test]
fn an_address_that_toml_cannot_hold_is_refused_where_it_stands() {
    for (item, column, message, help) in [
        ("\"10.0.0.1/33\"", 22, "`33` is not a prefix length", "1 to 32"),
        ("1", 22, "is text", "double quotes"),
        ("{ dev = \"eth0\" }", 22, "has no `ip`", "add `ip = "),
        ("{ ip = 1 }", 29, "`ip` is text", "double quotes"),
        ("{ ip = \"10.0.0.1\", label = 1 }", 49, "`label` is text", "double quotes"),
        ("{ ip = \"10.0.0.1\", lable = \"x\" }", 41, "not a key of an address", "did you mean `label`?"),
    ] {
        let text = instance("").replace("\"10.0.0.100/24\"", item);
        assert_one_error(&text, (6, column), message, help);
    }
}

#[test]
fn what_is_missing_is_shown_as_toml_writes_it() {
    for (line, message, help) in [
        ("name = \"VI_1\"", "has no `name`", "add `name = \"VI_1\"`"),
        ("interface = \"eth0\"", "has no `interface`", "add `interface = \"eth0\"`"),
        ("virtual_router_id = 51", "has no `virtual_router_id`", "add `virtual_router_id = 51`"),
        ("virtual_ipaddress = [\"10.0.0.100/24\"]", "no virtual address", "add `virtual_ipaddress = [\"192"),
    ] {
        assert_one_error(&instance("").replace(line, ""), (1, 1), message, help);
    }
}

#[test]
fn a_document_of_another_shape_is_refused() {
    for (text, at, message, help) in [
        ("", (1, 1), "no virtual router", "[[instance]]"),
        ("instance = []", (1, 1), "no virtual router", "[[instance]]"),
        ("[instance]\nname = \"x\"", (1, 1), "is a list", "`[[instance]]`"),
        ("check = [1]\n[[instance]]", (1, 10), "is a table", "`[[check]]`"),
        ("[[check]]\nname = \"a\"\n[[instance]]", (1, 1), "check `a` does nothing", "add `script`"),
        (
            "[[check]]\nname = \"a\"\ntcp = \"10.0.0.1:80\"\nicmp = \"10.0.0.1\"\n[[instance]]",
            (1, 1),
            "more than one thing: tcp, icmp",
            "a check for each",
        ),
        ("[[file]]\nname = \"a\"\nfile = \"x\"\n[[instance]]", (3, 8), "not an absolute path", "a slash"),
        ("[[webhook]]\nurl = \"gopher://x\"\n[[instance]]", (2, 7), "not a URL of the web", "https://"),
        ("[mail]\nto = [\"a @b\"]\n[[instance]]", (2, 7), "`a @b` is not an address of mail", "@"),
        ("instance = [1]", (1, 13), "is a table", "`[[instance]]`"),
        ("datapath = \"dpdk\"\n[[instance]]", (1, 12), "`dpdk` is not a datapath", "xdp-native"),
        ("route_id = \"x\"\n[[instance]]", (1, 1), "not a key of the file", "`router_id`"),
    ] {
        let text = if text.ends_with("[[instance]]") {
            text.replace("[[instance]]", &instance(""))
        } else {
            text.to_owned()
        };
        assert_one_error(&text, at, message, help);
    }
}
