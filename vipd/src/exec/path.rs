//! Where a program lies, and who could put another one there.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use super::Error;

/// Symbolic links that are followed, as many as the kernel follows.
const LINKS_MAX: usize = 40;

/// The absolute path of a program that is named by path, or by a word to be found in `PATH`.
pub(super) fn find(name: &str) -> Result<PathBuf, Error> {
    let refused = |source| Error::Program { program: PathBuf::from(name), source };
    if name.contains('/') {
        return std::path::absolute(name).map_err(refused);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).map(|dir| dir.join(name));
    let not_found = || refused(io::Error::new(io::ErrorKind::NotFound, "there is no such program in PATH"));
    places.find(|place| executable(place).is_ok()).ok_or_else(not_found)
}

/// Whether there is a file that somebody may execute.
pub(super) fn executable(path: &Path) -> Result<(), Error> {
    let refused = |source| Error::Program { program: path.to_owned(), source };
    let found = fs::metadata(path).map_err(refused)?;
    if !found.is_file() {
        return Err(refused(io::Error::other("it is not a file")));
    }
    if found.permissions().mode() & 0o111 == 0 {
        return Err(refused(io::Error::other("it is not executable; `chmod +x` it")));
    }
    Ok(())
}

/// Whether nobody but root and user `run_as` can change the program, or any directory or link on the way to it.
pub(super) fn secure(program: &Path, run_as: u32) -> Result<(), Error> {
    let refused = |source| Error::Program { program: program.to_owned(), source };
    let (mut way, mut links) = (PathBuf::from("/"), 0);
    let mut ahead: VecDeque<OsString> = program.components().map(own).collect();
    while let Some(name) = ahead.pop_front() {
        // Absolute names start over; `..` is what the kernel makes of it, since no link is left in `way`.
        if name == ".." {
            way.pop();
        } else {
            way.push(name);
        }
        let found = fs::symlink_metadata(&way).map_err(refused)?;
        if found.file_type().is_symlink() {
            links += 1;
            if links > LINKS_MAX {
                return Err(refused(io::Error::from_raw_os_error(libc::ELOOP)));
            }
            // Whether the link can be replaced depends on its directory, which was looked at.
            let target = fs::read_link(&way).map_err(refused)?;
            way.pop();
            target.components().rev().for_each(|part| ahead.push_front(own(part)));
        } else if !is_safe(&found, run_as) {
            return Err(Error::Unsafe {
                program: program.to_owned(),
                component: way,
                run_as,
                owner: found.uid(),
                group: found.gid(),
                mode: found.mode() & 0o7777,
            });
        }
    }
    Ok(())
}

fn own(part: Component<'_>) -> OsString {
    part.as_os_str().to_owned()
}

/// An owner can always give himself the right to write.
fn is_safe(found: &Metadata, run_as: u32) -> bool {
    let owned = found.uid() == 0 || found.uid() == run_as;
    let group_writes = found.mode() & 0o020 != 0 && found.gid() != 0;
    let others_write = found.mode() & 0o002 != 0;
    owned && !group_writes && !others_write
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{chown, symlink};

    use super::*;

    const NOBODY: u32 = 65534;

    /// A directory that is only root's, below one that is.
    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let path = PathBuf::from(format!("/run/vipd-test-{}-{name}", std::process::id()));
            fs::create_dir(&path).expect("tests run as root");
            Self(path)
        }

        fn script(&self, name: &str) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, "#!/bin/sh\n").expect("writable");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
            path
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("ours");
    }

    /// What is spoilt, how, and how it is made good again.
    type Spoil = (&'static str, fn(&Dir, &Path), fn(&Dir, &Path));

    /// Promise 6: never through a writable path.
    #[test]
    fn a_script_is_safe_while_nobody_else_can_write_it_or_the_way_to_it() {
        let dir = Dir::new("way");
        let script = dir.script("check.sh");
        secure(&script, 0).expect("root's own");

        let cases: [Spoil; 4] = [
            ("file for all", |_, script| chmod(script, 0o757), |_, script| chmod(script, 0o755)),
            ("directory for all", |dir, _| chmod(&dir.0, 0o777), |dir, _| chmod(&dir.0, 0o755)),
            (
                "file of another",
                |_, script| chown(script, Some(NOBODY), None).expect("root"),
                |_, script| chown(script, Some(0), None).expect("root"),
            ),
            (
                "file for a group",
                |_, script| {
                    chown(script, None, Some(NOBODY)).expect("root");
                    chmod(script, 0o775);
                },
                |_, script| chmod(script, 0o755),
            ),
        ];
        for (name, spoil, mend) in cases {
            spoil(&dir, &script);
            let error = secure(&script, 0).expect_err(name);
            assert!(matches!(error, Error::Unsafe { .. }), "{name}: {error}");
            mend(&dir, &script);
            secure(&script, 0).expect(name);
        }
    }

    #[test]
    fn a_link_is_as_safe_as_every_directory_on_its_way() {
        let dir = Dir::new("link");
        let script = dir.script("check.sh");
        let open = dir.0.join("open");
        fs::create_dir(&open).expect("writable");
        symlink(&script, open.join("second")).expect("writable");
        symlink("open/second", dir.0.join("first")).expect("writable");
        secure(&dir.0.join("first"), 0).expect("root's own all along");

        chmod(&open, 0o777);

        let error = secure(&dir.0.join("first"), 0).expect_err("the second link can be replaced");
        assert!(matches!(&error, Error::Unsafe { component, .. } if *component == open), "{error}");
        symlink("loop", dir.0.join("loop")).expect("writable");
        assert!(matches!(secure(&dir.0.join("loop"), 0), Err(Error::Program { .. })));
    }

    #[test]
    fn what_an_account_runs_as_itself_may_be_its_own() {
        let dir = Dir::new("own");
        let script = dir.script("check.sh");
        chown(&script, Some(NOBODY), None).expect("root");

        secure(&script, NOBODY).expect("its own");
        secure(&script, 1).expect_err("another's");
    }

    #[test]
    fn a_program_is_found_in_path_or_where_it_is_said_to_be() {
        assert!(find("sh").expect("every system has it").is_absolute());
        assert_eq!(find("/bin/sh").expect("absolute"), Path::new("/bin/sh"));
        assert!(find("no-such-program").expect_err("none").to_string().contains("no such program in PATH"));
        assert!(executable(Path::new("/etc/passwd")).expect_err("a file").to_string().contains("chmod +x"));
        assert!(executable(Path::new("/etc")).is_err());
    }
}
