//! What people and programs are told: one change of one virtual router or sync group, in Keepalived's words.

use std::fmt;
use std::rc::Rc;
use std::time::SystemTime;

use crate::config::{Notify, StartState};

/// Somebody whose changes are told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// Its place among all subjects, and there it stays.
    pub(super) number: usize,
    /// A virtual router, or a sync group of them.
    pub(super) kind: Kind,
    /// Its name.
    pub(super) name: String,
    /// What the configuration wants to be done.
    pub(super) notify: Notify,
    /// Commands are run by safe paths only.
    pub(super) secure: bool,
    /// The state that is normal for it; of no meaning for a group.
    pub(super) normal: StartState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Instance,
    Group,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instance => "INSTANCE",
            Self::Group => "GROUP",
        })
    }
}

/// What happened to it: a state that it is in from now on, or one of Keepalived's other events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Master,
    Backup,
    Fault,
    Stop,
    Deleted,
    MasterRxLowerPri,
    MasterPriority,
    BackupPriority,
}

impl Word {
    /// A change of state, which everybody is told of. The others are for pipes, and for a command of their own.
    pub(super) fn is_change(self) -> bool {
        !matches!(self, Self::MasterRxLowerPri | Self::MasterPriority | Self::BackupPriority)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::Fault => "FAULT",
            Self::Stop => "STOP",
            Self::Deleted => "DELETED",
            Self::MasterRxLowerPri => "MASTER_RX_LOWER_PRI",
            Self::MasterPriority => "MASTER_PRIORITY",
            Self::BackupPriority => "BACKUP_PRIORITY",
        })
    }
}

/// One event of one subject.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub(super) subject: Rc<Subject>,
    pub(super) word: Word,
    /// The last word before; `None` for the first.
    pub(super) before: Option<Word>,
    /// Effective priority; 0 for a group.
    pub(super) priority: u8,
    /// Why, a clause for people.
    pub(super) reason: Rc<str>,
    /// When it was told.
    pub(super) at: SystemTime,
}

impl Notice {
    /// The state before, for people.
    pub(super) fn state_before(&self) -> String {
        self.before.map_or_else(|| "INIT".to_owned(), |word| word.to_string())
    }
}
