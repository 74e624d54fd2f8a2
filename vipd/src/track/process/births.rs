//! Processes that come to be or change, as the kernel tells of them (process events connector, `cn_proc`).

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use rtnetlink::sys::{Socket, SocketAddr};
use tokio::time::timeout;

use crate::watch::{self, Watched};

/// `NETLINK_CONNECTOR`, and the connector's group and address for process events.
const CONNECTOR: isize = 11;
const PROCESS_EVENTS: u32 = 1;
/// Messages about processes carry a netlink header, a connector header, and the event.
const NETLINK_HEADER: usize = 16;
const CONNECTOR_HEADER: usize = 20;
const EVENT: usize = NETLINK_HEADER + CONNECTOR_HEADER;
/// What an event is about stands behind its kind, a CPU number and a time.
const ABOUT: usize = EVENT + 16;
const LISTEN: u32 = 1;
const FORK: u32 = 1;
const EXEC: u32 = 2;
const COMM: u32 = 0x200;
/// Octets that the kernel may queue: some thousand events.
const RECEIVE_BUFFER: usize = 1 << 20;
/// How long the kernel may take to say that it will tell. In another PID namespace than the first it never says so.
const PATIENCE: Duration = Duration::from_millis(500);

/// A subscription.
pub(super) struct Births {
    socket: Watched<Socket>,
    message: Vec<u8>,
}

impl Births {
    /// Subscribes.
    ///
    /// # Errors
    /// Where the kernel does not tell: without `CAP_NET_ADMIN`, and in other namespaces than the first.
    pub(super) async fn subscribe() -> io::Result<Self> {
        let mut socket = Socket::new(CONNECTOR)?;
        socket.set_non_blocking(true)?;
        // A smaller buffer only means that the list is read anew more often.
        let _ = socket.set_rx_buf_sz(RECEIVE_BUFFER);
        socket.bind(&SocketAddr::new(0, PROCESS_EVENTS))?;
        socket.send_to(&listen(), &SocketAddr::new(0, 0), 0)?;
        let mut births = Self { socket: watch::readable(socket)?, message: Vec::with_capacity(4096) };
        let told = timeout(PATIENCE, births.receive()).await;
        told.map_err(|_| io::Error::from(io::ErrorKind::Unsupported))??;
        Ok(births)
    }

    /// Waits for processes that are new, or another program or name by now, and adds them to `pids`. Tells whether these
    /// are all: the kernel leaves out what it cannot queue.
    ///
    /// # Errors
    /// When the socket fails.
    pub(super) async fn next(&mut self, pids: &mut BTreeSet<i32>) -> io::Result<bool> {
        match self.receive().await {
            Ok(()) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => return Ok(false),
            Err(error) => return Err(error),
        }
        pids.extend(born(&self.message));
        Ok(true)
    }

    /// Fills `message` with the next message of the kernel.
    async fn receive(&mut self) -> io::Result<()> {
        loop {
            let mut ready = self.socket.readable().await?;
            self.message.clear();
            match self.socket.get_ref().recv_from(&mut self.message, 0) {
                Ok((_, sender)) if sender.port_number() == 0 => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                Err(error) => return Err(error),
            }
        }
    }
}

/// The request to be told.
fn listen() -> Vec<u8> {
    let length = EVENT + size_of::<u32>();
    let mut message = Vec::with_capacity(length);
    let word = |number: usize| u32::try_from(number).unwrap_or(0).to_ne_bytes();
    // Length, type (NLMSG_DONE) and flags, sequence, port.
    message.extend(word(length));
    message.extend(3_u16.to_ne_bytes());
    message.extend([0; 10]);
    // Address, sequence, acknowledgement, length, flags.
    message.extend(PROCESS_EVENTS.to_ne_bytes());
    message.extend(PROCESS_EVENTS.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(4_u16.to_ne_bytes());
    message.extend([0; 2]);
    message.extend(LISTEN.to_ne_bytes());
    message
}

/// The process that a message says is new or changed; threads are none.
fn born(message: &[u8]) -> Option<i32> {
    let word =
        |at: usize| message.get(at..at + 4).and_then(|word| Some(u32::from_ne_bytes(word.try_into().ok()?)));
    let (thread, process) = match word(EVENT)? {
        // Behind the parent's two numbers.
        FORK => (word(ABOUT + 8)?, word(ABOUT + 12)?),
        EXEC | COMM => (word(ABOUT)?, word(ABOUT + 4)?),
        _ => return None,
    };
    (thread == process).then(|| process.cast_signed())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_kernel_tells_of_a_process_as_it_starts() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let Ok(mut births) = Births::subscribe().await else {
                println!("not in the first namespaces: nothing to be told here");
                return;
            };
            let mut child = Command::new("/bin/sleep").arg("0").spawn().expect("starts");
            let pid = child.id().cast_signed();
            let told = timeout(Duration::from_mins(1), async {
                let mut pids = BTreeSet::new();
                while !pids.contains(&pid) {
                    births.next(&mut pids).await.expect("readable");
                }
            });
            told.await.expect("told");
            child.wait().expect("ours");
        });
    }

    #[test]
    fn a_new_thread_is_no_new_process_and_a_cut_message_is_nothing() {
        let event = |kind: u32, words: [u32; 4]| {
            let mut message = vec![0; ABOUT];
            message[EVENT..EVENT + 4].copy_from_slice(&kind.to_ne_bytes());
            message.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
            message
        };
        assert_eq!(born(&event(FORK, [1, 1, 7, 7])), Some(7));
        assert_eq!(born(&event(FORK, [1, 1, 8, 7])), None);
        assert_eq!(born(&event(EXEC, [7, 7, 0, 0])), Some(7));
        assert_eq!(born(&event(COMM, [9, 7, 0, 0])), None, "the name of a thread");
        assert_eq!(born(&event(0x8000_0000, [7, 7, 0, 0])), None, "an end");
        let message = event(FORK, [1, 1, 7, 7]);
        for length in 0..message.len() {
            assert_eq!(born(&message[..length]), None);
        }
    }
}
