//! The checksum of version 3 over IPv4, of which there are three forms in the field. The one with the pseudo-header of the
//! packet (C-CK-03) is that of all the other tests here.
//!
//! Keepalived 2.2.7 and FRR 8.4.4 send and hear that one alone. A router that sends and hears the form of RFC 9568 alone
//! (C-CK-02) is played by a vipd that is told to.

use serde_json::json;
use vipd_tests::Make::{self, Frr, Keepalived, Vipd};
use vipd_tests::{Lan, Router, Settings};

use super::stories::{PRIORITIES, SOON, advert_from, take_turns};

/// As a router by RFC 9568 that knows no other form.
fn by_the_message(priority: u8) -> Settings {
    Settings::v3(priority).line("checksum message")
}

/// The better one is by RFC 9568, and the other one follows it.
fn better_by_the_message(priority: u8) -> Settings {
    if priority == PRIORITIES[0] { by_the_message(priority) } else { Settings::v3(priority) }
}

fn worse_by_the_message(priority: u8) -> Settings {
    if priority == PRIORITIES[1] { by_the_message(priority) } else { Settings::v3(priority) }
}

/// C-CK-02, C-CK-04
#[test]
fn vipd_backs_up_a_router_by_rfc_9568() {
    take_turns([Vipd, Vipd], better_by_the_message);
}

/// C-CK-02, C-CK-04
#[test]
fn a_router_by_rfc_9568_backs_up_vipd() {
    take_turns([Vipd, Vipd], worse_by_the_message);
}

/// C-CK-02, C-CK-04
#[test]
fn vipd_backs_up_a_router_by_rfc_9568_by_unicast() {
    take_turns([Vipd, Vipd], |priority| better_by_the_message(priority).unicast());
}

/// A vipd that is Master, and a peer of either form, which cannot hear each other. (A Master by Keepalived 2.2.7 that hears
/// another Master of the other form can fall silent: so it is met first.)
struct Mixed {
    vipd: Router,
    pseudo: Router,
    message: Router,
    lan: Lan,
}

fn mixed(other: Make) -> Mixed {
    let lan = Lan::new(&[Vipd, other, Vipd]).expect("lab");
    let pseudo = lan.start(1, &Settings::v3(110)).expect("it starts");
    pseudo.wait_for_state("MASTER").expect("nobody else is there");
    let vipd = lan.start(0, &Settings::v3(120)).expect("vipd");
    vipd.wait_for_state("MASTER").expect("it is the best");
    pseudo.wait_for_state("BACKUP").expect("it hears vipd");
    let message = lan.start(2, &by_the_message(100)).expect("it starts");
    message.wait_for_state("MASTER").expect("it hears nobody");
    message.wait_for_state("BACKUP").expect("it hears vipd, which has heard it");
    Mixed { vipd, pseudo, message, lan }
}

fn is_heard_by_everybody(other: Make) {
    let Mixed { vipd, pseudo, message, lan } = mixed(other);

    lan.wait_for_master(0).expect("vipd is alone");
    let status = vipd.status().expect("status");
    assert_eq!(status["checksum-sent"], json!(["message", "pseudo"]), "{status:#}");
    let form = |node: usize| {
        let source = json!(lan.node(node).ip.to_string());
        let peers = status["peers"].as_array().expect("a list");
        peers.iter().find(|peer| peer["source"] == source).map(|peer| peer["checksum"].clone())
    };
    assert_eq!((form(1), form(2)), (Some(json!(["pseudo"])), Some(json!(["message"]))), "{status:#}");
    // Its last word reaches both.
    vipd.process().stop().expect("SIGTERM");
    pseudo.wait_for_state("MASTER").expect("takeover after resignation");
    message.wait_for_state("MASTER").expect("takeover after resignation");
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// C-CK-02, C-CK-03, C-CK-04
#[test]
fn keepalived_and_a_router_by_rfc_9568_both_hear_vipd() {
    is_heard_by_everybody(Keepalived);
}

/// C-CK-02, C-CK-03, C-CK-04
#[test]
fn frr_and_a_router_by_rfc_9568_both_hear_vipd() {
    is_heard_by_everybody(Frr);
}

/// What is left of a vipd that is killed resigns in both forms too.
///
/// C-CK-04
#[test]
fn a_killed_vipd_is_heard_to_resign_in_both_forms() {
    let Mixed { vipd, message, lan, .. } = mixed(Keepalived);
    let tap = lan.tap().expect("tap");

    vipd.process().kill_alone().expect("SIGKILL");

    message.wait_for_state("MASTER").expect("takeover after resignation");
    let resignations = tap.drain().expect("tap");
    let resignations = resignations.iter().filter_map(|frame| advert_from(&lan, frame, 0));
    assert_eq!(resignations.filter(|advert| advert.priority == 0).count(), 2);
}

/// The form of Keepalived up to 1.3.6 puts the group in place of the peer. vipd refuses and counts it, and this Keepalived does
/// not hear the right form: both are Masters, and vipd can tell why.
///
/// C-UNI-04
#[test]
fn the_old_unicast_checksum_of_keepalived_is_refused_and_counted() {
    let lan = Lan::new(&[Keepalived, Vipd]).expect("lab");
    let tap = lan.tap().expect("tap");

    let keepalived =
        lan.start(0, &Settings::v3(110).unicast().line("old_unicast_checksum")).expect("keepalived");
    let vipd = lan.start(1, &Settings::v3(100).unicast()).expect("vipd");

    tap.wait_for(SOON, |frame| advert_from(&lan, frame, 0)).expect("keepalived speaks");
    tap.wait_for(SOON, |frame| advert_from(&lan, frame, 1)).expect("vipd speaks");
    keepalived.process().wait_for_line("Invalid VRRPv3 checksum", SOON).expect("it does not hear vipd");
    let status = vipd.status().expect("status");
    assert_eq!(status["state"], "MASTER", "{status:#}");
    assert_eq!(status["statistics"]["advertisement-rcvd"], 0, "{status:#}");
    assert!(status["statistics"]["checksum-errors"].as_u64() > Some(0), "{status:#}");
    lan.expect_clean_frames().expect("tshark has no complaint");
}

/// The form of RFC 9568 (C-CK-02) came with Keepalived 2.2.8: with the one that is installed there is nothing to test. Should
/// this fail, there is.
///
/// C-CK-04
#[test]
fn keepalived_2_2_7_cannot_leave_the_pseudo_header_out() {
    let lan = Lan::new(&[Keepalived]).expect("lab");

    let keepalived = lan.start(0, &Settings::v3(110).line("v3_checksum_as_v2")).expect("keepalived");

    keepalived.process().wait_for_line("Unknown keyword 'v3_checksum_as_v2'", SOON).expect("it says so");
}
