//! The longest gap between the adverts of a master at 10 ms, for each way to be scheduled and each kind of hog, in 20 s
//! each.
//!
//!     VIPD_BIN=target/release/vipd cargo run --release -p vipd-tests --example starvation

use std::time::Duration;

use anyhow::{Context, Result};
use vipd_tests::guide::Conf;
use vipd_tests::{Datapath, Direction, Moment, Pair, Process, Tap, start_vipd_by, vipd_binary};

const SOON: Duration = Duration::from_mins(1);
const SPAN: Duration = Duration::from_secs(20);

fn main() -> Result<()> {
    let only: Vec<String> = std::env::args().skip(1).collect();
    // The kernel refuses SCHED_DEADLINE to what may not run on every CPU.
    let ways: [(&str, &[&str]); 3] = [
        ("deadline", &[]),
        ("fifo 55", &["taskset", "-c", "0"]),
        ("normal", &["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"]),
    ];
    println!("{:10} {:>22} {:>22} {:>22} {:>22}", "", "idle", "8 fair a core", "FIFO 10", "FIFO 50");
    for (name, rights) in ways {
        if !only.is_empty() && !only.iter().any(|only| only == name) {
            continue;
        }
        print!("{name:10}");
        for hogs in [&[][..], &["8"], &["1", "chrt", "-f", "10"], &["1", "chrt", "-f", "50"]] {
            print!(" {:>22}", trial(name, rights, hogs)?);
        }
        println!();
    }
    Ok(())
}

/// The longest gap as the master's own interface sees it, and how many were above 20 and above 35 ms.
fn trial(scheduling: &str, rights: &[&str], hogs: &[&str]) -> Result<String> {
    let pair = Pair::new()?;
    let vipd = vipd_binary()?.to_string_lossy().into_owned();
    let conf = Conf::lb1().without_scripts().version_3().advert("0.01");
    let command = [rights, &[&vipd]].concat();
    let agent = start_vipd_by(&command, &pair.lb1.host, &conf, Datapath::Auto)?;
    pair.wait_for_holder(&pair.lb1, SOON)?;
    let status = agent.status()?;
    anyhow::ensure!(status["scheduling"] == scheduling, "scheduled as {}", status["scheduling"]);
    let _hogs = start(&pair, hogs)?;
    let tap = Tap::open(&pair.lb1.host)?;
    let end = Moment::now() + SPAN;
    let (mut last, mut gaps): (Option<Moment>, Vec<Duration>) = (None, Vec::new());
    while let Some(frame) = tap.next(end.remaining())? {
        if frame.direction == Direction::Out && frame.advert().is_some() {
            gaps.extend(last.map(|last| frame.at.since(last)));
            last = Some(frame.at);
        }
    }
    eprintln!("{}", agent.status()?["longest-delay-us"]);
    let above = |millis| gaps.iter().filter(|gap| gap.as_millis() >= millis).count();
    let longest = gaps.iter().max().context("no advert")?;
    Ok(format!("{:.1} ms ({}, {})", longest.as_secs_f64() * 1e3, above(20), above(35)))
}

/// Busy loops: how many on each CPU, and the command that schedules them.
fn start(pair: &Pair, hogs: &[&str]) -> Result<Vec<Process>> {
    let Some((count, before)) = hogs.split_first() else { return Ok(Vec::new()) };
    let cpus = std::thread::available_parallelism()?.get();
    let each: usize = count.parse()?;
    let hog = |n: usize| {
        let cpu = (n % cpus).to_string();
        let command = [before, &["taskset", "-c", &cpu, "sh", "-c", "while :; do :; done"]].concat();
        pair.lb1.host.spawn(command[0], &command[1..])
    };
    (0..cpus * each).map(hog).collect()
}
