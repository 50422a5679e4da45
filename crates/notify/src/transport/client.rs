//! HTTP/1.1 over kept connections, one pool per endpoint.

use super::{Error, Names, SystemNames};
use crate::receiver::{Allowed, permit};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HOST, USER_AGENT};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};
use url::{Host, Url};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ALL_WITHIN: Duration = Duration::from_secs(15);
/// Answers are read so far; no service says more that matters.
const ANSWER_BYTES_MAX: usize = 4 << 10;
/// A connection that was quiet for longer is not used again: most servers have closed it by then.
const KEPT_FOR: Duration = Duration::from_secs(30);
/// Kept per endpoint: as many as may be under way.
const KEPT_MAX: usize = 32;

type Connection = SendRequest<Full<Bytes>>;

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The first 4 kB of the body.
    pub body: Bytes,
}

/// Carries requests.
pub struct Transport {
    tls: TlsConnector,
    names: Arc<dyn Names>,
    kept: Mutex<BTreeMap<String, Vec<(Instant, Connection)>>>,
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
    pub fn with(names: Arc<dyn Names>, trusted: &[CertificateDer<'static>]) -> Result<Self, String> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        // Unreadable certificates of the machine are passed over: the list compiled in remains.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for certificate in trusted {
            roots.add(certificate.clone()).map_err(|e| format!("a trusted certificate cannot be used: {e}"))?;
        }
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|e| format!("TLS cannot be set up: {e}"))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { tls: TlsConnector::from(Arc::new(config)), names, kept: Mutex::default() })
    }

    /// Posts a body and reads the answer, whatever its status.
    ///
    /// # Errors
    /// When there was no answer within 15 seconds, or the target may not be connected to.
    pub async fn post(
        &self,
        endpoint: &str,
        url: &Url,
        allowed: &[Allowed],
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Reply, Error> {
        timeout(ALL_WITHIN, self.ask(endpoint, url, allowed, headers, body))
            .await
            .unwrap_or(Err(Error::Timeout("answer")))
    }

    async fn ask(
        &self,
        endpoint: &str,
        url: &Url,
        allowed: &[Allowed],
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Reply, Error> {
        let place = format!("{endpoint} {}", &url[url::Position::BeforeScheme..url::Position::BeforePath]);
        while let Some(mut connection) = self.take_kept(&place) {
            // The receiver may have closed it meanwhile; the request, with its id, then goes over a new one.
            match connection.send_request(request(url, headers, body.clone())?).await {
                Ok(response) => return self.read(&place, connection, response).await,
                Err(_closed) => {}
            }
        }
        let mut connection = self.connect(url, allowed).await?;
        let sent = connection.send_request(request(url, headers, body)?).await;
        let response = sent.map_err(|e| Error::Protocol(e.to_string()))?;
        self.read(&place, connection, response).await
    }

    fn take_kept(&self, place: &str) -> Option<Connection> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = kept.get_mut(place)?;
        while let Some((since, connection)) = pool.pop() {
            if connection.is_ready() && since.elapsed() < KEPT_FOR {
                return Some(connection);
            }
        }
        None
    }

    fn keep(&self, place: &str, connection: Connection) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = kept.entry(place.to_owned()).or_default();
        if pool.len() < KEPT_MAX {
            pool.push((Instant::now(), connection));
        }
    }

    /// Reads the beginning of the body. Only a connection whose body was read whole is used again.
    async fn read(
        &self,
        place: &str,
        mut connection: Connection,
        response: Response<hyper::body::Incoming>,
    ) -> Result<Reply, Error> {
        let (head, mut incoming) = response.into_parts();
        let mut body = Vec::new();
        let mut whole = true;
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|e| Error::Protocol(e.to_string()))?;
            let Some(data) = frame.data_ref() else { continue };
            let room = ANSWER_BYTES_MAX - body.len();
            body.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() >= room {
                whole = false;
                break;
            }
        }
        if whole && connection.ready().await.is_ok() {
            self.keep(place, connection);
        }
        Ok(Reply { status: head.status.as_u16(), headers: head.headers, body: Bytes::from(body) })
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
            let tls = self.tls.connect(name, tcp).await.map_err(|e| Error::Tls(e.to_string()))?;
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
            permit::check(*ip, port, allowed).map_err(Error::Refused)?;
        }
        if addresses.is_empty() { Err(Error::Connect("its name has no address".to_owned())) } else { Ok(addresses) }
    }
}

async fn first_that_answers(addresses: &[IpAddr], port: u16) -> Result<TcpStream, Error> {
    let mut last = io::Error::other("no address");
    for ip in addresses {
        match TcpStream::connect(SocketAddr::new(*ip, port)).await {
            Ok(tcp) => return Ok(tcp),
            Err(e) => last = e,
        }
    }
    Err(Error::Connect(last.to_string()))
}

async fn spoken<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Result<Connection, Error> {
    let (sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|e| Error::Protocol(e.to_string()))?;
    // Ends with the sender; its error is also that of the request under way.
    drop(tokio::spawn(async move { drop(connection.await) }));
    Ok(sender)
}

fn request(url: &Url, headers: &HeaderMap, body: Bytes) -> Result<Request<Full<Bytes>>, Error> {
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let mut request = Request::post(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("barograph/", env!("CARGO_PKG_VERSION")))
        .body(Full::new(body))
        .map_err(|_e| Error::Protocol("its path holds characters HTTP does not allow".to_owned()))?;
    for (name, value) in headers {
        request.headers_mut().insert(name, value.clone());
    }
    Ok(request)
}
