//! What an operator wants of virtual routers.

use tokio::sync::oneshot;
use vipd_core::{Fault, Input, InstanceId, State};

use super::clock;
use super::run::Election;
use crate::control::{Operation, Target};

/// Virtual routers that hand over, and who waits to hear of it.
#[derive(Debug)]
pub(super) struct HandOver {
    remaining: Vec<InstanceId>,
    names: Vec<String>,
    done: Done,
}

/// Who asked for something: gets the names of the virtual routers that it was done to, or why not; a sentence for people.
pub(super) type Done = oneshot::Sender<Result<Vec<String>, String>>;

impl Election {
    /// Does what an operator wants.
    pub(super) fn operate(&mut self, operation: Operation, target: &Target, done: Done) {
        // Who asked may have gone: nothing is lost then.
        match self.meant(operation, target) {
            Err(refused) => drop(done.send(Err(refused))),
            Ok(meant) => {
                let names: Vec<String> = meant.iter().map(|id| self.name(*id).to_owned()).collect();
                let input = match operation {
                    Operation::HandOff => Input::HandOver,
                    Operation::Hold => Input::FaultRaised(Fault::Held),
                    Operation::Release => Input::FaultCleared(Fault::Held),
                };
                for id in &meant {
                    tracing::info!("({}) {operation}, as an operator wants", self.name(*id));
                    self.tell(*id, input, clock::now());
                }
                if operation == Operation::HandOff {
                    self.hand_overs.push(HandOver { remaining: meant, names, done });
                } else {
                    let _ = done.send(Ok(names));
                }
            }
        }
    }

    fn meant(&self, operation: Operation, target: &Target) -> Result<Vec<InstanceId>, String> {
        let mut meant: Vec<InstanceId> = self.ids().filter(|id| self.is_meant(*id, target)).collect();
        if meant.is_empty() {
            let Target::Named(name) = target else { return Err("there is no virtual router".to_owned()) };
            let known: Vec<&str> = self.ids().map(|id| self.name(id)).collect();
            return Err(format!("there is no virtual router {name}; there is {}", known.join(", ")));
        }
        if operation == Operation::HandOff {
            meant.retain(|id| self.router.state(*id) == State::Master);
            if meant.is_empty() {
                return Err("this node is not MASTER there: it has nothing to hand over".to_owned());
            }
        }
        Ok(meant)
    }

    /// A sync group moves as one, and answers to its own name and to those of its members.
    fn is_meant(&self, id: InstanceId, target: &Target) -> bool {
        let Target::Named(name) = target else { return true };
        let group = |id: InstanceId| self.planned(id).group.as_ref();
        let of_group = group(id).is_some_and(|own| {
            own.name == *name || self.ids().any(|other| self.name(other) == name && group(other) == Some(own))
        });
        self.name(id) == name || of_group
    }

    /// Takes note that a virtual router is MASTER no more, or that it goes on because nobody took over.
    pub(super) fn handed_over(&mut self, id: InstanceId, outcome: Result<(), ()>) {
        for hand_over in &mut self.hand_overs {
            hand_over.remaining.retain(|remaining| *remaining != id || outcome.is_err());
        }
        let name = self.name(id).to_owned();
        let ended = |hand_over: &mut HandOver| {
            hand_over.remaining.is_empty() || outcome.is_err() && hand_over.remaining.contains(&id)
        };
        for hand_over in self.hand_overs.extract_if(.., ended) {
            let answer = outcome
                .map(|()| hand_over.names)
                .map_err(|()| format!("nobody took {name} over: this node goes on as MASTER"));
            let _ = hand_over.done.send(answer);
        }
    }
}
