//! Where in the files each value of the model was given.

use std::collections::{HashMap, HashSet};

use super::source::Span;

/// Places by path: `instance[0].priority`, `instance[0].track_check[1]`. Only values that were given and accepted have
/// one.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    accepted: HashMap<String, Span>,
    refused: HashSet<String>,
}

impl Places {
    pub(super) fn insert(&mut self, path: String, span: Span) {
        self.accepted.insert(path, span);
    }

    /// Notes that something at `path`, or in the list there, was refused.
    pub(super) fn refuse(&mut self, path: String) {
        self.refused.insert(path);
    }

    /// Whether something at `path`, or in the list there, was refused.
    pub(super) fn refused(&self, path: &str) -> bool {
        self.refused.contains(path)
    }

    /// Where the value at `path` was given; `None` where it was not.
    pub(super) fn given(&self, path: &str) -> Option<Span> {
        self.accepted.get(path).copied()
    }

    /// Where the value at `path` was given, else where the table stands that it would be in.
    pub(super) fn near(&self, path: &str) -> Span {
        let mut path = path;
        loop {
            if let Some(span) = self.given(path) {
                return span;
            }
            let Some(end) = path.rfind(['.', '[']) else { return Span::default() };
            path = &path[..end];
        }
    }
}

/// The path of a key of an instance.
pub(super) fn of_instance(index: usize, key: &str) -> String {
    format!("instance[{index}].{key}")
}
