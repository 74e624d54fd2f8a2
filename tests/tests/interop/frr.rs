//! FRR's vrrpd 8.4.4.

use vipd_tests::Make::{Frr, Vipd};
use vipd_tests::Settings;

use crate::stories::take_turns;

#[test]
fn vipd_backs_up_frr_in_version_3() {
    take_turns([Frr, Vipd], Settings::v3);
}

#[test]
fn frr_backs_up_vipd_in_version_3() {
    take_turns([Vipd, Frr], Settings::v3);
}

#[test]
fn vipd_backs_up_frr_in_version_2() {
    take_turns([Frr, Vipd], Settings::v2);
}

#[test]
fn frr_backs_up_vipd_in_version_2() {
    take_turns([Vipd, Frr], Settings::v2);
}
