//! Follows interfaces and addresses by kernel notification, and hears when routes or rules of an agent's are removed.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};

use futures_util::{Stream, StreamExt, TryStreamExt};
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::sys::AsyncSocket;
use rtnetlink::{Handle, MulticastGroup};
use socket2::{SockFilter, SockRef};

use super::Links;
use crate::effects::ROUTE_PROTOCOL;

/// Octets that the kernel may queue for the monitor. Losing a notification costs a whole dump.
const RECEIVE_BUFFER: usize = 1 << 20;
const GROUPS: [MulticastGroup; 7] = [
    MulticastGroup::Link,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv6Route,
    MulticastGroup::Ipv4Rule,
    MulticastGroup::Ipv6Rule,
];

type Messages = Box<dyn Stream<Item = NetlinkMessage<RouteNetlinkMessage>> + Send + Unpin>;

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An interface.
    Link(u32),
    /// An address has come to an interface, or is another one there.
    Address(u32),
    /// An address is gone from an interface.
    AddressGone(u32),
    /// A route or rule that an agent like this one has put there is gone, or may be.
    RouteGone,
    /// Anything may have: the kernel had to drop notifications, and everything was read anew.
    Everything,
}

/// A subscription to link and address changes of this network namespace.
pub struct Monitor {
    handle: Handle,
    messages: Messages,
    /// The socket, to change its filter.
    socket: Option<OwnedFd>,
    links: Links,
}

impl Monitor {
    /// Subscribes, then reads all links and addresses, so that no change is missed in between. Runs its connection as a
    /// task of the current tokio runtime. Of routes, those are heard of that have one of these `protocols`, or an agent's
    /// mark.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket or a dump.
    pub async fn start(protocols: &BTreeSet<u8>) -> Result<Self, rtnetlink::Error> {
        let (mut connection, handle, messages) =
            rtnetlink::new_multicast_connection(&GROUPS).map_err(|_| rtnetlink::Error::RequestFailed)?;
        let socket = connection.socket_mut().socket_mut();
        if let Err(error) = socket.set_rx_buf_sz(RECEIVE_BUFFER) {
            tracing::debug!("cannot enlarge the netlink receive buffer: {error}");
        }
        let socket = socket.as_fd().try_clone_to_owned().ok();
        tokio::spawn(connection);
        let messages = Box::new(messages.map(|(message, _)| message));
        let mut monitor = Self { handle, messages, socket, links: Links::default() };
        monitor.hear_of(protocols);
        monitor.read_anew().await?;
        Ok(monitor)
    }

    /// Hears of routes with these protocols from now on, and of those with an agent's mark.
    pub fn hear_of(&self, protocols: &BTreeSet<u8>) {
        let Some(socket) = &self.socket else { return };
        if let Err(error) = SockRef::from(socket).attach_filter(&filter(protocols)) {
            tracing::debug!("every change of a route on this host will wake the agent: {error}");
        }
    }

    /// The interfaces as they are known now.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Waits for the next change and applies it.
    ///
    /// # Errors
    /// When the netlink connection is gone, or reading everything anew fails.
    pub async fn changed(&mut self) -> Result<Change, rtnetlink::Error> {
        loop {
            let message = self.messages.next().await.ok_or(rtnetlink::Error::RequestFailed)?;
            match message.payload {
                NetlinkPayload::InnerMessage(message) => {
                    let index = self.links.apply(&message);
                    let change = match (message, index) {
                        (RouteNetlinkMessage::DelRoute(_) | RouteNetlinkMessage::DelRule(_), _) => {
                            Change::RouteGone
                        }
                        (RouteNetlinkMessage::DelAddress(_), Some(index)) => Change::AddressGone(index),
                        (RouteNetlinkMessage::NewAddress(_), Some(index)) => Change::Address(index),
                        (_, Some(index)) => Change::Link(index),
                        _ => continue,
                    };
                    return Ok(change);
                }
                NetlinkPayload::Overrun(_) => {
                    tracing::warn!("the kernel dropped link notifications; reading all links anew");
                    self.read_anew().await?;
                    return Ok(Change::Everything);
                }
                _ => {}
            }
        }
    }

    /// Reads all links and addresses.
    ///
    /// # Errors
    /// When a dump fails.
    pub async fn read_anew(&mut self) -> Result<(), rtnetlink::Error> {
        let mut links = Links::default();
        let mut all = self.handle.link().get().execute();
        while let Some(link) = all.try_next().await? {
            links.apply(&RouteNetlinkMessage::NewLink(link));
        }
        let mut all = self.handle.address().get().execute();
        while let Some(address) = all.try_next().await? {
            links.apply(&RouteNetlinkMessage::NewAddress(address));
        }
        self.links = links;
        Ok(())
    }
}

/// Where a message says what it is (`nlmsg_type`), and a route who put it there (`rtm_protocol`).
const TYPE_AT: u32 = 4;
const PROTOCOL_AT: u32 = 16 + 5;
const LOAD_BYTE: u16 = 0x30;
const LOAD_HALF: u16 = 0x28;
const EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Classic BPF: everything but routes that appear, and those that vanish if they have none of these protocols. A router may
/// have hundreds of thousands of others, and change them all the time.
fn filter(protocols: &BTreeSet<u8>) -> Vec<SockFilter> {
    // The kernel reads in network order what stands there in the machine's own.
    let kind = |kind: u16| u32::from(u16::from_be_bytes(kind.to_ne_bytes()));
    let protocols: BTreeSet<u8> = protocols.iter().copied().chain([ROUTE_PROTOCOL]).collect();
    let count = u8::try_from(protocols.len()).unwrap_or(u8::MAX);
    let mut program = vec![
        SockFilter::new(LOAD_HALF, 0, 0, TYPE_AT),
        SockFilter::new(EQUAL, count + 2, 0, kind(libc::RTM_NEWROUTE)),
        SockFilter::new(EQUAL, 0, count + 2, kind(libc::RTM_DELROUTE)),
        SockFilter::new(LOAD_BYTE, 0, 0, PROTOCOL_AT),
    ];
    for (place, protocol) in (1..).zip(&protocols) {
        program.push(SockFilter::new(EQUAL, count - place + 1, 0, u32::from(*protocol)));
    }
    program.push(SockFilter::new(RETURN, 0, 0, 0));
    program.push(SockFilter::new(RETURN, 0, 0, u32::MAX));
    program
}
