//! Programs run for real.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::{Gid, Pid, User, getgrouplist};

use super::*;
use crate::config::Account;

/// Far beyond what anything here takes on a healthy machine.
const SOON: Duration = Duration::from_mins(1);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn command(words: &[&str], user: Option<&str>) -> Command {
    let account = user.map(|user| Account { user: user.to_owned(), group: None });
    Command { argv: words.iter().map(ToString::to_string).collect(), account }
}

/// A file that programs of any user can write into; removed on drop.
struct Note(PathBuf);

impl Note {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vipd-exec-{}-{name}", std::process::id()));
        fs::write(&path, "").expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("ours");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("plain")
    }

    fn read(&self) -> String {
        fs::read_to_string(&self.0).expect("there").trim().to_owned()
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// What `script` writes to its first argument.
fn told_by(script: &str, user: Option<&str>, name: &str) -> String {
    let note = Note::new(name);
    let program =
        Program::prepare(&command(&["/bin/sh", "-c", script, "sh"], user), false).expect("a program");
    let ended = block_on(async {
        program.start(&[note.path()]).await.expect("it starts").finish(SOON, Leftovers::Kill).await
    });
    assert!(matches!(ended, Ended::Exited(0)), "{ended:?}");
    note.read()
}

#[test]
fn the_exit_code_and_the_signal_are_told() {
    let run = |words: &[&str]| {
        let program = Program::prepare(&command(words, None), false).expect("a program");
        block_on(async { program.start(&[]).await.expect("it starts").finish(SOON, Leftovers::Kill).await })
    };
    assert!(matches!(run(&["/bin/true"]), Ended::Exited(0)));
    assert!(matches!(run(&["sh", "-c", "exit 7"]), Ended::Exited(7)));
    assert!(matches!(run(&["sh", "-c", "kill -USR1 $$"]), Ended::Signalled(Signal::SIGUSR1)));
}

/// Promise 6: scripts run as the user they name, with its groups.
#[test]
fn a_program_runs_as_its_account_with_all_of_its_groups() {
    if crate::rights::needs_root() {
        return;
    }
    let nobody = User::from_name("nobody").expect("user database").expect("every Linux has it");
    let mut groups = getgrouplist(c"nobody", nobody.gid).expect("groups");
    groups.sort_by_key(|gid| gid.as_raw());

    let told = told_by("(id -u; id -g; id -G) > $1", Some("nobody"), "account");

    let mut lines = told.lines();
    assert_eq!(lines.next(), Some(nobody.uid.to_string().as_str()));
    assert_eq!(lines.next(), Some(nobody.gid.to_string().as_str()));
    let told: Vec<u32> = lines.next().unwrap_or("").split(' ').flat_map(str::parse).collect();
    assert_eq!(told, groups.into_iter().map(Gid::as_raw).collect::<Vec<_>>(), "and none of root's");
}

#[test]
fn a_program_has_its_own_group_default_signals_and_nothing_of_the_agents_open() {
    let script = "(echo $$; cut -d' ' -f5 /proc/$$/stat; grep -E '^Sig(Blk|Ign)' /proc/self/status;
                   readlink /proc/$$/fd/*) > $1";
    // The Rust runtime ignores SIGPIPE, and a thread may have blocked anything.
    let _open = fs::File::open("/dev/zero").expect("there");

    let told = told_by(script, None, "surroundings");

    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[0], lines[1], "leader of its process group");
    for line in &lines[2..4] {
        assert!(line.ends_with("\t0000000000000000"), "{line}");
    }
    assert_eq!(lines[4..], ["/dev/null"; 3], "{told}");
}

#[test]
fn the_environment_is_the_agents_without_what_changes_how_programs_are_found_and_linked() {
    let given = [
        ("PATH", "/bin"),
        ("IFS", "x"),
        ("LD_PRELOAD", "/tmp/evil.so"),
        ("LD_LIBRARY_PATH", "/tmp"),
        ("LDAP", "y"),
    ];
    let given = given.map(|(name, value)| (OsString::from(name), OsString::from(value)));

    let kept = environment(given.into_iter());

    assert_eq!(kept, [c"PATH=/bin".to_owned(), c"LDAP=y".to_owned()]);
}

#[test]
fn further_arguments_stand_behind_its_own() {
    let note = Note::new("arguments");
    let words = ["/bin/sh", "-c", "echo \"$@\" > $0", note.path(), "one"];
    let program = Program::prepare(&command(&words, None), false).expect("a program");

    block_on(async {
        program.start(&["two words", "3"]).await.expect("starts").finish(SOON, Leftovers::Kill).await
    });

    assert_eq!(note.read(), "one two words 3");
}

/// A script that hangs is killed with its children, also when it does not listen to SIGTERM.
#[test]
fn a_program_that_hangs_is_killed_with_its_children() {
    let note = Note::new("children");
    let script = "trap '' TERM; sleep 1000 & echo $! > $0; sleep 1000";
    let program =
        Program::prepare(&command(&["/bin/sh", "-c", script, note.path()], None), false).expect("a program");

    let ended = block_on(async {
        program.start(&[]).await.expect("starts").finish(Duration::from_millis(300), Leftovers::Kill).await
    });

    assert!(matches!(ended, Ended::TimedOut), "{ended:?}");
    block_on(end_of(&note.read()));
}

#[test]
fn what_is_left_behind_is_killed_or_kept_as_wanted() {
    let note = Note::new("leftovers");
    let words = ["/bin/sh", "-c", "sleep 1000 & echo $! > $0", note.path()];
    let program = Program::prepare(&command(&words, None), false).expect("a program");
    block_on(async {
        let ended = program.start(&[]).await.expect("starts").finish(SOON, Leftovers::Kill).await;
        assert!(matches!(ended, Ended::Exited(0)), "{ended:?}");
        end_of(&note.read()).await;

        let ended = program.start(&[]).await.expect("starts").finish(SOON, Leftovers::Keep).await;
        assert!(matches!(ended, Ended::Exited(0)), "{ended:?}");
        let kept = Pid::from_raw(note.read().parse().expect("a pid"));
        nix::sys::signal::kill(kept, Signal::SIGKILL).expect("it was there");
    });
}

#[test]
fn a_dropped_child_is_killed_and_leaves_no_zombie() {
    let program = Program::prepare(&command(&["sleep", "1000"], None), false).expect("a program");
    block_on(async {
        let child = program.start(&[]).await.expect("starts");
        let place = PathBuf::from(format!("/proc/{}", child.pid));
        assert!(place.exists());

        drop(child);

        let gone = async {
            while place.exists() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, gone).await.expect("it is reaped");
    });
}

#[test]
fn what_cannot_be_executed_is_named_with_the_reason() {
    let missing = Program::prepare(&command(&["/nonexistent/check.sh"], None), false).expect_err("missing");
    assert_eq!(
        missing.to_string(),
        "/nonexistent/check.sh cannot be run: No such file or directory (os error 2)"
    );

    // Neither a binary nor a script with an interpreter: no shell steps in.
    let note = Note::new("format");
    fs::write(&note.0, "exit 0\n").expect("writable");
    fs::set_permissions(&note.0, fs::Permissions::from_mode(0o755)).expect("ours");
    let program = Program::prepare(&command(&[note.path()], None), false).expect("a program");
    let error = block_on(program.start(&[])).expect_err("no format that the kernel knows");
    assert!(error.to_string().contains("executing it: Exec format error"), "{error}");
}

/// Promise 6: also when the way became writable after the start.
#[test]
fn with_script_security_a_program_that_became_writable_is_not_run_any_more() {
    if crate::rights::needs_root() {
        return;
    }
    let dir = PathBuf::from(format!("/run/vipd-exec-{}", std::process::id()));
    fs::create_dir(&dir).expect("root");
    let script = dir.join("check.sh");
    fs::write(&script, "#!/bin/sh\n").expect("writable");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("ours");
    let path = script.to_str().expect("plain");
    let program = Program::prepare(&command(&[path], None), true).expect("safe");

    fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).expect("ours");
    let refused = block_on(program.start(&[]));
    fs::remove_dir_all(&dir).expect("ours");

    assert!(matches!(refused, Err(Error::Unsafe { .. })));
}

/// Awaits the end of a process that is not this one's child.
async fn end_of(pid: &str) {
    let pid = Pid::from_raw(pid.parse().expect("a pid"));
    if let Ok(pidfd) = spawn::open(pid) {
        let pidfd = crate::watch::readable(pidfd).expect("pollable");
        let ended = tokio::time::timeout(SOON, pidfd.readable()).await;
        drop(ended.expect("it ends").expect("pollable"));
    }
}
