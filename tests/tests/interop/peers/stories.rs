//! What is played with each peer, in each version and role.

use std::time::Duration;

use vipd_tests::{Frame, Lan, Make, Moment, Router, Settings};

/// Far beyond what anything here takes on a healthy machine.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// The priorities of the better and of the worse node.
pub(crate) const PRIORITIES: [u8; 2] = [110, 100];

/// Two nodes of these makes, each started with its priority.
pub(crate) struct Two {
    pub(crate) better: Router,
    pub(crate) worse: Router,
    pub(crate) lan: Lan,
}

/// Starts both; the better one wins.
pub(crate) fn two(makes: [Make; 2], settings: impl Fn(u8) -> Settings) -> Two {
    let lan = Lan::of(settings(1).family(), &makes).expect("lab");
    let better = lan.start(0, &settings(PRIORITIES[0])).expect("the better node starts");
    let worse = lan.start(1, &settings(PRIORITIES[1])).expect("the worse node starts");
    better.wait_for_state("MASTER").expect("the higher priority wins");
    worse.process().skip_lines();
    Two { better, worse, lan }
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
    stop_master(&lan, 0, better);
    worse.wait_for_state("MASTER").expect("takeover after resignation");
    lan.wait_for_master(1).expect("the worse node is alone");
    let better = lan.start(0, &settings(PRIORITIES[0])).expect("the better node starts again");
    better.wait_for_state("MASTER").expect("the higher priority preempts");
    worse.wait_for_state("BACKUP").expect("the lower priority yields");
    lan.wait_for_master(0).expect("the better node is alone");

    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// The better node, away and back, leaves the worse one alone (C-FSM-05, C-FSM-13).
pub(crate) fn does_not_preempt(makes: [Make; 2]) {
    // So slow that no machine is too busy for it: one takeover by mistake would be for good.
    let settings = |priority| Settings::v3(priority).interval(Duration::from_secs(1)).nopreempt();
    let lan = Lan::new(&makes).expect("lab");
    let better = lan.start(0, &settings(PRIORITIES[0])).expect("the better node starts");
    better.wait_for_state("MASTER").expect("nobody else is there");
    let worse = lan.start(1, &settings(PRIORITIES[1])).expect("the worse node starts");
    worse.wait_for_state("BACKUP").expect("it listens");
    stop_master(&lan, 0, better);
    worse.wait_for_state("MASTER").expect("takeover after resignation");

    let better = lan.start(0, &settings(PRIORITIES[0])).expect("the better node starts again");
    better.wait_for_state("BACKUP").expect("it listens");

    lan.wait_for_master(1).expect("the worse node is let be");
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// The better node takes over from the worse one when its delay is over, and no earlier (C-FSM-16).
pub(crate) fn preempts_late(makes: [Make; 2]) {
    let delay = Duration::from_secs(2);
    let settings = |priority| Settings::v3(priority).line("preempt_delay 2");
    let lan = Lan::new(&makes).expect("lab");
    let worse = lan.start(1, &settings(PRIORITIES[1])).expect("the worse node starts");
    worse.wait_for_state("MASTER").expect("nobody else is there");
    let tap = lan.tap().expect("tap");

    let started = Moment::now();
    let _better = lan.start(0, &settings(PRIORITIES[0])).expect("the better node starts");

    let first = tap.wait_for(SOON, |frame| advert_from(&lan, frame, 0).map(|_| frame.at)).expect("it speaks");
    assert!(first.since(started) >= delay, "{:?}", first.since(started));
    lan.wait_for_master(0).expect("the better node is alone");
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// Three nodes, the best first: when it dies the second takes over, and when that dies too, the third.
pub(crate) fn die_in_turn(makes: [Make; 3], settings: fn(u8) -> Settings) {
    let lan = Lan::of(settings(1).family(), &makes).expect("lab");
    let start = |(node, priority)| lan.start(node, &settings(priority)).expect("a node starts");
    let routers: Vec<Router> = [200, 150, 100].into_iter().enumerate().map(start).collect();
    routers[0].wait_for_state("MASTER").expect("the highest priority wins");
    lan.wait_for_master(0).expect("the best node is alone");

    for dead in 0..2 {
        lan.kill(dead).expect("power cut");

        routers[dead + 1].wait_for_state("MASTER").expect("the next one takes over");
        lan.wait_for_master(dead + 1).expect("it is alone");
    }
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// In version 3 the worse node, whose own interval is shorter, bears a slower Master and waits for it by the Master's
/// interval (C-TMR-05); as Master it keeps its own (C-TMR-07).
pub(crate) fn follows_a_slower_master(makes: [Make; 2]) {
    let slow = Duration::from_millis(500);
    let settings = |priority| {
        let usual = Settings::v3(priority);
        if priority == PRIORITIES[0] { usual.interval(slow) } else { usual }
    };
    let Two { lan, better: _better, worse } = two(makes, settings);
    lan.wait_for_master(0).expect("the slower node is left alone");

    let tap = lan.tap().expect("tap");
    lan.node(0).port.cut().expect("cut");
    let entered = worse.wait_for_state("MASTER").expect("takeover after silence");

    if makes[1] == Make::Vipd {
        // Three intervals of 500 ms and 156/256 of one.
        assert!(entered.text.contains("no advert for 1804.687 ms"), "{}", entered.text);
    }
    let advert = tap.wait_for(SOON, |frame| advert_from(&lan, frame, 1)).expect("it speaks");
    assert_eq!(advert.interval, Settings::v3(1).advert_interval(), "its own interval");
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// In version 2 nodes of different intervals do not hear each other (C-RX-15, C-TMR-06); vipd counts why.
pub(crate) fn is_deaf_to_another_interval(makes: [Make; 2]) {
    let settings = |priority| {
        let usual = Settings::v2(priority);
        if priority == PRIORITIES[0] { usual.interval(Duration::from_secs(2)) } else { usual }
    };
    let lan = Lan::new(&makes).expect("lab");
    let tap = lan.tap().expect("tap");

    let routers: Vec<Router> = PRIORITIES
        .into_iter()
        .enumerate()
        .map(|(node, priority)| lan.start(node, &settings(priority)).expect("a node starts"))
        .collect();

    for (node, router) in routers.iter().enumerate() {
        router.wait_for_state("MASTER").expect("nobody is heard");
        tap.wait_for(SOON, |frame| advert_from(&lan, frame, node)).expect("it speaks");
    }
    // By its second advert the slower one has heard the faster one too, and is still Master.
    tap.wait_for(SOON, |frame| advert_from(&lan, frame, 0)).expect("it speaks again");
    for (router, _) in routers.iter().zip(makes).filter(|(_, make)| *make == Make::Vipd) {
        let status = router.status().expect("status");
        assert_eq!(status["state"], "MASTER", "{status:#}");
        assert_eq!(status["statistics"]["advertisement-rcvd"], 0, "{status:#}");
        assert!(status["statistics"]["interval-errors"].as_u64() > Some(0), "{status:#}");
    }
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// Stops the Master and awaits its resignation and its end.
pub(crate) fn stop_master(lan: &Lan, node: usize, router: Router) {
    let tap = lan.tap().expect("tap");
    router.process().stop().expect("SIGTERM");
    expect_resignation(&tap, lan, node);
    router.process().wait(SOON).expect("it ends");
    // What FRR has beside the protocol goes too.
    drop(router);
}

/// Awaits an advert of priority 0 from a node.
pub(crate) fn expect_resignation(tap: &vipd_tests::Tap, lan: &Lan, node: usize) {
    let resigned = |frame: &Frame| advert_from(lan, frame, node).filter(|advert| advert.priority == 0);
    tap.wait_for(SOON, resigned).expect("a resignation");
}

/// The frame as an advert of this node.
pub(crate) fn advert_from(lan: &Lan, frame: &Frame, node: usize) -> Option<vipd_tests::frame::Advert> {
    frame.advert().filter(|_| lan.sender(frame) == Some(node))
}
