//! Follows interfaces and addresses by kernel notification.

use futures_util::{Stream, StreamExt, TryStreamExt};
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::sys::AsyncSocket;
use rtnetlink::{Handle, MulticastGroup};

use super::Links;

/// Octets that the kernel may queue for the monitor. Losing a notification costs a whole dump.
const RECEIVE_BUFFER: usize = 1 << 20;

type Messages = Box<dyn Stream<Item = NetlinkMessage<RouteNetlinkMessage>> + Send + Unpin>;

/// A subscription to link and address changes of this network namespace.
pub struct Monitor {
    handle: Handle,
    messages: Messages,
    links: Links,
}

impl Monitor {
    /// Subscribes, then reads all links and addresses, so that no change is missed in between. Runs its connection as a
    /// task of the current tokio runtime.
    ///
    /// # Errors
    /// When the kernel refuses the netlink socket or a dump.
    pub async fn start() -> Result<Self, rtnetlink::Error> {
        let groups = [MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr, MulticastGroup::Ipv6Ifaddr];
        let (mut connection, handle, messages) =
            rtnetlink::new_multicast_connection(&groups).map_err(|_| rtnetlink::Error::RequestFailed)?;
        if let Err(error) = connection.socket_mut().socket_mut().set_rx_buf_sz(RECEIVE_BUFFER) {
            tracing::debug!("cannot enlarge the netlink receive buffer: {error}");
        }
        tokio::spawn(connection);
        let messages = Box::new(messages.map(|(message, _)| message));
        let mut monitor = Self { handle, messages, links: Links::default() };
        monitor.dump().await?;
        Ok(monitor)
    }

    /// The interfaces as they are known now.
    #[must_use]
    pub fn links(&self) -> &Links {
        &self.links
    }

    /// Waits for the next change and applies it. Tells which interface it was about, or `None` when any may have
    /// changed because the kernel had to drop notifications and everything was read anew.
    ///
    /// # Errors
    /// When the netlink connection is gone, or reading everything anew fails.
    pub async fn changed(&mut self) -> Result<Option<u32>, rtnetlink::Error> {
        loop {
            let message = self.messages.next().await.ok_or(rtnetlink::Error::RequestFailed)?;
            match message.payload {
                NetlinkPayload::InnerMessage(message) => {
                    if let Some(index) = self.links.apply(&message) {
                        return Ok(Some(index));
                    }
                }
                NetlinkPayload::Overrun(_) => {
                    tracing::warn!("the kernel dropped link notifications; reading all links anew");
                    self.dump().await?;
                    return Ok(None);
                }
                _ => {}
            }
        }
    }

    async fn dump(&mut self) -> Result<(), rtnetlink::Error> {
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
