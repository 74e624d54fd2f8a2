//! What virtual routers stand on and the agent makes ready for them: interfaces with virtual MACs, and kernel parameters.

use std::io;

use anyhow::Context;
use nix::net::if_::if_nametoindex;

use super::macvlan::Macvlans;
use super::parameters::Parameters;
use crate::config::Instance;
use crate::link::{Link, Links};
use crate::warden::Will;

/// The ground of all virtual routers; dropping it undoes what was made ready.
pub(crate) struct Ground {
    macvlans: Macvlans,
    parameters: Parameters,
    /// For each virtual router: the index of its interface when it was last made ready, and whether that went well.
    ready: Vec<Option<(u32, bool)>>,
}

impl Ground {
    /// The ground of this many virtual routers, none of them ready.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket.
    pub(crate) fn new(count: usize, will: Will) -> io::Result<Self> {
        Ok(Self {
            macvlans: Macvlans::new(will.clone())?,
            parameters: Parameters::new(will),
            ready: vec![None; count],
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
        let vmac = instance.vmac.as_ref();
        if let Some(vmac) = vmac {
            self.macvlans.make(instance, vmac, below, there, &mut self.parameters)?;
        }
        if instance.promote_secondaries {
            let own = vmac.map_or(&instance.interface, |vmac| &vmac.name);
            let parameter = format!("net/ipv4/conf/{own}/promote_secondaries");
            self.parameters.set(&parameter, "1").with_context(|| format!("cannot set {parameter}"))?;
        }
        Ok(())
    }

    /// Every kernel parameter that was set, as it was before.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.before()
    }
}
