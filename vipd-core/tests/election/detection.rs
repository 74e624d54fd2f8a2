//! C-SUB-01: how long a silent death stays unnoticed, over all intervals of the protocol. The kernel's part is measured by
//! `cargo xtask bench failover`; here is what the election itself takes, to the nanosecond.

use std::time::Duration;

use vipd_core::Spec;

use crate::lan::{LATENCY, Lan};
use crate::support::{centis, v3, v4};

/// Moments of death between two adverts.
const MOMENTS: u32 = 100;

#[test]
fn c_sub_01_a_death_is_noticed_within_down_minus_advert_and_down_from_1_to_4095_cs() {
    for cs in [1, 2, 10, 100, 4_095] {
        let interval = centis(cs).as_duration();
        let down = 3 * interval + interval * (256 - 100) / 256;
        for moment in 0..MOMENTS {
            let spec =
                |(host, priority)| Spec { interval: centis(cs), source: v4(192, 0, 2, host), ..v3(priority) };
            let mut lan = Lan::started([(1, 200), (2, 100)].map(spec).into(), 0);
            lan.run_until_master(0);
            // The first advert is sent now. What is on its way arrives though its sender dies.
            lan.run_for(LATENCY + interval * moment / MOMENTS);
            lan.kill(0);
            let died = lan.now;

            let noticed = lan.run_until_master(1).since(died);

            let most = down + LATENCY;
            assert!(noticed <= most, "{cs} cs, {moment}: {noticed:?} is more than {most:?}");
            let least = down.checked_sub(interval + LATENCY).unwrap_or(Duration::ZERO);
            assert!(noticed >= least, "{cs} cs, {moment}: {noticed:?} is less than {least:?}");
        }
    }
}
