//! A venue made of a script: a plain TCP server that answers what a test sets.
//!
//! Its WebSocket is written byte by byte, so that it can also say what a correct one never would.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "test code, of which each file uses its own part"
)]

use barograph_domain::{Span, Ts};
use barograph_net::{Bounds, Clock, InboxReceiver, Incoming, Net, NetOptions, SystemClock, inbox};
use barograph_venues::session::{ConnId, Limits, Link, LinkId, Pool, PoolId};
use base64::Engine as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// A program: runtime, network, and the core's end of the inbox.
pub struct Rig {
    pub runtime: Runtime,
    pub net: Net,
    pub inbox: InboxReceiver,
    pub batch: Vec<(Ts, Incoming)>,
    seen: std::collections::VecDeque<(Ts, Incoming)>,
    pub last: Ts,
}

impl Rig {
    pub fn new() -> Self {
        Self::with(Arc::new(SystemClock), Bounds::default(), &NetOptions { seed: Some(1), ..NetOptions::default() })
    }

    pub fn with(clock: Arc<dyn Clock>, bounds: Bounds, options: &NetOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (stamper, inbox) = inbox(Arc::clone(&clock), bounds, Ts::MIN);
        let net = Net::start(runtime.handle().clone(), clock, stamper, options).unwrap();
        Self { runtime, net, inbox, batch: Vec::new(), seen: std::collections::VecDeque::new(), last: Ts::MIN }
    }

    /// The next thing that happens, within ten seconds; stamps must grow.
    pub fn next(&mut self) -> Incoming {
        self.next_within(Duration::from_secs(10)).expect("nothing happened for ten seconds")
    }

    pub fn next_within(&mut self, wait: Duration) -> Option<Incoming> {
        let until = Instant::now() + wait;
        loop {
            if let Some((at, item)) = self.seen.pop_front() {
                assert!(at > self.last, "stamps grow: {at:?} after {:?}", self.last);
                self.last = at;
                return Some(item);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let taken = self.inbox.take(&mut self.batch, left);
            assert!(self.batch.last().is_none_or(|(at, _)| *at < taken.now));
            self.seen.extend(self.batch.drain(..));
            if taken.ended && self.seen.is_empty() {
                return None;
            }
        }
    }

    /// Skips to the next opening.
    pub fn opened(&mut self) -> ConnId {
        loop {
            if let Incoming::Opened { conn, .. } = self.next() {
                return conn;
            }
        }
    }

    /// Skips to the next message.
    pub fn frame(&mut self) -> (ConnId, bytes::Bytes) {
        loop {
            if let Incoming::Frame { conn, bytes, .. } = self.next() {
                return (conn, bytes);
            }
        }
    }

    pub fn stop(mut self) -> Vec<Incoming> {
        let began = Instant::now();
        self.runtime.block_on(self.net.stop());
        assert!(began.elapsed() < Duration::from_secs(20), "stopping took {:?}", began.elapsed());
        let mut rest = Vec::new();
        while let Some(item) = self.next_within(Duration::from_secs(1)) {
            rest.push(item);
        }
        rest
    }
}

pub fn limits() -> Limits {
    Limits {
        operator: "test",
        messages_per_s: 100,
        connects_max: 100,
        connects_per: Span::secs(1),
        rotate_after: None,
        rotate_overlap: Span::secs(1),
        ping_every: None,
        dead_after: Span::secs(30),
        message_bytes_max: 64 << 20,
        rest_after_403: None,
        deflate: false,
        pools: vec![pool(0, 1_000)],
        host_rests_on_429: false,
    }
}

pub fn pool(id: u8, weight: u32) -> Pool {
    Pool {
        id: PoolId(id),
        name: "weight",
        weight,
        per: Span::secs(60),
        aligned: false,
        used_header: Some("x-used"),
        in_flight_max: 8,
        shared: None,
    }
}

pub fn link(id: u16, at: SocketAddr) -> Link {
    Link { id: LinkId(id), url: format!("ws://{at}/stream"), ping: None }
}

/// Listens on a free port of loopback.
pub fn listen(rig: &Rig) -> (TcpListener, SocketAddr) {
    let listener = rig.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let at = listener.local_addr().unwrap();
    (listener, at)
}

/// Reads one request head; `None` when the client hung up.
pub async fn head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|l| {
        let (key, value) = l.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// Accepts one WebSocket, answering with `extra` header lines (each ended by a line end).
pub async fn accept(listener: &TcpListener, extra: &str) -> TcpStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    let head = head(&mut stream).await.unwrap();
    let key = header(&head, "sec-websocket-key").unwrap().to_owned();
    let mut sha = sha1_smol::Sha1::new();
    sha.update(key.as_bytes());
    sha.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept = base64::engine::general_purpose::STANDARD.encode(sha.digest().bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{extra}\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream
}

/// A frame as a server sends it.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        n @ 0..=125 => out.push(u8::try_from(n).unwrap()),
        n @ 126..=65_535 => {
            out.push(126);
            out.extend(u16::try_from(n).unwrap().to_be_bytes());
        }
        n => {
            out.push(127);
            out.extend((n as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
    out
}

pub const TEXT: u8 = 0x81;
pub const BINARY: u8 = 0x82;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

/// Reads one frame of the client: first byte and unmasked payload.
pub async fn said(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let first = stream.read_u8().await.ok()?;
    let second = stream.read_u8().await.ok()?;
    assert_eq!(second & 0x80, 0x80, "a client masks");
    let len = match second & 0x7f {
        126 => usize::from(stream.read_u16().await.ok()?),
        127 => usize::try_from(stream.read_u64().await.ok()?).unwrap(),
        n => usize::from(n),
    };
    let mut key = [0; 4];
    stream.read_exact(&mut key).await.ok()?;
    let mut payload = vec![0; len];
    stream.read_exact(&mut payload).await.ok()?;
    payload.iter_mut().zip(key.iter().cycle()).for_each(|(b, k)| *b ^= k);
    Some((first, payload))
}

/// A complete HTTP answer.
pub fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    out.extend_from_slice(body);
    out
}
