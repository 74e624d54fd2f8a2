//! What a virtual router misses at the moment.

use crate::Fault;

/// A set of faults. The node takes part only while it is empty (C-FSM-14).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    link: bool,
    source: bool,
}

impl Faults {
    pub(crate) fn raise(&mut self, fault: Fault) {
        *self.member(fault) = true;
    }

    pub(crate) fn clear(&mut self, fault: Fault) {
        *self.member(fault) = false;
    }

    /// The weightiest fault of the set: without a link there is no source to speak of.
    pub(crate) fn first(self) -> Option<Fault> {
        if self.link {
            Some(Fault::Link)
        } else if self.source {
            Some(Fault::Source)
        } else {
            None
        }
    }

    fn member(&mut self, fault: Fault) -> &mut bool {
        match fault {
            Fault::Link => &mut self.link,
            Fault::Source => &mut self.source,
        }
    }
}
