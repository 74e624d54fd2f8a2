//! Files with a number in them (`track_file`), watched by inotify, with every directory on the way: a file, or any of its
//! directories, can appear, be replaced or go at any time.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::errno::Errno;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, InotifyEvent, WatchDescriptor};
use vipd_core::{Tracked, TrackerId};

use super::readings::Readings;
use crate::config::FileTracker;
use crate::exec::on_lasting_thread;
use crate::watch;

/// Octets of a file that are looked at.
const HEAD: u64 = 128;

/// What can happen to the names in a directory, and to a file or directory itself.
const CHANGES: AddWatchFlags = AddWatchFlags::IN_CLOSE_WRITE
    .union(AddWatchFlags::IN_CREATE)
    .union(AddWatchFlags::IN_DELETE)
    .union(AddWatchFlags::IN_MOVE)
    .union(AddWatchFlags::IN_DELETE_SELF)
    .union(AddWatchFlags::IN_MOVE_SELF)
    .union(AddWatchFlags::IN_ATTRIB);

/// What each watch is for: names in a directory, or `None` for the watched thing itself.
type Table = BTreeMap<WatchDescriptor, Vec<Option<std::ffi::OsString>>>;

/// Watches all files, without end.
pub(super) async fn watch(files: Vec<(TrackerId, FileTracker)>, readings: Arc<Readings>) {
    if let Err(error) = try_watch(files, &readings).await {
        tracing::error!("tracked files are not watched any more: {error}");
    }
}

async fn try_watch(files: Vec<(TrackerId, FileTracker)>, readings: &Readings) -> io::Result<()> {
    let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
    let events = watch::readable(inotify)?;
    let inotify = Arc::new(events);
    let files: Arc<[(TrackerId, FileTracker)]> = files.into();
    let mut table = Table::new();
    loop {
        // Reading can hang with the file system, so it is done elsewhere. Watches come before reading: a change in between
        // is then told.
        let (inotify_there, files_there) = (Arc::clone(&inotify), Arc::clone(&files));
        let look = move || {
            let table = arm(inotify_there.get_ref(), &files_there);
            (table, files_there.iter().map(|(_, file)| read(&file.path)).collect::<Vec<_>>())
        };
        let (armed, values) = on_lasting_thread(look).await?;
        for gone in table.keys().filter(|watch| !armed.contains_key(watch)) {
            // It may have ended with what it watched.
            let _ = inotify.get_ref().rm_watch(*gone);
        }
        table = armed;
        for ((id, file), value) in files.iter().zip(values) {
            if readings.state(*id) != Tracked::Value(value) {
                tracing::info!("file {} says {value}", file.name);
            }
            readings.set(*id, Tracked::Value(value), None);
        }
        while !changed(&inotify, &table).await? {}
    }
}

/// Waits for news; tells whether they are about any of the files.
async fn changed(inotify: &watch::Watched<Inotify>, table: &Table) -> io::Result<bool> {
    let mut ready = inotify.readable().await?;
    match inotify.get_ref().read_events() {
        Ok(events) => Ok(events.iter().any(|event| concerns(event, table))),
        Err(Errno::EAGAIN) => {
            ready.clear_ready();
            Ok(false)
        }
        Err(errno) => Err(errno.into()),
    }
}

fn concerns(event: &InotifyEvent, table: &Table) -> bool {
    let watched = table.get(&event.wd).is_some_and(|names| names.contains(&event.name));
    watched || event.mask.contains(AddWatchFlags::IN_Q_OVERFLOW)
}

/// Watches every directory on the way to each file, from the root on, as far as it is there, and the file itself.
fn arm(inotify: &Inotify, files: &[(TrackerId, FileTracker)]) -> Table {
    let mut table = Table::new();
    for (_, file) in files {
        let mut way = PathBuf::new();
        for part in file.path.components() {
            let name = part.as_os_str();
            if let Ok(watch) = inotify.add_watch(&way, CHANGES) {
                table.entry(watch).or_default().push(Some(name.to_owned()));
            }
            way.push(name);
        }
        if let Ok(watch) = inotify.add_watch(&way, CHANGES) {
            table.entry(watch).or_default().push(None);
        }
    }
    table
}

/// The number in a file; 0 where there is none.
fn read(path: &Path) -> i32 {
    let mut head = Vec::new();
    // A pipe in its place must not make anybody wait.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let read = file.and_then(|file| file.take(HEAD).read_to_end(&mut head));
    if let Err(error) = read {
        tracing::debug!("{}: {error}", path.display());
        return 0;
    }
    number(&head)
}

/// The number that octets begin with, as far as it fits; 0 where they begin with none.
fn number(octets: &[u8]) -> i32 {
    let text = octets.trim_ascii_start();
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let digits = digits.iter().take_while(|octet| octet.is_ascii_digit());
    let value =
        digits.fold(0_i64, |value, digit| (value * 10 + i64::from(digit - b'0')).min(i64::from(u32::MAX)));
    let value = if negative { -value } else { value };
    i32::try_from(value.clamp(i32::MIN.into(), i32::MAX.into())).unwrap_or(0)
}

/// Puts the number into the file that `init_file` says.
pub(super) fn initialize(file: &FileTracker) {
    let Some(init) = file.init else { return };
    let mut options = OpenOptions::new();
    options.write(true).create_new(!init.overwrite).create(true).truncate(true);
    match options.open(&file.path).and_then(|mut opened| writeln!(opened, "{}", init.value)) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            tracing::error!("cannot write {} (init_file): {error}", file.path.display());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use tokio::task::LocalSet;

    use super::*;
    use crate::config::{FileInit, Weight};

    fn tracker(path: &Path, init: Option<FileInit>) -> FileTracker {
        FileTracker { name: "f".to_owned(), path: path.to_owned(), weight: Weight::default(), init }
    }

    struct Dir(PathBuf);

    impl Dir {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("vipd-file-{}-{name}", std::process::id()));
            fs::create_dir(&path).expect("writable");
            Self(path)
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_number_is_read_as_far_as_it_goes() {
        let cases: [(&[u8], i32); 10] = [
            (b"1\n", 1),
            (b" -20", -20),
            (b"+7 rest", 7),
            (b"12abc", 12),
            (b"", 0),
            (b"none", 0),
            (b"-", 0),
            (b"99999999999999999999", i32::MAX),
            (b"-99999999999", i32::MIN),
            (b"\xff1", 0),
        ];
        for (octets, expected) in cases {
            assert_eq!(number(octets), expected, "{octets:?}");
        }
    }

    /// What the readings say after each change.
    fn follow(path: &Path, changes: &[(&dyn Fn(), i32)]) {
        let readings = Arc::new(Readings::new(1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        LocalSet::new().block_on(&runtime, async {
            let task = tokio::task::spawn_local(watch(
                vec![(TrackerId(0), tracker(path, None))],
                Arc::clone(&readings),
            ));
            for (change, expected) in changes {
                change();
                let reached = async {
                    while readings.state(TrackerId(0)) != Tracked::Value(*expected) {
                        readings.changed().await;
                    }
                };
                tokio::time::timeout(Duration::from_mins(1), reached).await.expect("told");
            }
            task.abort();
        });
    }

    #[test]
    fn writing_deleting_moving_and_linking_are_noticed() {
        let dir = Dir::new("changes");
        let (path, other) = (dir.0.join("number"), dir.0.join("other"));
        let write = |path: &Path, text: &str| fs::write(path, text).expect("writable");
        follow(
            &path,
            &[
                (&|| {}, 0),
                (&|| write(&path, "1\n"), 1),
                (&|| write(&path, "2\n"), 2),
                (&|| fs::remove_file(&path).expect("there"), 0),
                (
                    &|| {
                        write(&other, "3");
                        fs::rename(&other, &path).expect("there");
                    },
                    3,
                ),
                (&|| fs::rename(&path, &other).expect("there"), 0),
                (&|| std::os::unix::fs::symlink(&other, &path).expect("free"), 3),
                // Through the link: nothing happens in the directory of the path itself... but to what it leads to.
                (&|| write(&other, "4"), 4),
            ],
        );
    }

    #[test]
    fn a_directory_that_appears_later_is_noticed_and_so_is_its_going() {
        let dir = Dir::new("later");
        let (far, path) = (dir.0.join("a/b"), dir.0.join("a/b/number"));
        let away = dir.0.join("away");
        follow(
            &path,
            &[
                (
                    &|| {
                        fs::create_dir_all(&far).expect("writable");
                        fs::write(&path, "5").expect("writable");
                    },
                    5,
                ),
                (&|| fs::rename(dir.0.join("a"), &away).expect("there"), 0),
                (&|| fs::rename(&away, dir.0.join("a")).expect("there"), 5),
                (&|| fs::remove_dir_all(dir.0.join("a")).expect("there"), 0),
            ],
        );
    }

    #[test]
    fn init_file_writes_where_there_is_none_and_with_overwrite_always() {
        let dir = Dir::new("init");
        let path = dir.0.join("number");
        let init = |value, overwrite| initialize(&tracker(&path, Some(FileInit { value, overwrite })));
        let text = || fs::read_to_string(&path).expect("there");

        initialize(&tracker(&path, None));
        assert!(!path.exists());
        init(7, false);
        assert_eq!(text(), "7\n");
        init(8, false);
        assert_eq!(text(), "7\n");
        init(-9, true);
        assert_eq!(text(), "-9\n");
    }
}
