//! Promises 1 and 4: however the agent ends, it resigns, and nothing of it stays.

mod common;

use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use nix::sys::signal::Signal;
use vipd_tests::guide::Conf;
use vipd_tests::{
    Agent, Balancer, Change, Datapath, Frame, Moment, Object, Pair, Rtnl, Running, Tap, facts,
    instrumented_vipd, start_vipd_by, vipd_binary,
};

use self::common::Traces;

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);
const WARDEN: &str = "vipd-warden";

fn quick(conf: Conf) -> Conf {
    conf.without_scripts().version_3().advert("0.2")
}

/// vipd on `balancer`, in the program that can be made to panic, as MASTER.
fn master(pair: &Pair, balancer: &Balancer, conf: &Conf) -> Running {
    let program = instrumented_vipd().expect("built");
    let agent =
        start_vipd_by(&[&program.to_string_lossy()], &balancer.host, conf, Datapath::Auto).expect("vipd");
    agent.wait_for_state("MASTER", SOON).expect("nobody else is there");
    pair.wait_for_holder(balancer, SOON).expect("it holds the address");
    agent
}

fn address(last_octet: u8) -> IpAddr {
    Ipv4Addr::new(192, 168, 1, last_octet).into()
}

fn is_resignation_of(frame: &Frame, balancer: &Balancer) -> bool {
    frame.came_from(&balancer.port) && frame.advert().is_some_and(|advert| advert.priority == 0)
}

/// A way to end an agent.
type End = fn(&Running) -> Result<()>;

fn by_signal(signal: Signal) -> ExitStatus {
    ExitStatus::from_raw(signal as i32)
}

fn by_exit(code: i32) -> ExitStatus {
    ExitStatus::from_raw(code << 8)
}

#[test]
fn promise_4_however_the_agent_ends_it_resigns_and_nothing_of_it_stays() {
    let ends: [(&str, ExitStatus, End); 10] = [
        ("SIGTERM", by_exit(0), |agent| agent.process().stop()),
        ("SIGTERM to its process group", by_exit(0), |agent| agent.process().signal_group(Signal::SIGTERM)),
        ("Ctrl-C", by_exit(0), |agent| agent.process().signal_group(Signal::SIGINT)),
        ("kill -9", by_signal(Signal::SIGKILL), |agent| agent.process().kill_alone()),
        ("kill -9 of its process group", by_signal(Signal::SIGKILL), |agent| {
            agent.process().signal_group(Signal::SIGKILL)
        }),
        ("kill -9 while it is stopped", by_signal(Signal::SIGKILL), |agent| {
            agent.process().freeze()?;
            agent.process().kill_alone()
        }),
        ("a crash", by_signal(Signal::SIGILL), |agent| agent.process().signal(Signal::SIGILL)),
        ("an abort", by_signal(Signal::SIGABRT), |agent| agent.process().signal(Signal::SIGABRT)),
        ("a panic of the election", by_exit(70), |agent| agent.process().signal(Signal::SIGUSR1)),
        ("a panic of the service thread", by_exit(70), |agent| {
            agent.process().signal_thread("service", Signal::SIGUSR1)
        }),
    ];
    for (name, status, end) in ends {
        // Arrange
        let pair = Pair::new().expect("lab");
        let before = Traces::of(&pair.lb1.host).expect("facts");
        let lb1 = master(&pair, &pair.lb1, &quick(Conf::lb1()));
        let lb2 = pair.lb2.start(VIPD, &quick(Conf::lb2())).expect("vipd");
        lb2.wait_for_state("BACKUP", SOON).expect("it listens first");
        let tap = Tap::open(pair.switch.host()).expect("tap");

        // Act
        end(&lb1).unwrap_or_else(|error| panic!("{name}: {error:#}"));

        // Assert: the caller sees how it ended, the peer need not wait for the down interval, nothing is left.
        let ended =
            lb1.process().wait_for_whole_end(SOON).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(ended, status, "{name}");
        tap.wait_for(SOON, |frame| is_resignation_of(frame, &pair.lb1).then_some(()))
            .unwrap_or_else(|error| panic!("{name}: no resignation: {error:#}"));
        let takeover = lb2.wait_for_state("MASTER", SOON).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert!(takeover.text.contains("resigned with priority 0"), "{name}: {}", takeover.text);
        pair.wait_for_holder(&pair.lb2, SOON).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(Traces::of(&pair.lb1.host).expect("facts"), before, "{name}");
    }
}

/// A bug is told in one sentence, which says what to do; the user sees no backtrace.
#[test]
fn promise_4_a_panic_is_one_sentence_about_a_bug() {
    for thread in ["election", "service"] {
        let pair = Pair::new().expect("lab");
        let agent = master(&pair, &pair.lb1, &quick(Conf::lb1()));
        agent.process().skip_lines();

        match thread {
            "election" => agent.process().signal(Signal::SIGUSR1),
            name => agent.process().signal_thread(name, Signal::SIGUSR1),
        }
        .expect("signal");

        agent.process().wait_for_line("by a bug of its own", SOON).expect("it says so");
        agent.process().wait_for_whole_end(SOON).expect("it ends");
        let lines = agent.process().lines();
        let told: Vec<_> =
            lines.iter().map(|line| line.text.as_str()).filter(|line| line.contains("SIGUSR1")).collect();
        assert_eq!(told.len(), 1, "{thread}: {lines:#?}");
        assert!(told[0].contains("ERROR") && told[0].contains("please report"), "{thread}: {}", told[0]);
        assert!(lines.iter().all(|line| !line.text.contains("backtrace")), "{thread}: {lines:#?}");
    }
}

#[test]
fn promise_4_without_its_warden_an_agent_goes_on_says_what_that_costs_and_cleans_up_itself() {
    let ends: [(&str, ExitStatus, End); 3] = [
        ("SIGTERM", by_exit(0), |agent| agent.process().stop()),
        ("a panic of the election", by_exit(70), |agent| agent.process().signal(Signal::SIGUSR1)),
        ("a panic of the service thread", by_exit(70), |agent| {
            agent.process().signal_thread("service", Signal::SIGUSR1)
        }),
    ];
    for (name, status, end) in ends {
        // Arrange
        let pair = Pair::new().expect("lab");
        let before = Traces::of(&pair.lb1.host).expect("facts");
        let agent = master(&pair, &pair.lb1, &quick(Conf::lb1()));
        assert_eq!(agent.status().expect("status")["warden"], "running", "{name}");
        let tap = Tap::open(pair.switch.host()).expect("tap");

        // Act
        assert!(agent.process().kill_child(WARDEN).expect("it runs"), "{name}: there is no warden");

        // Assert
        let told = agent.process().wait_for_line("the warden is gone", SOON).expect("it says so");
        assert!(
            told.text.contains("WARN") && told.text.contains("its addresses stay"),
            "{name}: {}",
            told.text
        );
        let now = agent.status().expect("status");
        assert_eq!(
            (&now["warden"], &now["instances"][0]["state"]),
            (&"gone".into(), &"MASTER".into()),
            "{name}"
        );

        end(&agent).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let ended = agent.process().wait_for_whole_end(SOON).expect("it ends");
        assert_eq!(ended, status, "{name}");
        tap.wait_for(SOON, |frame| is_resignation_of(frame, &pair.lb1).then_some(()))
            .unwrap_or_else(|error| panic!("{name}: no resignation: {error:#}"));
        assert_eq!(Traces::of(&pair.lb1.host).expect("facts"), before, "{name}");
    }
}

/// What an agent and its warden leave that were killed together goes with the next start, also when its configuration
/// is another one; what an operator or another agent has put there stays.
#[test]
fn promise_4_the_next_start_removes_what_is_left_when_both_were_killed_and_only_that() {
    // Arrange: an agent with two addresses, of which an operator has set a third one before it; another agent beside it.
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    host.command("ip address add 192.168.1.103/24 dev eth0").expect("ip");
    let before = Traces::of(host).expect("facts");
    let more =
        "192.168.1.100/24 dev eth0 label eth0:vip\n192.168.1.101/24 dev eth0\n192.168.1.103/24 dev eth0";
    let older = quick(Conf::lb1()).replace("192.168.1.100/24 dev eth0 label eth0:vip", more);
    let other =
        quick(Conf::lb1()).replace("_id 51", "_id 52").replace("192.168.1.100/24", "192.168.1.102/24");
    host.write_file("/etc/other.conf", other.text(), 0o644).expect("write");
    let vipd = vipd_binary().expect("built");
    let arguments = ["run", "--config", "/etc/other.conf", "--run-dir", "/run/other", "--datapath", "socket"];
    let beside = host.spawn(vipd, &arguments).expect("vipd");
    facts::wait_for_address(host, address(102), SOON).expect("the other is MASTER");
    let first = pair.lb1.start(VIPD, &older).expect("vipd");
    first.wait_for_state("MASTER", SOON).expect("nobody else is there");
    facts::wait_for_address(host, address(101), SOON).expect("it holds its addresses");
    let changes = Rtnl::open(host).expect("changes");

    // Act
    assert!(first.process().kill_child(WARDEN).expect("it runs"));
    first.process().kill_alone().expect("SIGKILL");
    first.process().wait_for_whole_end(SOON).expect("both are dead");
    let left = host.command("ip -4 -o address show dev eth0").expect("ip");
    let second = pair.lb1.start(VIPD, &quick(Conf::lb1())).expect("vipd");

    // Assert
    for ip in ["192.168.1.100/24", "192.168.1.101/24"] {
        assert!(left.contains(ip), "the test shows nothing: {left}");
        second.process().wait_for_line(&format!("removed {ip}"), SOON).expect("it says so");
    }
    second.wait_for_state("BACKUP", SOON).expect("and starts as any");
    second.process().stop().expect("SIGTERM");
    second.process().wait_for_whole_end(SOON).expect("it ends");
    let removed: Vec<IpAddr> =
        std::iter::from_fn(|| changes.next(Duration::ZERO).ok().filter(|batch| !batch.is_empty()))
            .flatten()
            .filter_map(|(_, change)| if let Change::AddressRemoved(ip) = change { Some(ip) } else { None })
            .collect();
    assert_eq!(removed, [100, 101].map(address), "what others have put there was touched");
    beside.stop().expect("SIGTERM");
    beside.wait_for_whole_end(SOON).expect("it ends");
    assert_eq!(Traces::of(host).expect("facts"), before);
}

/// The owner's own address is not the agent's to take away.
#[test]
fn an_address_that_was_there_before_stays_when_the_agent_is_killed() {
    let pair = Pair::new().expect("lab");
    pair.lb1.host.command("ip address add 192.168.1.100/24 dev eth0").expect("ip");
    let before = Traces::of(&pair.lb1.host).expect("facts");
    let tap = Tap::open(pair.switch.host()).expect("tap");
    let agent = pair.lb1.start(VIPD, &quick(Conf::lb1())).expect("vipd");
    tap.wait_for(SOON, Frame::gratuitous_arp).expect("it has the address, and says so");

    agent.process().kill_alone().expect("SIGKILL");

    agent.process().wait_for_line("removed 0 address(es)", SOON).expect("the warden's report");
    agent.process().wait_for_whole_end(SOON).expect("it ends");
    assert_eq!(Traces::of(&pair.lb1.host).expect("facts"), before);
}

#[test]
fn a_killed_agent_resigns_to_each_of_its_unicast_peers() {
    let pair = Pair::new().expect("lab");
    let conf = quick(Conf::lb1()).with_line("unicast_peer {\n192.168.1.20\n192.168.1.50\n}");
    let agent = pair.lb1.start(VIPD, &conf).expect("vipd");
    agent.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let tap = Tap::open(pair.switch.host()).expect("tap");
    // Each is known by its hardware address when adverts have gone there.
    for peer in [20, 50] {
        let speaks =
            |frame: &Frame| frame.advert().filter(|advert| advert.destination == address(peer)).map(drop);
        tap.wait_for(SOON, speaks).expect("an advert for each");
    }

    agent.process().kill_alone().expect("SIGKILL");

    let mut resigned = Vec::new();
    while resigned.len() < 2 {
        let pick = |frame: &Frame| {
            let resignation = is_resignation_of(frame, &pair.lb1);
            frame.advert().filter(|_| resignation).map(|advert| advert.destination)
        };
        resigned.push(tap.wait_for(SOON, pick).expect("a resignation"));
    }
    assert_eq!(resigned, [20, 50].map(address));
}

/// A service manager that starts a killed agent again at once does not meet the warden's lock.
#[test]
fn a_killed_agent_can_be_started_again_at_once() {
    let pair = Pair::new().expect("lab");
    let mut agent = master(&pair, &pair.lb1, &quick(Conf::lb1()));
    for _ in 0..5 {
        agent.process().kill_alone().expect("SIGKILL");
        agent.process().wait(SOON).expect("dead");
        agent = pair.lb1.start(VIPD, &quick(Conf::lb1())).expect("vipd");
        agent.wait_for_state("BACKUP", SOON).expect("it starts");
        agent.wait_for_state("MASTER", SOON).expect("nobody else is there");
    }
}

/// Starts and kills leave nothing, however often: nothing on the host, and no program, map or link in the kernel.
/// `VIPD_STARTS` says how often.
#[test]
fn promise_4_many_starts_and_kills_leave_nothing() {
    let starts = std::env::var("VIPD_STARTS").map_or(20, |text| text.parse().expect("a number"));
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let conf = Conf::lb1().without_scripts().version_3().advert("0.01");
    // As systemd makes it (`RuntimeDirectory=`). One that is killed between making it and noting that would leave it, empty.
    host.command("mkdir /run/vipd").expect("mkdir");
    let before = Traces::of(host).expect("facts");
    for start in 0..starts {
        let agent = pair.lb1.start(VIPD, &conf).expect("vipd");
        // Killed at every moment of a start, and as MASTER.
        match start % 3 {
            0 => drop(agent.wait_for_state("MASTER", SOON).expect("nobody else is there")),
            1 => drop(agent.wait_for_state("BACKUP", SOON).expect("it starts")),
            _ => {}
        }
        let objects = Object::held_by(agent.process().pid());
        assert!(start % 3 == 2 || objects.len() >= MAPS, "the test shows nothing: {objects:?}");
        agent.process().kill_alone().expect("SIGKILL");
        agent.process().wait_for_whole_end(SOON).unwrap_or_else(|error| panic!("start {start}: {error:#}"));
        let mut after = Traces::of(host).expect("facts");
        if start % 3 == 2 {
            // It makes the lock file before it has a warden. That goes with the next start.
            after.files.clone_from(&before.files);
        }
        assert_eq!(after, before, "start {start}");
        expect_gone(&objects, &format!("start {start}"));
    }
}

/// The kernel half has this many.
const MAPS: usize = 8;

/// Awaits that the kernel has none of these any more. It frees them when no CPU can be using them, and tells nobody.
fn expect_gone(objects: &[Object], context: &str) {
    let deadline = Moment::now() + SOON;
    while let Some(left) = objects.iter().find(|object| object.is_there().expect("the kernel tells")) {
        assert!(!deadline.remaining().is_zero(), "{context}: {left:?} stays in the kernel");
        thread::yield_now();
    }
}
