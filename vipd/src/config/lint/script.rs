//! Programs that are not there, cannot be run, or could be changed by somebody else.

use std::fs::Metadata;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::super::model::{Account, Command, Deleted, Notify, Probe};
use super::Linter;

/// Signs that a shell would act on.
const SHELL: [&str; 8] = ["|", "||", "&&", ";", ">", ">>", "<", "2>&1"];

impl Linter<'_> {
    /// Looks at every program that the configuration runs, as it is found below `root`.
    pub(super) fn scripts(&mut self, root: &Path) {
        let config = self.config;
        let mut commands: Vec<(String, &Command)> = Vec::new();
        for (index, check) in config.checks.iter().enumerate() {
            if let Probe::Script(command) = &check.probe {
                commands.push((format!("check[{index}].script"), command));
            }
        }
        for (index, instance) in config.instances.iter().enumerate() {
            commands.extend(told(&format!("instance[{index}]"), &instance.notify));
        }
        for (index, group) in config.sync_groups.iter().enumerate() {
            commands.extend(told(&format!("sync_group[{index}]"), &group.notify));
        }
        let mut seen: Vec<&str> = Vec::new();
        for (path, command) in commands {
            self.shell(&path, command);
            // A program is reported once, where it is named first.
            let program = command.argv[0].as_str();
            if program.starts_with('/') && !seen.contains(&program) {
                seen.push(program);
                self.program(&path, program, command.account.as_ref(), root);
            }
        }
    }

    /// No shell runs commands.
    fn shell(&mut self, path: &str, command: &Command) {
        let is_shell =
            |word: &&String| SHELL.contains(&word.as_str()) || word.contains("$(") || word.contains('`');
        // What stands behind `sh -c` is for a shell.
        if command.argv.iter().any(|word| word == "-c") {
            return;
        }
        if let Some(word) = command.argv.iter().find(is_shell) {
            let message = format!("no shell runs this: `{word}` is passed on as an argument");
            let help = "put it into a script, or write \"/bin/sh -c '...'\"";
            self.findings.warn(self.places.near(path), message, help);
        }
    }

    fn program(&mut self, path: &str, program: &str, account: Option<&Account>, root: &Path) {
        let file = below(root, Path::new(program));
        let (message, help) = match std::fs::metadata(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                (format!("`{program}` is not there"), "put it there, or correct the path".to_owned())
            }
            Err(error) => {
                (format!("`{program}` cannot be looked at: {error}"), "let this user see it".to_owned())
            }
            Ok(found) if !found.is_file() => (format!("`{program}` is no file"), "name a program".to_owned()),
            Ok(found) if found.permissions().mode() & 0o111 == 0 => {
                (format!("`{program}` is not executable"), format!("run `chmod +x {program}`"))
            }
            Ok(_) => match (insecure(root, Path::new(program)), interpreter(&file, root)) {
                (Some((writable, why)), _) => {
                    let shown = writable.display();
                    let runs = if account.is_none_or(|account| account.user == "root" || account.user == "0")
                    {
                        if self.config.script_security {
                            "; it will not be run"
                        } else {
                            ", and root runs it"
                        }
                    } else {
                        ""
                    };
                    (
                        format!("`{shown}` {why}{runs}"),
                        format!("run `chown root {shown}; chmod go-w {shown}`"),
                    )
                }
                (None, Some(missing)) => (
                    format!("`{program}` names an interpreter that is not there: {missing}"),
                    "correct its first line; it ends in a carriage return if it was edited on Windows"
                        .to_owned(),
                ),
                (None, None) => return,
            },
        };
        self.findings.warn(self.places.near(path), message, help);
    }
}

/// Commands that tell of changes.
fn told<'n>(path: &str, notify: &'n Notify) -> Vec<(String, &'n Command)> {
    let deleted = match &notify.deleted {
        Deleted::Command(command) => Some(command),
        _ => None,
    };
    let commands = [
        ("notify_master", notify.master.as_ref()),
        ("notify_backup", notify.backup.as_ref()),
        ("notify_fault", notify.fault.as_ref()),
        ("notify_stop", notify.stop.as_ref()),
        ("notify_deleted", deleted),
        ("notify", notify.any.as_ref()),
        ("notify_master_rx_lower_pri", notify.rx_lower_pri.as_ref()),
    ];
    commands.into_iter().filter_map(|(key, command)| Some((format!("{path}.{key}"), command?))).collect()
}

/// Where a path of the host is found.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

/// The part of a path that somebody other than root can change, and how.
fn insecure(root: &Path, program: &Path) -> Option<(PathBuf, &'static str)> {
    program.ancestors().find_map(|part| {
        let found = std::fs::metadata(below(root, part)).ok()?;
        writable(&found).map(|why| (part.to_owned(), why))
    })
}

fn writable(found: &Metadata) -> Option<&'static str> {
    let mode = found.permissions().mode();
    // In a folder with the sticky bit, only the owner can replace what is there.
    let sticky = found.is_dir() && mode & 0o1000 != 0;
    match mode & 0o022 {
        _ if found.uid() != 0 => Some("belongs to another user than root"),
        0 => None,
        _ if sticky => None,
        bits if bits & 0o002 != 0 => Some("can be written by everybody"),
        _ if found.gid() == 0 => None,
        _ => Some("can be written by its group"),
    }
}

/// The interpreter of a script, if it is not there.
fn interpreter(file: &Path, root: &Path) -> Option<String> {
    let mut line = Vec::new();
    let file = std::fs::File::open(file).ok()?;
    BufReader::new(std::io::Read::take(file, 256)).read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    // White space ends the path; a carriage return is part of it.
    let named = line.strip_prefix("#!")?.trim_start_matches(' ').split([' ', '\t', '\n']).next()?;
    (!below(root, Path::new(named)).exists()).then(|| named.escape_debug().to_string())
}
