//! What is kept in the kernel when an agent and its warden are both killed, and who takes it away (promises 1 and 4).

mod common;

use std::path::Path;
use std::time::Duration;

use vipd::config;
use vipd::datapath::{Kernel, Pins, remove_pins};
use vipd_common::abi::lease::CLOSED;
use vipd_common::abi::{InstanceKey, Rules};
use vipd_common::wire::from_ipv4;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Datapath, Direction, Frame, Host, Pair, Tap, start_vipd_by, vipd_binary};

use self::common::{Traces, attached};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);
const RUN_DIR: &str = "/run/test";
const VIP: [u8; 4] = [192, 168, 1, 100];
const OWN: [u8; 4] = [192, 168, 1, 10];

fn quick(conf: Conf) -> Conf {
    conf.without_scripts().version_3().advert("0.2")
}

/// Whether anybody answers the client's request for the virtual address before lb1 answers the next one, for its own.
fn answered(pair: &Pair) -> bool {
    let tap = Tap::open(&pair.client).expect("tap");
    let vip = pair.client.spawn("arping", &["-c", "1", "-w", "1", "-I", "eth0", "192.168.1.100"]);
    tap.wait_for(SOON, |frame| arp(frame, Direction::Out, 38, VIP)).expect("a request for it");
    pair.client.command("arping -c 1 -f -I eth0 192.168.1.10").expect("lb1 answers for itself");
    let frames = tap.drain().expect("frames");
    drop(vip);
    assert!(frames.iter().any(|frame| arp(frame, Direction::In, 28, OWN).is_some()), "{frames:?}");
    frames.iter().any(|frame| arp(frame, Direction::In, 28, VIP).is_some())
}

/// An ARP message with this address at this place.
fn arp(frame: &Frame, direction: Direction, at: usize, address: [u8; 4]) -> Option<()> {
    let is_arp = frame.bytes.get(12..14) == Some(&[0x08, 0x06]);
    (is_arp && frame.direction == direction && frame.bytes.get(at..at + 4) == Some(&address)).then_some(())
}

/// Does on a host what an agent does to close the gate, and then lets go of everything, as the kernel does for one that is
/// killed.
fn close_and_die(host: &Host, policy: config::Datapath) {
    host.run(move || {
        std::fs::create_dir(RUN_DIR).expect("run directory");
        let pins = Pins::mount(Path::new(RUN_DIR)).expect("mount");
        let mut kernel = Kernel::load().expect("loads");
        let ifindex = nix::net::if_::if_nametoindex("eth0").expect("eth0");
        let key = InstanceKey { ifindex, vlan: 0, family: 4, vrid: 51 };
        let rules = Rules { version: 3, ..Rules::default() };
        kernel.publish(0, key, &rules, &[(ifindex, from_ipv4(VIP.into()))], &[]).expect("publish");
        kernel.set_lease(0, CLOSED);
        kernel.attach("eth0", policy, Some(&pins)).expect("attached");
        std::mem::forget(pins);
    });
}

#[test]
fn promise_1_the_gate_stays_closed_when_no_process_of_the_agent_is_left() {
    let places = [config::Datapath::XdpNative, config::Datapath::XdpGeneric, config::Datapath::Tcx];
    for place in places {
        let pair = Pair::new().expect("lab");
        let host = &pair.lb1.host;
        host.command("ip address add 192.168.1.100/24 dev eth0").expect("ip");
        let before = Traces::of(host).expect("facts");
        assert!(answered(&pair), "{place}: the test shows nothing");

        close_and_die(host, place);

        assert!(!answered(&pair), "{place}: the gate is gone");
        assert!(host.run(|| remove_pins(Path::new(RUN_DIR))).expect("removable"), "{place}");
        assert!(answered(&pair), "{place}: the gate is still there");
        assert!(!host.run(|| remove_pins(Path::new(RUN_DIR))).expect("nothing there"), "{place}: once");
        host.command("rmdir /run/test").expect("empty");
        assert_eq!(Traces::of(host).expect("facts"), before, "{place}");
    }
}

/// Promise 4: nothing left behind, not even by agents that had no chance to clean up.
#[test]
fn promise_4_the_next_start_takes_the_place_of_programs_that_were_left() {
    for rung in [Datapath::XdpNative, Datapath::XdpGeneric, Datapath::Tcx] {
        let pair = Pair::new().expect("lab");
        let host = &pair.lb1.host;
        let before = Traces::of(host).expect("facts");
        let first = pair.lb1.start(Agent::Vipd(rung), &quick(Conf::lb1())).expect("vipd");
        first.wait_for_state("BACKUP", SOON).expect("it starts");

        assert!(first.process().kill_child("vipd-warden").expect("it runs"));
        first.process().kill_alone().expect("SIGKILL");
        first.process().wait_for_whole_end(SOON).expect("both are dead");

        assert!(!attached(host).is_empty(), "{rung:?}: the program stays");
        let second = pair.lb1.start(Agent::Vipd(rung), &quick(Conf::lb1())).expect("vipd");
        second.process().wait_for_line("removed programs", SOON).expect("it says so");
        second.wait_for_state("BACKUP", SOON).unwrap_or_else(|error| panic!("{rung:?}: {error:#}"));
        second.process().stop().expect("SIGTERM");
        second.process().wait_for_whole_end(SOON).expect("it ends");
        assert_eq!(Traces::of(host).expect("facts"), before, "{rung:?}");
    }
}

#[test]
fn an_agent_that_may_not_mount_goes_on_and_says_what_that_costs() {
    let pair = Pair::new().expect("lab");
    let host = &pair.lb1.host;
    let before = Traces::of(host).expect("facts");
    let vipd = vipd_binary().expect("built");
    let without = ["setpriv", "--bounding-set", "-sys_admin", &vipd.to_string_lossy()];

    let agent = start_vipd_by(&without, host, &quick(Conf::lb1()), Datapath::XdpNative).expect("vipd");

    agent.wait_for_state("MASTER", SOON).expect("it elects");
    let status = agent.status().expect("status");
    assert!(
        status["degraded"].to_string().contains("goes on answering for the virtual addresses"),
        "{status:#}"
    );
    agent.process().stop().expect("SIGTERM");
    agent.process().wait_for_whole_end(SOON).expect("it ends");
    assert_eq!(Traces::of(host).expect("facts"), before);
}
