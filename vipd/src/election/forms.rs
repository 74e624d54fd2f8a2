//! Which form of checksum adverts of version 3 over IPv4 have (C-CK-04): what each node is known to send, and what it is
//! answered with, since a node that sends one form may not hear the other.

use std::net::IpAddr;

use vipd_core::InstanceId;

use super::run::Election;
use crate::config::Checksum;
use crate::datapath::Form;

/// Nodes that are remembered for each virtual router, the last ones that were new.
const PEERS: usize = 16;

/// Any of the two forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FormSet {
    message: bool,
    pseudo: bool,
}

impl FormSet {
    /// This form alone.
    pub(super) fn only(form: Form) -> Self {
        let mut set = Self::default();
        set.add(form);
        set
    }

    /// The forms in it.
    pub fn iter(self) -> impl Iterator<Item = Form> {
        let form = |present: bool, form| present.then_some(form);
        form(self.message, Form::Message).into_iter().chain(form(self.pseudo, Form::Pseudo))
    }

    fn add(&mut self, form: Form) {
        match form {
            Form::Message => self.message = true,
            Form::Pseudo => self.pseudo = true,
        }
    }
}

impl std::fmt::Display for FormSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match (self.message, self.pseudo) {
            (true, true) => "both forms, one after the other",
            (true, false) => "the form of the message alone (RFC 9568)",
            (false, _) => "the form with a pseudo-header",
        })
    }
}

/// What is known of one virtual router's peers. It is never forgotten: a node that has been heard once may be listening
/// still, and a Backup says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forms {
    peers: [Option<(IpAddr, FormSet)>; PEERS],
    next: usize,
    all: FormSet,
}

impl Forms {
    /// Takes note of the form of a node's advert; tells whether that is news.
    pub(super) fn learn(&mut self, source: IpAddr, form: Form) -> bool {
        let before = *self;
        self.all.add(form);
        let known = self.peers.iter_mut().flatten().find(|(peer, _)| *peer == source);
        if let Some((_, forms)) = known {
            forms.add(form);
        } else {
            self.peers[self.next] = Some((source, FormSet::only(form)));
            self.next = (self.next + 1) % PEERS;
        }
        *self != before
    }

    /// Who sends what.
    pub fn peers(&self) -> impl Iterator<Item = (IpAddr, FormSet)> {
        self.peers.iter().flatten().copied()
    }

    /// The forms in which adverts leave, to the group or to a unicast peer. With several forms heard, every advert leaves in
    /// each, for who cannot read the one drops it and reads the other. What keepalived and FRR read is for who was not heard.
    #[must_use]
    pub fn sent(&self, policy: Checksum, to: Option<IpAddr>) -> FormSet {
        let heard = match to {
            None => self.all,
            Some(peer) => {
                self.peers().find(|(source, _)| *source == peer).map(|(_, forms)| forms).unwrap_or_default()
            }
        };
        match policy {
            Checksum::Message => FormSet::only(Form::Message),
            Checksum::Either if heard != FormSet::default() => heard,
            Checksum::Either | Checksum::Pseudo => FormSet::only(Form::Pseudo),
        }
    }
}

impl Election {
    /// Takes note of the form of a node's advert: the next advert is one that this node can read.
    pub(super) fn learn_form(&mut self, id: InstanceId, source: IpAddr, form: Form) {
        let member = &mut self.members[usize::from(id.0)];
        let config = &member.planned.config;
        let to = (!config.peers.is_empty()).then_some(source);
        let before = member.forms.sent(config.checksum, to);
        if !member.forms.learn(source, form) {
            return;
        }
        let sent = member.forms.sent(config.checksum, to);
        if sent != before {
            let (name, form) = (&config.name, FormSet::only(form));
            tracing::info!(
                "({name}) {source} has checksums of {form}: own adverts leave in {sent} from now on"
            );
            self.build_frames(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Form::{Message, Pseudo};

    fn ip(octet: u8) -> IpAddr {
        [192, 0, 2, octet].into()
    }

    /// C-CK-04
    #[test]
    fn c_ck_04_every_form_that_was_heard_is_answered_unless_one_is_demanded() {
        type Case<'a> = (&'a str, Checksum, &'a [(IpAddr, Form)], &'a [Form]);
        let (one, two) = ((ip(11), Pseudo), (ip(12), Message));
        let cases: [Case<'_>; 7] = [
            ("nobody was heard", Checksum::Either, &[], &[Pseudo]),
            ("the one form", Checksum::Either, &[one], &[Pseudo]),
            ("the other form", Checksum::Either, &[two], &[Message]),
            ("both", Checksum::Either, &[one, two], &[Message, Pseudo]),
            ("both of one node", Checksum::Either, &[one, (ip(11), Message)], &[Message, Pseudo]),
            ("one is demanded", Checksum::Message, &[one], &[Message]),
            ("the other is demanded", Checksum::Pseudo, &[two], &[Pseudo]),
        ];
        for (name, checksum, heard, expected) in cases {
            let mut forms = Forms::default();
            for (source, form) in heard {
                assert!(forms.learn(*source, *form), "{name}");
                assert!(!forms.learn(*source, *form), "{name}: no news");
            }

            let sent: Vec<Form> = forms.sent(checksum, None).iter().collect();

            assert_eq!(sent, expected, "{name}");
        }
    }

    /// C-CK-04
    #[test]
    fn c_ck_04_a_unicast_peer_is_answered_in_its_own_form() {
        let mut forms = Forms::default();
        forms.learn(ip(11), Pseudo);
        forms.learn(ip(12), Message);

        let sent = [11, 12, 13].map(|octet| forms.sent(Checksum::Either, Some(ip(octet))));

        assert_eq!(sent, [Pseudo, Message, Pseudo].map(FormSet::only));
    }

    /// C-SEC-02
    #[test]
    fn however_many_nodes_speak_no_more_are_remembered_than_there_is_room_for() {
        let mut forms = Forms::default();
        forms.learn(ip(1), Message);
        for octet in 2..=255 {
            forms.learn(ip(octet), Pseudo);
        }

        assert_eq!(forms.peers().count(), PEERS);
        assert!(forms.peers().any(|(source, _)| source == ip(255)));
        let sent: Vec<Form> = forms.sent(Checksum::Either, None).iter().collect();
        assert_eq!(sent, [Message, Pseudo], "what the first one needs is not forgotten");
    }
}
