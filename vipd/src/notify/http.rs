//! One HTTP request: JSON is posted, a status comes back.

use std::sync::Arc;

use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Why an address is none. It is not repeated: it may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its `url` is none; write http://HOST/PATH or https://HOST/PATH")]
pub(super) struct Unreadable;

/// Where to post.
pub(super) struct Target {
    host: String,
    port: u16,
    /// As the server is to see it.
    authority: HeaderValue,
    path: String,
    /// The name in the server's certificate; `None` for plain HTTP.
    certified: Option<ServerName<'static>>,
    /// Whom to trust, once it was needed.
    trust: OnceCell<TlsConnector>,
}

impl Target {
    /// # Errors
    /// [`Unreadable`]
    pub(super) fn parse(url: &str) -> Result<Self, Unreadable> {
        let uri: Uri = url.parse().map_err(|_| Unreadable)?;
        let host = uri.host().ok_or(Unreadable)?.trim_matches(['[', ']']).to_owned();
        let (certified, port) = match uri.scheme_str() {
            Some("http") => (None, 80),
            Some("https") => (Some(ServerName::try_from(host.clone()).map_err(|_| Unreadable)?), 443),
            _ => return Err(Unreadable),
        };
        // Without what stands before an @.
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let authority = authority.rsplit_once('@').map_or(authority, |(_, behind)| behind);
        Ok(Self {
            port: uri.port_u16().unwrap_or(port),
            authority: HeaderValue::from_str(authority).map_err(|_| Unreadable)?,
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            host,
            certified,
            trust: OnceCell::new(),
        })
    }

    /// Posts `json`; tells the status of the answer.
    ///
    /// # Errors
    /// What went wrong on the way, without a word of the address or the token.
    pub(super) async fn post(&self, json: String, bearer: Option<&str>) -> Result<u16, String> {
        let mut request = Request::post(&self.path)
            .header(HOST, self.authority.clone())
            .header(USER_AGENT, concat!("vipd/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .header(CONNECTION, "close");
        if let Some(token) = bearer {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| "its `token` holds characters that no header may have".to_owned())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let request = request.body(json).map_err(|_| Unreadable.to_string())?;
        let exchanged = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port))
                .await
                .map_err(|error| error.to_string())?;
            match &self.certified {
                None => exchange(stream, request).await,
                Some(name) => {
                    let trust = self.trust.get_or_try_init(trust).await?;
                    let stream =
                        trust.connect(name.clone(), stream).await.map_err(|error| format!("TLS: {error}"))?;
                    exchange(stream, request).await
                }
            }
        };
        exchanged.await.map_err(|why| why.replace(&self.host, "its host"))
    }
}

/// The system's certification authorities.
async fn trust() -> Result<TlsConnector, String> {
    let loaded = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
    let loaded = loaded.map_err(|error| error.to_string())?;
    let mut roots = RootCertStore::empty();
    if roots.add_parsable_certificates(loaded.certs).0 == 0 {
        return Err("TLS: this system has no certification authorities; install ca-certificates".to_owned());
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    request: Request<String>,
) -> Result<u16, String> {
    let failed = |error: hyper::Error| error.to_string();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let answer = sender.send_request(request);
    tokio::pin!(connection, answer);
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        // The server may close right behind its answer, which is there then.
        ended = &mut connection => {
            ended.map_err(failed)?;
            answer.await
        }
    };
    Ok(answer.map_err(failed)?.status().as_u16())
}
