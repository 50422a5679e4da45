//! A plain HTTP/1.1 client over a blocking socket, and a `serve` process on a port of its own.

use super::Place;
use super::process::Running;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// How long a socket may be silent.
const SILENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    pub(crate) process: Running,
    pub(crate) addr: SocketAddr,
}

impl Server {
    /// `serve` over a data folder, ready to answer.
    pub(crate) fn start(place: &Place, data: &str) -> Self {
        Self::of(place.start(&format!("serve --data {data} --listen 127.0.0.1:0")))
    }

    /// A process that serves, once it says where.
    pub(crate) fn of(mut process: Running) -> Self {
        let addr = address(&process.err.wait_for("http://"));
        Self { process, addr }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.addr).unwrap();
        socket.set_read_timeout(Some(SILENCE)).unwrap();
        socket
    }

    /// One request on a connection of its own.
    pub(crate) fn request(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut text = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text.push_str("Host: localhost\r\n");
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        let mut socket = self.connect();
        socket.write_all(text.as_bytes()).unwrap();
        let mut all = Vec::new();
        socket.read_to_end(&mut all).unwrap();
        Reply::parse(path, &all)
    }

    /// One request that changes something.
    pub(crate) fn send(&self, method: &str, path: &str, body: &Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut socket = self.connect();
        socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut all = Vec::new();
        socket.read_to_end(&mut all).unwrap();
        Reply::parse(path, &all)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request(path, &[])
    }

    /// The JSON of an answer that must be 200.
    #[track_caller]
    pub(crate) fn json(&self, path: &str) -> Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }

    /// Follows the event stream.
    pub(crate) fn stream(&self, path: &str) -> Stream {
        self.stream_after(path, "")
    }

    /// The same for a client that has seen an event already.
    pub(crate) fn stream_after(&self, path: &str, last_id: &str) -> Stream {
        let mut socket = self.connect();
        let seen = if last_id.is_empty() { String::new() } else { format!("Last-Event-ID: {last_id}\r\n") };
        write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{seen}\r\n").unwrap();
        Stream::open(socket)
    }
}

/// The address in a line that has one.
pub(crate) fn address(line: &str) -> SocketAddr {
    let rest = line.split_once("http://").unwrap().1;
    rest.split(['/', ' ']).next().unwrap().parse().unwrap_or_else(|e| panic!("{e}: {line}"))
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) path: String,
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    #[track_caller]
    fn parse(path: &str, all: &[u8]) -> Self {
        let end = all.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("{path}: no head in {all:?}"));
        let head = std::str::from_utf8(&all[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let field = |line: &str| line.split_once(": ").map(|(n, v)| (n.to_lowercase(), v.to_owned())).unwrap();
        let headers: Vec<(String, String)> = lines.map(field).collect();
        let mut reply = Self { path: path.to_owned(), status, headers, body: all[end + 4..].to_vec() };
        if reply.header("transfer-encoding") == Some("chunked") {
            let mut whole = BufReader::new(reply.body.as_slice());
            let mut body = Vec::new();
            while let Some(chunk) = chunk(&mut whole) {
                body.extend(chunk);
            }
            reply.body = body;
        } else if let Some(length) = reply.header("content-length") {
            assert_eq!(reply.body.len().to_string(), length, "{path}: broken off");
        }
        reply
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{}: {e}: {}", self.path, self.text()))
    }

    /// The last part of the type of a problem document (RFC 9457), its form checked.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}: {}", self.path, self.text());
        let json = self.json();
        assert_eq!(json["status"], self.status, "{json}");
        for field in ["type", "title", "detail"] {
            let text = json[field].as_str().unwrap_or_default();
            assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('\n'), "{field}: {json}");
        }
        json["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
    }
}

/// The next chunk of a chunked body; `None` after the last.
fn chunk(from: &mut impl std::io::BufRead) -> Option<Vec<u8>> {
    let mut size = String::new();
    from.read_line(&mut size).unwrap();
    let size = usize::from_str_radix(size.trim_end(), 16).unwrap_or_else(|e| panic!("chunk size '{size}': {e}"));
    let mut body = vec![0; size + 2];
    from.read_exact(&mut body).unwrap();
    body.truncate(size);
    (size > 0).then_some(body)
}

/// One server-sent event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Sent {
    pub(crate) event: String,
    pub(crate) id: Option<String>,
    pub(crate) data: String,
}

impl Sent {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

/// An open event stream.
pub(crate) struct Stream {
    socket: BufReader<TcpStream>,
    buffer: String,
    pub(crate) status: u16,
}

impl Stream {
    fn open(socket: TcpStream) -> Self {
        let mut socket = BufReader::new(socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(socket.read_line(&mut head).unwrap() > 0, "no head: {head}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { socket, buffer: String::new(), status }
    }

    /// The next snapshot; alerts of the same minutes may come in between.
    pub(crate) fn snapshot(&mut self) -> Sent {
        loop {
            let sent = self.next().unwrap();
            if sent.event != "alert" {
                return sent;
            }
            assert!(sent.id.is_none() && sent.json()["alert_id"].is_string(), "{}", sent.json());
        }
    }

    /// The data of the next event of a kind.
    #[track_caller]
    pub(crate) fn until(&mut self, kind: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            assert!(Instant::now() < deadline, "no {kind} within a minute");
            let sent = self.next().unwrap_or_else(|| panic!("the stream ended before a {kind}"));
            if sent.event == kind {
                return sent.json();
            }
        }
    }

    /// The next event, comments and settings left out; `None` at the end of the stream.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Option<Sent> {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            while let Some((block, rest)) = self.buffer.split_once("\n\n") {
                let sent = parse(block);
                self.buffer = rest.to_owned();
                if sent.is_some() {
                    return sent;
                }
            }
            assert!(Instant::now() < deadline, "no event within a minute");
            let more = chunk(&mut self.socket)?;
            self.buffer.push_str(std::str::from_utf8(&more).unwrap());
        }
    }
}

fn parse(block: &str) -> Option<Sent> {
    let field = |name: &str| {
        let values: Vec<&str> = block.lines().filter_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).collect();
        (!values.is_empty()).then(|| values.join("\n"))
    };
    Some(Sent { event: field("event")?, id: field("id"), data: field("data").unwrap_or_default() })
}
