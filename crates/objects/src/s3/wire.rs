//! HTTP/1.1 to one server over kept connections, as blocking calls.
//!
//! The calls are made by a small runtime of this store's own, so that callers need none. No redirects and no proxies: the signature is for
//! the host that was named.

use super::config::S3Config;
use crate::{Error, Result};
use barograph_tls::{Connector, Distrust, HTTP, KeptConnections, ServerName};
use bytes::Bytes;
use core::time::Duration;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::http::response::Parts;
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::time::timeout;

/// Connections kept: as many as threads that usually put or get at a time.
const KEPT_MAX: usize = 8;
/// Bytes a second that sending a body is expected to reach.
const BYTES_PER_S_MIN: u64 = 64 * 1024;
/// Most bytes of an answer that is no object: a list of 1,000 keys of 1,024 bytes, each escaped, fits.
const ANSWER_BYTES_MAX: usize = 8 << 20;

type Connection = SendRequest<Full<Bytes>>;

/// Where the body of an answer goes that is an object: its head with each piece.
pub(super) type Take<'a> = &'a mut dyn FnMut(&Parts, &[u8]) -> io::Result<()>;

/// A request that is signed.
#[derive(Clone, Debug)]
pub(super) struct WireRequest {
    pub(super) method: Method,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

/// An answer.
#[derive(Debug)]
pub(super) struct WireAnswer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The body, where it was not taken.
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum WireFault {
    /// Another try may help.
    Again(String),
    /// No other try helps.
    Never(String),
    /// Whoever took the body refused it.
    Taker(io::Error),
}

/// The way to one server.
pub(super) struct Wire {
    /// `None` only while this is dropped.
    runtime: Option<Runtime>,
    tls: Option<Connector>,
    kept: KeptConnections<Connection>,
    name: String,
    port: u16,
    host: String,
    connect_within: Duration,
    answer_within: Duration,
}

impl core::fmt::Debug for Wire {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Wire({})", self.host)
    }
}

impl Wire {
    pub(super) fn new(config: &S3Config) -> Result<Self> {
        let url = &config.endpoint;
        let roots = match &config.authorities {
            None => barograph_tls::roots(&[]).map_err(|e| e.to_string()),
            Some(path) => {
                barograph_tls::roots_of_file(path).map_err(|e| format!("AWS_CA_BUNDLE: {}: {e}", path.display()))
            }
        };
        let tls = match url.scheme() {
            "https" => {
                let made = roots.and_then(|roots| Connector::new(Some(roots), HTTP).map_err(|e| e.to_string()));
                Some(made.map_err(|e| Error::Address(format!("TLS cannot be set up: {e}")))?)
            }
            _ => None,
        };
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).thread_name("objects").enable_all();
        let name = config.host();
        let usual = if tls.is_some() { 443 } else { 80 };
        let port = url.port_or_known_default().unwrap_or(usual);
        let host = if port == usual { name.clone() } else { format!("{name}:{port}") };
        Ok(Self {
            runtime: Some(runtime.build().map_err(|e| Error::Address(format!("no thread can be started: {e}")))?),
            tls,
            kept: KeptConnections::new(KEPT_MAX),
            name,
            port,
            host,
            connect_within: config.patience.connect,
            answer_within: config.patience.answer,
        })
    }

    /// The header `host`.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Sends a request once. The body of an answer with status 200 or 206 goes to `take`, where there is one.
    pub(super) fn send(
        &self,
        request: WireRequest,
        take: Option<Take<'_>>,
    ) -> core::result::Result<WireAnswer, WireFault> {
        let Some(runtime) = &self.runtime else { return Err(WireFault::Never("it is shut down".to_owned())) };
        runtime.block_on(self.carry(request, take))
    }

    async fn carry(&self, request: WireRequest, take: Option<Take<'_>>) -> core::result::Result<WireAnswer, WireFault> {
        let WireRequest { method, target, headers, body } = request;
        let for_body = Duration::from_secs(body.len() as u64 / BYTES_PER_S_MIN);
        let mut http = Request::builder().method(method).uri(&target).header("host", &self.host);
        for (name, value) in &headers {
            http = http.header(name, value);
        }
        let http = http.header("user-agent", concat!("barograph/", env!("CARGO_PKG_VERSION"))).body(Full::new(body));
        let http = http.map_err(|e| WireFault::Never(format!("the request cannot be made: {e}")))?;
        let mut connection = self.connection().await?;
        let answer = timeout(self.answer_within + for_body, connection.send_request(http)).await;
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(e)) => return Err(WireFault::Again(format!("the connection was lost: {}", chain(&e)))),
            Err(_elapsed) => return Err(WireFault::Again("no answer in time".to_owned())),
        };
        let read = self.read(answer, take).await?;
        if !connection.is_closed() {
            self.kept.put(&self.host, connection);
        }
        Ok(read)
    }

    async fn read(
        &self,
        answer: Response<hyper::body::Incoming>,
        take: Option<Take<'_>>,
    ) -> core::result::Result<WireAnswer, WireFault> {
        let (head, mut incoming) = answer.into_parts();
        let status = head.status.as_u16();
        let mut take = take.filter(|_| matches!(status, 200 | 206));
        let mut body = Vec::new();
        loop {
            let frame = match timeout(self.answer_within, incoming.frame()).await {
                Ok(None) => return Ok(WireAnswer { status, headers: head.headers, body }),
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(e))) => return Err(WireFault::Again(format!("the connection was lost: {}", chain(&e)))),
                Err(_elapsed) => return Err(WireFault::Again("the answer does not go on".to_owned())),
            };
            let Some(piece) = frame.data_ref() else { continue };
            match &mut take {
                Some(take) => take(&head, piece).map_err(WireFault::Taker)?,
                None if body.len() + piece.len() > ANSWER_BYTES_MAX => {
                    return Err(WireFault::Never(format!("its answer is longer than {ANSWER_BYTES_MAX} bytes")));
                }
                None => body.extend_from_slice(piece),
            }
        }
    }

    async fn connection(&self) -> core::result::Result<Connection, WireFault> {
        while let Some(mut kept) = self.kept.take(&self.host, |c| !c.is_closed()) {
            if kept.ready().await.is_ok() {
                return Ok(kept);
            }
        }
        match timeout(self.connect_within, self.connect()).await {
            Ok(made) => made,
            Err(_elapsed) => Err(WireFault::Again(format!("{} does not accept a connection in time", self.host))),
        }
    }

    async fn connect(&self) -> core::result::Result<Connection, WireFault> {
        let name = self.name.trim_matches(['[', ']']);
        let addresses = tokio::net::lookup_host((name, self.port)).await;
        let addresses = addresses.map_err(|e| WireFault::Again(format!("the name {name} is not found: {e}")))?;
        let mut last = format!("the name {name} has no address");
        for address in addresses {
            let tcp = match TcpStream::connect(address).await {
                Ok(tcp) => tcp,
                Err(e) => {
                    last = format!("cannot connect to {address}: {e}");
                    continue;
                }
            };
            // Small requests would wait for each other's acknowledgement.
            drop(tcp.set_nodelay(true));
            let Some(tls) = &self.tls else { return spoken(tcp).await };
            let server = ServerName::try_from(name.to_owned())
                .map_err(|_e| WireFault::Never(format!("{name} is no name a certificate can be for")))?;
            return match tls.connect(server, tcp).await {
                Ok(stream) => spoken(stream).await,
                Err(e) => Err(insecure(&e)),
            };
        }
        Err(WireFault::Again(last))
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        // Waiting for its thread would be refused where this is dropped within another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn spoken<S>(stream: S) -> core::result::Result<Connection, WireFault>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| WireFault::Again(chain(&e)))?;
    // Ends with the sender; its error is also that of the request under way.
    drop(tokio::spawn(async move { drop(connection.await) }));
    Ok(sender)
}

fn insecure(e: &io::Error) -> WireFault {
    WireFault::Never(match barograph_tls::distrust(e) {
        Some(Distrust::Authority) => {
            "its certificate is signed by an authority that is not trusted; name a PEM file of \
                                      the authority in AWS_CA_BUNDLE"
                .to_owned()
        }
        Some(Distrust::Name) => "its certificate is for another name".to_owned(),
        Some(Distrust::Expired) => "its certificate has expired".to_owned(),
        Some(Distrust::Other(why)) => format!("its certificate is not valid: {why}"),
        None => return WireFault::Again(format!("no secure connection: {e}")),
    })
}

fn chain(e: &dyn std::error::Error) -> String {
    let mut text = e.to_string();
    let mut next = e.source();
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}
