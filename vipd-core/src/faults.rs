//! What a virtual router misses at the moment.

use crate::{Fault, InstanceId, TrackerId};

/// A set of faults. The node takes part only while it is empty (C-FSM-14).
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a member of the set")]
pub(crate) struct Faults {
    link: bool,
    source: bool,
    tracked: Option<TrackerId>,
    isolated: bool,
    held: bool,
    group: Option<InstanceId>,
}

impl Faults {
    pub(crate) fn raise(&mut self, fault: Fault) {
        self.set(fault, true);
    }

    pub(crate) fn clear(&mut self, fault: Fault) {
        self.set(fault, false);
    }

    /// The weightiest fault of the set: without a link there is no source to speak of, and what is this virtual router's
    /// own comes before what its group has.
    pub(crate) fn first(self) -> Option<Fault> {
        self.own().or(self.group.map(Fault::Group))
    }

    /// The weightiest fault that is this virtual router's own.
    pub(crate) fn own(self) -> Option<Fault> {
        let is = |present: bool, fault| present.then_some(fault);
        is(self.held, Fault::Held)
            .or(is(self.link, Fault::Link))
            .or(is(self.source, Fault::Source))
            .or(is(self.isolated, Fault::Isolated))
            .or(self.tracked.map(Fault::Tracked))
    }

    /// Of tracked things and group members the last one raised is kept; clearing any clears it. Who raises knows them all.
    fn set(&mut self, fault: Fault, present: bool) {
        match fault {
            Fault::Link => self.link = present,
            Fault::Source => self.source = present,
            Fault::Tracked(tracker) => self.tracked = present.then_some(tracker),
            Fault::Isolated => self.isolated = present,
            Fault::Held => self.held = present,
            Fault::Group(member) => self.group = present.then_some(member),
        }
    }
}
