//! The small values: moments, intervals, and what people read.

use std::time::Duration;

use vipd_core::{Cause, Fault, Instant, Interval, State};

use crate::support::{GREATER, ms};

#[test]
fn a_span_into_the_past_is_zero() {
    assert_eq!(ms(5).since(ms(3)), Duration::from_millis(2));
    assert_eq!(ms(3).since(ms(5)), Duration::ZERO);
    assert_eq!(ms(5) - ms(3), Duration::from_millis(2));
}

#[test]
fn adding_saturates_at_the_end_of_the_time_line() {
    let end = Instant::from_nanos(u64::MAX);
    assert_eq!(ms(1) + Duration::MAX, end);
    assert_eq!(end + Duration::from_nanos(1), end);
}

#[test]
fn moments_are_written_as_seconds_to_the_nanosecond() {
    assert_eq!(Instant::from_nanos(12_000_000_345).to_string(), "12.000000345");
}

#[test]
fn c_rx_16_no_interval_is_zero() {
    assert_eq!(Interval::from_centis(0), None);
    let longest = Interval::from_centis(4095).expect("an interval above zero");
    assert_eq!((longest.as_centis(), longest.as_duration()), (4095, Duration::from_millis(40_950)));
}

#[test]
fn states_have_the_names_that_people_know() {
    let names =
        [State::Initialize, State::Backup, State::Master, State::Fault].map(|state| state.to_string());
    assert_eq!(names, ["INIT", "BACKUP", "MASTER", "FAULT"]);
}

#[test]
fn every_cause_tells_its_evidence() {
    let waited = Duration::from_nanos(3_609_375_999);
    let cases = [
        (Cause::Started, "started, listening first (RFC 9568 6.4.1)"),
        (Cause::Owner, "started as the owner of the addresses (RFC 9568 6.4.1)"),
        (Cause::Silence { since: ms(1_500), waited }, "no advert for 3609.375 ms (RFC 9568 6.4.2)"),
        (Cause::Resigned { source: GREATER }, "192.0.2.13 resigned with priority 0 (RFC 9568 6.4.2)"),
        (
            Cause::Preempted { source: GREATER, priority: 50 },
            "preempting 192.0.2.13, which has the lower priority 50 (RFC 9568 6.4.2)",
        ),
        (
            Cause::HigherPriority { source: GREATER, priority: 200 },
            "advert of 192.0.2.13 with the higher priority 200 (RFC 9568 6.4.3)",
        ),
        (
            Cause::GreaterAddress { source: GREATER },
            "advert of 192.0.2.13 with equal priority and the greater address (RFC 9568 6.4.3)",
        ),
        (Cause::Faulted(Fault::Link), "interface is down"),
        (Cause::Faulted(Fault::Source), "interface has no address to send from"),
        (Cause::Recovered, "what was missing is back"),
        (Cause::Stopped, "told to stop"),
    ];
    for (cause, text) in cases {
        assert_eq!(cause.to_string(), text);
    }
}
