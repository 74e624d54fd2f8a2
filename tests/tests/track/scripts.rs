//! Scripts as they are, and as they should not be.

use vipd_tests::procs::{self, Usage};
use vipd_tests::{DeadFiles, Host, Pair, Running, Settings, facts};

use super::{SOON, VIPD, conf, exists, wait_for_priority};

/// Puts a script on a host.
fn script(host: &Host, name: &str, body: &str) -> String {
    let path = format!("/etc/keepalived/{name}.sh");
    host.write_file(&path, &format!("#!/bin/sh\n{body}\n"), 0o755).expect("writable");
    path
}

/// How many living processes of a host have this name.
fn count(host: &Host, name: &str) -> usize {
    let all = host.command("ps -A -o state=,comm=").expect("ps");
    let living = all.lines().filter_map(|line| line.split_once(' ')).filter(|(state, _)| *state != "Z");
    living.filter(|(_, comm)| comm.trim() == name).count()
}

fn start(pair: &Pair, blocks: &str, tracked: &str) -> Running {
    let lines = format!("track_script {{\n{tracked}\n}}");
    pair.lb1.start(VIPD, &conf(Settings::v3(100), blocks, &lines)).expect("vipd")
}

/// What status tells of a check.
fn told(node: &Running, name: &str) -> String {
    let status = node.status().expect("status");
    let tracking = status["instances"][0]["tracking"].as_array().expect("a list").clone();
    let found = tracking.iter().find(|tracked| tracked["name"] == name).expect("tracked");
    found["state"].as_str().expect("text").to_owned()
}

/// Other checks, the election and memory are untouched by scripts that hang and do not listen to SIGTERM, that fork
/// without end, that flood their output, that delete themselves, and that hang in the kernel where no signal reaches them.
#[test]
fn a_script_that_misbehaves_fails_alone() {
    // Arrange: of those that run again and again, the third run is to be seen.
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let dead = DeadFiles::mount(host, "/run/server").expect("FUSE");
    let misbehaving = [
        ("hang", "trap '' TERM; sleep 1111 & sleep 1111; wait"),
        // "Without end" for this machine: a hundred in each run, which ignore SIGTERM too.
        ("fork", "trap '' TERM; for n in $(seq 100); do sleep 2222 & done; wait"),
        ("flood", "exec yes"),
        ("vanish", "rm $0"),
        ("dead", "test $(wc -l < /run/dead) -ge 2 || exit 1; exec cat /run/server/file"),
    ];
    let mut blocks = vec![exists("good", "/run/good", "weight 100")];
    for (name, body) in misbehaving {
        let runs = format!("echo >> /run/{name}; test $(wc -l < /run/{name}) -ge 3 && touch /run/{name}.3");
        let path = script(host, name, &format!("{runs}\n{body}"));
        // The last one must have got to where it hangs before it is killed.
        let timeout = if name == "dead" { "3" } else { "0.2" };
        blocks.push(format!(
            "vrrp_script {name} {{\nscript {path}\ninterval 0.3\ntimeout {timeout}\nweight -1\n}}\n"
        ));
        blocks.push(exists(&format!("{name}3"), &format!("/run/{name}.3"), "weight 10"));
    }
    host.write_file("/run/good", "", 0o644).expect("writable");
    let node = start(&pair, &blocks.concat(), "good\nhang\nfork\nflood\nvanish\ndead\nhang3\nfork3\nflood3");
    node.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let before = Usage::of(&[node.process().pid()]);

    // Act: 100, good 100, three that ran three times, five that fail.
    dead.wait_for_victim(SOON).expect("cat hangs");
    wait_for_priority(&node, 225);
    // It was down before, for another reason.
    let renewed = "check dead: it hangs in the kernel and cannot be killed";
    while !node.process().lines().iter().any(|line| line.text.contains(renewed)) {
        node.process().wait_for_line("", SOON).expect("it is said");
    }

    // Assert: each says what is wrong with it.
    for name in ["hang", "fork", "flood"] {
        assert_eq!(told(&node, name), format!("{name} failed (no result in 200 ms)"));
    }
    let vanished = told(&node, "vanish");
    assert!(vanished.contains("vanish.sh cannot be run: No such file"), "{vanished}");
    assert_eq!(told(&node, "dead"), "dead failed (it hangs in the kernel and cannot be killed)");
    // What hangs is not started again, and what hung has ended with all that it started.
    assert_eq!(count(host, "cat"), 2, "one beside that of the host's first process");
    assert!(count(host, "sleep") <= 102, "{} sleep", count(host, "sleep"));
    let after = Usage::of(&[node.process().pid()]);
    let grown = after.anonymous.saturating_sub(before.anonymous);
    assert!(grown < 4096, "{grown} KiB more");
    // Another check goes on, and so does the election.
    host.command("rm /run/good").expect("there");
    wait_for_priority(&node, 125);
    let masters = node.process().lines().iter().filter(|line| line.text.contains("Entering")).count();
    assert_eq!(masters, 2, "BACKUP and MASTER");

    // The end takes everything along but what hangs in the kernel, and is not held up by that.
    node.process().stop().expect("SIGTERM");
    assert!(node.process().wait(SOON).expect("it ends").success());
    assert_eq!((count(host, "sleep"), count(host, "yes")), (0, 0));
    drop(dead);
}

/// `interval` counts from start to start; a run that takes longer is followed by none that waited for it.
#[test]
fn an_overrun_never_queues() {
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let body = "mkdir /run/alone || touch /run/together\nsleep 0.35\nrmdir /run/alone\n\
                echo >> /run/runs; test $(wc -l < /run/runs) -ge 4 && touch /run/four; true";
    let slow = script(host, "slow", body);
    let blocks = format!("vrrp_script slow {{\nscript {slow}\ninterval 0.1\ntimeout 60\nweight 1\n}}\n")
        + &exists("four", "/run/four", "weight 10");
    let node = start(&pair, &blocks, "slow\nfour");

    node.process().wait_for_line("check slow took longer than its interval: ", SOON).expect("it is said");
    wait_for_priority(&node, 111);

    assert!(host.command("test -e /run/together").is_err(), "two runs at a time");
}

/// `script_user` and `user`: promise 6.
#[test]
fn a_script_runs_as_the_user_that_it_names() {
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    host.command("mkdir -m 777 /run/open").expect("mkdir");
    let who = script(host, "who", "id -un > /run/open/$1.new && mv /run/open/$1.new /run/open/$1");
    let blocks = format!("vrrp_script own {{\nscript \"{who} own\"\ninterval 0.1\nweight 1\n}}\n")
        + &format!("vrrp_script other {{\nscript \"{who} other\"\nuser nobody\ninterval 0.1\nweight 2\n}}\n");

    let node = start(&pair, &blocks, "own\nother");

    node.process().wait_for_line("to 103:", SOON).expect("both succeed");
    assert_eq!(host.read_file("/run/open/own").expect("written").trim(), "root");
    assert_eq!(host.read_file("/run/open/other").expect("written").trim(), "nobody");
}

/// `enable_script_security`: promise 6. What is not safe at the start is tracked by nobody, as in Keepalived.
#[test]
fn a_script_that_others_can_change_is_not_run() {
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    host.command("mkdir -m 777 /run/open").expect("mkdir");
    host.write_file("/run/open/check.sh", "#!/bin/sh\ntouch /run/breach\n", 0o755).expect("writable");
    let good = script(host, "good", "true");
    let blocks = "vrrp_script open {\nscript /run/open/check.sh\ninterval 0.1\n}\n".to_owned()
        + &format!("vrrp_script good {{\nscript {good}\ninterval 0.1\nweight 1\n}}\n");

    let node = start(&pair, &blocks, "open\ngood");

    let line =
        "check open is not made: /run/open/check.sh is not run (enable_script_security): /run/open can be";
    node.process().wait_for_line(line, SOON).expect("it is said");
    node.wait_for_state("MASTER", SOON).expect("it is not tracked");
    assert!(host.command("test -e /run/breach").is_err(), "it was run");

    // And what becomes unsafe is not run any more.
    host.command(&format!("chmod o+w {good}")).expect("chmod");
    node.process().wait_for_line("check good failed: ", SOON).expect("it is noticed");
    assert!(told(&node, "good").contains("(enable_script_security)"), "{}", told(&node, "good"));
}

/// Promise 4: also when the agent is killed, a script that listens ends with it.
#[test]
fn scripts_end_with_the_agent() {
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let blocks = "vrrp_script long {\nscript \"/bin/sleep 3333\"\ninterval 100\nweight 1\n}\n".to_owned()
        + &exists("never", "/run/never", "weight 1");
    for how in ["SIGTERM", "SIGKILL"] {
        let node = start(&pair, &blocks, "long\nnever");
        node.process().wait_for_line("check never failed", SOON).expect("checks are made");
        let own = node.processes().into_iter().find(|pid| procs::name(*pid).as_deref() == Some("sleep"));
        let own = own.expect("a child of the agent");

        if how == "SIGTERM" { node.process().stop() } else { node.process().kill_alone() }.expect("signal");

        procs::wait_for_end(&[own], SOON).unwrap_or_else(|error| panic!("{how}: {error:#}"));
        node.process().wait(SOON).expect("it ends");
        facts::wait_for_no_address(host, Pair::vip(), SOON).expect("the warden cleans up");
    }
}
