//! Another configuration while the election runs: what is different is changed, and nothing else.
//!
//! Who leaves goes first, and resigns. When its addresses are gone, everybody else is given what is new, all at one moment.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use tokio::sync::oneshot;
use vipd_core::{Input, InstanceId, Spec, State};

use super::clock;
use super::frames::Frames;
use super::links::{Reach, reach};
use super::plan::{Planned, Vip, plan, protocols, statics};
use super::run::{Election, Member};
use super::tracked::Arithmetic;
use crate::config::Config;
use crate::effects::{Order, Thing};
use crate::leftovers;
use crate::track::Known;

/// Another configuration, in which every virtual router that stays has the place that it has.
#[derive(Debug)]
pub struct Reload {
    /// The configuration.
    pub(crate) config: Arc<Config>,
    /// What it tracks.
    pub(crate) known: Known,
    /// Gets the configuration as it was found on this host; or why it cannot run there, and nothing is changed.
    pub(crate) done: oneshot::Sender<Result<Vec<Planned>, String>>,
}

/// A reload that waits for those who leave.
pub(super) struct Reloading {
    reload: Reload,
    planned: Vec<Planned>,
}

/// A virtual router that stays, as it was before.
struct Before {
    id: InstanceId,
    planned: Planned,
    reach: Reach,
    things: HashSet<Thing>,
}

impl Before {
    /// Whether now it is to hear others, or by other interfaces.
    fn hears_elsewhere(&self, now: &Planned) -> bool {
        let Planned { config, vips, .. } = &self.planned;
        let on = |vips: &[Vip]| vips.iter().map(|vip| vip.on).collect::<BTreeSet<_>>();
        let other = &now.config;
        config.group != other.group
            || config.peers != other.peers
            || config.fence != other.fence
            || self.planned.ifindex != now.ifindex
            || on(vips) != on(&now.vips)
    }
}

impl Election {
    /// Goes on by another configuration.
    pub(super) fn reload(&mut self, reload: Reload) {
        let planned = match plan(&reload.config, self.monitor.links()) {
            Ok(planned) => planned,
            Err(error) => return drop(reload.done.send(Err(error.to_string()))),
        };
        let ids: Vec<InstanceId> = self.ids().collect();
        for id in ids {
            let planned = &planned[usize::from(id.0)];
            if planned.config.is_vacant() {
                self.leave(id, planned.clone());
            }
        }
        self.reloading = Some(Reloading { reload, planned });
    }

    /// Has a virtual router resign and give everything away.
    fn leave(&mut self, id: InstanceId, vacant: Planned) {
        let priority = self.router.status(id).priority;
        tracing::info!("({}) taken away by a reload", self.name(id));
        self.members[usize::from(id.0)].leaving = true;
        self.arithmetic.waiting.retain(|waiting| *waiting != id);
        self.router.handle(id, Input::Shutdown, clock::now());
        // The resignation leaves while it is known how.
        self.perform();
        let gone = std::mem::replace(&mut self.members[usize::from(id.0)].planned, vacant);
        if let Some(undo) = self.ground.let_go(id.0.into(), &gone.config) {
            self.order(id, Order::Undo(undo));
        }
        self.publisher.deleted(id, priority);
    }

    /// Whether a reload waits, and for nobody any more.
    pub(super) fn reload_is_due(&self) -> bool {
        self.reloading.is_some() && self.members.iter().all(|member| !member.leaving || member.orders == 0)
    }

    /// Does what is left of a reload.
    pub(super) async fn finish_reload(&mut self) -> anyhow::Result<()> {
        let Some(Reloading { reload: Reload { config, known, done }, planned }) = self.reloading.take()
        else {
            return Ok(());
        };
        let left = self.vacate();
        let added = self.prepare(&planned).await?;
        let before = self.replan(planned, &added);
        self.resume(&config, known);
        self.monitor.hear_of(&protocols(&config));
        if left
            || !added.is_empty()
            || before.iter().any(|before| before.hears_elsewhere(self.planned(before.id)))
        {
            self.listen();
        }
        for Before { id, reach, .. } in &before {
            self.rebuild(*id, *reach);
        }
        for id in &added {
            self.rebuild(*id, reach(self.planned(*id)));
        }
        self.record(&config, &before);
        self.move_things(&before, &added);
        self.statics.reload(config, self.monitor.links(), &self.holder);
        self.follow_fences(&before);
        self.weigh();
        for id in added {
            self.begin(id);
        }
        // Who asked may have gone.
        let _ = done.send(Ok(self.members.iter().map(|member| member.planned.clone()).collect()));
        Ok(())
    }

    /// Forgets who has left; tells whether anybody has.
    fn vacate(&mut self) -> bool {
        let mut left = false;
        for id in self.places() {
            let member = &mut self.members[usize::from(id.0)];
            if !std::mem::take(&mut member.leaving) {
                continue;
            }
            self.router.replace(id, member.planned.spec());
            self.rebuild(id, (true, None));
            self.board.clear(id);
            left = true;
        }
        left
    }

    /// Makes everything ready for virtual routers that are new, and tells which these are.
    async fn prepare(&mut self, planned: &[Planned]) -> anyhow::Result<Vec<InstanceId>> {
        let Self { members, ground, monitor, .. } = self;
        let is_new = |(id, planned): &(InstanceId, &Planned)| {
            let member = members.get(usize::from(id.0));
            !planned.config.is_vacant() && member.is_none_or(|member| member.planned.config.is_vacant())
        };
        let added: Vec<_> = (0..).map(InstanceId).zip(planned).filter(is_new).collect();
        for (id, Planned { config, .. }) in &added {
            if let Err(error) = ground.prepare(id.0.into(), config, monitor.links()) {
                tracing::error!("({}) {error:#}", config.name);
            }
        }
        if added.iter().any(|(_, planned)| planned.config.vmac.is_some()) {
            // What was made is known then, and what else has changed is told all the same.
            monitor.read_anew().await?;
        }
        Ok(added.into_iter().map(|(id, _)| id).collect())
    }

    /// Has everybody be what is planned now. Tells what those were before that stay and are different.
    fn replan(&mut self, planned: Vec<Planned>, added: &[InstanceId]) -> Vec<Before> {
        let mut before = Vec::new();
        for (id, mut planned) in (0..).map(InstanceId).zip(planned) {
            planned.refresh(self.monitor.links());
            if added.contains(&id) {
                self.add(id, planned);
            } else if !planned.config.is_vacant() && !self.planned(id).is_as(&planned) {
                if let Err(error) = self.ground.set_parameters(&planned.config) {
                    tracing::error!("({}) {error:#}", planned.config.name);
                }
                let member = &mut self.members[usize::from(id.0)];
                member.lease = planned.spec().lease();
                let was = std::mem::replace(&mut member.planned, planned);
                before.push(Before {
                    id,
                    reach: reach(&was),
                    things: was.things().into_iter().collect(),
                    planned: was,
                });
            }
        }
        let spec = |before: &Before| {
            let id = before.id;
            // Its base may be another one; what that comes to is weighed later.
            (id, Spec { priority: self.router.status(id).priority, ..self.planned(id).spec() })
        };
        let specs: Vec<_> = before.iter().map(spec).collect();
        self.router.reconfigure(specs, clock::now());
        before
    }

    /// Gives a virtual router that is new its place.
    fn add(&mut self, id: InstanceId, planned: Planned) {
        self.router.replace(id, planned.spec());
        self.board.clear(id);
        // Its frames are built with everything else that is told of it.
        let member = Member::new(planned, Frames::default());
        match self.members.get_mut(usize::from(id.0)) {
            Some(place) => *place = member,
            None => self.members.push(member),
        }
    }

    /// Has the arithmetic be that of the configuration, and go on from what the election was told.
    fn resume(&mut self, config: &Config, known: Known) {
        let before = std::mem::replace(&mut self.arithmetic, Arithmetic::new(config, known));
        let ids: Vec<InstanceId> = self.ids().collect();
        for id in ids {
            self.arithmetic.resume(&before, id, self.router.status(id).priority);
        }
    }

    /// Has the record name what was there before, until that is gone, and what will be.
    fn record(&mut self, config: &Config, before: &[Before]) {
        let were = before.iter().flat_map(|before| before.things.iter().cloned());
        let are = self.members.iter().flat_map(|member| member.planned.things());
        let things: Vec<Thing> = were.chain(are).chain(statics(config, self.monitor.links())).collect();
        self.statics.record(leftovers::record(&things, &self.ground), &self.holder);
    }

    /// Has things moved that are different. Everybody gives away first, so that what another one gets is free.
    fn move_things(&mut self, before: &[Before], added: &[InstanceId]) {
        for Before { id, things: were, .. } in before {
            let mut kept = self.planned(*id).things();
            kept.retain(|thing| were.contains(thing));
            if kept.len() < were.len() {
                self.move_to(*id, kept);
            }
        }
        for Before { id, planned: was, things: were, .. } in before {
            let things = self.planned(*id).things();
            if things.iter().any(|thing| !were.contains(thing)) {
                let there = self.planned(*id).vips.iter().filter(|vip| vip.address.ifindex != 0);
                let were: HashSet<&Vip> = was.vips.iter().collect();
                let fresh = there.enumerate().filter(|(_, vip)| !were.contains(vip));
                let fresh: Vec<usize> = fresh.map(|(number, _)| number).collect();
                self.move_to(*id, things);
                if self.router.state(*id) == State::Master {
                    self.members[usize::from(id.0)].fresh = fresh;
                }
            }
        }
        for id in added {
            self.move_to(*id, self.planned(*id).things());
        }
    }

    fn move_to(&mut self, id: InstanceId, things: Vec<Thing>) {
        let member = &mut self.members[usize::from(id.0)];
        member.in_place = false;
        member.lost.clear();
        member.orders += 1;
        self.orders.push((id, Order::Replace(things)));
    }

    /// Who has a fence now is guarded by it, and who has none any more is not cut off.
    fn follow_fences(&mut self, before: &[Before]) {
        let now = clock::now();
        for Before { id, planned: was, .. } in before {
            match (&was.config.fence, &self.planned(*id).config.fence) {
                (None, Some(_)) => self.fences.repeat(*id, self.router.state(*id) == State::Master, now),
                (Some(_), None) => self.tell(*id, Input::Connected(true), now),
                _ => {}
            }
        }
    }
}
