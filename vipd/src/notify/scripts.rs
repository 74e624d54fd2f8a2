//! Commands that are run on changes: for each subject one after the other, for different subjects side by side.

use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::sleep;

use super::backlog::Backlog;
use super::notice::{Notice, Subject, Word};
use super::tally::{Outage, Tally};
use crate::config::{Command, Deleted, Notify};
use crate::exec::{Ended, Leftovers, Program};

/// How long a command may run; Keepalived lets them run for ever. Long enough for a cloud's interface to move an address,
/// and what comes next waits no longer for one that hangs.
const LIMIT: Duration = Duration::from_mins(1);
/// How long it may still run when vipd has been told to stop: the command for STOP waits behind it.
const LIMIT_AT_STOP: Duration = Duration::from_secs(4);

/// The commands of one subject.
pub(super) struct Scripts {
    subject: Rc<Subject>,
    hooks: Vec<Hook>,
    tally: Rc<Tally>,
}

/// A command that may have to be run.
struct Hook {
    trigger: Trigger,
    command: Command,
    /// `None` until it has been found in order.
    program: Option<Program>,
    outage: Outage,
}

/// When a command is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    /// This word; the command gets its own arguments only.
    On(Word),
    /// Every change of state; the command gets what, who, the state and the priority as further arguments.
    Any,
}

impl Trigger {
    fn keyword(self) -> &'static str {
        match self {
            Self::On(Word::Master) => "notify_master",
            Self::On(Word::Backup) => "notify_backup",
            Self::On(Word::Fault) => "notify_fault",
            Self::On(Word::Stop) => "notify_stop",
            Self::On(Word::Deleted) => "notify_deleted",
            Self::On(Word::MasterRxLowerPri) => "notify_master_rx_lower_pri",
            Self::On(Word::MasterPriority | Word::BackupPriority) | Self::Any => "notify",
        }
    }

    pub(super) fn is_for(self, word: Word) -> bool {
        match self {
            Self::On(own) => own == word,
            Self::Any => word.is_change(),
        }
    }
}

/// The commands of a subject, the specific ones before the general one.
fn commands(notify: &Notify) -> impl Iterator<Item = (Trigger, &Command)> {
    let deleted = match &notify.deleted {
        Deleted::Command(command) => Some(command),
        Deleted::Fault | Deleted::Deleted => None,
    };
    let all = [
        (Trigger::On(Word::Master), notify.master.as_ref()),
        (Trigger::On(Word::Backup), notify.backup.as_ref()),
        (Trigger::On(Word::Fault), notify.fault.as_ref()),
        (Trigger::On(Word::Stop), notify.stop.as_ref()),
        (Trigger::On(Word::Deleted), deleted),
        (Trigger::On(Word::MasterRxLowerPri), notify.rx_lower_pri.as_ref()),
        (Trigger::Any, notify.any.as_ref()),
    ];
    all.into_iter().filter_map(|(trigger, command)| Some((trigger, command?)))
}

/// When any command of a subject is run.
pub(super) fn triggers(notify: &Notify) -> impl Iterator<Item = Trigger> {
    commands(notify).map(|(trigger, _)| trigger)
}

fn hooks(subject: &Subject) -> Vec<Hook> {
    let hook = |(trigger, command): (Trigger, &Command)| Hook {
        trigger,
        command: command.clone(),
        program: None,
        outage: Outage::default(),
    };
    commands(&subject.notify).map(hook).collect()
}

impl Scripts {
    pub(super) fn new(subject: Rc<Subject>, tally: Rc<Tally>) -> Self {
        Self { hooks: hooks(&subject), subject, tally }
    }

    /// Runs what the notices ask for, in turn, until the backlog is closed and empty. A command that cannot be run is named
    /// at once, before it is needed. A notice brings its subject as it was configured when it was told.
    pub(super) async fn serve(mut self, backlog: Rc<Backlog<Notice>>) {
        let secure = self.subject.secure;
        for hook in &mut self.hooks {
            if let Err(error) = hook.prepare(secure).await {
                hook.outage.failed(&Label(&self.subject, hook.trigger), &error);
            }
        }
        while let Some(notice) = backlog.next().await {
            if !Rc::ptr_eq(&self.subject, &notice.subject) {
                self.subject = Rc::clone(&notice.subject);
                self.hooks = hooks(&self.subject);
            }
            let secure = self.subject.secure;
            for hook in self.hooks.iter_mut().filter(|hook| hook.trigger.is_for(notice.word)) {
                let label = Label(&self.subject, hook.trigger);
                match hook.run(&notice, secure, &backlog).await {
                    Ok(()) => {
                        self.tally.sent();
                        hook.outage.over(&label);
                    }
                    Err(why) => {
                        self.tally.failed();
                        hook.outage.failed(&label, &why);
                    }
                }
            }
        }
    }
}

impl Hook {
    async fn prepare(&mut self, secure: bool) -> Result<Program, String> {
        if let Some(program) = &self.program {
            return Ok(program.clone());
        }
        let program = prepare(&self.command, secure).await?;
        self.program = Some(program.clone());
        Ok(program)
    }

    async fn run(&mut self, notice: &Notice, secure: bool, backlog: &Backlog<Notice>) -> Result<(), String> {
        let program = self.prepare(secure).await?;
        let words = [
            notice.subject.kind.to_string(),
            notice.subject.name.clone(),
            notice.word.to_string(),
            notice.priority.to_string(),
        ];
        let words = words.each_ref().map(String::as_str);
        let further: &[&str] = if self.trigger == Trigger::Any { &words } else { &[] };
        let mut child = program.start(further).await.map_err(|error| error.to_string())?;
        let too_long = async {
            tokio::select! {
                () = sleep(LIMIT) => LIMIT,
                () = async { backlog.closed().await; sleep(LIMIT_AT_STOP).await } => LIMIT_AT_STOP,
            }
        };
        tokio::select! {
            // What a script leaves behind on purpose, such as a server that it starts, is not vipd's to kill.
            ended = child.ended(Leftovers::Keep) => judge(&ended),
            limit = too_long => {
                child.finish(Duration::ZERO, Leftovers::Kill).await;
                Err(format!("killed, because it ran longer than {} s", limit.as_secs()))
            }
        }
    }
}

/// Finds a program. Files and user databases may lie on a server that hangs, so this happens on another thread.
pub(super) async fn prepare(command: &Command, secure: bool) -> Result<Program, String> {
    let command = command.clone();
    let prepared = tokio::task::spawn_blocking(move || Program::prepare(&command, secure)).await;
    prepared.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

/// What the end of a program means: an exit code of 0 is success.
pub(super) fn judge(ended: &Ended) -> Result<(), String> {
    match ended {
        Ended::Exited(0) => Ok(()),
        Ended::Exited(code) => Err(format!("ended with exit code {code}")),
        Ended::Signalled(signal) => Err(format!("ended by {signal}")),
        Ended::TimedOut | Ended::Stuck(_) => Err("did not end".to_owned()),
    }
}

/// A command, for people.
struct Label<'a>(&'a Subject, Trigger);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}) {}", self.0.name, self.1.keyword())
    }
}
