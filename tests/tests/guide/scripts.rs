//! "Track File" as printed, with its commands.

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Pair};

use crate::{SOON, VIPD, shell};

/// "Force this node to give up MASTER", and "Return to normal".
#[test]
fn manual_override_by_the_tracked_file_gives_the_address_up_and_takes_it_back() {
    let printed = include_str!("../../fixtures/guide/track_file.conf");
    let (block, tracked) = printed.split_once("vrrp_instance VI_1 {\n").expect("an instance");
    let (tracked, _) = tracked.rsplit_once('}').expect("it is closed");
    let conf = |node: Conf| {
        let conf = node.without_scripts().version_3().advert("0.2");
        conf.replace("vrrp_instance VI_1 {\n", &format!("{block}vrrp_instance VI_1 {{\n{tracked}"))
    };
    for agent in [Agent::Keepalived, VIPD] {
        let pair = Pair::new().expect("lab");
        let lb1 = pair.lb1.start(agent, &conf(Conf::lb1())).expect("lb1");
        lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
        let lb2 = pair.lb2.start(agent, &conf(Conf::lb2())).expect("lb2");
        lb2.wait_for_state("BACKUP", SOON).expect("it listens");

        shell(&pair.lb1.host, "echo 1 > /etc/keepalived/manual_priority");
        lb2.wait_for_state("MASTER", SOON).expect("LB1 gives up MASTER");
        pair.wait_for_holder(&pair.lb2, SOON).expect("one holder");

        shell(&pair.lb1.host, "echo 0 > /etc/keepalived/manual_priority");
        lb1.wait_for_state("MASTER", SOON).expect("it returns to normal");
        pair.wait_for_holder(&pair.lb1, SOON).expect("one holder");
    }
}
