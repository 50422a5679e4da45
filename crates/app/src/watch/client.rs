//! The server's side of `watch`: one request, or the event stream, over a blocking socket.
//!
//! A stream has a thread of its own and a bounded queue: where the terminal is slow the thread waits, and the server sees a
//! slow reader. It connects again by itself, with growing pauses. Spoken is HTTP/1.0, which keeps answers in one piece.

use crate::failure::Failure;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A process that lives answers within milliseconds; the first table of many markets takes longer.
const CONNECT: Duration = Duration::from_secs(5);
/// A stream ticks each second; ten without one are a connection that is gone.
const SILENCE: Duration = Duration::from_secs(10);
/// Events between the socket and the screen: seconds of a busy board.
const QUEUE: usize = 512;
/// The table of a thousand markets is about one megabyte.
const ANSWER_MAX: u64 = 64 * 1024 * 1024;
/// Alerts of before: as many as are held.
const ALERTS: usize = super::state::ALERTS;
/// How often a pause looks whether it is still wanted.
const SLICE: Duration = Duration::from_millis(100);

/// Where to ask, and as whom.
#[derive(Clone, Debug)]
pub(crate) struct ServerTarget {
    /// `host:port`.
    host: String,
    token: Option<String>,
}

impl ServerTarget {
    /// From an address as people write it, else from the setting `listen`.
    pub(crate) fn new(url: Option<&str>, listen: &str, token: Option<String>) -> Result<Self, Failure> {
        let Some(url) = url else {
            // Who listens on every address of the machine answers on loopback too.
            let host = listen.replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "[::1]:");
            return Ok(Self { host, token });
        };
        let refused = |why: &str| Failure::usage(format!("--url {url}: {why}; write http://127.0.0.1:8600"));
        let rest = match url.split_once("://") {
            Some(("http", rest)) => rest,
            Some(("https", _)) => return Err(refused("TLS is not spoken here; forward the port, as with ssh -L")),
            Some(_) => return Err(refused("is not an http address")),
            None => url,
        };
        let host = rest.trim_end_matches('/');
        if host.is_empty() || host.contains(['/', '?', '@', ' ']) {
            return Err(refused("is more or less than a host and a port"));
        }
        let named = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        Ok(Self { host: if named { host.to_owned() } else { format!("{host}:80") }, token })
    }

    /// The address as people know it.
    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.host)
    }

    fn connect(&self, path: &str) -> std::io::Result<TcpStream> {
        self.ask("GET", path, "")
    }

    /// Sends a request with this body; JSON where it has one.
    fn ask(&self, method: &str, path: &str, body: &str) -> std::io::Result<TcpStream> {
        let found = self.host.to_socket_addrs()?.next();
        let address = found.ok_or_else(|| std::io::Error::other(format!("{} has no address", self.host)))?;
        let mut socket = TcpStream::connect_timeout(&address, CONNECT)?;
        socket.set_read_timeout(Some(SILENCE))?;
        socket.set_write_timeout(Some(SILENCE))?;
        let token = self.token.as_ref().map_or(String::new(), |t| format!("Authorization: Bearer {t}\r\n"));
        let kind = match body {
            "" => String::new(),
            _ => format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
        };
        write!(
            socket,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\n{token}{kind}Connection: close\r\n\r\n{body}",
            self.host
        )?;
        Ok(socket)
    }

    /// An answer in JSON.
    pub(crate) fn get(&self, path: &str) -> Result<Value, String> {
        self.answer(self.connect(path))
    }

    /// The answer to a question with a body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.answer(self.ask("POST", path, &body.to_string()))
    }

    fn answer(&self, asked: std::io::Result<TcpStream>) -> Result<Value, String> {
        let socket = asked.map_err(|e| self.away(&e))?;
        let mut reader = BufReader::new(socket.take(ANSWER_MAX));
        let status = head(&mut reader).map_err(|e| self.away(&e))?;
        let mut text = String::new();
        reader.read_to_string(&mut text).map_err(|e| self.away(&e))?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        if status == Some(200) { Ok(value) } else { Err(self.refusal(status, &value)) }
    }

    fn away(&self, e: &std::io::Error) -> String {
        let why = match e.kind() {
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => "it says nothing".to_owned(),
            _ => e.to_string(),
        };
        format!("no barograph answers at {} ({why})", self.address())
    }

    fn refusal(&self, status: Option<u16>, said: &Value) -> String {
        let Some(status) = status else {
            return format!("what listens at {} is not the API of this program", self.address());
        };
        if status == 401 {
            return format!("{} wants an access token: --token, or BAROGRAPH_TOKEN", self.address());
        }
        let detail = said["detail"].as_str().map_or_else(|| format!("status {status}"), str::to_owned);
        format!("{} refuses: {detail}", self.address())
    }
}

/// Reads the head of an answer; its status.
fn head(reader: &mut impl std::io::BufRead) -> std::io::Result<Option<u16>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.strip_prefix("HTTP/").and_then(|l| l.split(' ').nth(1)).and_then(|s| s.parse().ok());
    while !line.trim_end().is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
    }
    Ok(status)
}

/// What came.
#[derive(PartialEq, Debug)]
pub(crate) enum StreamNews {
    /// An event of the stream.
    Event(String, Value),
    /// Newest alerts of the market that is followed, the newest first.
    Alerts(Value),
    /// The connection is gone, and why; another is tried.
    Lost(String),
}

/// Lines of a stream put together to events.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    event: String,
    data: String,
}

impl Frames {
    /// Takes a line; the event that it ends, if it does.
    pub(crate) fn line(&mut self, line: &str) -> Option<(String, String)> {
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            let whole = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
            return (!whole.0.is_empty()).then_some(whole);
        }
        if let Some(event) = line.strip_prefix("event:") {
            event.trim_start().clone_into(&mut self.event);
        } else if let Some(data) = line.strip_prefix("data:") {
            if !self.data.is_empty() {
                self.data.push('\n');
            }
            self.data.push_str(data.strip_prefix(' ').unwrap_or(data));
        }
        None
    }
}

/// How long to wait after so many connections in a row that brought nothing.
pub(crate) fn pause(failures: u32) -> Duration {
    Duration::from_millis(500).saturating_mul(1 << failures.min(5)).min(Duration::from_secs(15))
}

/// A followed stream; dropping it ends its connection.
#[derive(Debug)]
pub(crate) struct Follow {
    pub(crate) heard: Receiver<StreamNews>,
    over: Arc<AtomicBool>,
    socket: Arc<Mutex<Option<TcpStream>>>,
}

impl Follow {
    /// Begins to follow the board, with one market as it moves.
    pub(crate) fn start(target: &ServerTarget, market: Option<&str>) -> Result<Self, Failure> {
        let (sender, heard) = sync_channel(QUEUE);
        let (over, socket) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let thread = Thread {
            target: target.clone(),
            market: market.map(crate::http::escaped),
            sender,
            over: Arc::clone(&over),
            socket: Arc::clone(&socket),
        };
        std::thread::Builder::new().name("watch".to_owned()).spawn(move || thread.run()).map_err(Failure::broken)?;
        Ok(Self { heard, over, socket })
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(socket) = self.socket.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // It may be closed already.
            drop(socket.shutdown(std::net::Shutdown::Both));
        }
    }
}

struct Thread {
    target: ServerTarget,
    market: Option<String>,
    sender: SyncSender<StreamNews>,
    over: Arc<AtomicBool>,
    socket: Arc<Mutex<Option<TcpStream>>>,
}

impl Thread {
    fn run(&self) {
        let mut failures = 0;
        while !self.over.load(Ordering::Relaxed) {
            let mut any = false;
            let why = self.connection(&mut any);
            failures = if any { 0 } else { failures + 1 };
            if self.over.load(Ordering::Relaxed) || self.sender.send(StreamNews::Lost(why)).is_err() {
                return;
            }
            let mut left = pause(failures);
            while !left.is_zero() && !self.over.load(Ordering::Relaxed) {
                std::thread::sleep(SLICE.min(left));
                left = left.saturating_sub(SLICE);
            }
        }
    }

    /// One connection to its end, and why it ended.
    fn connection(&self, any: &mut bool) -> String {
        let query = self.market.as_ref().map_or(String::new(), |m| format!("?market={m}"));
        let socket = match self.target.connect(&format!("/api/v1/board/stream{query}")) {
            Ok(socket) => socket,
            Err(e) => return self.target.away(&e),
        };
        *self.socket.lock().unwrap_or_else(PoisonError::into_inner) = socket.try_clone().ok();
        self.alerts();
        match self.read(BufReader::new(socket), any) {
            Ok(why) => why,
            Err(e) => self.target.away(&e),
        }
    }

    /// What was reported of the market before it was followed.
    fn alerts(&self) {
        let Some(market) = &self.market else { return };
        // By the clock of whoever is asked: a demo has its own.
        let clock = self.target.get("/api/v1/clock").ok();
        let told = clock.and_then(|c| barograph_domain::Ts::parse(c["now"].as_str()?).ok());
        let since = told.unwrap_or_else(crate::clock::now) - barograph_domain::Span::days(1);
        let start = since.as_millis();
        let path = format!("/api/v1/events?market={market}&start={start}&order=desc&limit={ALERTS}");
        if let Ok(found) = self.target.get(&path) {
            // Whoever is gone is seen at the next event.
            drop(self.sender.send(StreamNews::Alerts(found["items"].clone())));
        }
    }

    fn read(&self, mut reader: BufReader<TcpStream>, any: &mut bool) -> std::io::Result<String> {
        let status = head(&mut reader)?;
        if status != Some(200) {
            let mut text = String::new();
            reader.take(ANSWER_MAX).read_to_string(&mut text)?;
            return Ok(self.target.refusal(status, &serde_json::from_str(&text).unwrap_or_default()));
        }
        let (mut frames, mut line) = (Frames::default(), String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Ok(format!("{} closed the connection", self.target.address()));
            }
            let Some((event, data)) = frames.line(&line) else { continue };
            let Ok(data) = serde_json::from_str(&data) else {
                return Ok(format!("{} sent a {event} that cannot be read", self.target.address()));
            };
            *any = true;
            if self.sender.send(StreamNews::Event(event, data)).is_err() {
                return Ok(String::new());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_people_write_them() {
        let of = |url| ServerTarget::new(url, "0.0.0.0:8600", None).map(|t| t.address()).map_err(|e| e.text().unwrap());
        assert_eq!(of(None).unwrap(), "http://127.0.0.1:8600");
        assert_eq!(of(Some("http://box:9000/")).unwrap(), "http://box:9000");
        assert_eq!(of(Some("box")).unwrap(), "http://box:80");
        for (url, why) in [("https://box", "TLS"), ("ftp://box", "not an http"), ("http://box/x", "more or less")] {
            assert!(of(Some(url)).unwrap_err().contains(why), "{url}");
        }
    }

    #[test]
    fn lines_become_events_and_pauses_grow_to_a_limit() {
        let mut frames = Frames::default();
        let said: Vec<_> =
            "retry: 2000\n\nevent: tick\ndata: {\"t\":\ndata: 1}\r\n\n: comment\n\nevent: closing\ndata: {}\n\n"
                .split_inclusive('\n')
                .filter_map(|line| frames.line(line))
                .collect();
        let want = [("tick", "{\"t\":\n1}"), ("closing", "{}")].map(|(e, d)| (e.to_owned(), d.to_owned()));
        assert_eq!(said, want);
        let pauses: Vec<u128> = (0..8).map(|n| pause(n).as_millis()).collect();
        assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    }
}
