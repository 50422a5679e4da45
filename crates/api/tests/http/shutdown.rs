//! Stopping: streams hear of it, requests under way finish, and what does not finish in time is cut.

use super::client::{Reply, Server, wait_for};
use super::world::Trouble;
use barograph_api::{Error, Query, ServeConfig, serve};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[test]
fn requests_finish_streams_end_and_nothing_new_begins() {
    let mut server = Server::start();
    let mut stream = server.connect();
    stream.write_all(b"GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut idle = server.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    server.world.set_trouble(Trouble::Slow(Duration::from_millis(700)));
    let mut busy = server.connect();
    busy.write_all(b"GET /api/v1/markets HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    wait_for("all three are under way", || server.world.reads() == 1 && server.world.listeners() == 1);
    std::thread::sleep(Duration::from_millis(100));

    let began = Instant::now();
    let addr = server.addr;
    server.stop();
    let read = |mut socket: TcpStream| {
        let mut all = Vec::new();
        socket.read_to_end(&mut all).unwrap();
        Reply::parse(&all)
    };
    let stream = read(stream);
    assert!(stream.whole && stream.text().ends_with("event: closing\ndata: {}\n\n"), "{}", stream.text());
    assert_eq!(read(idle).status, 200);
    let busy = read(busy);
    assert!(busy.status == 200 && busy.whole && busy.json()["items"].is_array(), "the read under way was answered");
    server.join().unwrap();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    assert!(TcpStream::connect(addr).is_err(), "the address is free");
}

/// Reads one answer with a length and leaves the connection open.
fn one(socket: &mut TcpStream) -> Reply {
    let mut seen = Vec::new();
    loop {
        let mut byte = [0];
        assert_eq!(socket.read(&mut byte).unwrap(), 1, "closed after {}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
        if seen.ends_with(b"\r\n\r\n") {
            let head = Reply::parse(&[&seen[..], b" "].concat());
            let mut body = vec![0; head.header("content-length").unwrap().parse().unwrap()];
            socket.read_exact(&mut body).unwrap();
            return Reply::parse(&[seen, body].concat());
        }
    }
}

/// A polling client keeps its connection while one query takes over from another; what was under way is answered as it began.
#[test]
fn another_query_takes_over_without_a_connection_lost() {
    let server = Server::start();
    let later = super::world::World::new();
    let ask = |socket: &mut TcpStream, path: &str| {
        write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    };
    let mut polling = server.connect();
    ask(&mut polling, "/api/v1/markets");
    assert_eq!((one(&mut polling).status, later.reads()), (200, 0));
    let mut stream = server.connect();
    ask(&mut stream, "/api/v1/stream");
    server.world.set_trouble(Trouble::Held);
    let mut busy = server.connect();
    ask(&mut busy, "/api/v1/markets");
    wait_for("both are under way", || server.world.listeners() == 1 && server.world.reads() == 1);

    server.queries.send_replace(Arc::clone(&later) as Arc<dyn Query>);
    wait_for("the stream has ended", || server.world.listeners() == 0);
    let before = server.world.reads();
    for _ in 0..3 {
        ask(&mut polling, "/api/v1/markets");
        assert_eq!(one(&mut polling).status, 200);
    }
    assert_eq!((server.world.reads(), later.reads()), (before, 3), "later answers are the other's");
    server.world.set_trouble(Trouble::None);
    assert_eq!(one(&mut busy).status, 200, "what was under way is answered");
    let mut told = String::new();
    while !told.contains("event: closing\ndata: {}\n\n") {
        let mut piece = [0; 4_096];
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "its client is told to come again: {told}");
        told.push_str(&String::from_utf8_lossy(&piece[..n]));
    }
    ask(&mut busy, "/metrics");
    let metrics = one(&mut busy).text();
    assert!(metrics.contains("barograph_http_connections 3"), "counters go on: {metrics}");
}

#[test]
fn what_does_not_end_in_time_is_cut_and_reported() {
    let config = ServeConfig { drain: Duration::from_millis(300), ..ServeConfig::default() };
    let mut server = Server::with(config);
    server.world.set_trouble(Trouble::Held);
    let mut busy = server.connect();
    busy.write_all(b"GET /api/v1/markets HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    wait_for("the read is under way", || server.world.reads() == 1);
    server.stop();
    let mut all = Vec::new();
    drop(busy.read_to_end(&mut all));
    assert_eq!(all.len(), 0);
    server.world.set_trouble(Trouble::None);
    server.join().unwrap();
    let incidents = server.incidents.lock().unwrap();
    assert!(incidents.iter().any(|i| i.route == "shutdown" && i.detail.starts_with("1 connections were cut")));
}

#[test]
fn other_addresses_are_refused_by_the_server_too() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
        let query: Arc<dyn Query> = super::world::World::new();
        serve(listener, query, ServeConfig::default(), std::future::pending()).await
    });
    assert!(matches!(refused, Err(Error::Exposed { .. })), "{refused:?}");
}
