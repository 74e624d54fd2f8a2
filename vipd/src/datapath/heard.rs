//! Facts from the wire, as they come from the kernel half and from packet sockets.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use vipd_common::abi::{self, Addr, Event, checksum};
use vipd_common::wire::to_ip;
use vipd_core::{Advert, InstanceId, Instant, Interval};

/// A fact from the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An advert that passed every check.
    Advert {
        /// Whom it is for.
        instance: InstanceId,
        /// What it says.
        advert: Advert,
        /// The form of its checksum, where there is more than one.
        form: Option<Form>,
        /// The kernel waits for silence from it on, and will tell.
        watched: bool,
    },
    /// No sign of life came for as long as the virtual router waits for one, by what was published of it last. The kernel
    /// does not wait any more, until the next sign of life.
    Silent(InstanceId, Silence),
    /// Another node claims one of our addresses.
    Claim(Claim),
}

/// The form of a checksum of version 3 over IPv4, which RFC 5798 left open to two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Over the message alone (RFC 9568, C-CK-02).
    Message,
    /// Over a pseudo-header too (C-CK-03).
    Pseudo,
}

impl Form {
    /// What [`abi::Stamp::checksum`] says; `None` where there is but one form.
    pub(super) fn read(number: u8) -> Option<Self> {
        match number {
            checksum::MESSAGE => Some(Self::Message),
            checksum::PSEUDO => Some(Self::Pseudo),
            _ => None,
        }
    }

    /// Its number in [`checksum`].
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Message => checksum::MESSAGE,
            Self::Pseudo => checksum::PSEUDO,
        }
    }
}

/// The evidence of a silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// When the kernel noticed it: not before the deadline.
    pub at: Instant,
    /// Arrival of the last sign of life.
    pub since: Instant,
    /// Who gave it.
    pub source: IpAddr,
    /// With which priority; 0 when it was a resignation.
    pub priority: u8,
}

/// A gratuitous ARP or neighbour advertisement of another node for one of our addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose address.
    pub instance: InstanceId,
    /// The address.
    pub ip: IpAddr,
    /// The hardware address that claims it.
    pub mac: [u8; 6],
    /// When it arrived.
    pub at: Instant,
}

/// What a record tells; `None` for a kind of record that this agent does not know.
pub(super) fn heard(event: &Event) -> Option<Heard> {
    let instance = InstanceId(event.instance.try_into().ok()?);
    let at = Instant::from_nanos(event.at);
    match event.kind {
        abi::kind::ADVERT => {
            let advert = advert_from(&event.addr, event.priority, event.interval_cs, at)?;
            let (form, watched) = (Form::read(event.checksum), event.watched != 0);
            Some(Heard::Advert { instance, advert, form, watched })
        }
        abi::kind::SILENT => {
            let (since, source) = (Instant::from_nanos(event.since), to_ip(&event.addr));
            Some(Heard::Silent(instance, Silence { at, since, source, priority: event.priority }))
        }
        abi::kind::CLAIM => {
            Some(Heard::Claim(Claim { instance, ip: to_ip(&event.addr), mac: event.mac, at }))
        }
        _ => None,
    }
}

/// `None` where there is none yet.
pub(super) fn advert_seen(stamp: &abi::Stamp) -> Option<Advert> {
    let at = (stamp.at != 0).then_some(Instant::from_nanos(stamp.at))?;
    advert_from(&stamp.source, stamp.priority, stamp.interval_cs, at)
}

/// `None` for an interval of zero, which no advert that passed the checks carries.
pub(super) fn advert_from(source: &Addr, priority: u8, interval_cs: u16, at: Instant) -> Option<Advert> {
    let interval = Interval::from_centis(interval_cs)?;
    Some(Advert { source: to_ip(source), priority, interval, at })
}
