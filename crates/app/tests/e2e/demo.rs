//! `demo` as somebody sees it who tries it: the report, the addresses, the page that stays open through all of it.

use crate::support::Place;
use crate::support::data::slice;
use crate::support::http::{Server, address};
use crate::support::postgres::shared;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

#[test]
fn the_demo_tells_the_weather_and_serves_it() {
    let place = Place::new();
    // A client that asks again and again on one connection needs the address before it is printed.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut demo = place.start(&format!("demo --listen {free}"));
    let polled = polling(free);
    demo.out.wait_for("stop with Ctrl-C");
    let report = demo.out.text();
    let live = Instant::now() + Duration::from_secs(60);
    while polled.venues() == 0 {
        assert!(Instant::now() < live, "the live half did not answer on the same connection: {polled:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    for words in [
        "binance-usdm:BTCUSDT  2026-03-05",
        "binance-usdm:ETHUSDT  2026-03-05",
        "binance-usdm:SOLUSDT  2026-03-05",
        "HIGH_VOL █      2026-02-04",
        "posture ",
        "Moments worth a look:",
        "open  http://",
    ] {
        assert!(report.contains(words), "'{words}' is not in\n{report}");
    }
    let addr = address(&report[report.find("open  http://").unwrap()..]);
    let mut server = Server { process: demo, addr };
    addresses_lead_somewhere(&server, &report);
    five_minutes(&place, &server);
    server.process.signal("TERM");
    assert_eq!(server.process.wait(Duration::from_secs(20)), Some(0), "{}", server.process.err.text());
    // It is all in the platform's data folder; a second time nothing is new.
    assert!(place.root().join("share/barograph/barograph.db").exists());
    place.run("demo --no-serve").exits(0).says("stored 0 new points").prints("binance-usdm:SOLUSDT");
    place.run("freshness").exits(1);
}

#[test]
fn s7_the_addresses_of_a_demo_in_a_server_lead_somewhere() {
    let Some(database) = shared() else { return };
    let (place, url) = (Place::new(), database.schema());
    let mut demo = place.start_with("demo --listen 127.0.0.1:0", &[("DB_URL", &url)]);
    // Three months into a server's tables: 40 s where nothing else runs.
    demo.out.wait_long_for("stop with Ctrl-C; the data stay in ", Duration::from_secs(480));
    let report = demo.out.text();
    assert!(!place.root().join("share/barograph/barograph.db").exists(), "it is all in the server");
    let addr = address(&report[report.find("open  http://").unwrap()..]);
    let server = Server { process: demo, addr };
    // The addresses are printed while the live half takes over from what answered meanwhile.
    let live = Instant::now() + Duration::from_secs(60);
    while server.get("/api/v1/feeds").status != 200 {
        assert!(Instant::now() < live, "the live half did not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
    addresses_lead_somewhere(&server, &report);
}

/// The commands that README.md has a newcomer type in a second terminal, in its order, and what it says that one of them prints.
fn five_minutes(place: &Place, server: &Server) {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let section = readme.split_once("\n## Five minutes\n").unwrap().1.split_once("\n## ").unwrap().0;
    let mut blocks = section.split("```").skip(1).step_by(2);
    let (commands, printed) = (blocks.next().unwrap(), blocks.next().unwrap());
    // Of the history a week: all of it takes minutes here.
    slice(&place.path("testdata/history"), &["BTCUSDT", "ETHUSDT", "SOLUSDT"], "2026-01-31", "2026-02-07");
    let (mut typed, mut shown) = (0, 0);
    for line in commands.lines() {
        if let Some(command) = line.strip_prefix("barograph ") {
            let outcome = place.run(command).exits(0);
            typed += 1;
            if command == "context BTCUSDT --as-of 2026-02-05T15:30:00Z" {
                shown += 1;
                assert_eq!(versionless(&outcome.out), versionless(printed), "README.md shows what it prints");
            }
        } else if let Some(address) = line.strip_prefix("curl -s 'http://127.0.0.1:8600") {
            let reply = server.get(address.trim_end_matches('\''));
            assert_eq!(reply.status, 200, "{line}: {}", reply.text());
            typed += 1;
        } else {
            assert!(["", "sh", "alias", "#"].contains(&line.split(' ').next().unwrap()), "{line}");
        }
    }
    assert!(typed >= 7 && shown == 1, "{typed} commands of README.md were typed, {shown} of them shown");
}

/// What a command prints but the version of its logic, which each change of a formula moves.
fn versionless(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_end).filter(|l| !l.is_empty() && !l.trim_start().starts_with("book ")).collect()
}

/// Asks each address that a demo has printed.
fn addresses_lead_somewhere(server: &Server, report: &str) {
    let links: Vec<&str> = report
        .lines()
        .filter_map(|l| l.trim().strip_prefix("open ").or(Some(l.trim())))
        .map(str::trim)
        .filter(|l| l.starts_with("http://"))
        .collect();
    assert!(links.iter().filter(|l| l.contains("as_of=")).count() >= 3, "{report}");
    for link in links {
        let path = link.split(' ').next().unwrap().split_once(&server.addr.to_string()).unwrap().1;
        let reply = server.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        if let Some((market, moment)) = path.trim_start_matches("/m/").split_once("?as_of=") {
            let context = server.json(&format!("/api/v1/markets/{market}/context?as_of={moment}"));
            let label = context["regimes"]["risk"]["label"].as_str().unwrap().to_owned();
            assert!(label == "HIGH_VOL" || label == "SQUEEZE_RISK", "{path} was meant to show something: {label}");
        }
    }
    let clock = server.json("/api/v1/clock");
    assert_eq!((&clock["simulated"], &clock["rate"]), (&true.into(), &20.0.into()), "{clock}");
    assert_eq!(clock["story"]["from"], "2026-02-05T00:00:00Z", "the page opens on it: {clock}");
    let then = server.json("/api/v1/board?as_of=2026-02-05T14:36:00Z");
    assert_eq!((&then["origin"], then["rows"].as_array().unwrap().len()), (&"measured".into(), 3), "{then}");
}

/// What a client has heard that polls on one connection.
#[derive(Debug, Clone)]
struct Polled(Arc<Mutex<Result<usize, String>>>);

impl Polled {
    /// Venues that are listened to, by the newest answer.
    #[track_caller]
    fn venues(&self) -> usize {
        self.0.lock().unwrap().clone().unwrap()
    }
}

/// Asks what is listened to every 50 ms on one connection for as long as it stands.
fn polling(addr: SocketAddr) -> Polled {
    let heard = Arc::new(Mutex::new(Ok(0)));
    let tells = Arc::clone(&heard);
    std::thread::spawn(move || {
        let socket = until_it_listens(addr);
        let mut answers = BufReader::new(socket.try_clone().unwrap());
        loop {
            let said = ask_for_venues(&socket, &mut answers);
            let broken = said.is_err();
            *tells.lock().unwrap() = said.map_err(|e| format!("the connection was lost: {e}"));
            if broken {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    Polled(heard)
}

fn until_it_listens(addr: SocketAddr) -> TcpStream {
    let begun = Instant::now();
    loop {
        match TcpStream::connect(addr) {
            Ok(socket) => return socket,
            Err(e) => assert!(begun.elapsed() < Duration::from_secs(30), "nobody listens at {addr}: {e}"),
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ask_for_venues(mut socket: &TcpStream, answers: &mut BufReader<TcpStream>) -> std::io::Result<usize> {
    socket.write_all(b"GET /api/v1/feeds HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if answers.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        match line.to_lowercase().strip_prefix("content-length: ") {
            Some(n) => length = n.trim().parse().unwrap_or(0),
            None if line == "\r\n" => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body)?;
    let body: serde_json::Value = serde_json::from_slice(&body)?;
    Ok(body["venues"].as_array().map_or(0, Vec::len))
}
