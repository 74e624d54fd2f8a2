//! A host: one thread with network, mount, PID and host-name namespaces of its own.

use std::any::Any;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use anyhow::{Context, Result, bail};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::sethostname;

use crate::dir::LabDir;
use crate::process::Process;

/// The namespaces' first process. It ends, and the kernel then kills every process of the host, when the pipe to its
/// standard input closes; and that closes however the maker of the lab dies. The shell stays in front of `cat` to reap
/// orphans, and to start it again after [`Host::kill_everything`].
const INIT: &str =
    "mount -t proc proc /proc && echo ready && exec 2>/dev/null && until cat; do :; done; exit";

type Job = Box<dyn FnOnce() + Send>;

/// A machine of the lab. Clones are handles to the same machine, which goes down with the last of them.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    name: String,
    /// `None` only while the host goes down.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    init: u32,
    netns: File,
    dir: Arc<LabDir>,
}

/// What the host's thread reports once it is up.
struct Birth {
    init: u32,
    netns: File,
}

impl Host {
    pub(crate) fn boot(name: &str, dir: Arc<LabDir>) -> Result<Self> {
        let mount_point = dir.path().join(name);
        fs::create_dir(&mount_point).with_context(|| format!("a second host called {name}"))?;
        let (jobs, work) = mpsc::channel::<Job>();
        let (tell, told) = mpsc::channel();
        let host_name = name.to_owned();
        let thread = thread::Builder::new()
            .name(format!("host {name}"))
            .spawn(move || live(&host_name, &mount_point, &tell, &work))?;
        let birth =
            told.recv().context("the host's thread ended")?.with_context(|| format!("host {name}"))?;
        Ok(Self(Arc::new(Inner {
            name: name.to_owned(),
            jobs: Some(jobs),
            thread: Some(thread),
            init: birth.init,
            netns: birth.netns,
            dir,
        })))
    }

    /// Its name, which is also its host name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Pid of the host's first process, as the lab's own process sees it.
    #[must_use]
    pub fn init_pid(&self) -> u32 {
        self.0.init
    }

    /// A directory on the disk of the machine that the lab runs on, the same for every host of a lab; it goes with the
    /// lab.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.0.dir.path()
    }

    /// Runs `job` on the host's thread and returns what it returns. A socket opened there belongs to the host's
    /// network wherever it is used later; a process started there is one of the host's. The job cannot start
    /// threads: for that there is [`Host::spawn_thread`].
    ///
    /// # Panics
    /// If `job` panics.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> T {
        let (tell, told) = mpsc::sync_channel(1);
        let guarded = move || {
            // Nobody waits for the answer only if the caller's thread is gone.
            let _ = tell.send(catch_unwind(AssertUnwindSafe(job)));
        };
        let jobs = self.0.jobs.as_ref().expect("the host is up while a handle exists");
        jobs.send(Box::new(guarded)).expect("the host's thread outlives its handles");
        told.recv()
            .expect("the host's thread answers")
            .unwrap_or_else(|cause: Box<dyn Any + Send>| resume_unwind(cause))
    }

    /// Starts a thread of the lab's process inside the host's network; files and processes are still the lab's.
    ///
    /// # Errors
    /// If no thread can be started, or it may not enter the host's network.
    pub fn spawn_thread<T: Send + 'static>(
        &self,
        label: &str,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<nix::Result<T>>> {
        let host = self.clone();
        let (tell, told) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name(format!("{label} on {}", self.name())).spawn(move || {
            let entered = setns(&host.0.netns, CloneFlags::CLONE_NEWNET);
            // The caller waits for this answer.
            let _ = tell.send(entered);
            entered.map(|()| body())
        })?;
        told.recv().context("the thread ended")?.context("cannot enter the host's network")?;
        Ok(thread)
    }

    /// Starts a program on the host, in a process group of its own, with its output caught.
    ///
    /// # Errors
    /// If the program cannot be started.
    pub fn spawn<A: AsRef<OsStr>>(&self, program: impl AsRef<OsStr>, args: &[A]) -> Result<Process> {
        Process::start(self, program.as_ref(), args)
    }

    /// Runs a program on the host to its end and returns its standard output.
    ///
    /// # Errors
    /// If it cannot be started or fails; the error then carries its standard error.
    pub fn command(&self, line: &str) -> Result<String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let output =
            self.run(move || Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).output());
        let output = output.with_context(|| format!("{}: cannot run: {line}", self.name()))?;
        if !output.status.success() {
            bail!(
                "{}: {line}: {}: {}",
                self.name(),
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Runs the lines of `script`, each a command of `ip` without the word `ip`.
    pub(crate) fn ip(&self, script: &str) -> Result<()> {
        let script = script.to_owned();
        let output = self.run(move || -> std::io::Result<_> {
            let mut ip = Command::new("ip")
                .args(["-batch", "-"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()?;
            if let Some(mut stdin) = ip.stdin.take() {
                stdin.write_all(script.as_bytes())?;
            }
            ip.wait_with_output()
        })?;
        if !output.status.success() {
            bail!("{}: ip: {}", self.name(), String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(())
    }

    /// Writes a file on the host. `/etc`, `/run` and `/var/log` are the host's own; other places belong to the
    /// machine that the lab runs on.
    ///
    /// # Errors
    /// If the file cannot be written, or would land outside of the host's own places.
    pub fn write_file(&self, path: &str, content: &str, mode: u32) -> Result<()> {
        if !["/etc/", "/run/", "/var/log/"].iter().any(|own| path.starts_with(own)) || path.contains("..") {
            bail!("{path} is not in a place of the host's own");
        }
        let (to, content) = (Path::new(path).to_owned(), content.to_owned());
        self.run(move || -> std::io::Result<()> {
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&to, content)?;
            fs::set_permissions(&to, fs::Permissions::from_mode(mode))
        })
        .with_context(|| format!("{}: cannot write {path}", self.name()))
    }

    /// Reads a file of the host.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_file(&self, path: &str) -> Result<String> {
        let from = path.to_owned();
        self.run(move || fs::read_to_string(from))
            .with_context(|| format!("{}: cannot read {path}", self.name()))
    }

    /// Sets a kernel parameter of the host, such as `net/ipv4/ip_forward`.
    ///
    /// # Errors
    /// If there is no such parameter or it does not take the value.
    pub fn sysctl(&self, name: &str, value: &str) -> Result<()> {
        let (path, value) = (Path::new("/proc/sys").join(name), value.to_owned());
        self.run(move || fs::write(path, value)).with_context(|| format!("{}: sysctl {name}", self.name()))
    }

    /// Kills every process of the host at once, as a power cut does. Links and addresses stay as they are.
    ///
    /// # Errors
    /// If the shell that does it cannot be started.
    pub fn kill_everything(&self) -> Result<()> {
        // From inside, -1 means every process of the PID namespace but its first one and the caller.
        self.run(|| Command::new("sh").args(["-c", "kill -KILL -1"]).status())?;
        Ok(())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been shown already, and there is nothing left to take down.
            let _ = thread.join();
        }
    }
}

/// The host's thread: enters new namespaces, works off jobs, takes everything down.
fn live(name: &str, mount_point: &Path, tell: &mpsc::Sender<Result<Birth>>, jobs: &mpsc::Receiver<Job>) {
    let mut init = match enter(name, mount_point) {
        Ok((init, netns)) => {
            let _ = tell.send(Ok(Birth { init: init.id(), netns }));
            init
        }
        Err(error) => {
            let _ = tell.send(Err(error));
            return;
        }
    };
    while let Ok(job) = jobs.recv() {
        job();
    }
    drop(init.stdin.take());
    let _ = init.wait();
}

fn enter(name: &str, mount_point: &Path) -> Result<(Child, File)> {
    let flags = CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS;
    unshare(flags).context("new namespaces (this needs root)")?;
    let netns = File::open("/proc/thread-self/ns/net")?;
    sethostname(name)?;
    mount_own_places(mount_point).context("the host's own file systems")?;
    let mut init = Command::new("sh")
        .args(["-c", INIT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .context("first process")?;
    let mut line = String::new();
    if let Some(stdout) = init.stdout.take() {
        BufReader::new(stdout).read_line(&mut line)?;
    }
    if line != "ready\n" {
        bail!("the host's first process did not start: {}", init.wait()?);
    }
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
    if !up.success() {
        bail!("cannot bring up lo: {up}");
    }
    Ok((init, netns))
}

fn mount_own_places(mount_point: &Path) -> Result<()> {
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some("tmpfs"), mount_point, Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))?;
    let (upper, work) = (mount_point.join("etc"), mount_point.join("work"));
    fs::create_dir(&upper)?;
    fs::create_dir(&work)?;
    let layers = format!("lowerdir=/etc,upperdir={},workdir={}", upper.display(), work.display());
    mount(Some("overlay"), "/etc", Some("overlay"), MsFlags::empty(), Some(layers.as_str()))?;
    for own in ["/run", "/var/log"] {
        mount(Some("tmpfs"), own, Some("tmpfs"), MsFlags::empty(), Some("mode=0755"))?;
    }
    // A sysfs shows the network of the namespace that it was mounted in.
    mount(Some("sysfs"), "/sys", Some("sysfs"), MsFlags::empty(), none)?;
    mount(Some("bpf"), "/sys/fs/bpf", Some("bpf"), MsFlags::empty(), none)?;
    Ok(())
}
