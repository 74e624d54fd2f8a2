//! The same file given to Keepalived and to vipd, the same faults: the same sequence of states and priorities.

use vipd_tests::{Agent, Pair, Settings};

use super::{SOON, VIPD, conf, exists};

/// Something that happens on the node.
enum Event {
    Write(&'static str, &'static str),
    Remove(&'static str),
    Run(&'static str),
}
use Event::{Remove, Run, Write};

/// Blocks before the virtual router, lines in it, what is done before the agent starts, and then one event after the other
/// with what follows from it: a state, or a change of the priority.
struct Case {
    blocks: String,
    lines: &'static str,
    before: Vec<Event>,
    events: Vec<(Event, &'static [&'static str])>,
}

impl Case {
    /// Both agents tell the same.
    fn expect_the_same(&self) {
        let expected: Vec<&str> = self.events.iter().flat_map(|(_, follows)| *follows).copied().collect();
        for agent in [Agent::Keepalived, VIPD] {
            assert_eq!(self.run(agent), expected, "{agent}");
        }
    }

    /// What an agent tells after it has become Master.
    fn run(&self, agent: Agent) -> Vec<String> {
        let pair = Pair::new().expect("lab");
        self.before.iter().for_each(|event| happen(&pair, event));
        let conf = conf(Settings::v3(100), &self.blocks, self.lines);
        let node = pair.lb1.start(agent, &conf).expect("agent");
        let master = node.wait_for_state("MASTER", SOON).expect("nobody else is there");
        for (event, follows) in &self.events {
            happen(&pair, event);
            for told in *follows {
                let line = match told.split_once(" -> ") {
                    Some((before, after)) => {
                        format!("(VI_1) Changing effective priority from {before} to {after}")
                    }
                    None => format!("(VI_1) Entering {told} STATE"),
                };
                node.process().wait_for_line(&line, SOON).expect("it is told");
            }
        }
        let lines = node.process().lines();
        lines.iter().filter(|line| line.at > master.at).filter_map(|line| told(&line.text)).collect()
    }
}

fn happen(pair: &Pair, event: &Event) {
    let host = &pair.lb1.host;
    match event {
        Write(path, text) => host.write_file(path, text, 0o644).expect("writable"),
        Remove(path) => host.command(&format!("rm {path}")).map(drop).expect("there"),
        Run(command) => host.command(command).map(drop).expect("a command"),
    }
}

/// What a line tells of states and priorities.
fn told(line: &str) -> Option<String> {
    let (_, text) = line.split_once("(VI_1) ")?;
    if let Some(state) = text.strip_prefix("Entering ") {
        return state.split(' ').next().map(str::to_owned);
    }
    let (before, after) = text.strip_prefix("Changing effective priority from ")?.split_once(" to ")?;
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    Some(format!("{} -> {}", digits(before), digits(after)))
}

const BACK: &[&str] = &["BACKUP", "MASTER"];

#[test]
fn vrrp_script_without_a_weight_is_fault_after_fall_and_back_after_rise() {
    let case = Case {
        blocks: exists("chk", "/run/a", "fall 3\nrise 2"),
        lines: "track_script {\nchk\n}",
        before: vec![Write("/run/a", "")],
        events: vec![(Remove("/run/a"), &["FAULT"]), (Write("/run/a", ""), BACK)],
    };
    case.expect_the_same();
}

#[test]
fn vrrp_script_weight_adds_while_up_subtracts_while_down_and_track_script_overrides_it() {
    let scripts = [
        exists("minus", "/run/a", "weight -20"),
        exists("plus", "/run/b", "weight 30"),
        exists("overridden", "/run/c", "weight -100"),
    ];
    let case = Case {
        blocks: scripts.concat(),
        lines: "track_script {\nminus\nplus\noverridden weight -5\n}",
        before: vec![Write("/run/a", ""), Write("/run/b", ""), Write("/run/c", "")],
        events: vec![
            (Remove("/run/a"), &["130 -> 110"]),
            (Remove("/run/b"), &["110 -> 80"]),
            (Remove("/run/c"), &["80 -> 75"]),
            (Write("/run/a", ""), &["75 -> 95"]),
            (Write("/run/b", ""), &["95 -> 125"]),
        ],
    };
    case.expect_the_same();
}

#[test]
fn reverse_turns_the_sign_of_a_weight_and_without_one_up_is_fault() {
    let scripts = [
        exists("minus", "/run/a", "weight -20 reverse"),
        exists("plus", "/run/b", "weight 30 reverse"),
        exists("none", "/run/c", "weight 0 reverse"),
    ];
    let case = Case {
        blocks: scripts.concat(),
        lines: "track_script {\nminus\nplus\nnone\n}",
        before: vec![Write("/run/a", "")],
        events: vec![
            (Write("/run/b", ""), &["100 -> 70"]),
            (Remove("/run/a"), &["70 -> 90"]),
            (Write("/run/c", ""), &["FAULT"]),
            (Remove("/run/c"), BACK),
        ],
    };
    case.expect_the_same();
}

#[test]
fn the_sum_of_weights_stays_within_1_and_254() {
    let case = Case {
        blocks: [exists("plus", "/run/a", "weight 200"), exists("minus", "/run/b", "weight -200")].concat(),
        lines: "track_script {\nplus\nminus\n}",
        before: vec![Write("/run/a", ""), Write("/run/b", "")],
        events: vec![
            (Remove("/run/a"), &["254 -> 100"]),
            (Remove("/run/b"), &["100 -> 1"]),
            (Write("/run/b", ""), &["1 -> 100"]),
        ],
    };
    case.expect_the_same();
}

#[test]
fn track_file_multiplies_its_number_by_the_weight_and_without_one_any_number_but_0_is_fault() {
    let file = |name: &str, more: &str| format!("track_file {name} {{\nfile /run/files/{name}\n{more}\n}}\n");
    let files = [
        file("once", ""),
        file("twice", "weight -2"),
        file("none", "weight 0"),
        file("turned", "weight 3 reverse\ninit_file 2"),
    ];
    let case = Case {
        blocks: files.concat(),
        lines: "track_file {\nonce\ntwice\nnone\nturned\n}",
        before: vec![Run("mkdir /run/files")],
        events: vec![
            (Write("/run/files/once", "10"), &["94 -> 104"]),
            (Write("/run/files/twice", "5"), &["104 -> 94"]),
            (Write("/run/files/turned", "4"), &["94 -> 88"]),
            (Remove("/run/files/twice"), &["88 -> 98"]),
            (Run("mv /run/files/once /run/files/away"), &["98 -> 88"]),
            (Write("/run/files/none", "1"), &["FAULT"]),
            (Write("/run/files/none", "0"), BACK),
        ],
    };
    case.expect_the_same();
}

fn veth(names: &[&'static str]) -> Vec<Event> {
    let commands = names.iter().flat_map(|name| match *name {
        "eth1" => {
            ["ip link add eth1 type veth peer name peer1", "ip link set eth1 up", "ip link set peer1 up"]
        }
        "eth2" => {
            ["ip link add eth2 type veth peer name peer2", "ip link set eth2 up", "ip link set peer2 up"]
        }
        _ => ["ip link add eth3 type veth peer name peer3", "ip link set eth3 up", "ip link set peer3 up"],
    });
    commands.map(Run).collect()
}

#[test]
fn track_interface_weighs_carrier_and_the_own_interface_is_fault_whatever_its_weight() {
    let case = Case {
        blocks: String::new(),
        lines: "track_interface {\neth0 weight -50\neth1 weight -30\neth2 weight 20\neth3 weight 10 reverse\n}",
        before: veth(&["eth1", "eth2", "eth3"]),
        events: vec![
            (Run("ip link set peer1 down"), &["110 -> 80"]),
            (Run("ip link set peer2 down"), &["80 -> 60"]),
            (Run("ip link set peer3 down"), &["60 -> 70"]),
            (Run("ip link set peer1 up"), &["70 -> 100"]),
            (Run("ip link set eth0 down"), &["FAULT"]),
            (Run("ip link set eth0 up"), BACK),
        ],
    };
    case.expect_the_same();
}

#[test]
fn track_interface_without_a_weight_is_fault_and_an_interface_made_again_is_picked_up() {
    let mut events = vec![
        (Run("ip link set peer1 down"), &["FAULT"][..]),
        (Run("ip link set peer1 up"), BACK),
        (Run("ip link del eth1"), &["FAULT"]),
    ];
    events.extend(veth(&["eth1"]).into_iter().map(|event| (event, &[][..])));
    events.push((Run("true"), BACK));
    let case =
        Case { blocks: String::new(), lines: "track_interface {\neth1\n}", before: veth(&["eth1"]), events };
    case.expect_the_same();
}

#[test]
fn dont_track_primary_goes_on_while_the_own_interface_is_down() {
    let case = Case {
        blocks: exists("chk", "/run/a", "weight -7"),
        lines: "dont_track_primary\ntrack_script {\nchk\n}",
        before: vec![Write("/run/a", "")],
        events: vec![
            (Run("ip link set eth0 down"), &[]),
            (Remove("/run/a"), &["100 -> 93"]),
            (Run("ip link set eth0 up"), &[]),
            (Write("/run/a", ""), &["93 -> 100"]),
        ],
    };
    case.expect_the_same();
}

/// In a lab's host the kernel tells nobody of processes (netlink connector), so Keepalived takes each for dead: what can be
/// compared is their want. `vrrp_track_process_counts_living_processes_by_name_and_parameters` has the living ones.
#[test]
fn track_process_weighs_the_want_of_a_process() {
    let process =
        |name: &str, more: &str| format!("vrrp_track_process {name} {{\nprocess sleep\n{more}\n}}\n");
    let processes = [
        process("minus", "weight -10"),
        process("plus", "weight 30"),
        process("turned", "weight 7 reverse"),
        process("two", "quorum 2\nweight -3"),
    ];
    let case = Case {
        blocks: processes.concat() + &exists("chk", "/run/a", "weight -1"),
        lines: "track_process {\nminus\nplus\nturned\ntwo\n}\ntrack_script {\nchk\n}",
        before: vec![Write("/run/a", "")],
        events: vec![(Remove("/run/a"), &["87 -> 86"])],
    };
    case.expect_the_same();
}

/// What a group tracks moves all of its members alike; a member's own weights would move it alone.
#[test]
fn sync_group_counts_its_own_weights_and_without_tracking_weight_none_of_its_members() {
    let group = "vrrp_sync_group G {\ngroup {\nVI_1\nVI_2\n}\ntrack_script {\nplain\nshared\n}\n}\n\
                 vrrp_instance VI_2 {\ninterface eth0\nversion 3\nadvert_int 0.2\nvirtual_router_id 52\n\
                 virtual_ipaddress {\n192.168.1.101/24\n}\n}\n";
    let blocks = [
        exists("plain", "/run/a", ""),
        exists("shared", "/run/b", "weight -20"),
        exists("own", "/run/c", "weight -5"),
        "track_file f {\nfile /run/f\n}\n".to_owned(),
        group.to_owned(),
    ];
    let case = Case {
        blocks: blocks.concat(),
        lines: "track_script {\nown\n}\ntrack_file {\nf\n}",
        before: vec![Write("/run/a", ""), Write("/run/b", ""), Write("/run/c", "")],
        events: vec![
            (Remove("/run/c"), &[]),
            (Remove("/run/b"), &["100 -> 80"]),
            (Remove("/run/a"), &["FAULT"]),
            (Write("/run/a", ""), BACK),
            (Write("/run/f", "1"), &["FAULT"]),
            (Write("/run/f", "0"), BACK),
            (Write("/run/b", ""), &["80 -> 100"]),
        ],
    };
    case.expect_the_same();
}
