//! The election as others see it: inputs in, actions out, in virtual time.

mod addresses;
mod announcing;
mod detection;
mod faults;
mod fencing;
mod groups;
mod handover;
mod lan;
mod matrix;
mod preemption;
mod properties;
mod reconfiguring;
mod simulation;
mod support;
mod timers;
mod values;
mod watch;
