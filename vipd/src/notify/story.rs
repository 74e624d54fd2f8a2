//! From events of virtual routers to notices of them and of their sync groups, in the order in which they are told.

use std::rc::Rc;
use std::time::SystemTime;

use vipd_core::{Cause, Fault, InstanceId, State, Transition};

use super::event::{Event, What};
use super::notice::{Kind, Notice, Subject, Word};
use crate::config::{Config, Deleted, Instance, StartState, SyncGroup};

/// Groups are numbered from here on, behind any virtual router.
const GROUPS: usize = 1 << 16;

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
    /// A FAULT that is told when that of this virtual router is, with the priority.
    behind: Option<(InstanceId, u8)>,
}

struct Group {
    told: Told,
    members: Vec<usize>,
    /// What last happened to a member by itself.
    reason: Rc<str>,
}

impl Story {
    pub(super) fn new(config: &Config) -> Self {
        let secure = config.script_security;
        let told = |number, kind, name: &String, notify, normal| {
            let subject = Subject { number, kind, name: name.clone(), notify, secure, normal };
            Told { subject: Rc::new(subject), word: None, behind: None }
        };
        let count = config.instances.len();
        let instance = |(number, instance): (usize, &Instance)| {
            told(number, Kind::Instance, &instance.name, instance.notify.clone(), instance.state)
        };
        let group = |(number, group): (usize, &SyncGroup)| Group {
            told: told(GROUPS + number, Kind::Group, &group.name, group.notify.clone(), StartState::Backup),
            members: (0..count)
                .filter(|place| {
                    let instance = &config.instances[*place];
                    config.group_of(instance).is_some_and(|(own, _)| own == number)
                })
                .collect(),
            reason: "".into(),
        };
        Self {
            instances: config.instances.iter().enumerate().map(instance).collect(),
            groups: config.sync_groups.iter().enumerate().map(group).collect(),
            why: Box::new(|_, cause| cause.to_string()),
        }
    }

    /// Goes on by another configuration, in which virtual routers have their places as before. Who was told what is
    /// remembered.
    pub(super) fn reload(&mut self, config: &Config) {
        let before = std::mem::replace(self, Self::new(config));
        self.why = before.why;
        for (told, before) in self.instances.iter_mut().zip(before.instances) {
            told.succeed(before);
        }
        for group in &mut self.groups {
            let name = &group.told.subject.name;
            let same = before.groups.iter().find(|before| before.told.subject.name == *name);
            if let Some(Group { told: Told { subject, word, behind }, reason, .. }) = same {
                group.told.succeed(Told { subject: Rc::clone(subject), word: *word, behind: *behind });
                group.reason = Rc::clone(reason);
            }
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
        let Some(told) = self.instances.get_mut(usize::from(instance.0)) else { return Vec::new() };
        match what {
            What::Changed(transition) => self.changed(instance, transition, priority),
            What::Loser => {
                vec![told.notice(Word::MasterRxLowerPri, priority, "heard an advert that loses".into())]
            }
            What::Priority(state) if told.subject.notify.priority_changes => {
                let word = if state == State::Master { Word::MasterPriority } else { Word::BackupPriority };
                vec![told.notice(word, priority, "the effective priority changed".into())]
            }
            What::Priority(_) => Vec::new(),
            What::Deleted => {
                let word = match told.subject.notify.deleted {
                    Deleted::Fault => Word::Fault,
                    Deleted::Deleted | Deleted::Command(_) => Word::Deleted,
                };
                let notice = told.notice(word, priority, "a reload took it away".into());
                // Another one may come to its place, of whom nothing was told.
                (told.word, told.behind) = (None, None);
                vec![notice]
            }
        }
    }

    fn changed(&mut self, id: InstanceId, transition: Transition, priority: u8) -> Vec<Notice> {
        let place = usize::from(id.0);
        let word = match transition.to {
            State::Master => Word::Master,
            State::Backup => Word::Backup,
            State::Fault => Word::Fault,
            State::Initialize => Word::Stop,
        };
        self.instances[place].behind = None;
        if let Some(other) = self.awaits(&transition) {
            self.instances[place].behind = Some((other, priority));
            return Vec::new();
        }
        if self.instances[place].word == Some(word) {
            return Vec::new();
        }
        let reason: Rc<str> = (self.why)(id, transition.cause).into();
        let mut notices = vec![self.instances[place].tell(word, priority, Rc::clone(&reason))];
        if word == Word::Fault {
            let reason: Rc<str> = (self.why)(id, Cause::Faulted(Fault::Group(id))).into();
            for told in &mut self.instances {
                if let Some((_, priority)) = told.behind.take_if(|(other, _)| *other == id) {
                    notices.push(told.tell(word, priority, Rc::clone(&reason)));
                }
            }
        }
        let Self { instances, groups, .. } = self;
        for group in groups.iter_mut().filter(|group| group.members.contains(&place)) {
            if !matches!(transition.cause, Cause::Group(_) | Cause::Faulted(Fault::Group(_))) {
                group.reason = format!("{}: {reason}", instances[place].subject.name).into();
            }
            // A group is where all of its members are.
            let shared = group.members.iter().all(|member| instances[*member].word == Some(word));
            if shared && group.told.word != Some(word) {
                notices.push(group.told.tell(word, 0, Rc::clone(&group.reason)));
            }
        }
        notices
    }

    /// The member of its group because of which a virtual router starts in FAULT, if nothing is known to be wrong with that
    /// one: it waits for the first result of a check. As in Keepalived nothing is told until that has come.
    fn awaits(&self, transition: &Transition) -> Option<InstanceId> {
        match transition.cause {
            Cause::Faulted(Fault::Group(other)) if transition.from == State::Initialize => {
                self.instances.get(usize::from(other.0))?.word.is_none().then_some(other)
            }
            _ => None,
        }
    }
}

impl Told {
    /// Goes on where the one before it was.
    fn succeed(&mut self, before: Self) {
        (self.word, self.behind) = (before.word, before.behind);
        if self.subject == before.subject {
            self.subject = before.subject;
        }
    }

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
