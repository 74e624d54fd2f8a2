//! vipd beside Keepalived, as master and as backup, in both versions of the protocol (promise 8).

use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Frame, Pair, Tap};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);

/// The guide as it is: version 2, with a password, 1 s.
fn version_2(conf: Conf) -> Conf {
    conf.without_scripts()
}

fn version_3(conf: Conf) -> Conf {
    conf.without_scripts().version_3().advert("0.2")
}

/// `master` wins the election, is displaced by `backup` when it falls silent, displaces it on its return, hands over
/// to it when it is stopped, and displaces it again when it is started anew.
fn take_turns(master: Agent, backup: Agent, vary: fn(Conf) -> Conf) {
    // Arrange
    let pair = Pair::new().expect("lab");
    let lb1 = pair.lb1.start(master, &vary(Conf::lb1())).expect("lb1");
    let lb2 = pair.lb2.start(backup, &vary(Conf::lb2())).expect("lb2");
    lb1.wait_for_state("MASTER", SOON).expect("the higher priority wins");
    pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 alone holds the address");
    lb2.process().skip_lines();

    // Silence, and back.
    pair.lb1.port.cut().expect("cut");
    lb2.wait_for_state("MASTER", SOON).expect("takeover after silence");
    pair.lb1.port.heal().expect("heal");
    lb2.wait_for_state("BACKUP", SOON).expect("the lower priority yields");
    pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 alone holds the address");

    // Resignation, and back.
    let tap = Tap::open(pair.switch.host()).expect("tap");
    lb1.process().stop().expect("SIGTERM");
    let resigned =
        |frame: &Frame| frame.advert().filter(|advert| advert.source == pair.lb1.ip && advert.priority == 0);
    tap.wait_for(SOON, resigned).expect("a resignation");
    lb2.wait_for_state("MASTER", SOON).expect("takeover after resignation");
    pair.wait_for_holder(&pair.lb2, SOON).expect("lb2 alone holds the address");
    lb1.process().wait(SOON).expect("it ends");
    let lb1 = pair.lb1.start(master, &vary(Conf::lb1())).expect("lb1");
    lb1.wait_for_state("MASTER", SOON).expect("the higher priority preempts");
    lb2.wait_for_state("BACKUP", SOON).expect("the lower priority yields");
    pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 alone holds the address");

    // Once settled, only one speaks: ten adverts are more than two down intervals.
    tap.drain().expect("tap");
    for _ in 0..10 {
        let heard = |frame: &Frame| {
            frame.advert().filter(|_| frame.came_from(&pair.lb1.port) || frame.came_from(&pair.lb2.port))
        };
        let advert = tap.wait_for(SOON, heard).expect("an advert");
        assert_eq!(advert.source, pair.lb1.ip, "two masters: {advert:?}");
    }
}

#[test]
fn keepalived_backs_up_vipd_in_version_2_with_a_password() {
    take_turns(VIPD, Agent::Keepalived, version_2);
}

#[test]
fn vipd_backs_up_keepalived_in_version_2_with_a_password() {
    take_turns(Agent::Keepalived, VIPD, version_2);
}

#[test]
fn keepalived_backs_up_vipd_in_version_3() {
    take_turns(VIPD, Agent::Keepalived, version_3);
}

#[test]
fn vipd_backs_up_keepalived_in_version_3() {
    take_turns(Agent::Keepalived, VIPD, version_3);
}
