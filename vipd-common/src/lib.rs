//! What the kernel half and the user half of vipd share, `no_std` and without allocation.
//!
//! - [`wire`]: the formats on the wire, and the receive checks that judge an advert. One parser serves the XDP program,
//!   the tcx program and the packet socket.
//! - [`wait`]: which advert keeps a Backup waiting, and for how long.
//! - [`abi`]: keys, values and records of the BPF maps.
#![cfg_attr(not(test), no_std)]
#![expect(
    clippy::inline_always,
    reason = "the kernel half must see lengths and bounds where they are used, and a BPF call takes five arguments"
)]

pub mod abi;
pub mod wait;
pub mod wire;
