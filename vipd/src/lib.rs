//! The agent and its command line.

pub mod agent;
pub mod cli;
pub mod config;
pub mod control;
pub mod datapath;
pub mod effects;
pub mod election;
mod exec;
mod last_will;
pub mod link;
mod reach;
mod report;
mod rights;
pub mod run_dir;
pub mod telemetry;
mod track;
mod watch;
