//! Requests per second and latency of the present context over loopback, 64 connections kept alive, load generator in
//! the same process. A bounded count of requests; prints one line per route. Acceptance: ≥ 5,000 requests/s and p99
//! below 20 ms on two shared cores.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

#[path = "../tests/http/brought.rs"]
mod brought;
#[path = "../tests/http/crossed.rs"]
#[expect(clippy::unwrap_used, reason = "the world of the tests")]
mod crossed;
#[path = "../tests/http/filed.rs"]
#[expect(clippy::unwrap_used, reason = "the world of the tests")]
mod filed;
#[path = "../tests/http/found.rs"]
#[expect(clippy::unwrap_used, reason = "the world of the tests")]
mod found;
#[path = "../tests/http/held.rs"]
mod held;
#[path = "../tests/http/listening.rs"]
#[expect(dead_code, reason = "the world of the tests, of which a part is used here")]
mod listening;
#[path = "../tests/http/optioned.rs"]
#[expect(clippy::unwrap_used, reason = "the world of the tests")]
mod optioned;
#[path = "../tests/http/scored.rs"]
#[expect(clippy::unwrap_used, reason = "the world of the tests")]
mod scored;
#[path = "../tests/http/studied.rs"]
mod studied;
#[path = "../tests/http/supposed.rs"]
mod supposed;
#[path = "../tests/http/told.rs"]
#[expect(clippy::unwrap_used, reason = "the world of the tests")]
mod told;
#[path = "../tests/http/weather.rs"]
#[expect(clippy::unwrap_used, reason = "the world of the tests")]
mod weather;
#[path = "../tests/http/world.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "the world of the tests, of which a part is used here")]
mod world;

use barograph_api::{ServeConfig, serve};
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 64;
const REQUESTS_EACH: usize = 1_500;
const PATHS: [&str; 3] =
    ["/api/v1/markets/binance-usdm:BTCUSDT/context", "/api/market-context/snapshot/?symbol=BTCUSDT", "/healthz"];

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let query = world::World::new();
        let server = tokio::spawn(serve(listener, query, ServeConfig::default(), async { drop(stopped.await) }));
        for path in PATHS {
            load(addr, path, 50).await?;
            let began = Instant::now();
            let mut latencies = load(addr, path, REQUESTS_EACH).await?;
            let took = began.elapsed();
            latencies.sort_unstable();
            println!("{}", line(path, &latencies, took));
        }
        drop(stop);
        Ok(server.await??)
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn line(path: &str, sorted: &[Duration], took: Duration) -> String {
    let at = |share: usize| sorted.get(sorted.len() * share / 1_000).map_or(0.0, |d| d.as_secs_f64() * 1e3);
    let rate = sorted.len() as f64 / took.as_secs_f64();
    format!(
        "{rate:>8.0} requests/s   p50 {:.2} ms   p99 {:.2} ms   p99.9 {:.2} ms   {CONNECTIONS} connections   {path}",
        at(500),
        at(990),
        at(999)
    )
}

async fn load(addr: SocketAddr, path: &'static str, each: usize) -> io::Result<Vec<Duration>> {
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        clients.spawn(client(addr, path, each));
    }
    let mut all = Vec::with_capacity(CONNECTIONS * each);
    while let Some(done) = clients.join_next().await {
        all.extend(done.map_err(io::Error::other)??);
    }
    Ok(all)
}

/// One connection, one request after the other.
async fn client(addr: SocketAddr, path: &'static str, count: usize) -> io::Result<Vec<Duration>> {
    let socket = TcpStream::connect(addr).await?;
    socket.set_nodelay(true)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut latencies = Vec::with_capacity(count);
    let (mut buffer, mut chunk) = (Vec::with_capacity(64 * 1024), [0; 16 * 1024]);
    for _ in 0..count {
        let began = Instant::now();
        send(&socket, request.as_bytes()).await?;
        buffer.clear();
        while !whole(&buffer)? {
            socket.readable().await?;
            match socket.try_read(&mut chunk) {
                Ok(0) => return Err(io::Error::other("the server closed the connection")),
                Ok(n) => buffer.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                Err(e) => return Err(e),
            }
        }
        latencies.push(began.elapsed());
    }
    Ok(latencies)
}

async fn send(socket: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        socket.writable().await?;
        match socket.try_write(bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

/// A complete answer with status 200; any other status is an error.
fn whole(bytes: &[u8]) -> io::Result<bool> {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return Ok(false) };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    if !head.starts_with("http/1.1 200") {
        return Err(io::Error::other(head));
    }
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).and_then(|v| v.parse::<usize>().ok());
    length.map(|n| bytes.len() >= end + 4 + n).ok_or_else(|| io::Error::other("no content-length"))
}
