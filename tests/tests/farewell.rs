//! A node that ends does not stand in the way of the one that takes over: the kernel holds its lock for network configuration
//! while it takes a program off an interface, and the other node may be on the same kernel.

use std::time::Duration;

use anyhow::Result;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Kind, Moment, Object, Pair, Running, Tap};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);

/// A way to end an agent.
type End = fn(&Running) -> Result<()>;

#[test]
fn programs_are_taken_off_when_the_other_node_has_its_addresses() {
    let ends: [(&str, End); 2] =
        [("SIGTERM", |agent| agent.process().stop()), ("kill -9", |agent| agent.process().kill_alone())];
    for (name, end) in ends {
        // Arrange
        let pair = Pair::new().expect("lab");
        let quick = |conf: Conf| conf.without_scripts().version_3().advert("0.01");
        let vipd = Agent::Vipd(Datapath::XdpNative);
        let lb1 = pair.lb1.start(vipd, &quick(Conf::lb1())).expect("vipd");
        pair.wait_for_holder(&pair.lb1, SOON).expect("nobody else is there");
        let lb2 = pair.lb2.start(vipd, &quick(Conf::lb2())).expect("vipd");
        lb2.wait_for_state("BACKUP", SOON).expect("it listens");
        let tap = Tap::open(pair.switch.host()).expect("tap");
        let objects = Object::held_by(lb1.process().pid());
        let link = objects.into_iter().find(|object| object.kind == Kind::Link).expect("it is attached");

        // Act
        end(&lb1).unwrap_or_else(|error| panic!("{name}: {error:#}"));

        // Assert
        let detached = wait_for_end(link);
        let claimed = tap
            .wait_for(SOON, |frame| {
                frame.gratuitous_arp().filter(|_| frame.came_from(&pair.lb2.port)).map(|_| frame.at)
            })
            .unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert!(detached > claimed, "{name}: {} ns too early", claimed.minus(detached));
        lb1.process().wait_for_whole_end(SOON).unwrap_or_else(|error| panic!("{name}: {error:#}"));
    }
}

/// When the kernel began to take a program off. It tells nobody.
fn wait_for_end(link: Object) -> Moment {
    let deadline = Moment::now() + SOON;
    while link.is_there().expect("the kernel tells") {
        assert!(!deadline.remaining().is_zero(), "the program stays");
    }
    Moment::now()
}
