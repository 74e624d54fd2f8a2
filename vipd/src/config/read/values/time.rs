//! Spans of time.

use std::time::Duration;

use super::{Checked, Refusal, quoted, whole};

/// Longest wait that a configuration can ask for, in seconds: a day.
const WAIT_MAX: u32 = 86_400;
/// Longest `preempt_delay`, as in Keepalived.
const PREEMPT_DELAY_MAX: u32 = 1000;
/// Longest time between two runs of a check, and longest debounce, in seconds.
const INTERVAL_MAX: u32 = 4294;
const DEBOUNCE_MAX: u32 = 3600;

/// Whole seconds up to a day; 0 switches the thing off.
pub(in super::super) fn wait(text: &str) -> Checked<Duration> {
    whole(text, "a wait in seconds", 0..=WAIT_MAX).map(|seconds| Duration::from_secs(seconds.into()))
}

/// Whole seconds from 1 to a day.
pub(in super::super) fn wait_some(text: &str) -> Checked<Duration> {
    whole(text, "a wait in seconds", 1..=WAIT_MAX).map(|seconds| Duration::from_secs(seconds.into()))
}

/// Seconds up to a day, fractions allowed; 0 switches the thing off.
pub(in super::super) fn wait_fraction(text: &str) -> Checked<Duration> {
    within(text, "a wait", Duration::ZERO, WAIT_MAX)
}

/// Time between two runs, or how long one of them may take: seconds, fractions allowed.
pub(in super::super) fn interval(text: &str) -> Checked<Duration> {
    within(text, "an interval", Duration::from_millis(1), INTERVAL_MAX)
}

/// How long something must last before it counts: seconds, fractions allowed.
pub(in super::super) fn debounce(text: &str) -> Checked<Duration> {
    within(text, "a delay", Duration::ZERO, DEBOUNCE_MAX)
}

/// A timeout that ends before the next turn.
pub(in super::super) fn timeout_within(text: &str, interval: Duration) -> Checked<Duration> {
    let timeout = self::interval(text)?;
    if timeout > interval {
        let message = format!("a timeout of {} is longer than the interval", quoted(text));
        let help = format!("write at most {} seconds", interval.as_secs_f64());
        return Err(Refusal::new(message, help));
    }
    Ok(timeout)
}

/// Wait before preempting: seconds, fractions allowed.
pub(in super::super) fn preempt_delay(text: &str) -> Checked<Duration> {
    within(text, "a delay", Duration::ZERO, PREEMPT_DELAY_MAX)
}

fn within(text: &str, what: &str, least: Duration, most: u32) -> Checked<Duration> {
    let fits = |time: &Duration| (least..=Duration::from_secs(most.into())).contains(time);
    seconds(text).filter(fits).ok_or_else(|| {
        let help = format!("write seconds from {} to {most}, such as 2.5", least.as_secs_f64());
        Refusal::new(format!("{} is not {what}", quoted(text)), help)
    })
}

/// An advertisement interval in whole centiseconds; whether the version can carry it is judged later (C-PKT-07).
pub(in super::super) fn advert_int(text: &str) -> Checked<Duration> {
    let help = "write seconds: 1 to 255 in version 2, 0.01 to 40.95 in steps of 0.01 in version 3";
    let interval = seconds(text)
        .ok_or_else(|| Refusal::new(format!("{} is not an advertisement interval", quoted(text)), help))?;
    if interval.subsec_nanos() % 10_000_000 != 0 {
        return Err(Refusal::new(format!("{} is not in steps of 10 milliseconds", quoted(text)), help));
    }
    if interval.is_zero() || interval > Duration::from_secs(255) {
        return Err(Refusal::new(
            format!("an advertisement interval of {} is out of range", quoted(text)),
            help,
        ));
    }
    Ok(interval)
}

/// Decimal seconds, to the microsecond: digits with at most one point among them.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 6 {
        return None;
    }
    let whole: u32 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let micros: u32 = format!("{fraction:0<6}").parse().ok()?;
    Some(Duration::new(whole.into(), micros * 1000))
}
