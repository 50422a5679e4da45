//! A small HTTP load generator and a running server to aim it at.
//!
//! One thread per connection, keep-alive, one request in flight each; latency is from the first byte written to the
//! last byte read. It understands what barograph sends: a status line, headers, `content-length`.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The latest context of the first market of the built-in history.
pub(crate) const CONTEXT: &str = "/api/v1/markets/binance-usdm:BTCUSDT/context";

/// What the live process listens to; a server that only reads has no such page.
const FEEDS: &str = "/api/v1/feeds";

/// A `barograph demo` that serves; ends when dropped.
#[derive(Debug)]
pub(crate) struct DemoServer {
    child: Child,
    address: SocketAddr,
    /// From the start of the process to the first good answer to [`CONTEXT`].
    pub(crate) first_answer: Duration,
}

impl DemoServer {
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        // Already gone, or gone after this: nothing else to do either way.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Starts `barograph demo` on a free port with an empty data folder and waits for its first context.
pub(crate) fn demo(binary: &Path, data: &Path) -> Result<DemoServer, String> {
    let address = free_address()?;
    let begun = Instant::now();
    let mut command = Command::new(binary);
    command.arg("demo").arg("--data").arg(data).arg("--listen").arg(address.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().map_err(|e| format!("cannot start {}: {e}", binary.display()))?;
    let mut server = DemoServer { child, address, first_answer: Duration::ZERO };
    while begun.elapsed() < Duration::from_secs(60) {
        let answered = Connection::open(address).and_then(|mut c| c.get(CONTEXT));
        if matches!(answered, Ok(200)) {
            server.first_answer = begun.elapsed();
            return Ok(server);
        }
        if let Ok(Some(status)) = server.child.try_wait() {
            return Err(format!("the server ended before it answered: {status}"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(format!("no good answer to {CONTEXT} within a minute"))
}

/// Waits until the live process has taken the address over: while the history comes in, another server answers there.
pub(crate) fn until_live(server: &DemoServer) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if matches!(Connection::open(server.address).and_then(|mut c| c.get(FEEDS)), Ok(200)) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Err(format!("no good answer to {FEEDS} within a minute"))
}

fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("cannot find a free port: {e}"))?;
    listener.local_addr().map_err(|e| format!("cannot find a free port: {e}"))
}

/// Latencies of all requests of one load.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    sorted: Vec<Duration>,
    wall: Duration,
}

impl Load {
    pub(crate) fn per_second(&self) -> f64 {
        self.sorted.len() as f64 / self.wall.as_secs_f64().max(1e-9)
    }

    /// Latency that the given share of requests did not exceed (nearest rank).
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let passed = self.sorted.partition_point(|d| {
            let rank = self.sorted.partition_point(|other| other <= d);
            (rank as f64) < share * self.sorted.len() as f64
        });
        self.sorted.get(passed).copied().unwrap_or_default()
    }
}

/// Asks for `path` on `connections` connections at once for `length`; every answer has to be 200.
pub(crate) fn load(to: SocketAddr, path: &str, connections: usize, length: Duration) -> Result<Load, String> {
    let begun = Instant::now();
    let ask = || -> Result<Vec<Duration>, String> {
        let mut connection = Connection::open(to)?;
        let mut latencies = Vec::new();
        while begun.elapsed() < length {
            let sent = Instant::now();
            let status = connection.get(path)?;
            if status != 200 {
                return Err(format!("{path} answered {status}"));
            }
            latencies.push(sent.elapsed());
        }
        Ok(latencies)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|t| t.join().unwrap_or_else(|_panic| Err("a client panicked".to_owned()))).collect()
    });
    let wall = begun.elapsed();
    let mut sorted = results.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    sorted.sort_unstable();
    Ok(Load { sorted, wall })
}

/// One keep-alive connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
    to: SocketAddr,
}

impl Connection {
    pub(super) fn open(to: SocketAddr) -> Result<Self, String> {
        let stream =
            TcpStream::connect_timeout(&to, Duration::from_secs(5)).map_err(|e| format!("cannot connect: {e}"))?;
        stream.set_nodelay(true).map_err(|e| e.to_string())?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).map_err(|e| e.to_string())?;
        Ok(Self { stream: BufReader::new(stream), to })
    }

    /// Asks and reads the whole answer; its status.
    pub(super) fn get(&mut self, path: &str) -> Result<u16, String> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\n\r\n", self.to);
        self.exchange(request.as_bytes(), &mut std::io::sink())
    }

    /// Posts JSON to the tools for agents and reads the whole answer; its status.
    pub(super) fn call(&mut self, body: &[u8]) -> Result<u16, String> {
        self.call_into(body, &mut std::io::sink())
    }

    /// The same, with the answer written into `to`.
    pub(super) fn call_into(&mut self, body: &[u8], to: &mut impl std::io::Write) -> Result<u16, String> {
        let head = format!(
            "POST /mcp HTTP/1.1\r\nHost: {}\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n\
             Mcp-Protocol-Version: 2025-11-25\r\nContent-Length: {}\r\n\r\n",
            self.to,
            body.len()
        );
        self.exchange(&[head.as_bytes(), body].concat(), to)
    }

    fn exchange(&mut self, request: &[u8], to: &mut impl std::io::Write) -> Result<u16, String> {
        self.stream.get_mut().write_all(request).map_err(|e| format!("cannot send: {e}"))?;
        answer(&mut self.stream, to).map_err(|e| format!("cannot read the answer: {e}"))
    }
}

fn answer(from: &mut impl BufRead, to: &mut impl std::io::Write) -> std::io::Result<u16> {
    let bad = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    from.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|s| s.parse().ok()).ok_or_else(|| bad("no status line"))?;
    let (mut length, mut is_chunked) = (None, false);
    loop {
        line.clear();
        from.read_line(&mut line)?;
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        let Some((name, value)) = header.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse::<u64>().ok();
        }
        is_chunked |= name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked");
    }
    if is_chunked {
        loop {
            line.clear();
            from.read_line(&mut line)?;
            let size = u64::from_str_radix(line.trim(), 16).map_err(|_plain| bad("no size of a chunk"))?;
            std::io::copy(&mut from.take(size), to)?;
            line.clear();
            from.read_line(&mut line)?;
            if size == 0 {
                return Ok(status);
            }
        }
    }
    let length = length.ok_or_else(|| bad("no content-length"))?;
    let read = std::io::copy(&mut from.take(length), to)?;
    if read == length { Ok(status) } else { Err(bad("the body is shorter than announced")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_rank() {
        let sorted = (1..=200).map(Duration::from_millis).collect();
        let load = Load { sorted, wall: Duration::from_secs(2) };
        assert_eq!(load.quantile(0.99), Duration::from_millis(198));
        assert_eq!(load.quantile(0.5), Duration::from_millis(100));
        assert!((load.per_second() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn answers_are_read_to_their_end() {
        let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\nHTTP/1.1 204 X\r\ncontent-length: 0\r\n\r\n";
        let mut parts = &chunked[..];
        let mut body = Vec::new();
        assert_eq!((answer(&mut parts, &mut body).unwrap(), answer(&mut parts, &mut body).unwrap()), (200, 204));
        assert_eq!(body, b"{}");
        let mut two =
            &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"[..];
        assert_eq!(answer(&mut two, &mut body).unwrap(), 200);
        assert_eq!(answer(&mut two, &mut body).unwrap(), 404);
        assert!(answer(&mut &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc"[..], &mut body).is_err());
        assert!(answer(&mut &b"HTTP/1.1 200 OK\r\n\r\n"[..], &mut body).is_err());
    }

    #[test]
    fn a_load_counts_every_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming().take(2).flatten() {
                std::thread::spawn(move || {
                    let mut stream = BufReader::new(stream);
                    let mut line = String::new();
                    while stream.read_line(&mut line).unwrap_or(0) > 0 {
                        if line == "\r\n" {
                            let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
                            stream.get_mut().write_all(reply).unwrap();
                        }
                        line.clear();
                    }
                });
            }
        });
        let load = load(to, "/x", 2, Duration::from_millis(200)).unwrap();
        assert!(load.sorted.len() > 10 && load.quantile(1.0) >= load.quantile(0.5), "{}", load.sorted.len());
    }
}
