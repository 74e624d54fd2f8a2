//! What instances inherit: `global_defs` of Keepalived, `[defaults]` of TOML.

use std::net::IpAddr;
use std::time::Duration;

use vipd_core::Version;

use super::super::model::{Account, Checksum, Family, Garp, Instance};
use super::cursor::{Context, Cursor};
use super::values;

/// Values for instances, groups and commands that give none.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of Keepalived's")]
pub(super) struct Defaults {
    pub(super) script_user: Option<Account>,
    pub(super) version: Option<Version>,
    pub(super) strict: bool,
    pub(super) checksum: Checksum,
    pub(super) down_timer_adverts: u8,
    pub(super) lower_prio_no_advert: bool,
    pub(super) higher_prio_send_advert: bool,
    pub(super) priority_changes: bool,
    pub(super) mail: bool,
    group4: IpAddr,
    group6: IpAddr,
    garp: GarpDefaults,
}

/// Announcements, as far as they are given.
#[derive(Clone, Copy, Default)]
struct GarpDefaults {
    delay: Option<Duration>,
    repeat: Option<u8>,
    refresh: Option<Duration>,
    refresh_repeat: Option<u8>,
    lower_prio_delay: Option<Duration>,
    lower_prio_repeat: Option<u8>,
    interval: Option<Duration>,
    gna_interval: Option<Duration>,
}

impl Defaults {
    pub(super) fn read(root: &Cursor<'_>, cx: &mut Context<'_>, script_user: Option<Account>) -> Self {
        let plain = Instance::new(String::new(), String::new(), 0);
        let mut defaults = Self {
            script_user,
            version: None,
            strict: false,
            checksum: plain.checksum,
            down_timer_adverts: plain.down_timer_adverts,
            lower_prio_no_advert: plain.lower_prio_no_advert,
            higher_prio_send_advert: plain.higher_prio_send_advert,
            priority_changes: false,
            mail: false,
            group4: plain.group,
            group6: Instance::standard_group(Family::V6),
            garp: GarpDefaults::default(),
        };
        let Some(given) = root.table(cx, "defaults", "`defaults`") else { return defaults };
        defaults.version = given.number(cx, "version", values::version);
        defaults.strict = given.switch(cx, "strict_mode").unwrap_or(false);
        defaults.checksum = checksum(&given, cx, plain.checksum);
        defaults.down_timer_adverts = given
            .number(cx, "down_timer_adverts", values::down_timer_adverts)
            .unwrap_or(plain.down_timer_adverts);
        defaults.lower_prio_no_advert =
            given.switch(cx, "lower_prio_no_advert").unwrap_or(plain.lower_prio_no_advert);
        defaults.higher_prio_send_advert =
            given.switch(cx, "higher_prio_send_advert").unwrap_or(plain.higher_prio_send_advert);
        defaults.priority_changes = given.switch(cx, "notify_priority_changes").unwrap_or(false);
        defaults.mail = given.switch(cx, "smtp_alert").unwrap_or(false);
        if let Some(group) = given.text(cx, "mcast_group4", |text| values::group(text, Family::V4)) {
            defaults.group4 = group;
        }
        if let Some(group) = given.text(cx, "mcast_group6", |text| values::group(text, Family::V6)) {
            defaults.group6 = group;
        }
        defaults.garp = GarpDefaults::read(&given, cx);
        if given.switch(cx, "min_garp") == Some(true) {
            defaults.garp.repeat.get_or_insert(1);
            defaults.garp.delay.get_or_insert(Duration::ZERO);
        }
        given.finish(cx);
        defaults
    }

    /// The group of a family.
    pub(super) fn group(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.group4,
            Family::V6 => self.group6,
        }
    }

    /// When an instance announces: as it says, else as the file says, else as Keepalived does.
    pub(super) fn garp(&self, cursor: &Cursor<'_>, cx: &mut Context<'_>) -> Garp {
        let own = GarpDefaults::read(cursor, cx);
        let global = self.garp;
        let default = Garp::default();
        let delay = own.delay.or(global.delay).unwrap_or(default.delay);
        let repeat = own.repeat.or(global.repeat).unwrap_or(default.repeat);
        Garp {
            delay,
            repeat,
            refresh: own.refresh.or(global.refresh).unwrap_or(default.refresh),
            refresh_repeat: own.refresh_repeat.or(global.refresh_repeat).unwrap_or(default.refresh_repeat),
            lower_prio_delay: own.lower_prio_delay.or(global.lower_prio_delay).unwrap_or(delay),
            lower_prio_repeat: own.lower_prio_repeat.or(global.lower_prio_repeat).unwrap_or(repeat),
            interval: own.interval.or(global.interval).unwrap_or(default.interval),
            gna_interval: own.gna_interval.or(global.gna_interval).unwrap_or(default.gna_interval),
        }
    }
}

impl GarpDefaults {
    fn read(cursor: &Cursor<'_>, cx: &mut Context<'_>) -> Self {
        Self {
            delay: cursor.number(cx, "garp_master_delay", values::wait),
            repeat: cursor.number(cx, "garp_master_repeat", values::repeat),
            refresh: cursor.number(cx, "garp_master_refresh", values::wait),
            refresh_repeat: cursor.number(cx, "garp_master_refresh_repeat", values::repeat),
            lower_prio_delay: cursor.number(cx, "garp_lower_prio_delay", values::wait),
            lower_prio_repeat: cursor.number(cx, "garp_lower_prio_repeat", values::repeat_or_none),
            interval: cursor.number(cx, "garp_interval", values::wait_fraction),
            gna_interval: cursor.number(cx, "gna_interval", values::wait_fraction),
        }
    }
}

/// The checksum form that `checksum`, or Keepalived's `v3_checksum_as_v2`, asks for.
pub(super) fn checksum(cursor: &Cursor<'_>, cx: &mut Context<'_>, default: Checksum) -> Checksum {
    let as_v2 = match cursor.switch(cx, "v3_checksum_as_v2") {
        Some(true) => Checksum::Message,
        Some(false) => Checksum::Either,
        None => default,
    };
    cursor.text(cx, "checksum", values::checksum).unwrap_or(as_v2)
}

/// Interfaces with announcements of their own pace (`garp_group`).
pub(super) struct GarpGroup {
    interfaces: Vec<String>,
    interval: Option<Duration>,
    gna_interval: Option<Duration>,
}

pub(super) fn garp_group(cursor: &Cursor<'_>, cx: &mut Context<'_>) -> GarpGroup {
    GarpGroup {
        interfaces: cursor.texts(cx, "interfaces", values::interface),
        interval: cursor.number(cx, "garp_interval", values::wait_fraction),
        gna_interval: cursor.number(cx, "gna_interval", values::wait_fraction),
    }
}

impl GarpGroup {
    /// Sets the pace of the instances on its interfaces.
    pub(super) fn apply(&self, instances: &mut [Instance]) {
        for instance in instances.iter_mut().filter(|instance| self.interfaces.contains(&instance.interface))
        {
            instance.garp.interval = self.interval.unwrap_or(instance.garp.interval);
            instance.garp.gna_interval = self.gna_interval.unwrap_or(instance.garp.gna_interval);
        }
    }
}
