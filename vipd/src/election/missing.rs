//! Addresses that a Master should have and has not.

use std::net::IpAddr;

use super::run::{Election, Member};

/// Addresses that a log line names one by one.
const NAMED: usize = 3;

impl Member {
    /// Takes note of the addresses that are not there: these, those that were lost, and those whose interface is not there.
    pub(super) fn lack(&mut self, not_added: &[IpAddr]) {
        let is_held = self.in_place;
        let nowhere = self.planned.vips.iter().map(|vip| &vip.address).filter(|address| address.ifindex == 0);
        let others: Vec<IpAddr> =
            nowhere.map(|address| address.ip).chain(self.lost.iter().copied()).collect();
        let others = others.into_iter().filter(|ip| is_held && !not_added.contains(ip));
        let missing: Vec<IpAddr> = not_added.iter().copied().chain(others).collect();
        if *self.missing == *missing {
            return;
        }
        if is_held && !missing.is_empty() {
            let (name, all) = (&self.planned.config.name, self.planned.vips.len());
            let named = missing.iter().take(NAMED).map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
            let more = missing.len().saturating_sub(NAMED);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            tracing::warn!("({name}) of {all} addresses {} are missing: {named}{more}", missing.len());
        }
        self.missing = missing.into();
    }
}

impl Election {
    /// Addresses have gone from an interface: those that are not to be put back (`no_track`) are missing from now on.
    pub(super) fn addresses_gone(&mut self, ifindex: u32) {
        for id in self.places() {
            let Self { members, monitor, .. } = self;
            let Some(link) = monitor.links().by_index(ifindex) else { return };
            let member = &mut members[usize::from(id.0)];
            let addresses = member.planned.vips.iter().map(|vip| &vip.address);
            let gone: Vec<IpAddr> = addresses
                .filter(|address| address.ifindex == ifindex && !address.tracked && !link.carries(address.ip))
                .map(|address| address.ip)
                .collect();
            if member.in_place && gone.iter().any(|ip| !member.missing.contains(ip)) {
                let known = member.missing.to_vec();
                member.lost.retain(|ip| !gone.contains(ip));
                member.lost.extend(gone);
                member.lack(&known);
                self.publish(id);
            }
        }
    }
}
