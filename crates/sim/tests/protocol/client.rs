//! A client that somebody else wrote (tungstenite), and an HTTP GET of twenty lines.

use barograph_domain::{Span, Ts};
use barograph_sim::{Handle, Server, SimConfig, Venue, VirtualClock};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// How long a test waits for something that must come, on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A server whose world runs `rate` times as fast as the machine.
pub(crate) async fn server(rate: f64, change: impl FnOnce(&mut SimConfig)) -> Handle {
    let mut config = SimConfig::default();
    change(&mut config);
    let clock = Arc::new(VirtualClock::new(Ts::from_civil(2026, 11, 20, 9, 0, 0) + Span::millis(20), rate));
    Server::start(config, clock).await.unwrap()
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Bytes that were announced but did not come.
    pub(crate) missing: usize,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|l| l.to_lowercase().starts_with(&format!("{name}:")))?;
        line.split_once(':').map(|(_, value)| value.trim())
    }
}

pub(crate) async fn get(handle: &Handle, venue: Venue, path: &str) -> Answer {
    get_path(handle, &format!("{}{path}", venue.prefix())).await
}

pub(crate) async fn get_path(handle: &Handle, path: &str) -> Answer {
    let mut stream = TcpStream::connect(handle.addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut all = Vec::new();
    // A connection that breaks is one of the things that are tested.
    drop(tokio::time::timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("an answer in time"));
    let end = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a whole head");
    let head = String::from_utf8(all[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let body = all[end + 4..].to_vec();
    let mut answer = Answer { status, head, body, missing: 0 };
    let stated = answer.header("content-length").map_or(0, |n| n.parse::<usize>().unwrap());
    answer.missing = stated - answer.body.len();
    answer
}

/// One WebSocket.
#[derive(Debug)]
pub(crate) struct Socket(pub(crate) WebSocketStream<TcpStream>);

impl Socket {
    pub(crate) async fn open(handle: &Handle, venue: Venue, path: &str) -> Self {
        let stream = TcpStream::connect(handle.addr).await.unwrap();
        let address = format!("{}{path}", handle.ws_base(venue));
        let (socket, _) = tokio_tungstenite::client_async(address, stream).await.unwrap();
        Self(socket)
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next frame whatever it is; `None` when the connection is over.
    pub(crate) async fn frame(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await.expect("a frame in time");
        next.and_then(Result::ok)
    }

    /// The next text frame as text.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            match self.frame().await {
                Some(Message::Text(text)) => return text.to_string(),
                Some(Message::Ping(_) | Message::Pong(_)) => {}
                other => panic!("expected text, got {other:?}"),
            }
        }
    }

    /// The next text frame as JSON.
    pub(crate) async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
    }

    /// The next text frame that satisfies a condition.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.json().await;
            if wanted(&message) {
                return message;
            }
        }
    }

    /// The code of the close frame that ends the connection.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.frame().await {
                Some(Message::Close(frame)) => return frame.map(|f| f.code.into()),
                Some(_) => {}
                None => return None,
            }
        }
    }

    /// All text frames that come within a time of the machine.
    pub(crate) async fn within(&mut self, time: Duration) -> Vec<Value> {
        let end = tokio::time::Instant::now() + time;
        let mut all = Vec::new();
        while let Ok(Some(Ok(frame))) = tokio::time::timeout_at(end, self.0.next()).await {
            if let Message::Text(text) = frame {
                all.push(serde_json::from_str(&text).unwrap());
            }
        }
        all
    }
}

/// A decimal text as a number.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text")).parse().unwrap()
}
