//! `demo` as somebody sees it who tries it: the report, the addresses, the page that stays open through all of it.

use crate::support::Place;
use crate::support::http::{Server, address};
use crate::support::postgres::shared;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
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
        "would",
        "open  http://",
    ] {
        assert!(report.contains(words), "'{words}' is not in\n{report}");
    }
    let addr = address(&report[report.find("open  http://").unwrap()..]);
    let mut server = Server { process: demo, addr };
    addresses_lead_somewhere(&server, &report);
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
    demo.out.wait_for("stop with Ctrl-C; the data stay in ");
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
        if path.contains("as_of=") {
            let label = reply.json()["regimes"]["risk"]["label"].as_str().unwrap().to_owned();
            assert!(label == "HIGH_VOL" || label == "SQUEEZE_RISK", "{path} was meant to show something: {label}");
        }
    }
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
