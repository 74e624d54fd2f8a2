//! Runs programs of the configuration, health checks and notifications: as the account that they name, without a shell,
//! in a process group of their own, and never for longer than they may.
//!
//! What a program gets is what Keepalived gives it: the agent's environment without `IFS` and what steers the dynamic
//! linker (`LD_*`), `/dev/null` for its input and output, default signals and scheduling, SIGTERM when the agent dies.
//! Beyond that the supplementary groups of its account, and no descriptor of the agent's.
//!
//! Starting a program does not block the thread that asks, since it can hang with the file system that the program lies
//! on.

mod account;
mod child;
mod lasting;
mod path;
mod spawn;
#[cfg(test)]
mod tests;

use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use child::{Child, Ended, Leftovers};
pub(crate) use lasting::{run as on_lasting_thread, wait as wait_for};
pub(crate) use spawn::open as open_process;

use crate::config::{Account, Command};
use account::Identity;

/// Why a program is not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such program, or it cannot be executed.
    #[error("{} cannot be run: {source}", program.display())]
    Program {
        /// What was looked for.
        program: PathBuf,
        /// Why it is none.
        source: io::Error,
    },
    /// The user or group does not exist.
    #[error("there is no {kind} {name}; create it, or correct `user` or `script_user`")]
    NoAccount {
        /// `user` or `group`.
        kind: &'static str,
        /// Its name or number.
        name: String,
    },
    /// `enable_script_security` forbids it.
    #[error(
        "{} is not run (enable_script_security): {} can be changed by others than root{} (owner {owner}, \
         group {group}, mode {mode:04o}); give it to root and take away what others may write",
        program.display(), component.display(), if *run_as == 0 { String::new() } else { format!(" and user {run_as}") }
    )]
    Unsafe {
        /// The program.
        program: PathBuf,
        /// The part of its path.
        component: PathBuf,
        /// User id that the program would be run as.
        run_as: u32,
        /// Whose that part is.
        owner: u32,
        /// Its group.
        group: u32,
        /// Its permissions.
        mode: u32,
    },
    /// The kernel refused to start it.
    #[error("{} cannot be started: {step}: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What was being done.
        step: &'static str,
        /// Why not.
        source: io::Error,
    },
}

/// A program that can be run again and again.
#[derive(Clone, Debug)]
pub(crate) struct Program(Arc<Prepared>);

#[derive(Debug)]
struct Prepared {
    path: PathBuf,
    argv: Vec<CString>,
    identity: Identity,
    secure: bool,
}

impl Program {
    /// Finds a program and the account that runs it. With `secure` (`enable_script_security`) it is refused when anybody
    /// but root and that account could change it or the way to it; this is looked at again before each run.
    ///
    /// # Errors
    /// [`Error`]
    pub(crate) fn prepare(command: &Command, secure: bool) -> Result<Self, Error> {
        let identity = account::resolve(command.account.as_ref())?;
        let name = command.argv.first().map(String::as_str).unwrap_or_default();
        let path = path::find(name)?;
        path::executable(&path)?;
        // Words of a configuration hold no zero octet; one that did would be cut there.
        let word =
            |word: &String| CString::new(word.as_bytes().split(|octet| *octet == 0).next().unwrap_or(&[]));
        let argv = command.argv.iter().map(word).collect::<Result<_, _>>();
        let argv = argv.map_err(|error| Error::Program { program: path.clone(), source: error.into() })?;
        let prepared = Prepared { path, argv, identity, secure };
        prepared.check()?;
        Ok(Self(Arc::new(prepared)))
    }

    /// Starts it with further arguments behind its own. To be called in a tokio runtime.
    ///
    /// # Errors
    /// [`Error`]: it cannot be executed, or is not safe any more.
    pub(crate) async fn start(&self, further: &[&str]) -> Result<Child, Error> {
        let prepared = Arc::clone(&self.0);
        let further: Vec<OsString> = further.iter().map(OsString::from).collect();
        let failed = |source| self.0.failed("waiting for it", source);
        let (pid, pidfd) = on_lasting_thread(move || prepared.start(further)).await.map_err(failed)??;
        Child::watch(pid, pidfd).map_err(failed)
    }
}

impl Prepared {
    fn check(&self) -> Result<(), Error> {
        if self.secure { path::secure(&self.path, self.identity.uid()) } else { Ok(()) }
    }

    fn start(&self, further: Vec<OsString>) -> Result<spawn::Started, Error> {
        self.check()?;
        let further = further.into_iter().map(|word| CString::new(word.into_vec()).unwrap_or_default());
        let argv: Vec<CString> = self.argv.iter().cloned().chain(further).collect();
        let path = CString::new(self.path.as_os_str().as_bytes()).unwrap_or_default();
        let started = spawn::spawn(&path, &argv, &environment(std::env::vars_os()), &self.identity);
        started.map_err(|(step, source)| self.failed(step, source))
    }

    fn failed(&self, step: &'static str, source: io::Error) -> Error {
        Error::Start { program: self.path.clone(), step, source }
    }
}

/// The user and the group of an account, by number.
///
/// # Errors
/// [`Error::NoAccount`]
pub(crate) fn ids(account: &Account) -> Result<(u32, u32), Error> {
    account::resolve(Some(account)).map(|identity| identity.ids())
}

/// The agent's environment without what changes how programs are found, linked and split into words.
fn environment(own: impl Iterator<Item = (OsString, OsString)>) -> Vec<CString> {
    let harmless = |name: &OsString| name != "IFS" && !name.as_bytes().starts_with(b"LD_");
    own.filter(|(name, _)| harmless(name))
        .filter_map(|(name, value)| {
            let mut entry = name.into_vec();
            entry.push(b'=');
            entry.extend_from_slice(value.as_bytes());
            CString::new(entry).ok()
        })
        .collect()
}
