//! What only one virtual router, or one line, may have.

use std::collections::HashMap;
use std::hash::Hash;

use super::diagnostic::Findings;
use super::draft::InstanceDraft;
use super::source::{At, Span};
use super::values::quoted;

/// Reports every name, virtual router id and address that is used twice, and every peer that is listed twice.
pub(super) fn check(instances: &[InstanceDraft], findings: &mut Findings<'_>) {
    let (mut names, mut routers, mut addresses) = (First::new(), First::new(), First::new());
    for instance in instances {
        if let Some(At { value, span }) = instance.name.get()
            && let Some(line) = names.seen_on(value.clone(), *span, findings)
        {
            let message = format!("the name {} is taken by the instance on line {line}", quoted(value));
            findings.error(*span, message, "give every instance a name of its own");
        }
        // One family only: a second one would have virtual router ids of its own (C-FSM-15).
        if let (Some(interface), Some(vrid)) = (instance.interface.get(), instance.vrid.get()) {
            let key = (interface.value.clone(), vrid.value);
            if let Some(line) = routers.seen_on(key, vrid.span, findings) {
                let (id, interface) = (vrid.value, quoted(&interface.value));
                let message =
                    format!("virtual router {id} on {interface} is already configured on line {line}");
                findings.error(vrid.span, message, "give every virtual router on a network an id of its own");
            }
        }
        for At { value, span } in &instance.addresses.items {
            if let Some(line) = addresses.seen_on(value.ip, *span, findings) {
                let message = format!("{} is already listed on line {line}", value.ip);
                findings.error(*span, message, "list every virtual address once, in one instance");
            }
        }
        let mut peers = First::new();
        for At { value, span } in &instance.peers.items {
            if let Some(line) = peers.seen_on(*value, *span, findings) {
                let message = format!("the peer {value} is already listed on line {line}");
                findings.error(*span, message, "list every peer once");
            }
        }
    }
}

/// Where something was met first.
struct First<K>(HashMap<K, Span>);

impl<K: Hash + Eq> First<K> {
    fn new() -> Self {
        Self(HashMap::new())
    }

    /// The line on which `key` was met before; otherwise this is its first place.
    fn seen_on(&mut self, key: K, span: Span, findings: &Findings<'_>) -> Option<usize> {
        let before = self.0.get(&key).map(|first| findings.source.line(first.start));
        self.0.entry(key).or_insert(span);
        before
    }
}
