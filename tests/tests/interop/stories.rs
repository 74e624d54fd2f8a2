//! What is played with each peer, in each version and role.

use std::time::Duration;

use vipd_tests::{Frame, Lan, Make, Router, Settings};

/// Far beyond what anything here takes on a healthy machine.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// The priorities of the better and of the worse node.
pub(crate) const PRIORITIES: [u8; 2] = [110, 100];

/// Two nodes of these makes, each started with its priority.
pub(crate) struct Two {
    pub(crate) lan: Lan,
    pub(crate) better: Router,
    pub(crate) worse: Router,
}

/// Starts both; the better one wins.
pub(crate) fn two(makes: [Make; 2], settings: fn(u8) -> Settings) -> Two {
    let lan = Lan::new(&makes).expect("lab");
    let better = lan.start(0, &settings(PRIORITIES[0])).expect("the better node starts");
    let worse = lan.start(1, &settings(PRIORITIES[1])).expect("the worse node starts");
    better.wait_for_state("MASTER").expect("the higher priority wins");
    worse.process().skip_lines();
    Two { lan, better, worse }
}

/// The better node wins the election, is displaced by the other when it falls silent, displaces it on its return, hands
/// over to it when it is stopped, and displaces it again when it is started anew.
pub(crate) fn take_turns(makes: [Make; 2], settings: fn(u8) -> Settings) {
    let Two { lan, better, worse } = two(makes, settings);

    // Silence, and back.
    lan.node(0).port.cut().expect("cut");
    worse.wait_for_state("MASTER").expect("takeover after silence");
    lan.node(0).port.heal().expect("heal");
    worse.wait_for_state("BACKUP").expect("the lower priority yields");

    // Resignation (C-FSM-11), and back.
    let tap = lan.tap().expect("tap");
    better.process().stop().expect("SIGTERM");
    tap.wait_for(SOON, |frame| resignation(&lan, frame, 0)).expect("a resignation");
    worse.wait_for_state("MASTER").expect("takeover after resignation");
    better.process().wait(SOON).expect("it ends");
    lan.wait_for_master(1).expect("the worse node is alone");
    drop(better);
    let better = lan.start(0, &settings(PRIORITIES[0])).expect("the better node starts again");
    better.wait_for_state("MASTER").expect("the higher priority preempts");
    worse.wait_for_state("BACKUP").expect("the lower priority yields");
    lan.wait_for_master(0).expect("the better node is alone");

    lan.expect_clean_frames().expect("tshark has no complaint");
}

fn resignation(lan: &Lan, frame: &Frame, node: usize) -> Option<()> {
    let advert = frame.advert()?;
    (lan.sender(frame) == Some(node) && advert.priority == 0).then_some(())
}
