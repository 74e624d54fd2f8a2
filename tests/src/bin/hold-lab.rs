//! Builds the guide's pair with Keepalived on it, tells the first process of each host on standard output, and holds it
//! until standard input closes, or somebody interrupts or kills it: what becomes of a lab then is the clean-up test's business.

use std::io;

use anyhow::Result;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Pair, clean_up_when_interrupted};

fn main() -> Result<()> {
    clean_up_when_interrupted()?;
    let pair = Pair::new()?;
    let _master = pair.lb1.start(Agent::Keepalived, &Conf::lb1().without_scripts())?;
    let _backup = pair.lb2.start(Agent::Keepalived, &Conf::lb2().without_scripts())?;
    for host in [pair.switch.host(), &pair.lb1.host, &pair.lb2.host, &pair.client] {
        println!("{} {}", host.name(), host.init_pid());
    }
    println!("ready");
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
