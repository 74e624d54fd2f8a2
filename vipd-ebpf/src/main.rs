//! The kernel half of vipd: it looks at every frame that an interface receives, and takes the adverts, and the ARP and
//! neighbour discovery messages, that concern a virtual router of this host.
//!
//! One program at two places: [`vipd_xdp`](program) in the driver or in front of the network stack, [`vipd_tcx`](program)
//! behind it where XDP is taken. Both stamp, check, time and gate; neither elects. On the host this is an empty program.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]

#[cfg(target_arch = "bpf")]
mod advert;
#[cfg(target_arch = "bpf")]
mod arp;
#[cfg(target_arch = "bpf")]
mod budget;
#[cfg(target_arch = "bpf")]
mod claim;
#[cfg(target_arch = "bpf")]
mod classify;
#[cfg(target_arch = "bpf")]
mod event;
#[cfg(target_arch = "bpf")]
mod frame;
#[cfg(target_arch = "bpf")]
mod lease;
#[cfg(target_arch = "bpf")]
mod log;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod neighbour;
#[cfg(target_arch = "bpf")]
mod program;
#[cfg(target_arch = "bpf")]
mod stats;
#[cfg(target_arch = "bpf")]
mod table;
#[cfg(target_arch = "bpf")]
mod timer;
#[cfg(target_arch = "bpf")]
mod watch;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
