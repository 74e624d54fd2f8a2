//! How long a Backup waits: Skew_Time and Active_Down_Interval, to the nanosecond (C-TMR-03).

use core::time::Duration;

use crate::{Interval, Spec, Version};

/// Skew_Time of this node behind a Master of this `interval`. Version 2 measures it in 256ths of a second, whatever the
/// interval (RFC 3768 §6.1, C-TMR-01); version 3 in 256ths of the interval (RFC 9568 §6.1, C-TMR-02).
pub(crate) fn skew_time(spec: &Spec, interval: Interval) -> Duration {
    let unit = match spec.version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => interval.as_duration(),
    };
    unit * (256 - u32::from(spec.priority)) / 256
}

/// Active_Down_Interval (RFC 3768: Master_Down_Interval): three intervals of the Master and the Skew_Time.
pub(crate) fn down_interval(spec: &Spec, interval: Interval) -> Duration {
    u32::from(spec.down_adverts) * interval.as_duration() + skew_time(spec, interval)
}
