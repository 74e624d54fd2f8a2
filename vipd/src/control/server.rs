//! The agent's side of the control socket.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use super::{Reply, Request, Status};

/// Longest request in octets.
const REQUEST_MAX: u64 = 4096;
/// How long one client may take; a slow one only delays the next.
const PATIENCE: Duration = Duration::from_secs(1);

/// Listens on `path`, for its owner only, and answers one client after the other, without end. Runs on the service
/// thread.
///
/// # Errors
/// When the socket cannot be made.
pub fn serve(path: &Path, status: Rc<dyn Fn() -> Status>) -> io::Result<impl Future<Output = ()> + use<>> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(async move {
        loop {
            match listener.accept().await {
                Ok((client, _)) => match tokio::time::timeout(PATIENCE, answer(client, &*status)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!("a client of the control socket failed: {error}"),
                    Err(_) => tracing::debug!("a client of the control socket was too slow"),
                },
                Err(error) => {
                    tracing::warn!("the control socket cannot accept: {error}");
                    tokio::time::sleep(PATIENCE).await;
                }
            }
        }
    })
}

async fn answer(client: UnixStream, status: &dyn Fn() -> Status) -> io::Result<()> {
    let (read, mut write) = client.into_split();
    let mut line = String::new();
    BufReader::new(read.take(REQUEST_MAX)).read_line(&mut line).await?;
    let reply = match serde_json::from_str(&line) {
        Ok(Request::Status) => Reply::Status(status()),
        Err(error) => Reply::Error(format!("not a request of this version: {error}")),
    };
    let mut text = serde_json::to_string(&reply)?;
    text.push('\n');
    write.write_all(text.as_bytes()).await
}
