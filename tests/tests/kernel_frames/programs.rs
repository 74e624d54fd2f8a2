//! One frame through the XDP program, the tcx program or the parser of user space, and what became of it.

use aya::programs::{ProgramError, TestRun, TestRunOptions, TestRunResult};
use vipd::datapath::Kernel;
use vipd_common::abi::{Addr, Counters};
use vipd_common::wire::eth::{self, Class, Place};
use vipd_common::wire::ip::{Family, V4, V6};
use vipd_common::wire::{Entry, L3, Listed, Packet, Reason, arp, checksum, from_ipv4, judge, nd};

use crate::corpus::{IFINDEX, Receiver};

/// The number of the virtual router in these tests.
pub(crate) const INSTANCE: u32 = 7;
/// The number of a second one, where there is one.
pub(crate) const OTHER: u32 = 8;
const XDP_DROP: u32 = 1;
const XDP_PASS: u32 = 2;
const TCX_NEXT: u32 = u32::MAX;
const TC_ACT_SHOT: u32 = 2;

/// Who looks at a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Road {
    Xdp,
    Tcx,
    User,
}

impl Road {
    pub(crate) const ALL: [Self; 3] = [Self::Xdp, Self::Tcx, Self::User];
    pub(crate) const KERNEL: [Self; 2] = [Self::Xdp, Self::Tcx];

    /// Whether a frame can come by: behind the network stack there is none without the header that its type promises, and
    /// the kernel refuses to run a program on one.
    pub(crate) fn takes(self, frame: &[u8]) -> bool {
        let header = match frame.get(12..14) {
            Some([0x08, 0x00]) => 20,
            Some([0x86, 0xdd]) => 40,
            _ => 1,
        };
        self != Self::Tcx || frame.len() >= 14 + header
    }
}

/// What became of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) pass: bool,
    /// Counters that rose by one, with whether they are the virtual router's.
    pub(crate) raised: Vec<(bool, Reason)>,
}

impl Outcome {
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        self.raised.iter().map(|(_, reason)| *reason).collect()
    }
}

/// The kernel half with one virtual router.
pub(crate) fn kernel(receiver: &Receiver) -> Kernel {
    assert!(nix::unistd::geteuid().is_root(), "this test loads programs into the kernel: run it as root");
    let mut kernel = Kernel::load().unwrap_or_else(|error| panic!("{error}"));
    publish(&mut kernel, receiver);
    kernel
}

/// Puts another virtual router into its place.
pub(crate) fn publish(kernel: &mut Kernel, receiver: &Receiver) {
    let Receiver { key, rules, vips, peers } = receiver;
    let vips: Vec<(u32, Addr)> = vips.iter().map(|vip| (key.ifindex, *vip)).collect();
    kernel.publish(INSTANCE, *key, rules, &vips, peers).expect("publish");
}

/// Sends a frame down a road.
pub(crate) fn send(kernel: &mut Kernel, receiver: &Receiver, road: Road, frame: &[u8]) -> Outcome {
    if road == Road::User {
        return parse(receiver, frame);
    }
    let before = counters(kernel);
    let mut out = vec![0; frame.len()];
    let result = run(kernel, road, frame, &mut out).expect("the program runs");
    let pass = match (road, result.return_value) {
        (Road::Xdp, XDP_PASS) | (Road::Tcx, TCX_NEXT) => true,
        (Road::Xdp, XDP_DROP) | (Road::Tcx, TC_ACT_SHOT) => false,
        (_, verdict) => panic!("{road:?} returned {verdict}"),
    };
    assert_eq!(out, frame, "{road:?} leaves the frame as it is");
    Outcome { pass, raised: risen(&before, &counters(kernel)) }
}

/// Runs a program once.
pub(crate) fn run(
    kernel: &mut Kernel,
    road: Road,
    frame: &[u8],
    out: &mut [u8],
) -> Result<TestRunResult, ProgramError> {
    let options = TestRunOptions { data_in: Some(frame), data_out: Some(out), ..Default::default() };
    if road == Road::Tcx { kernel.tcx()?.test_run(options) } else { kernel.xdp()?.test_run(options) }
}

fn counters(kernel: &Kernel) -> [Counters; 2] {
    [None, Some(INSTANCE)].map(|instance| kernel.stats().read(instance).expect("counters"))
}

fn risen(before: &[Counters; 2], after: &[Counters; 2]) -> Vec<(bool, Reason)> {
    let mut raised = Vec::new();
    for (place, own) in [false, true].into_iter().enumerate() {
        // Records are counted beside the frame that they would tell of.
        let frames = |reason: &Reason| !matches!(reason, Reason::EventHeld | Reason::EventLost);
        for reason in Reason::ALL.into_iter().filter(frames) {
            for _ in before[place][reason.index()]..after[place][reason.index()] {
                raised.push((own, reason));
            }
        }
    }
    raised
}

/// What a packet socket's reader does with a frame.
fn parse(receiver: &Receiver, frame: &[u8]) -> Outcome {
    let mut outcome = Outcome { pass: true, raised: Vec::new() };
    let holds = |place: Place, addr: Addr| place.vlan == receiver.key.vlan && receiver.vips.contains(&addr);
    match eth::classify(frame, None) {
        Class::Advert4(place) if frame.len() >= place.at + V4::HEADER => {
            judged::<V4>(receiver, frame, place, &mut outcome);
        }
        Class::Advert6(place) if frame.len() >= place.at + V6::HEADER => {
            judged::<V6>(receiver, frame, place, &mut outcome);
        }
        Class::Arp(place) => {
            let claim = arp::Message::read(frame, place.at).is_some_and(|message| {
                message.is_gratuitous() && holds(place, from_ipv4(message.sender.into()))
            });
            outcome.raised.extend(claim.then_some((true, Reason::Claim)));
        }
        Class::Neighbour(place) => {
            let concerns = nd::Message::read(frame, place.at)
                .is_some_and(|message| message.advertises && holds(place, message.target));
            if concerns {
                let mut l3 = L3::new();
                l3.fill(&frame[place.at..]);
                let sum = |l3: &L3, from, length| checksum::octets(&l3.0[from..from + length]);
                let raised = match nd::claimant(&l3, frame.len() - place.at, sum) {
                    Ok(mac) => mac.map(|_| Reason::Claim),
                    Err(reason) => Some(reason),
                };
                outcome.raised.extend(raised.map(|reason| (true, reason)));
            }
        }
        Class::Advert4(_) | Class::Advert6(_) | Class::Other => {}
    }
    outcome.raised.sort();
    outcome
}

fn judged<F: Family>(receiver: &Receiver, frame: &[u8], place: Place, outcome: &mut Outcome) {
    let Receiver { key, rules, peers, .. } = receiver;
    let entry = Entry { number: INSTANCE, key: *key, rules: *rules, peers };
    let table = Listed { ifindex: IFINDEX, family: F::NUMBER, entries: &[entry] };
    let mut l3 = L3::new();
    l3.fill(&frame[place.at..]);
    let packet = Packet { l3: &l3, length: frame.len() - place.at, vlan: place.vlan };
    let verdict = judge::<F, _>(&packet, &table);
    verdict.count(|reason| outcome.raised.push((verdict.instance.is_some(), reason)));
    outcome.pass = verdict.pass;
}
