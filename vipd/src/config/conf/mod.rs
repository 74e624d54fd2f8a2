//! keepalived.conf, from its text to tables.
//!
//! ```text
//! text ─ expand (conditions, definitions, include) ─ lex ─ blocks ─ lower (keywords, words) ─▶ Table
//! ```

mod blocks;
mod command;
mod expand;
mod ignored;
mod include;
mod keywords;
mod lex;
mod line;
mod list;
mod lower;
mod ranges;

use std::path::PathBuf;

use super::diagnostic::Findings;
use super::tree::Table;

#[cfg(test)]
pub(super) use keywords::KEYWORDS;
pub(super) use keywords::key_of;
pub(super) use lex::split_command;

/// Reads the file that begins at `start` in the sources of `findings`, for the node called `host`. `None` where its
/// braces do not match, which is reported.
pub(super) fn read(name: &str, start: usize, host: &str, findings: &mut Findings) -> Option<Table> {
    let tokens = expand::expand(PathBuf::from(name), start, host, findings);
    let nodes = blocks::parse(tokens, keywords::is_root_block, findings)?;
    Some(lower::lower(&nodes, findings))
}
