//! A plain HTTP/1.1 client over a blocking socket, and a server on a random port that stops when dropped. The client
//! shows everything, also whether an answer broke off.

use super::world::World;
use barograph_api::{Error, Incident, Query, Reporter, ServeConfig, serve_each};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};

pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    pub(crate) world: Arc<World>,
    pub(crate) incidents: Arc<Mutex<Vec<Incident>>>,
    /// Whose answers are given.
    pub(crate) queries: watch::Sender<Arc<dyn Query>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::with(ServeConfig::default())
    }

    pub(crate) fn with(mut config: ServeConfig) -> Self {
        let world = World::new();
        let incidents = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&incidents);
        config.report = Reporter(Arc::new(move |incident: &Incident| seen.lock().unwrap().push(incident.clone())));
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let query: Arc<dyn Query> = Arc::clone(&world) as Arc<dyn Query>;
        let (queries, asked) = watch::channel(query);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                serve_each(listener, asked, config, async move { drop(stopped.await) }).await
            })
        });
        Self { addr: told.recv().unwrap(), world, incidents, queries, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks the server to stop.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }
    /// Waits until it has.
    pub(crate) fn join(&mut self) -> Result<(), Error> {
        self.stop();
        self.thread.take().unwrap().join().unwrap()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let socket = TcpStream::connect(self.addr).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket
    }
    /// Sends bytes as they are and reads until the server closes.
    pub(crate) fn raw(&self, request: &[u8]) -> Reply {
        let mut socket = self.connect();
        // The server may refuse before it has read everything.
        drop(socket.write_all(request));
        let mut all = Vec::new();
        drop(socket.read_to_end(&mut all));
        Reply::parse(&all)
    }
    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        self.raw(text.as_bytes())
    }
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.request("GET", path, &[])
    }
    /// The JSON of an answer that must be 200.
    pub(crate) fn json(&self, path: &str) -> serde_json::Value {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.json()
    }
}

/// Waits until something holds, at most a minute.
pub(crate) fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        // A read that is still held would hold the end as well.
        self.world.set_trouble(super::world::Trouble::None);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body ended where it said it would.
    pub(crate) whole: bool,
}

impl Reply {
    pub(crate) fn parse(all: &[u8]) -> Self {
        let Some(end) = all.windows(4).position(|w| w == b"\r\n\r\n") else {
            return Self { status: 0, headers: Vec::new(), body: all.to_vec(), whole: false };
        };
        let head = String::from_utf8(all[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> =
            lines.map(|l| l.split_once(": ").unwrap()).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
        let rest = &all[end + 4..];
        let find = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let (body, whole) = match (find("transfer-encoding"), find("content-length")) {
            (Some("chunked"), _) => unchunk(rest),
            (_, Some(length)) => (rest.to_vec(), rest.len() == length.parse::<usize>().unwrap()),
            _ => (rest.to_vec(), true),
        };
        Self { status, headers, body, whole }
    }
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
    /// The last part of the type of a problem document, with its form checked.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let json = self.json();
        assert_eq!(json["status"], self.status);
        for field in ["title", "detail", "type"] {
            assert!(json[field].as_str().is_some_and(|t| !t.is_empty() && !t.ends_with('.')), "{field}: {json}");
        }
        assert!(json["hint"].is_string(), "every problem says what to do: {json}");
        json["type"].as_str().unwrap().strip_prefix("urn:barograph:problem:").unwrap().to_owned()
    }
}

fn unchunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|w| w == b"\r\n") else { return (body, false) };
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        rest = &rest[end + 2..];
        if size == 0 {
            return (body, true);
        }
        if rest.len() < size + 2 {
            body.extend_from_slice(rest);
            return (body, false);
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}
