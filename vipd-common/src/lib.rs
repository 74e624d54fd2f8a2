//! What the kernel half and the user half of vipd share, `no_std` and without allocation.
//!
//! - [`wire`]: the formats on the wire, and the receive checks that judge an advert. One parser serves the XDP program,
//!   the tcx program and the packet socket.
//! - [`abi`]: keys, values and records of the BPF maps.
#![no_std]

pub mod abi;
pub mod wire;
