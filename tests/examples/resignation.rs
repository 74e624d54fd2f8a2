//! How long after `kill -9` of a master its warden's resignation leaves, and passes the switch: on an idle host, then with
//! real-time hogs on every CPU. In a lab the way from the one to the other is a soft interrupt, which the kernel may leave
//! to a thread without rights.
//!
//!     VIPD_BIN=target/release/vipd cargo run --release -p vipd-tests --example resignation

use std::time::Duration;

use anyhow::Result;
use nix::errno::Errno;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Frame, Moment, Pair, Process, Tap};

const SOON: Duration = Duration::from_mins(1);
const TRIALS: usize = 30;

fn main() -> Result<()> {
    for (name, hog) in [("idle", None), ("FIFO 10", Some("10")), ("FIFO 50", Some("50"))] {
        let (mut left, mut passed) = (Vec::new(), Vec::new());
        for _ in 0..TRIALS {
            let (sent, seen) = trial(hog)?;
            left.push(sent);
            passed.push(seen);
        }
        println!("{name}: leaves {}, passes the switch {}", spread(left), spread(passed));
    }
    Ok(())
}

fn spread(mut spans: Vec<Duration>) -> String {
    spans.sort_unstable();
    let [least, median, most] = [spans[0], spans[spans.len() / 2], spans[spans.len() - 1]];
    format!("{least:.0?} / {median:.0?} / {most:.0?}")
}

fn trial(hog: Option<&str>) -> Result<(Duration, Duration)> {
    let pair = Pair::new()?;
    let conf = Conf::lb1().without_scripts().version_3().advert("0.01");
    let agent = pair.lb1.start(Agent::Vipd(Datapath::Auto), &conf)?;
    pair.wait_for_holder(&pair.lb1, SOON)?;
    let (own, switch) = (Tap::open(&pair.lb1.host)?, Tap::open(pair.switch.host())?);
    let _hogs = hog.map(|priority| hogs(&pair, priority)).transpose()?;
    // Nothing must come between the look at the clock and the signal.
    hurry(true)?;
    let killed = Moment::now();
    agent.process().kill_alone()?;
    let resigns = |frame: &Frame| frame.advert().filter(|advert| advert.priority == 0).map(|_| frame.at);
    hurry(false)?;
    let left = own.wait_for(SOON, resigns)?;
    let passed = switch.wait_for(SOON, resigns)?;
    Ok((left.since(killed), passed.since(killed)))
}

/// Lets nothing come before the calling thread (`SCHED_DEADLINE`), or everything again.
fn hurry(hurry: bool) -> Result<()> {
    let millis = |millis: u64| if hurry { millis * 1_000_000 } else { 0 };
    let attributes = libc::sched_attr {
        size: u32::try_from(size_of::<libc::sched_attr>())?,
        sched_policy: if hurry { 6 } else { 0 },
        sched_flags: 0,
        sched_nice: 0,
        sched_priority: 0,
        sched_runtime: millis(5),
        sched_deadline: millis(10),
        sched_period: millis(10),
    };
    // SAFETY: the kernel reads the attributes, whose size they tell themselves, during the call.
    Errno::result(unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) })?;
    Ok(())
}

/// A busy loop on each CPU.
fn hogs(pair: &Pair, priority: &str) -> Result<Vec<Process>> {
    let cpus = std::thread::available_parallelism()?.get();
    let hog = |cpu: usize| {
        let loop_ = ["-f", priority, "taskset", "-c", &cpu.to_string(), "sh", "-c", "while :; do :; done"];
        pair.lb1.host.spawn("chrt", &loop_)
    };
    (0..cpus).map(hog).collect()
}
