//! A program of two instructions, `r0 = verdict; exit`: what a test-run costs when nothing is done.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::programs::Road;

/// `enum bpf_cmd`.
const PROG_LOAD: libc::c_long = 5;
const PROG_TEST_RUN: libc::c_long = 10;
/// `enum bpf_prog_type`.
const SCHED_CLS: u32 = 3;
const XDP: u32 = 6;

/// `struct bpf_insn`.
#[repr(C)]
struct Instruction {
    code: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

/// The head of `union bpf_attr` for `BPF_PROG_LOAD`; the kernel takes what is not told as zero.
#[repr(C)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
}

/// The head of `union bpf_attr` for `BPF_PROG_TEST_RUN`.
#[repr(C)]
#[derive(Default)]
struct TestRun {
    program: u32,
    result: u32,
    size_in: u32,
    size_out: u32,
    data_in: u64,
    data_out: u64,
    repeat: u32,
    duration: u32,
}

/// The program in the kernel.
pub(crate) struct Empty(OwnedFd);

impl Empty {
    /// Loads it for a road: it says `XDP_PASS`, or `TCX_NEXT`.
    pub(crate) fn load(road: Road) -> io::Result<Self> {
        let (kind, verdict) = if road == Road::Xdp { (XDP, 2) } else { (SCHED_CLS, -1) };
        // BPF_ALU64 | BPF_MOV | BPF_K of r0, then BPF_JMP | BPF_EXIT.
        let instructions = [
            Instruction { code: 0xb7, registers: 0, offset: 0, immediate: verdict },
            Instruction { code: 0x95, registers: 0, offset: 0, immediate: 0 },
        ];
        let mut load = Load {
            kind,
            count: 2,
            instructions: instructions.as_ptr() as u64,
            license: c"Dual MIT/GPL".as_ptr() as u64,
        };
        // SAFETY: the attributes name two instructions and a string that all outlive the call.
        let fd = unsafe { bpf(PROG_LOAD, &mut load) }?;
        // SAFETY: the kernel has just made this descriptor for the caller, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The kernel's mean over `repeat` runs, in nanoseconds.
    pub(crate) fn run(&self, frame: &[u8], repeat: u32) -> io::Result<u32> {
        let mut run = TestRun {
            program: self.0.as_raw_fd().cast_unsigned(),
            size_in: u32::try_from(frame.len()).map_err(io::Error::other)?,
            data_in: frame.as_ptr() as u64,
            repeat,
            ..TestRun::default()
        };
        // SAFETY: the attributes name a frame of the length that is told and that outlives the call, and no room for
        // what comes out.
        unsafe { bpf(PROG_TEST_RUN, &mut run) }?;
        Ok(run.duration)
    }
}

/// The system call `bpf`.
///
/// # Safety
/// The attributes must be those of the command, and what they point to must outlive the call.
unsafe fn bpf<T>(command: libc::c_long, attributes: &mut T) -> io::Result<i32> {
    // SAFETY: the attributes are as long as is told; for the rest the caller vouches.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attributes, size_of::<T>()) };
    match i32::try_from(result).map_err(io::Error::other)? {
        result if result < 0 => Err(io::Error::last_os_error()),
        result => Ok(result),
    }
}
