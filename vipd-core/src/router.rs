//! The set of virtual routers.

use crate::deadlines::Deadlines;
use crate::group::{self, Groups};
use crate::instance::Instance;
use crate::queue::Queue;
use crate::{Action, Fault, Input, InstanceId, Instant, Seen, Spec, State, Status};

/// All virtual routers of one agent, each on its own (C-FSM-15) or with its sync group.
///
/// Moments given as `now` never go back. Every method that takes an [`InstanceId`] panics when there is no such
/// virtual router. Nothing is allocated after [`new`](Self::new), as long as the actions are fetched after every call.
#[derive(Debug)]
pub struct Router {
    instances: Vec<Instance>,
    groups: Groups,
    deadlines: Deadlines,
    queue: Queue,
}

impl Router {
    /// Virtual routers in state Initialize; `InstanceId(n)` is `specs[n]`.
    ///
    /// # Panics
    ///
    /// When there are more virtual routers than an [`InstanceId`] can tell apart.
    #[must_use]
    pub fn new(specs: Vec<Spec>) -> Self {
        let count = u16::try_from(specs.len()).expect("an InstanceId for every virtual router");
        let ids = (0..count).map(InstanceId);
        let deadlines = Deadlines::new(ids.clone());
        let instances: Vec<_> = ids.zip(specs).map(|(id, spec)| Instance::new(id, spec)).collect();
        let groups = Groups::new(&instances);
        let mut router = Self { groups, deadlines, instances, queue: Queue::default() };
        router.reorder();
        router
    }

    /// Gives virtual routers other configurations, all at once, so that sync groups are not torn apart meanwhile. Each goes on
    /// in the state that it is in: what it waits for counts from where it counted, and a Master that is to send more often
    /// does so at once. Whom nothing but its sync group kept waiting or in FAULT, and who is in it no more, goes on alone.
    /// Allocates.
    pub fn reconfigure(&mut self, specs: impl IntoIterator<Item = (InstanceId, Spec)>, now: Instant) {
        for (id, spec) in specs {
            self.instances[usize::from(id.0)].reconfigure(spec, now);
        }
        self.reorder();
        let count = u16::try_from(self.instances.len()).unwrap_or(u16::MAX);
        for id in (0..count).map(InstanceId) {
            if self.groups.with(id) == [id] {
                self.handle(id, Input::FaultCleared(Fault::Group(id)), now);
            } else {
                self.settle(id, self.state(id), now);
            }
        }
    }

    /// Puts a new virtual router, in state Initialize, in the place of one that has been shut down, or behind the last one.
    /// Allocates.
    ///
    /// # Panics
    ///
    /// When the place is neither of these.
    pub fn replace(&mut self, id: InstanceId, spec: Spec) {
        let place = usize::from(id.0);
        let instance = Instance::new(id, spec);
        if place == self.instances.len() {
            self.instances.push(instance);
        } else {
            assert_eq!(self.state(id), State::Initialize, "a virtual router is to be replaced while it runs");
            self.instances[place] = instance;
        }
        self.reorder();
    }

    /// Everything that is derived from the set of virtual routers, anew.
    fn reorder(&mut self) {
        self.groups = Groups::new(&self.instances);
        self.deadlines = Deadlines::new(self.instances.iter().map(Instance::id));
        for instance in &self.instances {
            self.deadlines.set(instance.id(), instance.deadline());
        }
        self.queue.reserve(self.instances.iter().map(Instance::most_actions).sum());
    }

    /// Tells that something happened to a virtual router.
    ///
    /// No timer fires here: adverts that arrived before a deadline may be told after it, and count, as long as
    /// [`expire`](Self::expire) has not been called (C-TMR-09).
    pub fn handle(&mut self, id: InstanceId, input: Input, now: Instant) {
        let before = self.state(id);
        self.instances[usize::from(id.0)].handle(input, now, &mut self.queue);
        self.settle(id, before, now);
    }

    /// Fires every timer that is due at `now`, the earliest first, and of equal ones that of the smaller id.
    ///
    /// A periodic timer fires at most once in a call: what is armed anew lies after `now`.
    pub fn expire(&mut self, now: Instant) {
        self.expire_by(now, |_| Seen::default());
    }

    /// [`expire`](Self::expire), but before a Backup's timer fires `seen` is asked for what it may have missed. If there
    /// was a sign of life, the timer is armed anew and does not fire (C-TMR-09).
    pub fn expire_by(&mut self, now: Instant, mut seen: impl FnMut(InstanceId) -> Seen) {
        while let Some((_, id)) = self.deadlines.first().filter(|(deadline, _)| *deadline <= now) {
            let instance = &mut self.instances[usize::from(id.0)];
            let before = instance.state();
            if before == State::Backup {
                instance.catch_up(seen(id), now, &mut self.queue);
            }
            if instance.is_due(now) {
                instance.fire(now, &mut self.queue);
            }
            self.settle(id, before, now);
        }
    }

    /// Lets the sync group of `id` follow it, and brings the deadlines up to date.
    fn settle(&mut self, id: InstanceId, before: State, now: Instant) {
        let members = self.groups.with(id);
        group::settle(&mut self.instances, members, id, before, now, &mut self.queue);
        for member in members {
            self.deadlines.set(*member, self.instances[usize::from(member.0)].deadline());
        }
    }

    /// When [`expire`](Self::expire) must be called next; `None` while no timer runs.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| deadline)
    }

    /// The next command, in the order in which they must be done.
    ///
    /// Adverts and announcements that a virtual router had still to send are gone when it leaves MASTER (C-ARP-08).
    pub fn poll_action(&mut self) -> Option<Action> {
        self.queue.pop()
    }

    /// The state of a virtual router.
    #[must_use]
    pub fn state(&self, id: InstanceId) -> State {
        self.instance(id).state()
    }

    /// All that a virtual router tells of itself.
    #[must_use]
    pub fn status(&self, id: InstanceId) -> Status {
        self.instance(id).status()
    }

    /// When a virtual router in BACKUP takes over unless a sign of life comes before; `None` in any other state.
    ///
    /// Adverts move it: compare with the newest arrival that the kernel has seen before [`expire`](Self::expire).
    #[must_use]
    pub fn silence_deadline(&self, id: InstanceId) -> Option<Instant> {
        self.instance(id).silence_deadline()
    }

    /// The least priority of an advert that this virtual router takes for a sign of life while it is BACKUP (C-FSM-06):
    /// what somebody must know who watches for it.
    #[must_use]
    pub fn alive_from(&self, id: InstanceId) -> u8 {
        self.instance(id).alive_from()
    }

    fn instance(&self, id: InstanceId) -> &Instance {
        &self.instances[usize::from(id.0)]
    }
}
