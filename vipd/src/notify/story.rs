//! From events of virtual routers to notices of them and of their sync groups, in the order in which they are told.

use std::rc::Rc;
use std::time::SystemTime;

use vipd_core::{Cause, Fault, InstanceId, State, Transition};

use super::event::{Event, What};
use super::notice::{Kind, Notice, Subject, Word};
use crate::config::{Config, Deleted, StartState};

/// Who was told what.
pub(super) struct Story {
    instances: Vec<Told>,
    groups: Vec<Group>,
    why: Why,
}

/// Tells the reason for a change of a virtual router.
pub(super) type Why = Box<dyn Fn(InstanceId, Cause) -> String>;

/// A subject and the last that was told of it.
struct Told {
    subject: Rc<Subject>,
    word: Option<Word>,
}

struct Group {
    told: Told,
    /// Its members, by their place among the instances.
    members: Vec<usize>,
    /// What last happened to a member by itself.
    reason: Rc<str>,
}

impl Story {
    pub(super) fn new(config: &Config) -> Self {
        let told = |number, kind, name: &String, notify, normal| {
            let subject = Subject { number, kind, name: name.clone(), notify, normal };
            Told { subject: Rc::new(subject), word: None }
        };
        let count = config.instances.len();
        let instance = |(number, instance): (usize, &crate::config::Instance)| {
            told(number, Kind::Instance, &instance.name, instance.notify.clone(), instance.state)
        };
        let group = |(number, group): (usize, &crate::config::SyncGroup)| Group {
            told: told(count + number, Kind::Group, &group.name, group.notify.clone(), StartState::Backup),
            members: (0..count)
                .filter(|place| group.members.contains(&config.instances[*place].name))
                .collect(),
            reason: "".into(),
        };
        Self {
            instances: config.instances.iter().enumerate().map(instance).collect(),
            groups: config.sync_groups.iter().enumerate().map(group).collect(),
            why: Box::new(|_, cause| cause.to_string()),
        }
    }

    /// Has reasons told by somebody who knows more of them than the election does.
    pub(super) fn explain(&mut self, why: Why) {
        self.why = why;
    }

    /// Everybody of whom anything may be told.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &Rc<Subject>> {
        self.instances.iter().chain(self.groups.iter().map(|group| &group.told)).map(|told| &told.subject)
    }

    /// What is to be told of an event.
    pub(super) fn tell(&mut self, event: Event) -> Vec<Notice> {
        let Event { instance, priority, what } = event;
        match what {
            What::Changed(transition) => self.changed(instance, transition, priority),
            What::Loser => {
                self.event(instance, Word::MasterRxLowerPri, priority, "heard an advert that loses")
            }
            What::Priority(state) => {
                let word = if state == State::Master { Word::MasterPriority } else { Word::BackupPriority };
                let mut notices = self.event(instance, word, priority, "the effective priority changed");
                notices.retain(|notice| notice.subject.notify.priority_changes);
                notices
            }
            What::Deleted => {
                let Some(told) = self.instances.get_mut(usize::from(instance.0)) else { return Vec::new() };
                let word = match told.subject.notify.deleted {
                    Deleted::Fault => Word::Fault,
                    Deleted::Deleted | Deleted::Command(_) => Word::Deleted,
                };
                vec![told.tell(word, priority, "a reload took it away".into())]
            }
        }
    }

    /// Not a change: what was told last stays that.
    fn event(&self, id: InstanceId, word: Word, priority: u8, reason: &str) -> Vec<Notice> {
        let Some(told) = self.instances.get(usize::from(id.0)) else { return Vec::new() };
        vec![told.notice(word, priority, reason.into())]
    }

    fn changed(&mut self, id: InstanceId, transition: Transition, priority: u8) -> Vec<Notice> {
        let place = usize::from(id.0);
        let is_silent = self.is_unproven(&transition);
        let Some(told) = self.instances.get_mut(place) else { return Vec::new() };
        let word = match transition.to {
            State::Master => Word::Master,
            State::Backup => Word::Backup,
            State::Fault => Word::Fault,
            State::Initialize => Word::Stop,
        };
        if told.word == Some(word) || is_silent {
            return Vec::new();
        }
        let reason: Rc<str> = (self.why)(id, transition.cause).into();
        let mut notices = vec![told.tell(word, priority, Rc::clone(&reason))];
        let name = &told.subject.name;
        let group_reason: Rc<str> = format!("{name}: {reason}").into();
        let Self { instances, groups, .. } = self;
        for group in groups.iter_mut().filter(|group| group.members.contains(&place)) {
            if !is_of_another(&transition.cause) {
                group.reason = Rc::clone(&group_reason);
            }
            // A group is where all of its members are.
            let shared = group.members.iter().all(|member| instances[*member].word == Some(word));
            if shared && group.told.word != Some(word) {
                notices.push(group.told.tell(word, 0, Rc::clone(&group.reason)));
            }
        }
        notices
    }

    /// A virtual router that waits for the first result of a check, its own or that of another member of its group, starts
    /// in FAULT, but nothing is known to be wrong. As in Keepalived nothing is told of it then.
    fn is_unproven(&self, transition: &Transition) -> bool {
        let is_unproven = match transition.cause {
            Cause::Faulted(Fault::Tracked(_)) => true,
            Cause::Faulted(Fault::Group(other)) => {
                self.instances.get(usize::from(other.0)).is_some_and(|other| other.word.is_none())
            }
            _ => false,
        };
        transition.from == State::Initialize && is_unproven
    }
}

impl Told {
    fn notice(&self, word: Word, priority: u8, reason: Rc<str>) -> Notice {
        let subject = Rc::clone(&self.subject);
        Notice { subject, word, before: self.word, priority, reason, at: SystemTime::now() }
    }

    fn tell(&mut self, word: Word, priority: u8, reason: Rc<str>) -> Notice {
        let notice = self.notice(word, priority, reason);
        self.word = Some(word);
        notice
    }
}

/// It only follows another member.
fn is_of_another(cause: &Cause) -> bool {
    matches!(cause, Cause::Group(_) | Cause::Faulted(Fault::Group(_)))
}
