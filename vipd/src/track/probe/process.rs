//! Whether a process of some name is alive.

use std::os::fd::OwnedFd;

use super::Outcome;
use crate::exec::on_lasting_thread;
use crate::track::process::list;

/// A name, and a process that was found to have it.
#[derive(Debug)]
pub(in crate::track) struct Alive {
    name: String,
    known: Option<OwnedFd>,
}

impl Alive {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), known: None }
    }

    /// As long as the process that was found lives, nothing is searched.
    pub(super) async fn check(&mut self) -> Outcome {
        if self.known.as_ref().is_some_and(list::is_alive) {
            return Ok(());
        }
        let name = self.name.clone();
        let found = on_lasting_thread(move || list::first_named(&name)).await;
        self.known = found.map_err(|error| error.to_string())?;
        if self.known.is_some() { Ok(()) } else { Err("no such process".to_owned()) }
    }
}
