//! Nanoseconds a frame in the kernel half, by program test-run (`BPF_PROG_TEST_RUN`), beside an empty program that is run
//! in turn with it. Prints JSON: a list of `{road, frame, outcome, ns: [...]}`, one figure a pass, each the kernel's mean
//! over `--repeat` runs. `cargo xtask bench kernel` starts it and shows what it found.

#[expect(dead_code, reason = "shared with the tests of the same programs, which need more of it")]
#[path = "../../tests/kernel_frames/corpus.rs"]
mod corpus;
mod empty;
#[expect(dead_code, reason = "shared with the tests of the same programs, which need more of it")]
#[path = "../../tests/kernel_frames/programs.rs"]
mod programs;

use std::collections::BTreeSet;

use aya::programs::{TestRun, TestRunOptions};
use serde_json::json;
use vipd::datapath::Kernel;

use corpus::{Receiver, adverts, named};
use empty::Empty;
use programs::{Road, kernel, publish, send};

/// A frame on a road, and what has been measured of it.
struct Case {
    road: Road,
    name: String,
    frame: Vec<u8>,
    receiver: Receiver,
    outcome: String,
    nanos: Vec<u32>,
}

fn main() {
    let number = |name: &str, usual: u32| {
        let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
        arguments
            .next()
            .map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name} wants a number")))
    };
    let (passes, repeat) = (number("--passes", 15), number("--repeat", 100_000));
    let usual = named("v3_ipv4_1addr_msgonly").receiver;
    let mut kernel = kernel(&usual);
    let mut cases = cases(&mut kernel, &usual);
    let roads = Road::KERNEL.map(|road| (road, Empty::load(road).expect("an empty program")));
    let mut nothing: Vec<(Road, Vec<u32>)> = roads.iter().map(|(road, _)| (*road, Vec::new())).collect();
    let frame = named("v3_ipv4_1addr_msgonly").octets;
    for _ in 0..passes {
        // In turn, so that whatever the machine does meets all of them.
        for ((_, empty), (_, nanos)) in roads.iter().zip(&mut nothing) {
            nanos.push(empty.run(&frame, repeat).expect("test-run"));
        }
        for case in &mut cases {
            publish(&mut kernel, &case.receiver);
            // The first advert is news; what is measured is no news.
            send(&mut kernel, &case.receiver, case.road, &case.frame);
            case.nanos.push(run(&mut kernel, case.road, &case.frame, repeat));
        }
    }
    let empty =
        nothing.iter().map(|(road, nanos)| entry(*road, "empty program", "nothing is looked at", nanos));
    let list: Vec<_> = empty
        .chain(cases.iter().map(|case| entry(case.road, &case.name, &case.outcome, &case.nanos)))
        .collect();
    println!("{}", json!({ "passes": passes, "repeat": repeat, "cases": list }));
}

fn entry(road: Road, frame: &str, outcome: &str, nanos: &[u32]) -> serde_json::Value {
    let road = if road == Road::Xdp { "xdp" } else { "tcx" };
    json!({ "road": road, "frame": frame, "outcome": outcome, "ns": nanos })
}

/// Traffic that is none of ours, an advert that changes nothing, and one frame for each reason to drop or to count.
fn cases(kernel: &mut Kernel, usual: &Receiver) -> Vec<Case> {
    let mut frames: Vec<(String, Vec<u8>, Receiver)> = Vec::new();
    let mut tcp = named("v3_ipv4_1addr_msgonly").octets;
    tcp[23] = 6;
    let mut ipv6 = named("una_global").octets;
    ipv6[20] = 6;
    // A neighbour of the virtual address, told as the sender's, asks for that address, and for another neighbour.
    let mut ours = named("garp_request_tha_vmac").octets;
    ours[31] ^= 2;
    let mut arp = ours.clone();
    arp[41] ^= 1;
    let plain =
        [("IPv4/TCP", tcp), ("IPv6/TCP", ipv6), ("ARP, not ours", arp), ("ARP, asks for our address", ours)];
    frames.extend(plain.map(|(name, frame)| (name.to_owned(), frame, usual.clone())));
    frames.push(("advert, no change".to_owned(), named("v3_ipv4_1addr_msgonly").octets, usual.clone()));
    let refused = adverts().into_iter().filter(|frame| !frame.accepted);
    let mut seen = BTreeSet::new();
    for frame in refused {
        let receiver = frame.receiver;
        publish(kernel, &receiver);
        let reasons = send(kernel, &receiver, Road::Xdp, &frame.octets).reasons();
        if let [reason] = reasons[..]
            && seen.insert(reason)
        {
            frames.push((format!("advert: {}", reason.name()), frame.octets, receiver));
        }
    }
    let mut cases = Vec::new();
    for road in Road::KERNEL {
        for (name, frame, receiver) in frames.iter().filter(|(_, frame, _)| road.takes(frame)) {
            publish(kernel, receiver);
            send(kernel, receiver, road, frame);
            let outcome = send(kernel, receiver, road, frame);
            let verdict = if outcome.pass { "passes" } else { "dropped" };
            let counted: Vec<&str> = outcome.reasons().iter().map(|reason| reason.name()).collect();
            cases.push(Case {
                road,
                name: name.clone(),
                frame: frame.clone(),
                receiver: receiver.clone(),
                outcome: [&[verdict], &counted[..]].concat().join(", "),
                nanos: Vec::new(),
            });
        }
    }
    cases
}

/// The kernel's mean over `repeat` runs, in nanoseconds.
fn run(kernel: &mut Kernel, road: Road, frame: &[u8], repeat: u32) -> u32 {
    let options = TestRunOptions { data_in: Some(frame), repeat, ..Default::default() };
    let result = match road {
        Road::Tcx => kernel.tcx().expect("loaded").test_run(options),
        Road::Xdp | Road::User => kernel.xdp().expect("loaded").test_run(options),
    };
    u32::try_from(result.expect("test-run").duration.as_nanos()).expect("less than four seconds")
}
