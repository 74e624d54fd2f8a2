//! What is said of other nodes whose adverts are right, but that do not go well together with this one. Each kind is said
//! once in ten minutes at most, whoever it is about (C-CNT-06).

use std::net::IpAddr;
use std::time::Duration;

use vipd_core::{Advert, Cause, InstanceId, Instant, State, Status, Transition};

use super::run::Election;

/// Least time between two lines of a kind.
const REPEAT: Duration = Duration::from_mins(10);
/// So many takeovers for nothing are said if they come within [`FLAPS_WITHIN`].
const FLAPS: u32 = 3;
const FLAPS_WITHIN: Duration = Duration::from_mins(5);
/// Priority of the owner of the addresses.
const OWNER: u8 = 255;

/// Something to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Remark {
    /// C-FSM-18.
    SamePriority,
    /// C-FSM-18.
    TwoOwners,
    /// C-SUB-04.
    SlowerMaster,
    /// C-SUB-02.
    Flaps,
}

/// Kinds of remarks.
const KINDS: usize = 4;

/// What is remembered for one virtual router.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    said: [Option<Instant>; KINDS],
    /// When this node became MASTER because it heard nobody.
    silent: Option<Instant>,
    /// The last advert of a node that took over from this one for nothing.
    loser: Option<Instant>,
    /// When the first of the takeovers for nothing was that count, and how many there were.
    flaps: Option<(Instant, u32)>,
}

impl Remarks {
    /// What there is to say of an advert that was heard in this state.
    fn of(&mut self, advert: &Advert, own: &Status, interval: Duration) -> Option<Remark> {
        if advert.priority == OWNER && own.priority == OWNER {
            return self.due(Remark::TwoOwners, advert.at);
        }
        if advert.priority == own.priority {
            return self.due(Remark::SamePriority, advert.at);
        }
        if advert.priority > own.priority && advert.interval.as_duration() > interval {
            return self.due(Remark::SlowerMaster, advert.at);
        }
        if own.state == State::Master && (1..own.priority).contains(&advert.priority) {
            // Adverts that follow each other closely tell of one takeover.
            let before = self.loser.replace(advert.at);
            if before.is_none_or(|before| advert.at.since(before) > 3 * advert.interval.as_duration()) {
                return self.flap(advert.at);
            }
        }
        None
    }

    /// What there is to say of a change of state: a takeover after silence was for nothing if the other node is heard again
    /// within another down interval.
    fn changed(&mut self, transition: &Transition, own: &Status) -> Option<Remark> {
        let (at, since) = (transition.at, self.silent.take());
        match transition.cause {
            Cause::Silence { .. } => self.silent = Some(at),
            Cause::HigherPriority { .. }
                if since.is_some_and(|since| at.since(since) < own.down_interval) =>
            {
                return self.flap(at);
            }
            _ => {}
        }
        None
    }

    fn flap(&mut self, now: Instant) -> Option<Remark> {
        let (first, count) =
            self.flaps.filter(|(first, _)| now.since(*first) < FLAPS_WITHIN).unwrap_or((now, 0));
        self.flaps = Some((first, count + 1));
        if count + 1 < FLAPS { None } else { self.due(Remark::Flaps, now) }
    }

    fn due(&mut self, remark: Remark, now: Instant) -> Option<Remark> {
        let said = &mut self.said[remark as usize];
        if said.is_some_and(|last| now.since(last) < REPEAT) {
            return None;
        }
        *said = Some(now);
        Some(remark)
    }
}

impl Election {
    /// Says what there is to say of an advert, before it is judged.
    pub(super) fn remark(&mut self, id: InstanceId, advert: &Advert) {
        let own = self.router.status(id);
        let member = &mut self.members[usize::from(id.0)];
        let interval = member.planned.config.interval.as_duration();
        if let Some(remark) = member.remarks.of(advert, &own, interval) {
            self.say(id, remark, advert.source);
        }
    }

    /// Says what there is to say of a change of state.
    pub(super) fn remark_change(&mut self, id: InstanceId, transition: &Transition) {
        let own = self.router.status(id);
        let remark = self.members[usize::from(id.0)].remarks.changed(transition, &own);
        if let (Some(remark), Cause::HigherPriority { source, .. }) = (remark, transition.cause) {
            self.say(id, remark, source);
        }
    }

    fn say(&self, id: InstanceId, remark: Remark, source: IpAddr) {
        let (name, own) = (self.name(id), self.router.status(id));
        match remark {
            Remark::SamePriority => tracing::warn!(
                "({name}) {source} has the priority of this node, {}: of two Masters that with the greater address stays; \
                 give each node a priority of its own",
                own.priority
            ),
            Remark::TwoOwners => tracing::warn!(
                "({name}) {source} has priority 255 as this node has: only one can own the addresses; give one of them a \
                 lower priority"
            ),
            Remark::SlowerMaster => tracing::warn!(
                "({name}) {source} goes before this node and sends adverts less often: its death is noticed that much later; \
                 give the slowest node the lowest priority, or all the same advert_int"
            ),
            Remark::Flaps => tracing::warn!(
                "({name}) took the addresses over or lost them {FLAPS} times for nothing: the other node, {source}, is alive \
                 and adverts come late or get lost; look for load on the hosts and the network, or use a longer advert_int"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use vipd_core::{Input, Interval, Router, Spec, Version};

    use super::*;

    const OTHER: [u8; 4] = [192, 0, 2, 20];

    fn ms(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    fn advert(priority: u8, centis: u16, at: u64) -> Advert {
        let interval = Interval::from_centis(centis).expect("not zero");
        Advert { source: OTHER.into(), priority, interval, at: ms(at) }
    }

    /// A virtual router of this priority with adverts every second, BACKUP or, after silence, MASTER.
    fn status(priority: u8, master: bool) -> Status {
        let spec = Spec { priority, ..spec() };
        let mut router = Router::new(vec![spec]);
        router.handle(InstanceId(0), Input::Startup, ms(0));
        if master {
            router.expire(ms(10_000));
        }
        router.status(InstanceId(0))
    }

    fn spec() -> Spec {
        let text = "vrrp_instance VI_1 {\ninterface eth0\nvirtual_router_id 51\nversion 3\nvirtual_ipaddress { 192.0.2.1 }\n}";
        let config = crate::config::load_str("test.conf", text).expect("it is right").config;
        let planned = super::super::plan(&config, &crate::link::Links::default()).expect("it fits");
        assert_eq!(planned[0].config.version, Version::V3);
        planned[0].spec()
    }

    const SECOND: Duration = Duration::from_secs(1);

    /// C-FSM-18, C-SUB-04, C-CNT-06
    #[test]
    fn c_fsm_18_c_sub_04_each_kind_is_said_once_in_ten_minutes() {
        let cases = [
            ("lower", 90, 90, 100, false, None),
            ("the own priority", 100, 100, 100, false, Some(Remark::SamePriority)),
            ("the own priority, as Master", 100, 100, 100, true, Some(Remark::SamePriority)),
            ("two owners", 255, 255, 100, true, Some(Remark::TwoOwners)),
            ("higher and as fast", 100, 110, 100, false, None),
            ("higher and slower", 100, 110, 101, false, Some(Remark::SlowerMaster)),
            ("lower and slower", 100, 90, 200, false, None),
            ("a resignation", 100, 0, 100, false, None),
        ];
        for (name, own, priority, centis, master, expected) in cases {
            let own = if name == "lower" { 100 } else { own };
            let (own, mut remarks) = (status(own, master), Remarks::default());
            let mut hear = |at| remarks.of(&advert(priority, centis, at), &own, SECOND);

            assert_eq!(hear(1_000), expected, "{name}");
            assert_eq!(hear(2_000), None, "{name}: it has been said");
            assert_eq!(hear(601_000), expected, "{name}: ten minutes later");
        }
    }

    /// C-SUB-02
    #[test]
    fn c_sub_02_a_master_names_flaps_by_the_adverts_of_those_that_take_over_for_nothing() {
        let (own, mut remarks) = (status(110, true), Remarks::default());
        let mut hear = |at| remarks.of(&advert(100, 100, at), &own, SECOND);

        let said = [20_000, 20_010, 20_020, 40_000, 60_000, 80_000].map(|at| hear(at).is_some());

        assert_eq!(said, [false, false, false, false, true, false], "three takeovers, said once");
    }

    /// C-SUB-02
    #[test]
    fn c_sub_02_a_backup_names_flaps_by_masters_that_are_heard_again_at_once() {
        let own = status(100, false);
        let change = |cause, at| Transition { from: State::Backup, to: State::Master, cause, at: ms(at) };
        let silence = |at| change(Cause::Silence { since: ms(0), waited: SECOND }, at);
        let back = |at| change(Cause::HigherPriority { source: OTHER.into(), priority: 110 }, at);
        for (after, expected) in [(100, [false, false, true, false]), (10_000, [false; 4])] {
            let mut remarks = Remarks::default();

            let said = [20_000, 40_000, 60_000, 80_000].map(|at| {
                assert_eq!(remarks.changed(&silence(at), &own), None);
                remarks.changed(&back(at + after), &own).is_some()
            });

            assert_eq!(said, expected, "heard again {after} ms later");
        }
    }
}
