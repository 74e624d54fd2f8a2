//! How an agent starts: after a delay (`vrrp_startup_delay`), in a network namespace (`net_namespace`).

use std::time::Duration;

use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Frame, Moment, Pair, Tap, facts};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const VIPD: Agent = Agent::Vipd(Datapath::Auto);

fn quick(conf: Conf) -> Conf {
    conf.without_scripts().version_3().advert("0.2")
}

/// The first advert of a node.
fn first_advert(tap: &Tap, pair: &Pair) -> Frame {
    let pick =
        |frame: &Frame| (frame.advert().is_some() && frame.came_from(&pair.lb1.port)).then(|| frame.clone());
    tap.wait_for(SOON, pick).expect("an advert")
}

/// As in Keepalived, with which it is compared: nothing is sent and nothing is judged before; then it listens first, as after
/// any start. A lower bound only: how soon after is not tested.
#[test]
fn nobody_takes_part_before_the_startup_delay_has_passed() {
    let delay = Duration::from_secs(2);
    for agent in [Agent::Keepalived, VIPD] {
        let pair = Pair::new().expect("lab");
        let tap = Tap::open(pair.switch.host()).expect("tap");
        let began = Moment::now();

        let lb1 =
            pair.lb1.start(agent, &quick(Conf::lb1()).with_global_line("vrrp_startup_delay 2")).expect("lb1");

        let first = first_advert(&tap, &pair);
        assert!(first.at.since(began) >= delay, "{agent}: {:?}", first.at.since(began));
        lb1.wait_for_state("MASTER", SOON).unwrap_or_else(|error| panic!("{agent}: {error:#}"));
        pair.wait_for_holder(&pair.lb1, SOON).unwrap_or_else(|error| panic!("{agent}: {error:#}"));
        if agent == VIPD {
            lb1.reload().expect("reloaded");
            assert_eq!(
                lb1.status().expect("status")["instances"][0]["state"],
                "MASTER",
                "a reload does not wait"
            );
        }
    }
}

/// Everything of the agent is there: its adverts, its addresses, its kernel half, its warden.
#[test]
fn an_agent_runs_in_the_network_namespace_of_its_file() {
    // Arrange: eth0 is in it, and nowhere else.
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let missing =
        pair.lb1.start(VIPD, &quick(Conf::lb1()).with_global_line("net_namespace green")).expect("vipd");
    missing.process().wait_for_line("ip netns add green", SOON).expect("it says what to do");
    assert_eq!(missing.process().wait(SOON).expect("it ends").code(), Some(1));
    let conf = quick(Conf::lb1()).with_global_line("net_namespace blue");
    for command in [
        "netns add blue",
        "link set eth0 netns blue",
        "-n blue link set eth0 up",
        "-n blue address add 192.168.1.10/24 dev eth0",
    ] {
        host.command(&format!("ip {command}")).expect("ip");
    }
    let held = || host.command("ip -n blue address show").map(|listed| listed.contains("192.168.1.100/24"));
    let tap = Tap::open(pair.switch.host()).expect("tap");

    // Act
    let lb1 = pair.lb1.start(VIPD, &conf).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    first_advert(&tap, &pair);

    // Assert
    tap.wait_for(SOON, Frame::gratuitous_arp).expect("the address is announced, and so it is there");
    assert!(held().expect("ip"));
    assert!(host.command("ip -n blue -d link show").expect("ip").contains("xdp"), "it receives there");
    facts::wait_for_no_address(host, Pair::vip(), SOON).expect("it is there alone");
    lb1.process().kill_alone().expect("SIGKILL");
    lb1.process().wait_for_whole_end(SOON).expect("it ends");
    assert!(!held().expect("ip"));
    assert_eq!(lb1.run_files().expect("find"), [""; 0]);
    assert!(!host.command("ip -n blue -d link show").expect("ip").contains("xdp"), "its program is left");
}
