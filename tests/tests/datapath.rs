//! Every rung of the ladder elects and takes over, is named by `vipd status`, and leaves nothing behind.

mod common;

use std::time::Duration;

use nix::sys::signal::Signal;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Pair};

use self::common::{Traces, attached};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const LADDER: [Datapath; 4] = [Datapath::XdpNative, Datapath::XdpGeneric, Datapath::Tcx, Datapath::Socket];

fn quick(conf: Conf) -> Conf {
    conf.without_scripts().version_3().advert("0.2")
}

/// C-XDP-06
#[test]
fn every_rung_elects_takes_over_and_is_named_by_status() {
    for rung in LADDER {
        let pair = Pair::new().expect("lab");
        let lb1 = pair.lb1.start(Agent::Vipd(rung), &quick(Conf::lb1())).expect("vipd");
        let lb2 = pair.lb2.start(Agent::Vipd(rung), &quick(Conf::lb2())).expect("vipd");
        lb1.wait_for_state("MASTER", SOON).unwrap_or_else(|error| panic!("{rung:?}: {error}"));
        pair.wait_for_holder(&pair.lb1, SOON).unwrap_or_else(|error| panic!("{rung:?}: {error:#}"));

        let status = lb2.status().expect("status");
        assert!(
            status.to_string().contains(&format!("{:?}", rung.name())),
            "{rung:?} is not named in {status:#}"
        );

        pair.lb1.port.cut().expect("cut");
        lb2.wait_for_state("MASTER", SOON).unwrap_or_else(|error| panic!("{rung:?}: {error}"));
        pair.lb1.port.heal().expect("heal");
        lb2.wait_for_state("BACKUP", SOON).unwrap_or_else(|error| panic!("{rung:?}: {error}"));
        pair.wait_for_holder(&pair.lb1, SOON).unwrap_or_else(|error| panic!("{rung:?}: {error:#}"));
    }
}

/// C-XDP-06
#[test]
fn nothing_is_left_behind_when_vipd_is_told_to_end() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        for rung in LADDER {
            // Arrange
            let pair = Pair::new().expect("lab");
            let host = &pair.lb1.host;
            let before = Traces::of(host).expect("facts");
            let vipd = pair.lb1.start(Agent::Vipd(rung), &quick(Conf::lb1())).expect("vipd");
            vipd.wait_for_state("MASTER", SOON).expect("nobody else is there");
            pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 holds the address");
            assert_eq!(attached(host).is_empty(), rung == Datapath::Socket, "{rung:?}: {:?}", attached(host));

            // Act
            vipd.process().signal(signal).expect("signal");
            let status = vipd.process().wait_for_whole_end(SOON).expect("it ends");

            // Assert
            assert!(status.success(), "{signal} {rung:?}: {status}");
            assert_eq!(Traces::of(host).expect("facts"), before, "{signal} {rung:?}");
        }
    }
}
