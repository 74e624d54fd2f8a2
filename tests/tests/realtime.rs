//! Promise 2, and the ladder of rights: the thread that decides keeps a CPU and its memory, and where it may not, the agent
//! runs on and says what that costs.

mod common;

use std::time::Duration;

use nix::sys::signal::Signal;
use vipd_tests::guide::Conf;
use vipd_tests::{
    Agent, Datapath, Direction, Frame, Host, Pair, Process, Running, Tap, instrumented_vipd, start_vipd_by,
    vipd_binary,
};

use self::common::Traces;

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(2);

fn quick(conf: Conf, interval: &str) -> Conf {
    conf.without_scripts().version_3().advert(interval)
}

/// Promise 2: two nodes whose every CPU is taken by real-time tasks keep their roles, and a real failure during that is
/// taken over all the same.
#[test]
fn promise_2_starved_of_cpu_by_real_time_tasks_nobody_changes_roles() {
    // Arrange: without a CPU of its own for its deciding thread, an agent would wait for the 50 ms that the kernel keeps
    // for normal tasks in each second: longer than three intervals.
    let pair = Pair::new().expect("lab");
    let agent = Agent::Vipd(Datapath::Auto);
    let lb1 = pair.lb1.start(agent, &quick(Conf::lb1(), "0.1")).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(agent, &quick(Conf::lb2(), "0.1")).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens first");
    let sent = Tap::open(&pair.lb1.host).expect("tap");
    let hogs = hogs(&pair.lb1.host);

    // Act
    for _ in 0..30 {
        sent.wait_for(SOON, |frame| frame.advert().filter(|_| frame.direction == Direction::Out))
            .expect("an advert");
    }

    // Assert
    let told = |agent: &Running| -> Vec<String> {
        let lines = agent.process().lines().into_iter().map(|line| line.text);
        lines.filter(|line| line.contains(" STATE: ")).collect()
    };
    assert_eq!((told(&lb1).len(), told(&lb2).len()), (2, 1), "{:?} {:?}", told(&lb1), told(&lb2));
    lb1.process().kill_alone().expect("SIGKILL");
    lb2.wait_for_state("MASTER", SOON).expect("a real failure is seen");
    drop(hogs);
}

/// A real-time task on each CPU that never lets go.
fn hogs(host: &Host) -> Vec<Process> {
    let cpus = std::thread::available_parallelism().expect("a number").get();
    let hog = |cpu: usize| {
        let arguments = ["-f", "10", "taskset", "-c", &cpu.to_string(), "sh", "-c", "while :; do :; done"];
        host.spawn("chrt", &arguments).expect("chrt")
    };
    (0..cpus).map(hog).collect()
}

/// What an agent lacks, what it makes of it, and what it says: in the log and in the status.
struct Step {
    name: &'static str,
    rights: &'static [&'static str],
    scheduling: &'static str,
    datapath: &'static str,
    /// Words of the one sentence; none where nothing is lost.
    said: Option<[&'static str; 2]>,
}

const LADDER: [Step; 8] = [
    Step { name: "every right", rights: &[], scheduling: "deadline", datapath: "xdp-native", said: None },
    Step {
        name: "no CAP_SYS_ADMIN and nothing else that vipd has no use for",
        rights: &[
            "setpriv",
            "--bounding-set=-all,+net_admin,+net_raw,+bpf,+perfmon,+sys_nice,+ipc_lock",
            "--inh-caps=-all,+net_admin,+net_raw,+bpf,+perfmon,+sys_nice,+ipc_lock",
        ],
        scheduling: "deadline",
        datapath: "xdp-native",
        said: Some(["CAP_SYS_ADMIN", "goes on answering for the virtual addresses"]),
    },
    Step {
        name: "no CAP_SYS_NICE",
        rights: &["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"],
        scheduling: "normal",
        datapath: "xdp-native",
        said: Some(["CAP_SYS_NICE is missing", "the other nodes may take over"]),
    },
    Step {
        name: "not every CPU",
        rights: &["taskset", "-c", "0"],
        scheduling: "fifo 55",
        datapath: "xdp-native",
        said: Some(["may not run on every CPU", "50 ms"]),
    },
    Step {
        name: "no CAP_IPC_LOCK",
        rights: &["setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"],
        scheduling: "deadline",
        datapath: "xdp-native",
        said: Some(["CAP_IPC_LOCK is missing", "adverts wait for the disk"]),
    },
    Step {
        name: "no CAP_IPC_LOCK, and no memory may be locked",
        rights: &["prlimit", "--memlock=0", "setpriv", "--bounding-set=-ipc_lock", "--inh-caps=-ipc_lock"],
        scheduling: "deadline",
        datapath: "xdp-native",
        said: Some(["CAP_IPC_LOCK is missing", "adverts wait for the disk"]),
    },
    Step {
        name: "neither CAP_BPF nor CAP_SYS_ADMIN",
        rights: &["setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-bpf,-sys_admin"],
        scheduling: "deadline",
        datapath: "socket",
        said: Some(["CAP_BPF is missing", "every advert wakes the agent"]),
    },
    Step {
        name: "neither CAP_PERFMON nor CAP_SYS_ADMIN",
        rights: &["setpriv", "--bounding-set=-perfmon,-sys_admin", "--inh-caps=-perfmon,-sys_admin"],
        scheduling: "deadline",
        datapath: "socket",
        said: Some(["CAP_PERFMON is missing", "every advert wakes the agent"]),
    },
];

#[test]
fn on_every_step_of_the_ladder_of_rights_the_agent_runs_and_says_what_is_lost() {
    let vipd = vipd_binary().expect("built").to_string_lossy().into_owned();
    for Step { name, rights, scheduling, datapath, said } in LADDER {
        // Arrange
        let pair = Pair::new().expect("lab");
        let before = Traces::of(&pair.lb1.host).expect("facts");
        let tap = Tap::open(pair.switch.host()).expect("tap");

        // Act
        let command = [rights, &[&vipd]].concat();
        let conf = quick(Conf::lb1(), "0.1");
        let agent = start_vipd_by(&command, &pair.lb1.host, &conf, Datapath::Auto).expect("vipd");

        // Assert: it does its work.
        agent.wait_for_state("MASTER", SOON).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        pair.wait_for_holder(&pair.lb1, SOON).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let status = agent.status().unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(
            (&status["warden"], &status["scheduling"]),
            (&"running".into(), &scheduling.into()),
            "{name}"
        );
        assert_eq!(status["interfaces"][0]["datapath"], datapath, "{name}");

        // It says once what is lost.
        let told = |line: &String| said.is_some_and(|words| words.iter().all(|word| line.contains(word)));
        let lines = agent.process().lines().into_iter().map(|line| line.text);
        // A host that is busy with other tests may be late.
        let other = ["keepalived.conf", "let the election thread wait"];
        let lines: Vec<String> = lines.filter(|line| !other.iter().any(|word| line.contains(word))).collect();
        assert_eq!(
            lines.iter().filter(|line| told(line)).count(),
            usize::from(said.is_some()),
            "{name}: {lines:#?}"
        );
        assert_eq!(
            lines.iter().filter(|line| line.contains("WARN")).count(),
            usize::from(said.is_some()),
            "{name}"
        );
        let shown = status["degraded"].to_string() + &status["interfaces"][0]["refused"].to_string();
        assert!(said.is_none_or(|[word, _]| shown.contains(word)), "{name}: {shown}");

        // Its warden does, too.
        agent.process().kill_alone().expect("SIGKILL");
        let resigns = |frame: &Frame| frame.advert().filter(|advert| advert.priority == 0);
        tap.wait_for(SOON, resigns).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        agent.process().wait_for_whole_end(SOON).expect("it ends");
        assert_eq!(Traces::of(&pair.lb1.host).expect("facts"), before, "{name}");
    }
}

/// The deciding thread never waits for memory: as long as nothing happens, it asks for none, with the kernel half and with
/// packet sockets, on both sides.
#[test]
fn promise_2_adverts_cost_no_allocation_on_the_deciding_thread() {
    for datapath in [Datapath::XdpNative, Datapath::Socket] {
        // Arrange
        let pair = Pair::new().expect("lab");
        let program = instrumented_vipd().expect("built").to_string_lossy().into_owned();
        let start = |host: &Host, conf| {
            start_vipd_by(&[&program], host, &quick(conf, "0.01"), datapath).expect("vipd")
        };
        let lb1 = start(&pair.lb1.host, Conf::lb1());
        let lb2 = start(&pair.lb2.host, Conf::lb2());
        lb1.wait_for_state("MASTER", SOON).expect("the higher priority wins");
        pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 alone holds the address");
        let tap = Tap::open(pair.switch.host()).expect("tap");
        let adverts = |count: usize| {
            for _ in 0..count {
                tap.wait_for(SOON, |frame| frame.advert().filter(|_| frame.came_from(&pair.lb1.port)))
                    .expect("an advert");
            }
        };
        adverts(100);

        // Act: the announcements, of which the second set comes after five seconds, or a line about a host that gave no
        // CPU may fall into one span, but not into each.
        let mut last = [&lb1, &lb2].map(allocations);
        assert!(last.iter().all(|count| *count > 0), "nothing is counted");
        let spent = |_| {
            adverts(200);
            let now = [&lb1, &lb2].map(allocations);
            let spent = [now[0] - last[0], now[1] - last[1]];
            last = now;
            spent
        };
        let spans: Vec<[u64; 2]> = (0..6).map(spent).collect();

        // Assert
        assert!(spans.contains(&[0, 0]), "{datapath:?}: of master and backup, in 200 adverts: {spans:?}");
    }
}

fn allocations(agent: &Running) -> u64 {
    agent.process().signal(Signal::SIGUSR2).expect("signal");
    let line = agent.process().wait_for_line("allocations: ", SOON).expect("a count").text;
    line.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a number")
}
