//! The agent and its command line.

pub mod agent;
pub mod cli;
pub mod config;
pub mod control;
pub mod datapath;
mod drops;
pub mod effects;
pub mod election;
mod exec;
mod fence;
mod leftovers;
pub mod link;
mod net_namespace;
pub mod notify;
mod reach;
mod realtime;
pub mod reload;
mod report;
mod rights;
pub mod run_dir;
mod service;
pub mod telemetry;
mod track;
pub mod warden;
mod watch;
