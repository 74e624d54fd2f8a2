//! Every rung of the ladder elects and takes over, is named by `vipd status`, and leaves nothing behind.

use std::time::Duration;

use aya::programs::{SchedClassifier, TcAttachType};

use nix::sys::signal::Signal;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Host, Pair};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const LADDER: [Datapath; 4] = [Datapath::XdpNative, Datapath::XdpGeneric, Datapath::Tcx, Datapath::Socket];

fn quick(conf: Conf) -> Conf {
    conf.without_scripts().version_3().advert("0.2")
}

/// The kinds of programs at a host's interface. The kernel is asked for tcx: bpftool of Debian 12 does not know it.
fn attached(host: &Host) -> Vec<String> {
    let net: serde_json::Value =
        serde_json::from_str(&host.command("bpftool -j net show").expect("bpftool")).expect("JSON");
    let xdp = net[0]["xdp"].as_array().is_some_and(|list| !list.is_empty());
    let tcx = host.run(|| SchedClassifier::query_tcx("eth0", TcAttachType::Ingress).expect("tcx"));
    let kinds = [("xdp", xdp), ("tcx", !tcx.1.is_empty())];
    kinds.into_iter().filter(|(_, there)| *there).map(|(kind, _)| kind.to_owned()).collect()
}

/// Processes of a host besides its first one, that one's `cat`, and the `ps` that looks.
fn processes(host: &Host) -> Vec<String> {
    let listed = host.command("ps -A -o comm=").expect("ps");
    listed.lines().filter(|name| !["sh", "cat", "ps"].contains(name)).map(str::to_owned).collect()
}

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

#[test]
fn nothing_is_left_behind_when_vipd_is_told_to_end() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        for rung in LADDER {
            // Arrange
            let pair = Pair::new().expect("lab");
            let host = &pair.lb1.host;
            let before = host.command("ip -o address show").expect("ip");
            let vipd = pair.lb1.start(Agent::Vipd(rung), &quick(Conf::lb1())).expect("vipd");
            vipd.wait_for_state("MASTER", SOON).expect("nobody else is there");
            pair.wait_for_holder(&pair.lb1, SOON).expect("lb1 holds the address");
            assert_eq!(attached(host).is_empty(), rung == Datapath::Socket, "{rung:?}: {:?}", attached(host));

            // Act
            vipd.process().signal(signal).expect("signal");
            let status = vipd.process().wait(SOON).expect("it ends");

            // Assert
            assert!(status.success(), "{signal} {rung:?}: {status}");
            assert_eq!(host.command("ip -o address show").expect("ip"), before, "{signal} {rung:?}");
            assert_eq!(attached(host), Vec::<String>::new(), "{signal} {rung:?}");
            assert_eq!(processes(host), Vec::<String>::new(), "{signal} {rung:?}");
            assert_eq!(vipd.run_files().expect("find"), Vec::<String>::new(), "{signal} {rung:?}");
        }
    }
}
