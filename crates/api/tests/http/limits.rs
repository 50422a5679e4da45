//! Bounds: sizes, hosts, time limits, and how many of anything there may be at once.

use super::advice::post;
use super::client::{Reply, Server, wait_for};
use super::world::Trouble;
use barograph_api::ServeConfig;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

fn raw(server: &Server, head: &str) -> Reply {
    server.raw(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes())
}

#[test]
fn requests_are_bounded_in_every_part() {
    let server = Server::start();
    let long = "x".repeat(5_000);
    let reply = server.get(&format!("/api/v1/markets?as_of={long}"));
    assert_eq!((reply.status, reply.problem().as_str()), (414, "address-too-long"));
    let reply = server.request("GET", "/healthz", &[("X-A", &long), ("X-B", &long)]);
    assert_eq!((reply.status, reply.problem().as_str()), (431, "headers-too-large"));
    let huge = "x".repeat(100_000);
    assert!([0, 414, 431].contains(&server.get(&format!("/{huge}")).status), "refused before it is buffered");
    assert!([0, 431].contains(&server.request("GET", "/healthz", &[("X-A", &huge)]).status));
    let many = "X: 1\r\n".repeat(100);
    assert_eq!(raw(&server, &format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{many}X: 1")).status, 431);
    for body in [
        "Content-Length: 2\r\n\r\n{}",
        "Content-Length: 9999999999\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ] {
        let reply = server.raw(format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{body}").as_bytes());
        assert_eq!((reply.status, reply.problem().as_str()), (413, "body-refused"), "{body}");
        assert_eq!(reply.header("connection"), Some("close"));
    }
    assert_eq!(server.request("GET", "/healthz", &[("Content-Length", "0")]).status, 200);
    assert_eq!(raw(&server, "no http at all").status, 400);
    assert_eq!(server.get("/healthz").status, 200, "and still there");
}

#[test]
fn only_our_own_hosts_are_served() {
    let server = Server::with(ServeConfig { host_names: vec!["weather.example".into()], ..ServeConfig::default() });
    let ask = |host: &str| raw(&server, &format!("GET /healthz HTTP/1.1\r\nHost: {host}"));
    for host in ["localhost", "localhost:1", "127.0.0.1:8600", "[::1]:8600", "Weather.Example"] {
        assert_eq!(ask(host).status, 200, "{host}");
    }
    for host in ["evil.example", "localhost.evil.example", "10.0.0.1:8600"] {
        let reply = ask(host);
        assert_eq!((reply.status, reply.problem().as_str()), (421, "wrong-host"), "{host}");
    }
    assert_eq!(raw(&server, "GET /healthz HTTP/1.1\r\nX: 1").status, 400);
    assert_eq!(raw(&server, "GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost").status, 421);
    assert_eq!(raw(&server, "GET /nowhere HTTP/1.1\r\nHost: evil.example").status, 421, "also where nothing is");
}

#[test]
fn a_request_that_trickles_in_is_cut_off() {
    let server = Server::with(ServeConfig { header_timeout: Duration::from_millis(800), ..ServeConfig::default() });
    let began = Instant::now();
    let mut slow = server.connect();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: local").unwrap();
    let mut left = Vec::new();
    drop(slow.read_to_end(&mut left));
    let mut idle = server.connect();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answered = Vec::new();
    drop(idle.read_to_end(&mut answered));
    assert_eq!(Reply::parse(&answered).status, 200);
    assert!(began.elapsed() > Duration::from_millis(1_400), "both were given their time");
    assert!(began.elapsed() < Duration::from_secs(30), "and no more: {:?}", began.elapsed());
}

#[test]
fn a_slow_read_times_out_and_keeps_its_place() {
    let config = ServeConfig { request_timeout: Duration::from_millis(200), reads_max: 1, ..ServeConfig::default() };
    let server = Server::with(config);
    server.world.set_trouble(Trouble::Held);
    let late = server.get("/api/v1/markets");
    assert_eq!((late.status, late.problem().as_str()), (503, "timeout"));
    assert!(late.header("retry-after").is_some());
    wait_for("a read has begun", || server.world.reads() == 1 || server.get("/api/v1/markets").status == 200);
    // The place is held until the slow one has really ended: reads cannot pile up.
    assert_eq!(server.get("/api/v1/markets").problem(), "timeout");
    assert_eq!(server.world.reads(), 1, "the second never began");
    server.world.set_trouble(Trouble::None);
    wait_for("the slow read has ended", || server.get("/api/v1/markets").status == 200);
}

#[test]
fn more_at_once_than_allowed_is_refused_at_once() {
    let config = ServeConfig { requests_max: 1, ..ServeConfig::default() };
    let server = Server::with(config);
    server.world.set_trouble(Trouble::Held);
    std::thread::scope(|s| {
        let first = s.spawn(|| server.get("/api/v1/markets"));
        wait_for("the first is under way", || server.world.reads() == 1);
        let second = server.get("/healthz");
        assert_eq!((second.status, second.problem().as_str()), (503, "busy"));
        server.world.set_trouble(Trouble::None);
        assert_eq!(first.join().unwrap().status, 200);
    });
    assert_eq!(server.get("/healthz").status, 200);
}

/// Six questions with different moments: one is computed, three wait, the others are sent away, and reads of the store go on.
#[test]
fn a_crowd_that_wants_scorecards_or_replays_stops_nobody_else() {
    let server = Server::start();
    let newest = server.json("/api/v1/scorecard")["span"][1].as_str().unwrap().to_owned();
    type Ask<'a> = &'a (dyn Fn(usize) -> Reply + Sync);
    let scorecard: Ask<'_> = &|n| server.get(&format!("/api/v1/scorecard?as_of={}.{n}Z", newest.trim_end_matches('Z')));
    let replay: Ask<'_> =
        &|n| post(&server, "/api/v1/whatif", &json!({"set": [format!("HIGH_VOL.realized_vol_1h=0.{n}1")]}));
    for ask in [scorecard, replay] {
        server.world.set_trouble(Trouble::Computing);
        std::thread::scope(|s| {
            let (tell, told) = std::sync::mpsc::sync_channel(6);
            for n in 1..=6 {
                let tell = tell.clone();
                s.spawn(move || tell.send(ask(n)).unwrap());
            }
            for _ in 0..2 {
                let away = told.recv().unwrap();
                assert_eq!(
                    (away.status, away.problem().as_str(), away.header("retry-after")),
                    (503, "busy", Some("5"))
                );
            }
            for path in ["/api/v1/markets", "/api/v1/forecasts", "/api/v1/scorecard", "/api/v1/drift"] {
                assert_eq!(server.get(path).status, 200, "{path} while others compute");
            }
            server.world.set_trouble(Trouble::None);
            for _ in 0..4 {
                assert_eq!(told.recv().unwrap().status, 200);
            }
        });
        assert_eq!(ask(7).status, 200, "places are free again");
    }
    let many: Vec<String> = (0..257).map(|n| format!("HIGH_VOL.realized_vol_1h=0.{n}")).collect();
    let reply = post(&server, "/api/v1/whatif", &json!({ "set": many }));
    assert_eq!((reply.status, reply.problem().as_str()), (422, "too-much"));
    assert!(reply.text().contains("change fewer"), "{}", reply.text());
}

#[test]
fn connections_beyond_the_limit_wait_their_turn() {
    let config =
        ServeConfig { connections_max: 2, header_timeout: Duration::from_millis(600), ..ServeConfig::default() };
    let server = Server::with(config);
    let began = Instant::now();
    let idle = [server.connect(), server.connect()];
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(server.get("/healthz").status, 200);
    assert!(began.elapsed() > Duration::from_millis(500), "it waited until an idle one was closed");
    drop(idle);
}

#[test]
fn a_client_that_never_reads_loses_its_connection() {
    let config = ServeConfig { write_stall: Duration::from_millis(400), ..ServeConfig::default() };
    let server = Server::with(config);
    let mut greedy = server.connect();
    let ask = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
    // 200 answers of 90 kB do not fit any socket buffer; nobody reads them.
    drop(greedy.write_all(&ask));
    let says = |what| server.get("/metrics").text().contains(what);
    wait_for("it is being answered", || says("route=\"/openapi.json\",status=\"200\""));
    wait_for("the stalled connection is closed", || says("barograph_http_connections 1\n"));
}
