//! How long after `kill -9` of a master its warden's resignation passes the switch: on an idle host, then with real-time
//! hogs on every CPU.
//!
//!     VIPD_BIN=target/release/vipd cargo run --release -p vipd-tests --example resignation

use std::time::Duration;

use anyhow::Result;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Frame, Moment, Pair, Process, Tap};

const SOON: Duration = Duration::from_mins(1);
const TRIALS: usize = 30;

fn main() -> Result<()> {
    for (name, hog) in [("idle", None), ("FIFO 10", Some("10")), ("FIFO 50", Some("50"))] {
        let mut spans: Vec<Duration> = (0..TRIALS).map(|_| trial(hog)).collect::<Result<_>>()?;
        spans.sort_unstable();
        let (least, median, most) = (spans[0], spans[TRIALS / 2], spans[TRIALS - 1]);
        println!("{name}: {least:.0?} / {median:.0?} / {most:.0?}");
    }
    Ok(())
}

fn trial(hog: Option<&str>) -> Result<Duration> {
    let pair = Pair::new()?;
    let conf = Conf::lb1().without_scripts().version_3().advert("0.01");
    let agent = pair.lb1.start(Agent::Vipd(Datapath::Auto), &conf)?;
    pair.wait_for_holder(&pair.lb1, SOON)?;
    let tap = Tap::open(pair.switch.host())?;
    let _hogs = hog.map(|priority| hogs(&pair, priority)).transpose()?;
    let killed = Moment::now();
    agent.process().kill_alone()?;
    let is_resignation = |frame: &Frame| {
        let advert = frame.advert().filter(|advert| advert.priority == 0 && frame.came_from(&pair.lb1.port));
        advert.map(|_| frame.at)
    };
    Ok(tap.wait_for(SOON, is_resignation)?.since(killed))
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
