//! The agent's side of the control socket.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;
use std::{fs, io};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

use super::{Reply, Request};

/// Longest request in octets.
const REQUEST_MAX: u64 = 4096;
/// How long a client may take to say what it wants, and to take the answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Makes the control socket, for its owner only. Who asks is kept waiting until [`serve`] runs.
///
/// # Errors
/// When the socket cannot be made.
pub fn listen(path: &Path) -> io::Result<net::UnixListener> {
    let listener = net::UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers the clients of a control socket, without end. Runs on the service thread, within a `LocalSet`.
///
/// # Errors
/// When the runtime cannot watch the socket.
pub fn serve<F>(listener: net::UnixListener, answer: F) -> io::Result<impl Future<Output = ()> + use<F>>
where
    F: AsyncFn(Request) -> Reply + 'static,
{
    let listener = UnixListener::from_std(listener)?;
    let answer = Rc::new(answer);
    Ok(async move {
        loop {
            match listener.accept().await {
                Ok((client, _)) => {
                    let answer = Rc::clone(&answer);
                    tokio::task::spawn_local(async move {
                        if let Err(error) = attend(client, &*answer).await {
                            tracing::debug!("a client of the control socket failed: {error}");
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!("the control socket cannot accept: {error}");
                    tokio::time::sleep(PATIENCE).await;
                }
            }
        }
    })
}

async fn attend(client: UnixStream, answer: &impl AsyncFn(Request) -> Reply) -> io::Result<()> {
    let peer = client.peer_cred()?.uid();
    let (read, mut write) = client.into_split();
    let mut line = String::new();
    timeout(PATIENCE, BufReader::new(read.take(REQUEST_MAX)).read_line(&mut line)).await??;
    let reply = match serde_json::from_str(&line) {
        // The mode of the socket says the same; but its directory may have been mounted elsewhere.
        Ok(_) if peer != 0 && peer != nix::unistd::geteuid().as_raw() => {
            Reply::Error(format!("user {peer} may not control this agent"))
        }
        Ok(request) => answer(request).await,
        Err(error) => Reply::Error(format!("not a request of this version: {error}")),
    };
    let mut text = serde_json::to_string(&reply)?;
    text.push('\n');
    timeout(PATIENCE, write.write_all(text.as_bytes())).await?
}
