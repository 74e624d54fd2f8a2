//! What is told, to whom, in which words and in which order.

use std::net::{IpAddr, Ipv4Addr};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;
use tokio::task::LocalSet;
use vipd_core::{Cause, Fault, InstanceId, Instant, State, Transition};

use super::event::{Event, What, channel};
use super::mail::{Mailer, body, subject};
use super::notice::{Notice, Word};
use super::scripts::{Trigger, triggers};
use super::story::Story;
use super::webhook::{Receiver, pagerduty, plain, sentence};
use super::{LIMIT_AT_STOP, Notifier};
use crate::config::{
    Command, Config, Deleted, Instance, Mail, Secret, StartState, SyncGroup, Trackers, Webhook, WebhookFormat,
};

const SILENCE: Cause = Cause::Silence { since: Instant::from_nanos(0), waited: Duration::from_millis(3609) };

fn config(names: &[&str]) -> Config {
    let instance = |(vrid, name): (u8, &&str)| Instance::new((*name).to_owned(), "eth0".to_owned(), vrid);
    Config { instances: (1..).zip(names).map(instance).collect(), ..Config::default() }
}

fn grouped(names: &[&str]) -> Config {
    let group = SyncGroup {
        name: "VG".to_owned(),
        line: 1,
        members: names.iter().map(|name| (*name).to_owned()).collect(),
        track: Trackers::default(),
        tracking_weight: false,
        notify: crate::config::Notify::default(),
    };
    Config { sync_groups: vec![group], ..config(names) }
}

/// A change of the virtual router with this number; the state before does not matter unless it is the first.
fn change(number: u16, from: State, to: State, cause: Cause) -> Event {
    let transition = Transition { from, to, cause, at: Instant::from_nanos(1) };
    Event { instance: InstanceId(number), priority: 110, what: What::Changed(transition) }
}

fn started(number: u16) -> Event {
    change(number, State::Initialize, State::Backup, Cause::Started)
}

fn faulted(number: u16, from: State, fault: Fault) -> Event {
    change(number, from, State::Fault, Cause::Faulted(fault))
}

/// Notices as Keepalived's lines, without the names' quotation marks.
fn told(story: &mut Story, events: &[Event]) -> Vec<String> {
    let notices = events.iter().flat_map(|event| story.tell(*event));
    notices
        .map(|Notice { subject, word, priority, .. }| {
            format!("{} {} {word} {priority}", subject.kind, subject.name)
        })
        .collect()
}

#[test]
fn every_change_is_told_from_the_first_backup_to_stop() {
    let mut story = Story::new(&config(&["VI_1"]));
    let events = [
        started(0),
        change(0, State::Backup, State::Master, SILENCE),
        faulted(0, State::Master, Fault::Link),
        change(0, State::Fault, State::Backup, Cause::Recovered),
        change(0, State::Backup, State::Initialize, Cause::Stopped),
    ];

    let lines = told(&mut story, &events);

    let states = ["BACKUP", "MASTER", "FAULT", "BACKUP", "STOP"];
    assert_eq!(lines, states.map(|state| format!("INSTANCE VI_1 {state} 110")));
}

/// As keepalived 2.2.7: a group follows the last of its members.
#[test]
fn a_group_is_told_of_when_its_last_member_has_come_to_the_same_state() {
    let mut story = Story::new(&grouped(&["VI_1", "VI_2"]));
    let events = [
        started(0),
        started(1),
        change(1, State::Backup, State::Master, SILENCE),
        change(0, State::Backup, State::Master, Cause::Group(InstanceId(1))),
        faulted(1, State::Master, Fault::Link),
        faulted(0, State::Master, Fault::Group(InstanceId(1))),
    ];

    let lines = told(&mut story, &events);

    let expected = [
        "INSTANCE VI_1 BACKUP 110",
        "INSTANCE VI_2 BACKUP 110",
        "GROUP VG BACKUP 0",
        "INSTANCE VI_2 MASTER 110",
        "INSTANCE VI_1 MASTER 110",
        "GROUP VG MASTER 0",
        "INSTANCE VI_2 FAULT 110",
        "INSTANCE VI_1 FAULT 110",
        "GROUP VG FAULT 0",
    ];
    assert_eq!(lines, expected);
}

/// Promise 7: it says why. For a group that is what happened to the member that the others followed.
#[test]
fn promise_7_the_reason_of_a_group_is_that_of_the_member_that_went_first() {
    let mut story = Story::new(&grouped(&["VI_1", "VI_2"]));
    story.tell(started(0));
    story.tell(started(1));
    story.tell(faulted(1, State::Backup, Fault::Link));

    let notices = story.tell(faulted(0, State::Backup, Fault::Group(InstanceId(1))));

    assert_eq!(&*notices[1].reason, "VI_2: interface is down");
    assert_eq!(notices[1].before, Some(Word::Backup));
}

/// As keepalived 2.2.7: nothing is told of the wait for the first result of a check, of any member of a group; what that
/// result is then is told of all.
#[test]
fn a_group_is_silent_until_its_members_know_how_they_are() {
    let init = State::Initialize;
    let behind = faulted(0, init, Fault::Group(InstanceId(1)));
    let recovered = change(0, State::Fault, State::Backup, Cause::Recovered);
    let cases: [(&str, Vec<Event>, &[&str]); 4] = [
        ("not known yet", vec![behind], &[]),
        (
            "in order",
            vec![behind, recovered, started(1)],
            &["INSTANCE VI_1 BACKUP 110", "INSTANCE VI_2 BACKUP 110", "GROUP VG BACKUP 0"],
        ),
        (
            "not in order",
            vec![behind, faulted(1, init, Fault::Held)],
            &["INSTANCE VI_2 FAULT 110", "INSTANCE VI_1 FAULT 110", "GROUP VG FAULT 0"],
        ),
        (
            "stopped before",
            vec![behind, change(0, State::Fault, init, Cause::Stopped), faulted(1, init, Fault::Link)],
            &["INSTANCE VI_1 STOP 110", "INSTANCE VI_2 FAULT 110"],
        ),
    ];
    for (name, events, expected) in cases {
        let mut story = Story::new(&grouped(&["VI_1", "VI_2"]));

        assert_eq!(told(&mut story, &events), expected, "{name}");
    }
}

#[test]
fn a_group_starts_in_fault_with_a_member_whose_fault_is_known() {
    let mut story = Story::new(&grouped(&["VI_1", "VI_2"]));
    let init = State::Initialize;

    let lines =
        told(&mut story, &[faulted(0, init, Fault::Link), faulted(1, init, Fault::Group(InstanceId(0)))]);

    assert_eq!(lines, ["INSTANCE VI_1 FAULT 110", "INSTANCE VI_2 FAULT 110", "GROUP VG FAULT 0"]);
}

#[test]
fn losing_adverts_priorities_and_deletion_have_words_of_their_own() {
    let event = |what| Event { instance: InstanceId(0), priority: 90, what };
    let cases = [
        (What::Loser, Deleted::Fault, "MASTER_RX_LOWER_PRI"),
        (What::Priority(State::Master), Deleted::Fault, "MASTER_PRIORITY"),
        (What::Priority(State::Backup), Deleted::Fault, "BACKUP_PRIORITY"),
        (What::Deleted, Deleted::Fault, "FAULT"),
        (What::Deleted, Deleted::Deleted, "DELETED"),
    ];
    for (what, deleted, word) in cases {
        let mut config = config(&["VI_1"]);
        config.instances[0].notify.deleted = deleted;
        config.instances[0].notify.priority_changes = true;
        let mut story = Story::new(&config);

        let lines = told(&mut story, &[event(what)]);

        assert_eq!(lines, [format!("INSTANCE VI_1 {word} 90")]);
    }
}

#[test]
fn changes_of_the_priority_are_told_where_that_is_wanted() {
    let mut story = Story::new(&config(&["VI_1"]));
    let event = Event { instance: InstanceId(0), priority: 90, what: What::Priority(State::Backup) };

    assert_eq!(told(&mut story, &[event]), [] as [&str; 0]);
}

/// As keepalived 2.2.7: MASTER_RX_LOWER_PRI and priorities are for pipes and, the first, for a command of its own.
#[test]
fn the_command_of_a_state_runs_before_the_general_one_which_runs_on_changes_of_state_only() {
    let command = || Some(Command { argv: vec!["/bin/true".to_owned()], account: None });
    let mut notify = crate::config::Notify::default();
    (notify.any, notify.backup, notify.master, notify.rx_lower_pri) =
        (command(), command(), command(), command());

    let runs = |word| -> Vec<bool> {
        let all = triggers(&notify).filter(|trigger| trigger.is_for(word));
        all.map(|trigger| trigger == Trigger::Any).collect()
    };

    assert_eq!(runs(Word::Master), [false, true]);
    assert_eq!(runs(Word::Backup), [false, true]);
    assert_eq!(runs(Word::Fault), [true]);
    assert_eq!(runs(Word::Deleted), [true]);
    assert_eq!(runs(Word::MasterRxLowerPri), [false]);
    assert_eq!(runs(Word::MasterPriority), [] as [bool; 0]);
}

/// One notice of an instance with mail that became what `event` says, at 2024-02-29T12:34:56Z.
fn notice(event: Event, normal: StartState) -> Notice {
    let mut config = config(&["VI_1"]);
    config.instances[0].notify.mail = true;
    config.instances[0].state = normal;
    let mut story = Story::new(&config);
    let mut notice = story.tell(event).pop().expect("told");
    notice.at = UNIX_EPOCH + Duration::from_secs(1_709_210_096);
    notice
}

fn master() -> Event {
    change(0, State::Backup, State::Master, SILENCE)
}

#[test]
fn mail_has_the_subject_that_filters_of_keepalived_users_look_for_and_says_why() {
    let notice = notice(master(), StartState::Backup);

    let text = body("LB2", &notice);

    assert_eq!(subject("LB2", &notice), "[LB2] VRRP Instance VI_1 - Entering MASTER state");
    for line in ["Reason: no advert for 3609.000 ms (RFC 9568 6.4.2)", "Before: INIT", "Priority: 110"] {
        assert!(text.lines().any(|text| text == line), "no {line} in {text}");
    }
}

#[test]
fn mail_is_sent_on_the_three_states_and_not_on_fault_where_that_is_not_wanted() {
    let mail = Mail {
        to: vec!["Admin <admin@example.com>".to_owned(), "no address".to_owned()],
        from: None,
        server: "127.0.0.1".to_owned(),
        port: 25,
        helo: None,
        timeout: Duration::from_secs(1),
        no_faults: false,
    };
    let fault = faulted(0, State::Backup, Fault::Link);
    let stop = change(0, State::Backup, State::Initialize, Cause::Stopped);
    for no_faults in [false, true] {
        let (mailer, left_out) = Mailer::new(&Mail { no_faults, ..mail.clone() }, "lb1").expect("usable");

        let wants = |event| mailer.wants(&notice(event, StartState::Backup));

        assert_eq!([started(0), master(), fault, stop].map(wants), [true, true, !no_faults, false]);
        assert!(left_out.len() == 1 && left_out[0].starts_with("no address "), "{left_out:?}");
    }
    let nobody = Mailer::new(&Mail { to: Vec::new(), ..mail }, "lb1");
    assert!(nobody.is_err());
}

#[test]
fn the_json_forms_are_those_of_vipd_slack_and_pagerduty() {
    let source = IpAddr::V4(Ipv4Addr::new(192, 168, 1, 10));
    let notice =
        notice(change(0, State::Backup, State::Master, Cause::Resigned { source }), StartState::Backup);
    let reason = "192.168.1.10 resigned with priority 0 (RFC 9568 6.4.2)";
    let own = json!({
        "router_id": "LB2", "instance": "VI_1", "from": "INIT", "to": "MASTER", "priority": 110,
        "reason": reason, "time": "2024-02-29T12:34:56Z",
    });
    let text = format!("LB2 is now MASTER for VI_1 (was INIT): {reason}");

    assert_eq!(plain("LB2", &notice), own);
    assert_eq!(sentence("LB2", &notice), text);
    assert_eq!(
        pagerduty("LB2", &notice, "key"),
        json!({
            "routing_key": "key", "event_action": "trigger", "dedup_key": "vipd/LB2/VI_1",
            "payload": {
                "summary": text, "source": "LB2", "severity": "warning", "component": "VI_1",
                "timestamp": "2024-02-29T12:34:56Z", "custom_details": own,
            },
        })
    );
}

/// An incident is open while a node is not where it should be, and closed when it is again.
#[test]
fn pagerduty_is_alarmed_by_fault_and_by_a_takeover_and_calmed_by_the_return() {
    let fault = faulted(0, State::Master, Fault::Link);
    let stop = change(0, State::Master, State::Initialize, Cause::Stopped);
    let cases = [
        ("the usual master is master", StartState::Master, master(), "resolve"),
        ("the usual backup took over", StartState::Backup, master(), "trigger"),
        ("the usual backup is backup", StartState::Backup, started(0), "resolve"),
        ("the usual master has a fault", StartState::Master, fault, "trigger"),
        ("an operator stopped it", StartState::Backup, stop, "resolve"),
    ];
    for (name, normal, event, action) in cases {
        assert_eq!(pagerduty("LB1", &notice(event, normal), "key")["event_action"], action, "{name}");
    }
}

#[test]
fn webhooks_are_told_of_instances_and_not_of_what_follows_for_their_group() {
    let mut story = Story::new(&grouped(&["VI_1"]));

    let notices = story.tell(started(0));

    let wanted: Vec<bool> = notices.iter().map(Receiver::wants).collect();
    assert_eq!(wanted, [true, false]);
    assert!(Rc::ptr_eq(&notices[0].subject, &story.tell(master())[0].subject));
}

/// A server that takes the request and never answers, for longer than an agent may take to end.
#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_is_cut_off_ten_seconds_after_the_end_of_the_election() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = server.local_addr().expect("bound").port();
    let hook = Webhook {
        url: Secret(format!("http://127.0.0.1:{port}/")),
        format: WebhookFormat::Json,
        token: None,
        timeout: Duration::from_hours(1),
        retries: 5,
    };
    let config = Config { webhooks: vec![hook], ..config(&["VI_1"]) };
    let tasks = LocalSet::new();
    let ended = tasks.run_until(async {
        let (mut publisher, events) = channel(1);
        let mut notifier = Notifier::start(&config, events);
        let What::Changed(transition) = started(0).what else { unreachable!() };
        publisher.changed(InstanceId(0), transition, 110);
        publisher.publish(|_| true);
        let taken = tokio::select! {
            never = notifier.run() => match never {},
            taken = server.accept() => taken,
        };
        let began = tokio::time::Instant::now();
        notifier.finish().await;
        drop(taken);
        began.elapsed()
    });

    // tokio's clock has milliseconds.
    assert_eq!(ended.await.as_secs(), LIMIT_AT_STOP.as_secs());
}
