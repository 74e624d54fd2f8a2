//! What the kernel must know of where virtual routers stand, and the leases by which it answers for their addresses
//! (promise 1).

use vipd_core::{Input, InstanceId, Instant, State};

use super::clock;
use super::run::Election;
use crate::datapath::Standing;

impl Election {
    /// Tells the kernel all that it must know of a virtual router.
    pub(super) fn tell_kernel(&mut self, id: InstanceId) {
        let standing = self.standing(id);
        let member = &mut self.members[usize::from(id.0)];
        member.told = Some(standing);
        if let Err(error) = self.datapath.publish(id, &member.planned, standing) {
            let name = &member.planned.config.name;
            tracing::error!("({name}) cannot tell the kernel what to watch: {error}");
        }
    }

    /// Tells the kernel where virtual routers stand now, if that is not what it knows. What came before the kernel knew
    /// that one is Master is judged then: it did not end the lease, and was perhaps not told.
    pub(super) fn tell_standings(&mut self) {
        for id in self.places() {
            let standing = self.standing(id);
            let member = &mut self.members[usize::from(id.0)];
            let before = member.told.replace(standing);
            if before == Some(standing) {
                continue;
            }
            if let Err(error) = self.datapath.stand(id, &member.planned, standing) {
                let name = &member.planned.config.name;
                tracing::error!("({name}) cannot tell the kernel what to watch: {error}");
            }
            if standing.master && !before.is_some_and(|before| before.master) {
                self.look(id);
            }
        }
    }

    fn standing(&self, id: InstanceId) -> Standing {
        Standing {
            priority: self.router.status(id).priority,
            alive_from: self.router.alive_from(id),
            master: self.router.state(id) == State::Master,
        }
    }

    /// Judges the adverts that the kernel has seen: the last one that it took for a better one's, which others may have
    /// followed, and the last of all.
    fn look(&mut self, id: InstanceId) {
        let seen = self.datapath.seen(id).unwrap_or_default();
        for advert in [seen.sign, seen.last].into_iter().flatten() {
            self.router.handle(id, Input::AdvertSeen(advert), clock::now());
        }
    }

    /// An advert left at `sent`: the kernel may answer for the addresses until another node may take them over.
    ///
    /// What was on an interface before this agent came is not its to withhold.
    pub(super) fn prolong_lease(&mut self, id: InstanceId, sent: Instant) {
        let member = &self.members[usize::from(id.0)];
        if member.found || self.router.state(id) != State::Master {
            return;
        }
        let until = sent + member.lease;
        if self.datapath.extend_lease(id, until) {
            return;
        }
        // The kernel has heard somebody who is to have the addresses. If that is not how the election sees it, the lease
        // begins anew.
        self.look(id);
        if self.router.state(id) == State::Master {
            self.datapath.close_gate(id);
            // It fails only if the kernel hears another one right now.
            let _ = self.datapath.extend_lease(id, until);
        }
    }
}
