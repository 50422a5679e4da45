//! Asking: HTTP/1.1 over kept connections.
//!
//! A connection serves one request at a time and is kept for the next one to the same place. A kept one may have been
//! closed by the venue meanwhile; a request that finds it so is sent again on another, which is harmless because
//! every request here only reads. Redirects are not followed: the venues answer where they are asked.

use crate::address::{Address, Speaks};
use crate::error::{Error, Result};
use crate::world::NetState;
use crate::ws::handshake::AGENT;
use barograph_tls::KeptConnections;
use bytes::{Bytes, BytesMut};
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use std::io::Read;

/// Bodies larger than this are decompressed off the threads that read sockets.
const INLINE_BYTES: usize = 128 << 10;

/// An answer with the headers the caller needs.
#[derive(Debug)]
pub(crate) struct HttpReply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Connection = SendRequest<Full<Bytes>>;

/// Names and values of headers.
pub type PostHeaders<'a> = &'a [(String, String)];

/// Asks; connections are as many as requests were under way at a time, which the venues' budgets bound.
pub(crate) struct Client {
    kept: KeptConnections<Connection>,
}

impl Client {
    pub(crate) const fn new() -> Self {
        Self { kept: KeptConnections::new(usize::MAX) }
    }

    /// Sends one request and reads the whole answer. The caller limits the time; giving up closes the connection.
    pub(crate) async fn ask(&self, world: &NetState, url: &str, body: Option<&str>) -> Result<HttpReply> {
        self.exchange(world, url, &[], body).await
    }

    /// Posts with further headers, as [`Self::ask`].
    pub(crate) async fn post(
        &self,
        world: &NetState,
        url: &str,
        headers: PostHeaders<'_>,
        body: &str,
    ) -> Result<HttpReply> {
        self.exchange(world, url, headers, Some(body)).await
    }

    async fn exchange(
        &self,
        world: &NetState,
        url: &str,
        headers: PostHeaders<'_>,
        body: Option<&str>,
    ) -> Result<HttpReply> {
        let address = Address::parse(url, Speaks::Http)?;
        let origin = address.origin();
        while let Some(mut sender) = self.kept.take(&origin, |c| !c.is_closed()) {
            // Ready is what has finished its last answer and was not closed meanwhile.
            if sender.ready().await.is_ok()
                && let Ok(response) = sender.send_request(request(&address, headers, body)?).await
            {
                return self.finish(world, &address, sender, response).await;
            }
        }
        let mut sender = connect(world, &address).await?;
        let response =
            sender.send_request(request(&address, headers, body)?).await.map_err(|e| protocol(&address, &e))?;
        self.finish(world, &address, sender, response).await
    }

    async fn finish(
        &self,
        world: &NetState,
        address: &Address,
        sender: Connection,
        response: Response<Incoming>,
    ) -> Result<HttpReply> {
        let (head, mut incoming) = response.into_parts();
        let too_large = || Error::TooLarge { to: address.place(), bytes_max: world.body_bytes_max };
        let mut body = BytesMut::new();
        while let Some(frame) = incoming.frame().await {
            let frame = frame.map_err(|e| protocol(address, &e))?;
            let Some(data) = frame.data_ref() else { continue };
            if body.len() + data.len() > world.body_bytes_max {
                return Err(too_large());
            }
            body.extend_from_slice(data);
        }
        self.kept.put(&address.origin(), sender);
        let body = decoded(&head.headers, body.freeze(), world.body_bytes_max).await;
        let body = body.map_err(|e| match e {
            Decode::TooLarge => too_large(),
            Decode::Broken(detail) => Error::Protocol { to: address.place(), detail },
        })?;
        Ok(HttpReply { status: head.status.as_u16(), headers: head.headers, body })
    }
}

async fn connect(world: &NetState, address: &Address) -> Result<Connection> {
    let stream = world.dialer.open(address).await?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| protocol(address, &e))?;
    world.spawn({
        let mut stopping = world.stopping.subscribe();
        async move {
            tokio::select! {
                // Its error is also that of the request under way; without one it means nothing.
                ended = connection => drop(ended),
                stop = stopping.wait_for(|stop| *stop) => drop(stop),
            }
        }
    });
    Ok(sender)
}

fn request(address: &Address, headers: PostHeaders<'_>, body: Option<&str>) -> Result<Request<Full<Bytes>>> {
    let builder = match body {
        None => Request::get(&address.path),
        Some(_) => Request::post(&address.path).header(CONTENT_TYPE, "application/json"),
    };
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(name, value));
    builder
        .header(HOST, &address.authority)
        .header(USER_AGENT, AGENT)
        .header(ACCEPT_ENCODING, "gzip, deflate")
        .body(Full::from(body.unwrap_or_default().to_owned()))
        .map_err(|_e| Error::Address {
            url: address.path.clone(),
            why: "its path holds characters HTTP does not allow",
        })
}

fn protocol(address: &Address, e: &hyper::Error) -> Error {
    Error::Protocol { to: address.place(), detail: e.to_string() }
}

enum Decode {
    TooLarge,
    Broken(String),
}

async fn decoded(headers: &HeaderMap, body: Bytes, bytes_max: usize) -> core::result::Result<Bytes, Decode> {
    let coding = headers.get(CONTENT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or("identity").trim();
    let coding = match coding.to_ascii_lowercase().as_str() {
        "identity" | "" => return Ok(body),
        "gzip" | "x-gzip" => Coding::Gzip,
        "deflate" => Coding::Zlib,
        other => return Err(Decode::Broken(format!("content coding '{other}' was not asked for"))),
    };
    if body.len() <= INLINE_BYTES {
        return inflate(coding, &body, bytes_max);
    }
    tokio::task::spawn_blocking(move || inflate(coding, &body, bytes_max))
        .await
        .unwrap_or_else(|e| Err(Decode::Broken(e.to_string())))
}

#[derive(Clone, Copy)]
enum Coding {
    Gzip,
    Zlib,
}

fn inflate(coding: Coding, body: &[u8], bytes_max: usize) -> core::result::Result<Bytes, Decode> {
    let limit = bytes_max as u64 + 1;
    let mut whole = Vec::with_capacity(body.len().saturating_mul(4).min(bytes_max));
    let read = match coding {
        Coding::Gzip => MultiGzDecoder::new(body).take(limit).read_to_end(&mut whole),
        Coding::Zlib => ZlibDecoder::new(body).take(limit).read_to_end(&mut whole),
    };
    match read {
        Ok(_) if whole.len() > bytes_max => Err(Decode::TooLarge),
        Ok(_) => Ok(Bytes::from(whole)),
        Err(e) => Err(Decode::Broken(format!("body cannot be decompressed: {e}"))),
    }
}
