//! The agent and its command line.

pub mod agent;
pub mod cli;
pub mod config;
pub mod control;
pub mod datapath;
mod drops;
pub mod effects;
pub mod election;
mod leftovers;
pub mod link;
mod realtime;
mod report;
mod rights;
pub mod run_dir;
pub mod telemetry;
pub mod warden;
mod watch;
