//! What virtual routers stand on and the agent makes ready for them: interfaces with virtual MACs, and kernel parameters.

use std::io;

use anyhow::Context;
use nix::net::if_::if_nametoindex;

use super::macvlan::Macvlans;
use super::parameters::Parameters;
use crate::config::Instance;
use crate::link::{Link, Links, sysctl};
use crate::warden::{Undo, Will};

/// What the interface below a virtual MAC must not do with the addresses: answer for them (C-ARP-04), or name them as its own
/// when it asks for a client to whom the host answers from one of them (C-ARP-05).
const BELOW: [(&str, &str); 2] = [("arp_ignore", "1"), ("arp_announce", "2")];

/// The ground of all virtual routers; dropping it undoes what was made ready.
pub(crate) struct Ground {
    macvlans: Macvlans,
    parameters: Parameters,
    /// For each virtual router: the index of its interface when it was last made ready, and whether that went well.
    ready: Vec<Option<(u32, bool)>>,
}

impl Ground {
    /// Nothing is ready yet.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket.
    pub(crate) fn new(will: Will) -> io::Result<Self> {
        Ok(Self {
            macvlans: Macvlans::new(will.clone())?,
            parameters: Parameters::new(will),
            ready: Vec::new(),
        })
    }

    /// Makes everything ready for the virtual router of this number. Nothing is done while its interface is not there, when
    /// all is ready already, and where it has failed before.
    ///
    /// # Errors
    /// A sentence for people: what is in the way, or what the kernel does not allow.
    pub(crate) fn prepare(
        &mut self,
        number: usize,
        instance: &Instance,
        links: &Links,
    ) -> anyhow::Result<()> {
        let Some(below) = links.by_name(&instance.interface) else { return Ok(()) };
        let vmac = instance.vmac.as_ref();
        let there = vmac.and_then(|vmac| links.by_name(&vmac.name));
        // Not only the table is asked: it may not have heard of the interface yet.
        let lacks_vmac =
            vmac.is_some_and(|vmac| there.is_none() && if_nametoindex(vmac.name.as_str()).is_err());
        if self.ready.len() <= number {
            self.ready.resize(number + 1, None);
        }
        if let Some((index, went_well)) = self.ready[number]
            && index == below.index
            && !(went_well && lacks_vmac)
        {
            return Ok(());
        }
        let outcome = self.make_ready(instance, below, there);
        self.ready[number] = Some((below.index, outcome.is_ok()));
        if let (Err(_), Some(vmac)) = (&outcome, vmac) {
            self.macvlans.remove(&vmac.name);
        }
        outcome
    }

    fn make_ready(&mut self, instance: &Instance, below: &Link, there: Option<&Link>) -> anyhow::Result<()> {
        if let Some(vmac) = &instance.vmac {
            self.macvlans.make(instance, vmac, below, there)?;
        }
        self.set_parameters(instance)
    }

    /// Sets the kernel parameters that a virtual router wants on its interfaces, which are there.
    ///
    /// # Errors
    /// When one may not be set.
    pub(crate) fn set_parameters(&mut self, instance: &Instance) -> anyhow::Result<()> {
        let mut addresses = instance.addresses.iter().chain(&instance.excluded);
        if instance.vmac.is_some() && addresses.any(|address| address.ip.is_ipv4()) {
            for (parameter, value) in BELOW {
                let parameter = format!("net/ipv4/conf/{}/{parameter}", instance.interface);
                // An operator may have been stricter.
                if sysctl::read(&parameter).is_some_and(|before| before.as_str() < value) {
                    self.parameters
                        .set(&parameter, value)
                        .with_context(|| format!("cannot set {parameter}"))?;
                }
            }
        }
        if instance.promote_secondaries {
            let own = instance.vmac.as_ref().map_or(&instance.interface, |vmac| &vmac.name);
            let parameter = format!("net/ipv4/conf/{own}/promote_secondaries");
            self.parameters.set(&parameter, "1").with_context(|| format!("cannot set {parameter}"))?;
        }
        Ok(())
    }

    /// Lets go of what was made for the virtual router of this number, which is there no more: tells how its interface is
    /// removed. Kernel parameters stay as long as the agent; others may count on them.
    pub(crate) fn let_go(&mut self, number: usize, instance: &Instance) -> Option<Undo> {
        if let Some(ready) = self.ready.get_mut(number) {
            *ready = None;
        }
        self.macvlans.let_go(&instance.vmac.as_ref()?.name)
    }

    /// Every kernel parameter that was set, as it was before.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.before()
    }
}
