//! What a node waits for, and how long (RFC 9568 §6.1 and §6.4, RFC 3768 §6.1 and §6.4): the part of the election that the
//! kernel half needs in order to time silence. Times are nanoseconds.

use crate::abi::{Addr, Rules, Stamp};

const CENTISECOND: u64 = 10_000_000;
const SECOND: u64 = 100 * CENTISECOND;

/// What an advert means to a node that waits for silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Nothing: the timer runs on.
    None,
    /// A Master lives that this node must wait for.
    Alive,
    /// The Master resigns: only the skew time is left to wait.
    Resigned,
}

/// What a valid advert means under these rules. A Backup waits for whom it does not preempt (C-FSM-05, C-FSM-06, C-FSM-08),
/// a Master for whom it must make way (C-FSM-09, C-FSM-12).
#[must_use]
#[inline(always)]
pub fn sign(rules: &Rules, priority: u8, source: &Addr) -> Sign {
    let alive = if rules.master == 0 {
        priority >= rules.alive_from
    } else {
        priority > rules.priority || priority == rules.priority && number(source) > number(&rules.own)
    };
    match priority {
        0 if rules.master == 0 => Sign::Resigned,
        1.. if alive => Sign::Alive,
        _ => Sign::None,
    }
}

/// When this node may take over unless another sign of life comes (C-TMR-01 to C-TMR-03, C-FSM-08).
#[must_use]
#[inline(always)]
pub fn deadline(rules: &Rules, sign: &Stamp) -> u64 {
    sign.at + if sign.priority == 0 { 0 } else { intervals(rules, sign) } + skew(rules, sign.interval_cs)
}

/// When to look whether this sign's deadline has come: before the skew time, which changes with the priority, begins. After
/// a resignation there is nothing but the skew time.
#[must_use]
#[inline(always)]
pub fn earliest(rules: &Rules, sign: &Stamp) -> u64 {
    if sign.priority == 0 { deadline(rules, sign) } else { sign.at + intervals(rules, sign) }
}

#[inline(always)]
fn intervals(rules: &Rules, sign: &Stamp) -> u64 {
    u64::from(rules.down_adverts) * u64::from(sign.interval_cs) * CENTISECOND
}

/// Skew_Time: 256ths of a second in version 2, of the Master's interval in version 3.
#[inline(always)]
fn skew(rules: &Rules, interval_cs: u16) -> u64 {
    let unit = if rules.version == 2 { SECOND } else { u64::from(interval_cs) * CENTISECOND };
    unit * (256 - u64::from(rules.priority)) / 256
}

/// An address as a number, by which addresses are ordered: in network order.
#[inline(always)]
fn number(addr: &Addr) -> u128 {
    u128::from_be_bytes(*addr)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::wire::from_ipv4;

    fn rules(version: u8, priority: u8) -> Rules {
        let own = from_ipv4(Ipv4Addr::new(192, 0, 2, 12));
        Rules { own, version, priority, alive_from: priority, down_adverts: 3, ..Rules::default() }
    }

    fn stamp(priority: u8, interval_cs: u16) -> Stamp {
        Stamp { at: SECOND, priority, interval_cs, ..Stamp::default() }
    }

    #[test]
    fn c_fsm_05_06_08_a_backup_waits_for_whom_it_does_not_preempt() {
        let patient = Rules { alive_from: 1, ..rules(3, 100) };
        let cases = [
            ("higher", rules(3, 100), 101, Sign::Alive),
            ("equal", rules(3, 100), 100, Sign::Alive),
            ("lower", rules(3, 100), 99, Sign::None),
            ("lower, without preemption", patient, 1, Sign::Alive),
            ("resigned", rules(3, 100), 0, Sign::Resigned),
            ("resigned, without preemption", patient, 0, Sign::Resigned),
        ];
        for (name, rules, priority, expected) in cases {
            assert_eq!(sign(&rules, priority, &from_ipv4(Ipv4Addr::UNSPECIFIED)), expected, "{name}");
        }
    }

    #[test]
    fn c_fsm_09_12_a_master_makes_way_by_priority_then_by_address_in_network_order() {
        let cases = [
            (101, "192.0.2.1", Sign::Alive),
            (99, "192.0.2.200", Sign::None),
            (0, "192.0.2.200", Sign::None),
            (100, "192.0.2.13", Sign::Alive),
            (100, "192.0.2.12", Sign::None),
            (100, "192.0.2.11", Sign::None),
            (100, "10.0.0.200", Sign::None),
            (100, "200.0.0.1", Sign::Alive),
        ];
        // Preemption plays no part.
        for alive_from in [1, 100] {
            let master = Rules { master: 1, alive_from, ..rules(3, 100) };
            for (priority, source, expected) in cases {
                let addr = from_ipv4(source.parse().unwrap());
                assert_eq!(sign(&master, priority, &addr), expected, "{priority} from {source}");
            }
        }
    }

    #[test]
    fn c_tmr_01_02_03_the_deadline_is_that_of_the_rfcs_to_the_nanosecond() {
        let cases = [
            (rules(2, 100), stamp(200, 100), 3_609_375_000),
            (rules(2, 254), stamp(255, 100), 3_007_812_500),
            (rules(3, 100), stamp(200, 100), 3_609_375_000),
            (rules(3, 100), stamp(200, 10), 360_937_500),
            (rules(3, 100), stamp(200, 1), 36_093_750),
            (rules(3, 254), stamp(255, 1), 30_078_125),
            (rules(3, 1), stamp(255, 4095), 163_640_039_062),
            (rules(3, 100), stamp(0, 100), 609_375_000),
            (rules(2, 100), stamp(0, 25_500), 609_375_000),
            (Rules { down_adverts: 5, ..rules(3, 100) }, stamp(200, 100), 5_609_375_000),
        ];
        for (rules, stamp, wait) in cases {
            assert_eq!(deadline(&rules, &stamp) - stamp.at, wait, "{rules:?} {stamp:?}");
        }
    }

    #[test]
    fn no_priority_brings_a_deadline_before_the_earliest() {
        for (version, interval_cs) in [(2, 100), (3, 100), (3, 1)] {
            let earliest = earliest(&rules(version, 100), &stamp(200, interval_cs));
            for priority in 1..=255 {
                assert!(
                    earliest < deadline(&rules(version, priority), &stamp(200, interval_cs)),
                    "{priority}"
                );
            }
        }
    }
}
