//! A file system that has died: who looks into it hangs in the kernel, and no signal ends it (state D), as with a server
//! that went away.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::host::Host;

/// Octets of a request at most: a page, as the kernel demands, and some.
const REQUEST_MAX: usize = 128 << 10;
const INIT: u32 = 26;
/// Octets of an answer's header, and of the answer to INIT in version 7.31.
const HEADER: usize = 16;
const INIT_ANSWER: usize = 64;

/// The file system. When it is dropped, who hangs in it gets an error.
pub struct DeadFiles {
    host: Host,
    place: String,
    asked: Receiver<()>,
    server: Option<JoinHandle<()>>,
}

impl DeadFiles {
    /// Mounts it on a host, at a directory that is made for it.
    ///
    /// # Errors
    /// If the kernel has no FUSE.
    pub fn mount(host: &Host, place: &str) -> Result<Self> {
        let directory = place.to_owned();
        let mut device = host.run(move || -> Result<File> {
            fs::create_dir_all(&directory)?;
            let device = File::options().read(true).write(true).open("/dev/fuse").context("/dev/fuse")?;
            let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
            mount(
                Some("dead"),
                Path::new(&directory),
                Some("fuse"),
                MsFlags::empty(),
                Some(options.as_str()),
            )?;
            Ok(device)
        })?;
        let (tell, asked) = mpsc::channel();
        let server = thread::Builder::new().name("dead files".to_owned()).spawn(move || {
            let mut request = vec![0; REQUEST_MAX];
            // The end of the connection is an error.
            while let Ok(length) = device.read(&mut request) {
                let word = |at: usize| request.get(at..at + 4).and_then(|word| word.try_into().ok());
                if length >= HEADER && word(4).map(u32::from_ne_bytes) == Some(INIT) {
                    let _ = device.write_all(&greeting(&request[8..16]));
                } else {
                    let _ = tell.send(());
                }
            }
        })?;
        Ok(Self { host: host.clone(), place: place.to_owned(), asked, server: Some(server) })
    }

    /// Awaits somebody who looks into it.
    ///
    /// # Errors
    /// If nobody does `within` this time.
    pub fn wait_for_victim(&self, within: Duration) -> Result<()> {
        self.asked.recv_timeout(within).context("nobody looks into the dead file system")
    }
}

/// The answer to INIT, the only question that is answered.
fn greeting(unique: &[u8]) -> Vec<u8> {
    let mut answer = Vec::with_capacity(HEADER + INIT_ANSWER);
    answer.extend(u32::try_from(HEADER + INIT_ANSWER).unwrap_or(0).to_ne_bytes());
    answer.extend(0_i32.to_ne_bytes());
    answer.extend(unique);
    answer.extend(7_u32.to_ne_bytes());
    answer.extend(31_u32.to_ne_bytes());
    answer.resize(HEADER + INIT_ANSWER, 0);
    // The largest write, which must not be nothing.
    answer[HEADER + 20..HEADER + 24].copy_from_slice(&4096_u32.to_ne_bytes());
    answer
}

impl Drop for DeadFiles {
    fn drop(&mut self) {
        let place = self.place.clone();
        // By force: everybody who waits gets an error, and so does the server.
        let flags = MntFlags::MNT_FORCE | MntFlags::MNT_DETACH;
        let ended = self.host.run(move || umount2(Path::new(&place), flags));
        if ended.is_ok() {
            // A panic there has been shown already.
            let _ = self.server.take().map(JoinHandle::join);
        }
    }
}
