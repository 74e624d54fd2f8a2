//! What people and programs are told: one change of one virtual router or sync group, in Keepalived's words.

use std::fmt;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::{Notify, StartState};

/// Somebody whose changes are told.
#[derive(Debug)]
pub(super) struct Subject {
    /// Its place among all subjects.
    pub(super) number: usize,
    /// A virtual router, or a sync group of them.
    pub(super) kind: Kind,
    /// Its name.
    pub(super) name: String,
    /// What the configuration wants to be done.
    pub(super) notify: Notify,
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

/// A moment as RFC 3339 has it, in UTC and whole seconds.
pub(super) fn rfc_3339(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    // Counted from March 1st of the year 0: the leap day is the last of such a year. 719,468 days lie before the epoch,
    // 146,097 days are 400 years.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + carry;
    let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_rfc_3339_has_it() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_210_096, "2024-02-29T12:34:56Z"),
            (1_767_225_599, "2025-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ];
        for (seconds, text) in cases {
            assert_eq!(rfc_3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
