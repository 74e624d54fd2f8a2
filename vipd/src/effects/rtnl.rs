//! A blocking rtnetlink socket for many small requests: as many as fit leave in one system call, which the kernel works
//! off before it returns.

use std::io;

use rtnetlink::packet_core::{
    NLM_F_ACK, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::sys::protocols::NETLINK_ROUTE;
use rtnetlink::sys::{Socket, SocketAddr};

/// Requests in one system call. Their answers must fit into the default receive buffer even if every one fails.
const BATCH: usize = 64;
/// Octets for answers that are read at once.
const ANSWERS: usize = 32 * 1024;

/// A request: the message, and its flags beside `NLM_F_REQUEST`.
pub(crate) type Request = (RouteNetlinkMessage, u16);

/// The socket.
pub(crate) struct Rtnl {
    socket: Socket,
    answers: Vec<u8>,
}

impl Rtnl {
    /// Opens the socket in this network namespace.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub(crate) fn open() -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_cap_ack(true)?;
        Ok(Self { socket, answers: Vec::with_capacity(ANSWERS) })
    }

    /// Has the kernel carry out all requests, in their order. The result has an answer for each: done, or the kernel's
    /// error.
    ///
    /// # Errors
    /// When the socket itself fails; which requests were carried out is then unknown.
    pub(crate) fn apply(&mut self, requests: Vec<Request>) -> io::Result<Vec<io::Result<()>>> {
        let mut outcomes: Vec<io::Result<()>> = requests.iter().map(|_| Ok(())).collect();
        let mut requests = requests.into_iter();
        for outcomes in outcomes.chunks_mut(BATCH) {
            let mut octets = Vec::new();
            for (number, (message, flags)) in (1..=outcomes.len()).zip(&mut requests) {
                // Errors are answered in any case; the last request's success tells that all have been worked off.
                let ack = if number == outcomes.len() { NLM_F_ACK } else { 0 };
                append(&mut octets, message, number, NLM_F_REQUEST | ack | flags);
            }
            self.socket.send(&octets, 0)?;
            self.await_answers(outcomes)?;
        }
        Ok(outcomes)
    }

    /// Has the kernel carry out a request that was put into words before; what comes of it is not asked.
    ///
    /// # Errors
    /// When the socket fails.
    pub(super) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.socket.send(octets, 0).map(drop)
    }

    /// What the kernel answers to a question.
    ///
    /// # Errors
    /// The kernel's own, or that of the socket.
    pub(super) fn ask(&mut self, question: RouteNetlinkMessage) -> io::Result<RouteNetlinkMessage> {
        self.socket.send(&octets((question, 0)), 0)?;
        self.answers.clear();
        self.socket.recv(&mut self.answers, 0)?;
        let answer = NetlinkMessage::deserialize(&self.answers).map_err(io::Error::other)?;
        match answer.payload {
            NetlinkPayload::InnerMessage(answer) => Ok(answer),
            NetlinkPayload::Error(error) => {
                Err(io::Error::from_raw_os_error(error.raw_code().saturating_neg()))
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Reads until the last request has been answered.
    fn await_answers(&mut self, outcomes: &mut [io::Result<()>]) -> io::Result<()> {
        loop {
            self.answers.clear();
            self.socket.recv(&mut self.answers, 0)?;
            let mut rest = &self.answers[..];
            while let Ok(buffer) = NetlinkBuffer::new_checked(rest) {
                let length = usize::try_from(buffer.length()).unwrap_or(usize::MAX);
                let (sequence, answer) = read(&rest[..length])?;
                rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
                if let Some(outcome) = sequence.checked_sub(1).and_then(|place| outcomes.get_mut(place)) {
                    *outcome = answer;
                }
                if sequence == outcomes.len() {
                    return Ok(());
                }
            }
        }
    }
}

/// A request as it goes to the kernel, without a wish for an answer.
pub(crate) fn octets((message, flags): Request) -> Vec<u8> {
    let mut octets = Vec::new();
    append(&mut octets, message, 1, NLM_F_REQUEST | flags);
    octets
}

fn append(octets: &mut Vec<u8>, message: RouteNetlinkMessage, number: usize, flags: u16) {
    let mut header = NetlinkHeader::default();
    header.flags = flags;
    header.sequence_number = u32::try_from(number).unwrap_or(0);
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(message));
    message.finalize();
    let at = octets.len();
    octets.resize(at + message.buffer_len().next_multiple_of(4), 0);
    message.serialize(&mut octets[at..]);
}

/// Which request an answer is for, and what it says.
fn read(octets: &[u8]) -> io::Result<(usize, io::Result<()>)> {
    let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(octets).map_err(io::Error::other)?;
    let sequence = usize::try_from(message.header.sequence_number).unwrap_or(0);
    let answer = match message.payload {
        NetlinkPayload::Error(error) if error.raw_code() != 0 => {
            Err(io::Error::from_raw_os_error(error.raw_code().saturating_neg()))
        }
        _ => Ok(()),
    };
    Ok((sequence, answer))
}
