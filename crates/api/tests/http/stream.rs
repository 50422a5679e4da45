//! The event stream: what comes first, what follows, what is left out, and how it ends.

use super::client::{Reply, Server, wait_for};
use super::found::event;
use super::world::{LIVING, MINUTES, published};
use barograph_api::{STREAM_BUFFER, ServeConfig, StreamEvent};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// A listening client.
pub(super) struct Listener {
    socket: TcpStream,
    seen: Vec<u8>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Event {
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) data: Value,
}

impl Listener {
    pub(super) fn open(server: &Server, path: &str, headers: &str) -> Self {
        let mut socket = server.connect();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n").unwrap();
        let mut listener = Self { socket, seen: Vec::new() };
        listener.until(|l| l.text().contains("retry: "));
        listener
    }
    fn text(&self) -> String {
        String::from_utf8_lossy(&Reply::parse(&self.seen).body).into_owned()
    }
    /// Reads until something holds; says so when it never does.
    pub(super) fn until(&mut self, holds: impl Fn(&Self) -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut buffer = [0; 65_536];
        let (mut looked, mut quiet) = (Instant::now(), true);
        loop {
            // Of a flood not after every piece: all that was seen is read anew each time.
            if quiet || looked.elapsed() > Duration::from_millis(200) {
                if holds(self) {
                    return true;
                }
                looked = Instant::now();
            }
            assert!(Instant::now() < deadline, "waited in vain; seen: {}", String::from_utf8_lossy(&self.seen));
            match self.socket.read(&mut buffer) {
                Ok(0) => return holds(self),
                Ok(n) => self.seen.extend_from_slice(&buffer[..n]),
                Err(_quiet) => {
                    quiet = true;
                    continue;
                }
            }
            quiet = false;
        }
    }
    /// Reads what comes in this time.
    pub(super) fn read_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        self.until(|_| Instant::now() >= until);
    }
    pub(super) fn events(&self) -> Vec<Event> {
        let text = self.text();
        let blocks = text.split("\n\n").filter(|b| b.starts_with("event: "));
        let field = |block: &str, name: &str| -> String {
            let found = block.lines().find_map(|l| l.strip_prefix(name));
            found.unwrap_or_default().to_owned()
        };
        let whole = blocks.filter(|b| serde_json::from_str::<Value>(&field(b, "data: ")).is_ok());
        whole
            .map(|b| Event {
                kind: field(b, "event: "),
                id: field(b, "id: "),
                data: serde_json::from_str(&field(b, "data: ")).unwrap(),
            })
            .collect()
    }
    pub(super) fn wait(&mut self, count: usize) -> Vec<Event> {
        self.until(|l| l.events().len() >= count);
        self.events()
    }
    /// Takes at most `bytes` that have arrived or arrive soon.
    fn sip(&mut self, bytes: usize) {
        let mut buffer = vec![0; bytes];
        if let Ok(n) = self.socket.read(&mut buffer) {
            self.seen.extend_from_slice(&buffer[..n]);
        }
    }
    /// Was this read lately, and a frame to its end after it? Frames are chunks, so nothing inside one is torn.
    fn ends_with(&self, text: &str) -> bool {
        let tail = &self.seen[self.seen.len().saturating_sub(128 * 1024)..];
        tail.ends_with(b"\n\n\r\n") && tail.windows(text.len()).any(|w| w == text.as_bytes())
    }
    /// Reads until the server ends the answer properly.
    pub(super) fn ended(&mut self) -> Vec<Event> {
        self.until(|l| l.seen.ends_with(b"\r\n0\r\n\r\n"));
        self.events()
    }
}

/// An alert has no id: a client that comes back says which snapshot it has seen.
#[test]
fn alerts_follow_in_the_same_stream() {
    let server = Server::start();
    let mut all = Listener::open(&server, "/api/v1/stream", "");
    let mut other = Listener::open(&server, "/api/v1/stream?markets=bybit:BTCUSDT", "");
    all.wait(LIVING.len());
    other.wait(1);
    let told = event(2);
    let json = serde_json::to_vec(&told).unwrap();
    let alert = StreamEvent { instrument: told.instrument.clone(), snapshot_id: None, json: json.into() };
    server.world.send([alert.clone(), alert]);
    server.world.publish("bybit:BTCUSDT", MINUTES);
    let events = all.wait(LIVING.len() + 3);
    for alert in &events[3..5] {
        assert_eq!((alert.kind.as_str(), alert.id.as_str()), ("alert", ""));
        assert_eq!(alert.data, serde_json::to_value(&told).unwrap());
    }
    assert_eq!(events[5].kind, "snapshot");
    assert_eq!(other.wait(2)[1].kind, "snapshot", "another market's alert is not for this client");
}

#[test]
fn newest_first_then_each_new_one_once() {
    let server = Server::start();
    let mut all = Listener::open(&server, "/api/v1/stream", "");
    let first = all.wait(LIVING.len());
    let of = |events: &[Event]| -> Vec<String> {
        events.iter().map(|e| e.data["instrument"].as_str().unwrap_or("").to_owned()).collect()
    };
    assert_eq!(of(&first), LIVING);
    assert!(first.iter().all(|e| e.kind == "snapshot" && e.id == e.data["snapshot_id"] && e.data["age_s"] == 30));
    let head = Reply::parse(&all.seen);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));

    let mut one = Listener::open(&server, "/api/v1/stream?markets=bybit:BTCUSDT", "");
    assert_eq!(of(&one.wait(1)), ["bybit:BTCUSDT"]);
    server.world.publish("binance-usdm:ETHUSDT", MINUTES);
    let again = server.world.publish("bybit:BTCUSDT", MINUTES - 1);
    let new = server.world.publish("bybit:BTCUSDT", MINUTES);
    let events = all.wait(LIVING.len() + 2);
    assert_eq!(of(&events[3..]), ["binance-usdm:ETHUSDT", "bybit:BTCUSDT"]);
    assert!(!events[3..].iter().any(|e| e.id == again.snapshot_id), "the greeting had it already");
    assert_eq!(events[4].data, serde_json::to_value(&*new).unwrap(), "as published, without overlay");
    assert_eq!(of(&one.wait(2)), ["bybit:BTCUSDT", "bybit:BTCUSDT"]);

    let id = format!("Last-Event-ID: {}\r\n", new.snapshot_id);
    drop(one);
    let mut back = Listener::open(&server, "/api/v1/stream?markets=bybit:BTCUSDT", &id);
    assert_eq!(back.wait(1)[0].id, again.snapshot_id, "the store's newest is another one than the last seen");
    let id = format!("Last-Event-ID: {}\r\n", again.snapshot_id);
    let mut back = Listener::open(&server, "/api/v1/stream?markets=bybit:BTCUSDT", &id);
    server.world.publish("bybit:BTCUSDT", MINUTES + 1);
    assert_eq!(back.wait(1)[0].data["timestamp"], "2026-02-05T12:01:00Z", "nothing twice");
}

#[test]
fn an_idle_stream_is_kept_alive_and_counted() {
    let server = Server::with(ServeConfig { keep_alive: Duration::from_millis(100), ..ServeConfig::default() });
    let mut quiet = Listener::open(&server, "/api/v1/stream?markets=ETHUSDT", "");
    quiet.until(|l| l.text().matches(": keep-alive\n\n").count() >= 3);
    // What is published for others does not keep this one waiting.
    let before = quiet.text().matches(": keep-alive\n\n").count();
    for n in 0..20 {
        server.world.publish("bybit:BTCUSDT", MINUTES + n);
        std::thread::sleep(Duration::from_millis(40));
    }
    quiet.until(|l| l.text().matches(": keep-alive\n\n").count() >= before + 3);
    assert_eq!(quiet.events().len(), 1);
    assert!(server.get("/metrics").text().contains("barograph_http_stream_clients 1\n"));
    drop(quiet);
    wait_for("a client that has gone is no longer counted", || {
        server.get("/metrics").text().contains("barograph_http_stream_clients 0\n") && server.world.listeners() == 0
    });
}

#[test]
fn clients_are_bounded_and_places_come_back() {
    let server = Server::with(ServeConfig { stream_clients_max: 2, ..ServeConfig::default() });
    let first = Listener::open(&server, "/api/v1/stream", "");
    let _second = Listener::open(&server, "/api/v1/stream", "");
    let third = server.get("/api/v1/stream");
    assert_eq!((third.status, third.problem().as_str()), (503, "busy"));
    let head = server.request("HEAD", "/api/v1/stream", &[]);
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")), "HEAD takes no place");
    drop(first);
    wait_for("its place is free", || server.world.listeners() == 1);
    let _third = Listener::open(&server, "/api/v1/stream", "");
}

/// Minute `n` of a thousand markets.
fn thousand(n: i64) -> Vec<StreamEvent> {
    (0..1_000).map(|m| published(&format!("okx:M{m:03}-USDT-SWAP"), n).1).collect()
}

#[test]
fn a_thousand_markets_at_once_reach_fast_and_slow() {
    let server = Server::start();
    let mut fast = Listener::open(&server, "/api/v1/stream", "");
    let mut slow = Listener::open(&server, "/api/v1/stream", "");
    let minutes = [thousand(MINUTES), thousand(MINUTES + 1)];
    // Two minutes in a row: the slow one has not begun to read the first when the second is published.
    let expected: Vec<String> = minutes.iter().flatten().filter_map(|e| e.snapshot_id.clone()).collect();
    assert_eq!(expected.iter().collect::<BTreeSet<_>>().len(), 2_000, "ids tell snapshots apart");
    server.world.send(minutes.into_iter().flatten());
    let check = |listener: &Listener, who: &str| {
        let events = listener.events();
        assert!(events.iter().all(|e| e.kind == "snapshot"), "{who}: nobody was let go");
        let ids: Vec<&String> = events.iter().skip(LIVING.len()).map(|e| &e.id).collect();
        assert!(ids == expected.iter().collect::<Vec<_>>(), "{who}: {} of {}", ids.len(), expected.len());
        let mut newest: BTreeMap<&str, &Value> = BTreeMap::new();
        for event in events.iter().skip(LIVING.len()) {
            newest.insert(event.data["instrument"].as_str().unwrap(), &event.data["timestamp"]);
        }
        assert!(newest.len() == 1_000 && newest.values().all(|t| *t == "2026-02-05T12:01:00Z"), "{who}");
    };
    let last = expected.last().unwrap();
    fast.until(|l| l.ends_with(last));
    check(&fast, "fast");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !slow.ends_with(last) {
        assert!(Instant::now() < deadline, "the slow one has seen {} bytes", slow.seen.len());
        slow.sip(32 * 1024);
        std::thread::sleep(Duration::from_millis(2));
    }
    check(&slow, "slow");
    assert!(expected.len() < STREAM_BUFFER, "within what is promised");
}

#[test]
fn a_slow_client_is_told_and_let_go() {
    // However long publishing takes on a busy machine, it is not the socket that gives up.
    let server = Server::with(ServeConfig { write_stall: Duration::from_secs(300), ..ServeConfig::default() });
    let mut slow = Listener::open(&server, "/api/v1/stream?markets=ETHUSDT", "");
    slow.wait(1);
    // More than socket buffers, queue and broadcast channel hold together; the client reads nothing meanwhile.
    for n in 0..20_000 {
        server.world.publish("binance-usdm:ETHUSDT", MINUTES + n);
        if n % 8 == 0 {
            std::thread::yield_now();
        }
    }
    let events = slow.ended();
    let last = events.last().unwrap();
    assert_eq!(last.kind, "lagged", "{} events", events.len());
    assert!(last.data["missed"].as_u64().unwrap() > 0);
    assert!(server.get("/metrics").text().contains("stream_dropped_total{reason=\"lagged\"} 1"));
}

#[test]
fn a_client_that_never_reads_is_cut() {
    let server = Server::with(ServeConfig { write_stall: Duration::from_millis(300), ..ServeConfig::default() });
    let dead = Listener::open(&server, "/api/v1/stream?markets=ETHUSDT", "");
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut n = MINUTES;
    while server.world.listeners() > 0 {
        assert!(Instant::now() < deadline, "still listening");
        server.world.publish("binance-usdm:ETHUSDT", n);
        n += 1;
        if n % 16 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    drop(dead);
}
