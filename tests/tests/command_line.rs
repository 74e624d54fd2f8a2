//! What `vipd` says, and with which exit code it ends, when something is not as it must be.

use std::process::{Command, Output};
use std::time::Duration;

use nix::sys::signal::Signal;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Host, Lab, Pair, vipd_binary};

const SOON: Duration = Duration::from_secs(30);

/// Runs a command line on a host; `vipd` in it stands for the binary under test.
fn shell(host: &Host, line: &str) -> Output {
    let line = line.replace("vipd ", &format!("{} ", vipd_binary().expect("built").display()));
    host.run(move || Command::new("sh").args(["-c", &line]).output().expect("sh"))
}

/// A machine with one interface, and a configuration at `/run/c.toml`.
fn machine(lab: &Lab, config: &str) -> Host {
    let host = lab.host("lb").expect("host");
    host.command("ip link add eth0 type veth peer name port0").expect("ip");
    host.command("ip link set eth0 up").expect("ip");
    host.command("ip address add 192.168.1.10/24 dev eth0").expect("ip");
    host.write_file("/run/c.toml", config, 0o600).expect("write");
    host
}

const USABLE: &str = "[[instance]]\nname = \"VI_1\"\ninterface = \"eth0\"\nvirtual_router_id = 51\nversion = 3\n\
    virtual_ipaddress = [\"192.168.1.100/24\"]\n";

/// `--host`, and Keepalived's names for it: `run` and `check` take the same lines of a file for several nodes. Without it this
/// host's name counts.
#[test]
fn the_lines_of_a_node_are_the_same_for_run_and_check() {
    let lab = Lab::new().expect("lab");
    let host = machine(&lab, "");
    host.command("ip link set port0 up").expect("ip");
    let conf = "vrrp_instance VI_1 {\ninterface eth0\nversion 3\nvirtual_router_id 51\nvirtual_ipaddress {\n\
        192.168.1.100/24\n}\n@one priority 110\n@two priority 90\n@lb priority 70\n}\n";
    host.write_file("/run/c.conf", conf, 0o600).expect("write");
    for (option, priority) in
        [("--host one", 110), ("--host two", 90), ("--config-id one", 110), ("-i two", 90), ("", 70)]
    {
        let checked = shell(&host, &format!("vipd check /run/c.conf {option}"));
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(said.contains(&format!("priority {priority},")), "{option}: {said}");

        let words = format!("run --config /run/c.conf {option}");
        let words: Vec<&str> = words.split_whitespace().collect();
        let agent = host.spawn(vipd_binary().expect("built"), &words).expect("vipd");
        agent.wait_for_line("Entering BACKUP STATE", SOON).expect("it runs");
        let status = shell(&host, "vipd status --json").stdout;
        let status: serde_json::Value = serde_json::from_slice(&status).expect("JSON");
        assert_eq!(status["instances"][0]["priority"], priority, "{option}");
        agent.stop().expect("SIGTERM");
        agent.wait_for_whole_end(SOON).expect("it ends");
    }
}

/// Promise 5, and the error texts that a tired person reads: exit code, and words that the message must hold.
#[test]
fn promise_5_what_cannot_run_is_refused_with_a_sentence_and_nothing_is_touched() {
    let cases = [
        ("a bad value", "priority = 300", "vipd run --config /run/c.toml", 2, ["c.toml", "300"]),
        ("a bad value, checked", "priority = 300", "vipd check /run/c.toml", 2, ["c.toml", "300"]),
        ("an unknown key", "priorty = 100", "vipd run --config /run/c.toml", 2, ["priorty", "priority"]),
        ("no file", "", "vipd run --config /run/none.conf", 2, ["/run/none.conf", "cannot read"]),
        ("a fine file", "", "vipd check /run/c.toml", 0, ["usable", "VI_1"]),
        (
            "no rights",
            "",
            "chmod 644 /run/c.toml; setpriv --reuid 65534 --clear-groups vipd run --config /run/c.toml",
            1,
            ["CAP_NET_ADMIN", "CAP_NET_RAW"],
        ),
        ("nobody to ask", "", "vipd status", 1, ["/run/vipd", "--run-dir"]),
    ];
    for (name, line, command, code, words) in cases {
        // Arrange
        let lab = Lab::new().expect("lab");
        let host = machine(&lab, &format!("{USABLE}{line}\n"));

        // Act
        let output = shell(&host, command);

        // Assert
        let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{name}: {said}");
        for word in words {
            assert!(said.contains(word), "{name}: no {word} in {said}");
        }
        assert!(!said.contains("panicked") && !said.contains("stack backtrace"), "{name}: {said}");
        // libmount has a directory of its own there.
        let left = shell(
            &host,
            "ls -A /run | grep -v ^mount$; ip -4 -o address show dev eth0 | grep -v 192.168.1.10/24",
        );
        assert_eq!(String::from_utf8_lossy(&left.stdout), "c.toml\n", "{name}: something stays");
    }
}

#[test]
fn a_second_agent_with_the_same_run_dir_is_told_who_is_first_and_harms_nothing() {
    let pair = Pair::new().expect("lab");
    let conf = Conf::lb1().without_scripts();
    let first = pair.lb1.start(Agent::Vipd(Datapath::Auto), &conf).expect("vipd");
    first.wait_for_state("BACKUP", SOON).expect("it runs");

    let second = shell(&pair.lb1.host, "vipd run --config /etc/keepalived/keepalived.conf");

    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("another vipd (pid ") && said.contains("--run-dir"), "{said}");
    first.wait_for_state("MASTER", SOON).expect("the first goes on");
    assert!(first.status().is_ok(), "and still answers");
}

/// Promise 4: what a killed agent left is removed by the next one, and only that.
#[test]
fn promise_4_the_next_agent_removes_what_a_killed_one_left() {
    // Arrange
    let pair = Pair::new().expect("lab");
    let conf = Conf::lb1().without_scripts();
    let first = pair.lb1.start(Agent::Vipd(Datapath::Auto), &conf).expect("vipd");
    pair.wait_for_holder(&pair.lb1, SOON).expect("MASTER");
    let own = pair.lb1.ip.to_string();

    // Act
    first.kill_all().expect("kill");
    first.process().wait(SOON).expect("dead");
    let second = pair.lb1.start(Agent::Vipd(Datapath::Auto), &conf).expect("vipd");
    let told = second.process().wait_for_line("left behind", SOON);

    // Assert
    told.expect("it says so");
    second.wait_for_state("BACKUP", SOON).expect("and starts as any");
    let addresses = pair.lb1.host.command("ip -4 -o address show dev eth0").expect("ip");
    assert!(addresses.contains(&own), "{addresses}");
    second.process().signal(Signal::SIGTERM).expect("signal");
    second.process().wait(SOON).expect("it ends");
}
