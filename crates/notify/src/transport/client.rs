//! HTTP/1.1 over kept connections, one pool per endpoint.

use super::connect::{first_that_answers, insecure};
use super::gates::Gates;
use super::{Error, NameResolver, SystemNames};
use crate::receiver::{Allowed, permit};
use barograph_tls::{CertificateDer, Connector, HTTP, KeptConnections, ServerName};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, USER_AGENT};
use hyper::{HeaderMap, Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};
use url::{Host, Url};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// From the request to the head of its answer, connecting included.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// A body that says nothing the status does not say is read for so long, for the log and so that the connection can be kept.
const BODY_WITHIN: Duration = Duration::from_millis(250);
/// A body that says what became of the message is waited for.
const VERDICT_WITHIN: Duration = Duration::from_secs(2);
/// Answers are read so far; no service says more that matters.
const ANSWER_BYTES_MAX: usize = 4 << 10;
/// Kept per endpoint: as many as may be under way.
const KEPT_MAX: usize = 32;

type Connection = SendRequest<Full<Bytes>>;

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReceiverReply {
    /// HTTP status.
    pub status: u16,
    /// Headers of the answer.
    pub headers: HeaderMap,
    /// The first 4 kB of the body, or as many as [`ReplyReading::Whole`] wants.
    pub body: Bytes,
    /// The body has ended with what is here: it was neither cut off by its limit nor by its connection.
    pub whole: bool,
}

/// Where an answer says what became of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyReading {
    /// In its status.
    Status,
    /// In its body, which is waited for.
    Body,
    /// Nowhere: its body is what was asked for, and nothing short of all of it will do.
    Whole {
        /// From the request to the end of the body, connecting included.
        within: Duration,
        /// Most bytes of the body; of a longer one so many are read.
        bytes_max: usize,
    },
}

/// A request to be carried.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// Name of the endpoint: connections are kept for each.
    pub endpoint: &'a str,
    /// Address of the request.
    pub url: &'a Url,
    /// Private addresses that may be used.
    pub allowed: &'a [Allowed],
    /// Headers beside those of HTTP itself.
    pub headers: &'a HeaderMap,
    /// Body of the request.
    pub body: &'a Bytes,
    /// At least so long between two requests to this host, from whichever endpoint.
    pub gap: Duration,
    /// Where the answer says what became of the message.
    pub verdict: ReplyReading,
}

/// Carries requests.
pub struct Transport {
    tls: Connector,
    gates: Gates,
    names: Arc<dyn NameResolver>,
    kept: KeptConnections<Connection>,
}

impl core::fmt::Debug for Transport {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Transport")
    }
}

impl Transport {
    /// With the machine's names and the usual trusted certificates.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, String> {
        Self::with(Arc::new(SystemNames), &[])
    }

    /// With other names and more trusted certificates.
    ///
    /// # Errors
    /// When TLS cannot be set up or a certificate is none.
    pub fn with(names: Arc<dyn NameResolver>, trusted: &[CertificateDer<'static>]) -> Result<Self, String> {
        let roots = barograph_tls::roots(trusted).map_err(|e| format!("a trusted certificate cannot be used: {e}"))?;
        let tls = Connector::new(Some(roots), HTTP).map_err(|e| format!("TLS cannot be set up: {e}"))?;
        Ok(Self { tls, gates: Gates::default(), names, kept: KeptConnections::new(KEPT_MAX) })
    }

    /// Posts a body and reads the answer, whatever its status. What was answered counts, even if its body never ends.
    ///
    /// # Errors
    /// When there was no answer within 15 seconds or what [`ReplyReading::Whole`] gives it, or the target may not be connected to.
    pub async fn post(&self, post: Post<'_>) -> Result<ReceiverReply, Error> {
        self.carry(Method::POST, post).await
    }

    /// Reads what is at an address: the same with GET, and without a body.
    ///
    /// # Errors
    /// See [`Self::post`].
    pub async fn get(&self, get: Post<'_>) -> Result<ReceiverReply, Error> {
        let nothing = Bytes::new();
        self.carry(Method::GET, Post { body: &nothing, ..get }).await
    }

    async fn carry(&self, method: Method, post: Post<'_>) -> Result<ReceiverReply, Error> {
        let host = &post.url[url::Position::BeforeHost..url::Position::AfterPort];
        let _slot = self.gates.admit(host, post.endpoint, post.gap).await;
        let scheme = &post.url[url::Position::BeforeScheme..url::Position::BeforePath];
        let place = format!("{} {scheme}", post.endpoint);
        let began = Instant::now();
        let (answer_within, bytes_max) = match post.verdict {
            ReplyReading::Status | ReplyReading::Body => (ANSWER_WITHIN, ANSWER_BYTES_MAX),
            ReplyReading::Whole { within, bytes_max } => (within, bytes_max),
        };
        let asking = timeout(answer_within, self.ask(&place, method, post)).await;
        let (connection, response) = asking.unwrap_or(Err(Error::Timeout("answer")))?;
        let until = match post.verdict {
            ReplyReading::Status => Instant::now() + BODY_WITHIN,
            ReplyReading::Body => Instant::now() + VERDICT_WITHIN,
            ReplyReading::Whole { within, .. } => began + within,
        };
        let reply = self.read(&place, connection, response, (until, bytes_max)).await;
        self.gates.heed(host, post.endpoint, reply.status, &reply.headers);
        Ok(reply)
    }

    /// Sends the request once: over a kept connection, or over a new one where nothing of it has left over the kept.
    async fn ask(
        &self,
        place: &str,
        method: Method,
        post: Post<'_>,
    ) -> Result<(Connection, Response<Incoming>), Error> {
        let mut request = request(method, post.url, post.headers, post.body.clone())?;
        while let Some(mut connection) = self.kept.take(place, Connection::is_ready) {
            match connection.try_send_request(request).await {
                Ok(response) => return Ok((connection, response)),
                Err(mut failed) => match failed.take_message() {
                    // The receiver closed it while nobody used it; it has not seen anything of this.
                    Some(unsent) => request = unsent,
                    None => return Err(Error::Unanswered(failed.into_error().to_string())),
                },
            }
        }
        let mut connection = self.connect(post.url, post.allowed).await?;
        let sent = connection.send_request(request).await;
        let response = sent.map_err(|e| Error::Unanswered(e.to_string()))?;
        Ok((connection, response))
    }

    /// Reads the beginning of the body, as far as it comes in time. Only a connection whose body was read whole is used again.
    async fn read(
        &self,
        place: &str,
        mut connection: Connection,
        response: Response<Incoming>,
        (until, bytes_max): (Instant, usize),
    ) -> ReceiverReply {
        let (head, mut incoming) = response.into_parts();
        let mut body = Vec::new();
        let whole = loop {
            let Ok(next) = timeout_at(until, incoming.frame()).await else { break false };
            let Some(frame) = next else { break true };
            let Ok(frame) = frame else { break false };
            let Some(data) = frame.data_ref() else { continue };
            let room = bytes_max - body.len();
            body.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() >= room {
                break false;
            }
        };
        if whole && matches!(timeout_at(until, connection.ready()).await, Ok(Ok(()))) {
            self.kept.put(place, connection);
        }
        ReceiverReply { status: head.status.as_u16(), headers: head.headers, body: Bytes::from(body), whole }
    }

    async fn connect(&self, url: &Url, allowed: &[Allowed]) -> Result<Connection, Error> {
        let port = url.port_or_known_default().unwrap_or(443);
        let connecting = async {
            let addresses = self.checked(url, port, allowed).await?;
            let tcp = first_that_answers(&addresses, port).await?;
            tcp.set_nodelay(true).map_err(|e| Error::Connect(e.to_string()))?;
            if url.scheme() != "https" {
                return spoken(tcp).await;
            }
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(host).map_err(|_e| Error::Tls("its host is no valid name".to_owned()))?;
            let tls = self.tls.connect(name, tcp).await.map_err(|e| insecure(&e))?;
            spoken(tls).await
        };
        timeout(CONNECT_WITHIN, connecting).await.unwrap_or(Err(Error::Timeout("connection")))
    }

    /// The target's addresses; one that may not be used spoils them all.
    async fn checked(&self, url: &Url, port: u16, allowed: &[Allowed]) -> Result<Vec<IpAddr>, Error> {
        let addresses = match url.host() {
            Some(Host::Ipv4(ip)) => vec![ip.into()],
            Some(Host::Ipv6(ip)) => vec![ip.into()],
            Some(Host::Domain(name)) => {
                self.names.lookup(name).await.map_err(|e| Error::Connect(format!("{name} is not found: {e}")))?
            }
            None => Vec::new(),
        };
        for ip in &addresses {
            permit::check(*ip, port, url.scheme() == "http", allowed).map_err(Error::Refused)?;
        }
        if addresses.is_empty() { Err(Error::Connect("its name has no address".to_owned())) } else { Ok(addresses) }
    }
}

async fn spoken<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Result<Connection, Error> {
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|e| Error::Protocol(e.to_string()))?;
    // Ends with the sender; its error is also that of the request under way.
    drop(tokio::spawn(async move { drop(connection.await) }));
    Ok(sender)
}

fn request(method: Method, url: &Url, headers: &HeaderMap, body: Bytes) -> Result<Request<Full<Bytes>>, Error> {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("barograph/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(body))
        .map_err(|_e| Error::Protocol("its path holds characters HTTP does not allow".to_owned()))?;
    for (name, value) in headers {
        request.headers_mut().insert(name, value.clone());
    }
    Ok(request)
}
