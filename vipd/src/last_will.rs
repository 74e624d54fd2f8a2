//! What must not outlive an agent: removed by the next one at its start, and by the service thread when the election
//! thread fails.

use crate::config::Config;
use crate::effects::{Address, Rtnl, Transmitter, remove};
use crate::election::{self, Board, Planned};
use crate::link::{Links, Monitor};

/// Removes the addresses of this configuration that an agent left behind. Only those with an agent's mark are touched:
/// the owner's own address stays.
///
/// # Errors
/// When the kernel refuses to remove one.
pub(crate) fn remove_leftovers(links: &Links, planned: &[Planned]) -> anyhow::Result<()> {
    let left: Vec<Address> = planned
        .iter()
        .flat_map(|planned| &planned.addresses)
        .filter(|(address, _)| {
            let link = links.by_index(address.ifindex);
            link.is_some_and(|link| link.marked().any(|marked| marked == (address.ip, address.prefix)))
        })
        .map(|(address, _)| address.clone())
        .collect();
    for (address, result) in left.iter().zip(remove(&mut Rtnl::open()?, &left)?) {
        result?;
        tracing::warn!("removed {}/{}, which an agent had left behind", address.ip, address.prefix);
    }
    Ok(())
}

/// Resigns for every virtual router that was MASTER, and removes what is held.
///
/// # Errors
/// When the kernel refuses; what stays is then for the next agent to remove.
pub(crate) async fn execute(config: &Config, board: &Board) -> anyhow::Result<()> {
    let monitor = Monitor::start().await?;
    let planned = election::plan(config, monitor.links())?;
    election::resign(&planned, board, &mut Transmitter::open()?);
    remove_leftovers(monitor.links(), &planned)
}
