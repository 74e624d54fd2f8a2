//! Maps, programs and links of BPF in the kernel, as a process holds them and as the kernel counts them.

use std::fs;
use std::io;

use crate::procs;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its number; the kernel gives none twice.
    pub id: u32,
}

/// Kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A map.
    Map,
    /// A program.
    Program,
    /// What keeps a program attached.
    Link,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Map, Self::Program, Self::Link];

    /// What `/proc/PID/fdinfo` calls its number.
    fn field(self) -> &'static str {
        match self {
            Self::Map => "map_id:",
            Self::Program => "prog_id:",
            Self::Link => "link_id:",
        }
    }

    /// `BPF_MAP_GET_NEXT_ID` and its like (`bpf(2)`).
    fn next_id(self) -> libc::c_long {
        match self {
            Self::Program => 11,
            Self::Map => 12,
            Self::Link => 31,
        }
    }
}

impl Object {
    /// What a program and the processes that it has started hold open.
    #[must_use]
    pub fn held_by(pid: i32) -> Vec<Self> {
        let files = procs::tree(pid)
            .into_iter()
            .flat_map(|pid| fs::read_dir(format!("/proc/{pid}/fdinfo")).into_iter().flatten().flatten());
        let texts: Vec<String> = files.filter_map(|file| fs::read_to_string(file.path()).ok()).collect();
        let lines = || texts.iter().flat_map(|text| text.lines());
        let of_kind = |kind: Kind| {
            lines()
                .filter_map(move |line| line.strip_prefix(kind.field())?.trim().parse().ok())
                .map(move |id| Self { kind, id })
        };
        Kind::ALL.into_iter().flat_map(of_kind).collect()
    }

    /// Whether the kernel has it. Of a link: whether its program is not about to be taken off. Holds nothing meanwhile.
    ///
    /// # Errors
    /// If this process may not ask.
    pub fn is_there(self) -> io::Result<bool> {
        // `start_id`, `next_id` and flags of `union bpf_attr`.
        let mut attribute = [self.id - 1, 0, 0];
        // SAFETY: the kernel reads and writes as much as it is told that there is.
        let result = unsafe {
            libc::syscall(libc::SYS_bpf, self.kind.next_id(), attribute.as_mut_ptr(), size_of_val(&attribute))
        };
        match io::Error::last_os_error() {
            _ if result == 0 => Ok(attribute[1] == self.id),
            // There is none behind this number.
            error if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            error => Err(error),
        }
    }
}
