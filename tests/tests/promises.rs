//! Promise 1, one answer, and promise 2, no false alarm: who answers for the virtual address, asked every millisecond by
//! somebody who shares no code with vipd, while agents are frozen, thawed and killed.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use anyhow::Result;
use vipd_tests::frame::read_mac;
use vipd_tests::guide::Conf;
use vipd_tests::{Agent, Asker, Balancer, Datapath, Frame, Moment, Pair, Reply, Running, Tap};

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);

/// Held beside the guide's address, by neighbour discovery.
const SECOND_VIP: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100));

/// Two nodes at 100 ms that do not take back what they lost, `lb1` being master; somebody asks who has the addresses.
struct Nodes {
    /// By ARP, and by neighbour solicitations.
    askers: [Asker; 2],
    tap: Tap,
    lb1: Running,
    lb2: Running,
    pair: Pair,
}

fn nodes(datapath: Datapath) -> Nodes {
    let pair = Pair::new().expect("lab");
    let second = format!("virtual_ipaddress_excluded {{\n{SECOND_VIP}/64\n}}");
    let quick = |conf: Conf| conf.without_scripts().version_3().advert("0.1").nopreempt().with_line(&second);
    let lb1 = pair.lb1.start(Agent::Vipd(datapath), &quick(Conf::lb1())).expect("vipd");
    lb1.wait_for_state("MASTER", SOON).expect("nobody else is there");
    let lb2 = pair.lb2.start(Agent::Vipd(datapath), &quick(Conf::lb2())).expect("vipd");
    lb2.wait_for_state("BACKUP", SOON).expect("it listens");
    pair.wait_for_holder(&pair.lb1, SOON).expect("the master holds the address");
    let macs = [mac(&pair.lb1), mac(&pair.lb2)];
    let askers = [Pair::vip(), SECOND_VIP].map(|vip| Asker::start(&pair.client, vip, &macs).expect("asker"));
    let nodes = Nodes { askers, tap: Tap::open(pair.switch.host()).expect("tap"), lb1, lb2, pair };
    nodes.adverts(&nodes.pair.lb1, 3);
    nodes.expect_answers_of(&nodes.pair.lb1);
    nodes
}

fn mac(balancer: &Balancer) -> [u8; 6] {
    read_mac(&balancer.mac).expect("a MAC address")
}

impl Nodes {
    /// In the order of their arrival.
    fn answers_of(&self, balancer: &Balancer) -> impl Iterator<Item = Reply> + use<> {
        let mac = mac(balancer);
        let mut replies: Vec<Reply> = self.askers.iter().flat_map(Asker::replies).collect();
        replies.sort_by_key(|reply| reply.at);
        replies.into_iter().filter(move |reply| reply.mac == mac)
    }

    fn expect_answers_of(&self, balancer: &Balancer) {
        let mac = mac(balancer);
        let answered =
            self.askers.each_ref().map(|asker| asker.replies().iter().any(|reply| reply.mac == mac));
        assert_eq!(answered, [true; 2], "{} answers by ARP, and by ND", balancer.host.name());
    }

    /// Awaits so many adverts of a node.
    fn adverts(&self, balancer: &Balancer, count: usize) {
        for _ in 0..count {
            let pick = |frame: &Frame| frame.came_from(&balancer.port).then(|| frame.advert()).flatten();
            self.tap.wait_for(SOON, pick).expect("an advert");
        }
    }

    /// `lb2` takes over; from its first advert on `lb1` has answered nothing.
    fn expect_one_answer(&self) -> Moment {
        let pick = |frame: &Frame| {
            (frame.came_from(&self.pair.lb2.port) && frame.advert().is_some()).then_some(frame.at)
        };
        let spoke = self.tap.wait_for(SOON, pick).expect("lb2 takes over");
        self.lb2.wait_for_state("MASTER", SOON).expect("lb2 takes over");
        self.adverts(&self.pair.lb2, 5);
        self.expect_answers_of(&self.pair.lb2);
        let last = self.answers_of(&self.pair.lb1).last().expect("lb1 has answered").at;
        assert!(spoke.minus(last) > 0, "lb1 answered until {} ns after lb2 spoke", -spoke.minus(last));
        spoke
    }
}

#[test]
fn promise_1_a_frozen_master_falls_silent_before_another_speaks_and_stays_so_when_it_is_thawed() {
    for datapath in [Datapath::XdpNative, Datapath::XdpGeneric, Datapath::Tcx] {
        let nodes = nodes(datapath);

        // The warden too: what makes it silent must not need anybody to run.
        nodes.lb1.freeze().expect("SIGSTOP");
        let spoke = nodes.expect_one_answer();
        nodes.lb1.thaw().expect("SIGCONT");
        nodes.lb1.wait_for_state("BACKUP", SOON).expect("it heard lb2 before it could speak");

        nodes.adverts(&nodes.pair.lb2, 10);
        let late = nodes.answers_of(&nodes.pair.lb1).filter(|answer| answer.at.minus(spoke) > 0).count();
        assert_eq!(late, 0, "{datapath:?}: lb1 answered after it was thawed");
        let why = nodes.lb1.status().expect("status")["instances"][0]["last-event"].to_string();
        assert!(why.contains("took over while this node could not send"), "{why}");
    }
}

#[test]
fn promise_1_a_killed_master_answers_no_more() {
    let nodes = nodes(Datapath::Auto);

    nodes.lb1.process().kill_alone().expect("SIGKILL");

    nodes.expect_one_answer();
}

#[test]
fn promise_1_when_master_and_warden_are_killed_the_lease_runs_out_all_the_same() {
    let nodes = nodes(Datapath::Auto);

    nodes.lb1.kill_all().expect("SIGKILL");

    let spoke = nodes.expect_one_answer();
    nodes.adverts(&nodes.pair.lb2, 20);
    let late = nodes.answers_of(&nodes.pair.lb1).filter(|answer| answer.at.minus(spoke) > 0).count();
    assert_eq!(late, 0, "lb1 answers although nobody is there");
}

/// A backup that sleeps through adverts and deadlines finds, when it wakes, that its master lives.
#[test]
fn promise_2_a_frozen_backup_takes_nothing_over_when_it_is_thawed() -> Result<()> {
    for datapath in [Datapath::Auto, Datapath::Socket] {
        let nodes = nodes(datapath);

        nodes.lb2.freeze()?;
        nodes.adverts(&nodes.pair.lb1, 20);
        nodes.lb2.thaw()?;
        nodes.adverts(&nodes.pair.lb1, 10);

        let status = nodes.lb2.status()?;
        assert_eq!(status["instances"][0]["statistics"]["master-transitions"], 0, "{datapath:?}");
        assert_eq!(nodes.answers_of(&nodes.pair.lb2).count(), 0, "{datapath:?}");
    }
    Ok(())
}

/// A master that slept without anybody missing it goes on.
#[test]
fn promise_2_a_thawed_master_goes_on_if_nobody_took_over() -> Result<()> {
    let nodes = nodes(Datapath::Auto);
    nodes.lb2.process().stop()?;
    nodes.lb2.process().wait(SOON)?;

    nodes.lb1.freeze()?;
    let frozen = Moment::now();
    // Silence means that the lease has run out.
    let silent = || nodes.answers_of(&nodes.pair.lb1).last().map(|answer| answer.at);
    // The questions themselves pass the switch, a thousand in a second.
    nodes.tap.wait_for(SOON, |_| {
        silent().filter(|last| Moment::now().since(*last) > Duration::from_millis(300))
    })?;
    nodes.lb1.thaw()?;

    nodes.adverts(&nodes.pair.lb1, 3);
    let status = nodes.lb1.status()?;
    assert_eq!(status["instances"][0]["statistics"]["master-transitions"], 1);
    let again = nodes.answers_of(&nodes.pair.lb1).last().is_some_and(|answer| answer.at.minus(frozen) > 0);
    assert!(again, "it answers again");
    Ok(())
}
