//! The checksum of version 3 over IPv4, of which there are three forms in the field. The one with the pseudo-header of the
//! packet (C-CK-03) is that of all the other tests here.

use vipd_tests::Make::{Keepalived, Vipd};
use vipd_tests::{Lan, Settings};

use super::stories::{SOON, advert_from};

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
