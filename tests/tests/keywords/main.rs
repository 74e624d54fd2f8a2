//! Keywords as Keepalived means them: the same file given to Keepalived 2.2.7 and to vipd, the same thing done to both, and
//! what each then sends. `ledger` holds the list of keywords against all tests.

mod alone;
mod pairs;

use std::thread;
use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);
const BOTH: [Agent; 2] = [Agent::Keepalived, VIPD];

/// Plays each case with both agents, eight at once: they mostly wait.
fn each<C: Sync>(cases: &[C], play: impl Fn(Agent, &C) + Sync) {
    for some in cases.chunks(4) {
        thread::scope(|scope| {
            for case in some {
                for agent in BOTH {
                    let play = &play;
                    scope.spawn(move || play(agent, case));
                }
            }
        });
    }
}

/// With these lines in `global_defs`, and these blocks behind them.
fn with(conf: &Conf, global: &str, blocks: &str) -> Conf {
    Conf::from(format!("global_defs {{\n{global}\n}}\n{blocks}\n{}", conf.text()))
}
