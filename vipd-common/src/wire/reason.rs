//! What STATS counts.

/// Why a frame was counted. The numbers are places in the STATS map: new ones go to the end.
///
/// A frame that fails a check raises one counter, that of the first check failed. An advert that passes raises
/// [`Accepted`](Self::Accepted), and beside it those that only tell (marked "tells").
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// An advert passed all checks (C-CNT-08).
    Accepted = 0,
    /// Tells: its priority is 0, the sender resigns.
    PriorityZero,
    /// Malformed IP header: version, lengths or checksum (C-XDP-02, C-XDP-03, C-RX-11).
    IpHeader,
    /// IPv4 options, or IPv6 extension headers (C-RX-11).
    IpOptions,
    /// A fragment (C-RX-10).
    Fragment,
    /// Inside an authentication header, which is not supported (C-AUTH-04).
    AuthHeader,
    /// TTL is not 255, or below what a unicast peer may have (C-RX-01, C-UNI-03).
    Ttl,
    /// Another version than the configured one (C-RX-02).
    Version,
    /// No advertisement (C-RX-03).
    Type,
    /// Too short, too long, or the count does not fit the length (C-RX-05 to C-RX-08).
    Length,
    /// Checksum (C-CK-01 to C-CK-06).
    Checksum,
    /// No virtual router of this id here (C-RX-04).
    Vrid,
    /// No virtual router at all on this VLAN (C-L2-06).
    Vlan,
    /// Undefined authentication type (C-AUTH-03).
    AuthTypeUnknown,
    /// Another authentication type than the configured one (C-AUTH-03).
    AuthTypeMismatch,
    /// Another password (C-AUTH-03).
    AuthFailure,
    /// Interval 0, or in version 2 another than our own (C-RX-15, C-RX-16). Tells: in version 3 another than our own.
    Interval,
    /// Version 2: no address, or another list (C-RX-07, C-RX-14). IPv6: the first address is no link-local one, but ours is
    /// (C-RX-17). Tells: another list in version 3 or from the owner.
    AddressList,
    /// Version 2, and we own the addresses ourselves (C-RX-12).
    Owner,
    /// Its source is no host's address (C-RX-18).
    Source,
    /// Its source is our own address: a reflection, or a duplicate address (C-RX-19).
    OwnSource,
    /// Its destination is neither what our mode asks for nor, perhaps, anything of ours (C-RX-20).
    Destination,
    /// Its source is no configured unicast peer (C-UNI-02).
    Peer,
    /// Tells: its checksum has a pseudo-header (C-CK-04).
    Pseudo,
    /// Another node announced one of our virtual addresses, by gratuitous ARP or neighbour advertisement.
    Claim,
    /// The EVENTS ring was full, so a record was lost.
    EventLost,
    /// An ARP request or neighbour solicitation for a virtual address was dropped: this node's lease of it is over (promise 1).
    LeaseOver,
    /// A record was not sent: there were too many of its kind (C-SEC-04). What it told is told by a later one, or stands in SEEN.
    EventHeld,
    /// A neighbour advertisement for one of our virtual addresses that hosts do not believe (C-ND-02).
    Neighbour,
}

impl Reason {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 29] = [
        Self::Accepted,
        Self::PriorityZero,
        Self::IpHeader,
        Self::IpOptions,
        Self::Fragment,
        Self::AuthHeader,
        Self::Ttl,
        Self::Version,
        Self::Type,
        Self::Length,
        Self::Checksum,
        Self::Vrid,
        Self::Vlan,
        Self::AuthTypeUnknown,
        Self::AuthTypeMismatch,
        Self::AuthFailure,
        Self::Interval,
        Self::AddressList,
        Self::Owner,
        Self::Source,
        Self::OwnSource,
        Self::Destination,
        Self::Peer,
        Self::Pseudo,
        Self::Claim,
        Self::EventLost,
        Self::LeaseOver,
        Self::EventHeld,
        Self::Neighbour,
    ];

    /// Its place in an array of counters.
    #[must_use]
    #[inline(always)]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its name in logs, status and metrics: that of RFC 8347 or else RFC 2787, or our own where neither has one.
    #[must_use]
    pub const fn name(self) -> &'static str {
        if let Some(name) = self.rfc8347() {
            return name;
        }
        match self {
            Self::IpHeader => "ip-header-errors",
            Self::IpOptions => "ip-option-errors",
            Self::Fragment => "fragment-errors",
            Self::AuthHeader => "auth-header-errors",
            Self::Vlan => "vlan-errors",
            Self::AuthTypeUnknown => "vrrpStatsInvalidAuthType",
            Self::AuthTypeMismatch => "vrrpStatsAuthTypeMismatch",
            Self::AuthFailure => "vrrpStatsAuthFailures",
            Self::Owner => "owner-conflicts",
            Self::Source => "source-errors",
            Self::OwnSource => "reflected-adverts",
            Self::Destination => "destination-errors",
            Self::Peer => "unknown-peer-errors",
            Self::Pseudo => "pseudo-header-checksums",
            Self::Claim => "foreign-claims",
            Self::EventLost => "events-lost",
            Self::LeaseOver => "lease-expired-drops",
            Self::EventHeld => "events-held",
            Self::Neighbour => "neighbour-errors",
            // The others have a name of RFC 8347.
            _ => "",
        }
    }

    /// The counter of RFC 8347 that it adds to (C-CNT-01, C-CNT-02).
    #[must_use]
    pub const fn rfc8347(self) -> Option<&'static str> {
        Some(match self {
            Self::Accepted => "advertisement-rcvd",
            Self::PriorityZero => "priority-zero-pkts-rcvd",
            Self::Ttl => "ip-ttl-errors",
            Self::Version => "version-errors",
            Self::Type => "invalid-type-pkts-rcvd",
            Self::Length => "packet-length-errors",
            Self::Checksum => "checksum-errors",
            Self::Vrid => "vrid-errors",
            Self::Interval => "interval-errors",
            Self::AddressList => "address-list-errors",
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_reason_has_its_own_place_and_name() {
        let names: HashSet<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();

        assert_eq!(names.len(), Reason::COUNT);
        assert!(!names.contains(""));
        for (place, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), place, "{reason:?}");
        }
    }
}
