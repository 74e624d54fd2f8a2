//! The agent and its command line.

pub mod config;
pub mod datapath;
