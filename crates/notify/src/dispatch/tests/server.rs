//! A receiver on loopback that answers as the test says and remembers what it was sent.

use bytes::Bytes;
use core::convert::Infallible;
use http_body_util::{BodyExt as _, Full};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;

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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), got: Arc::default(), connections: Arc::default() };
        let react: Arc<React> = Arc::new(react);
        let serving = server.clone();
        drop(tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                *serving.connections.lock().unwrap() += 1;
                let (got, react) = (Arc::clone(&serving.got), Arc::clone(&react));
                let service = service_fn(move |request| answer(request, Arc::clone(&got), Arc::clone(&react)));
                drop(tokio::spawn(
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tcp), service),
                ));
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

async fn answer(
    request: Request<hyper::body::Incoming>,
    got: Arc<Mutex<Vec<Got>>>,
    react: Arc<React>,
) -> Result<Response<Full<Bytes>>, Closed> {
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
        Reaction::Answer(status, headers, body) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Full::from(body)).unwrap())
        }
    }
}
