//! A receiver on loopback that answers as the test says and remembers what it was sent.

use bytes::Bytes;
use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Frame};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What was sent.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Got {
    pub(super) fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

/// What to answer.
pub(super) enum Reaction {
    Answer(u16, Vec<(&'static str, String)>, &'static str),
    /// The connection ends without a word.
    Close,
    /// Nothing is said for so long.
    Slow(Duration),
    /// A head, the beginning of a body, and no end.
    Endless(u16),
}

pub(super) fn status(status: u16) -> Reaction {
    Reaction::Answer(status, Vec::new(), "")
}

type React = dyn Fn(usize, &Got) -> Reaction + Send + Sync;

#[derive(Clone)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) got: Arc<Mutex<Vec<Got>>>,
    pub(super) connections: Arc<Mutex<usize>>,
}

impl Server {
    pub(super) async fn start(react: impl Fn(usize, &Got) -> Reaction + Send + Sync + 'static) -> Self {
        Self::start_with(None, react).await
    }
    /// Over TLS where there is an acceptor.
    pub(super) async fn start_with(
        acceptor: Option<TlsAcceptor>,
        react: impl Fn(usize, &Got) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), got: Arc::default(), connections: Arc::default() };
        let react: Arc<React> = Arc::new(react);
        let serving = server.clone();
        drop(tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                *serving.connections.lock().unwrap() += 1;
                let (got, react) = (Arc::clone(&serving.got), Arc::clone(&react));
                let service = service_fn(move |request| answer(request, Arc::clone(&got), Arc::clone(&react)));
                let http = hyper::server::conn::http1::Builder::new();
                match acceptor.clone() {
                    None => drop(tokio::spawn(http.serve_connection(TokioIo::new(tcp), service))),
                    Some(acceptor) => drop(tokio::spawn(async move {
                        // A client that does not trust the certificate hangs up.
                        if let Ok(tls) = acceptor.accept(tcp).await {
                            drop(http.serve_connection(TokioIo::new(tls), service).await);
                        }
                    })),
                }
            }
        }));
        server
    }
    pub(super) fn url(&self) -> String {
        format!("http://{}/hook/secret-path-token-1234", self.address)
    }
    pub(super) fn all(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
    pub(super) fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

#[derive(Debug)]
struct Closed;
impl core::fmt::Display for Closed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("closed by the test")
    }
}
impl std::error::Error for Closed {}
impl From<Infallible> for Closed {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Says something and then no more.
struct Endless(Option<Bytes>);
impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.take().map_or(Poll::Pending, |bytes| Poll::Ready(Some(Ok(Frame::data(bytes)))))
    }
}

async fn answer(
    request: Request<hyper::body::Incoming>,
    got: Arc<Mutex<Vec<Got>>>,
    react: Arc<React>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Closed> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(|_e| Closed)?.to_bytes();
    let new = Got { path: head.uri.to_string(), headers: head.headers, body };
    let nth = {
        let mut all = got.lock().unwrap();
        all.push(new.clone());
        all.len() - 1
    };
    match react(nth, &new) {
        Reaction::Close => Err(Closed),
        Reaction::Slow(long) => {
            tokio::time::sleep(long).await;
            Err(Closed)
        }
        Reaction::Endless(status) => {
            let body = Endless(Some(Bytes::from_static(b"one moment")));
            Ok(Response::builder().status(status).body(body.boxed()).unwrap())
        }
        Reaction::Answer(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Full::from(body).boxed()).unwrap())
        }
    }
}
