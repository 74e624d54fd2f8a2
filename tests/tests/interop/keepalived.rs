//! Keepalived 2.2.7.

use vipd_tests::Make::{Keepalived, Vipd};
use vipd_tests::Settings;

use crate::stories::take_turns;

/// Version 2 with the password of the guide, of which eight octets count.
fn v2_password(priority: u8) -> Settings {
    Settings::v2(priority).password("MySecret123")
}

#[test]
fn keepalived_backs_up_vipd_in_version_2_with_a_password() {
    take_turns([Vipd, Keepalived], v2_password);
}

#[test]
fn vipd_backs_up_keepalived_in_version_2_with_a_password() {
    take_turns([Keepalived, Vipd], v2_password);
}

#[test]
fn keepalived_backs_up_vipd_in_version_3() {
    take_turns([Vipd, Keepalived], Settings::v3);
}

#[test]
fn vipd_backs_up_keepalived_in_version_3() {
    take_turns([Keepalived, Vipd], Settings::v3);
}
