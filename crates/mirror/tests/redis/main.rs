//! A mirror and a real server: what is written, for how long, and what becomes of both when the server goes and comes back.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod server;

use barograph_domain::{InstrumentName, Ts};
use barograph_mirror::{
    BOARD_FOR, Mirror, MirrorAddress, MirrorSource, MirrorState, MirrorStats, Mirrored, VERSION_KEY, board_key, probe,
    snapshot_key,
};
use bytes::Bytes;
use core::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use core::time::Duration;
use server::Server;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The longest pause between two attempts is ten seconds.
const PATIENCE: Duration = Duration::from_secs(40);
const LIFE: Duration = Duration::from_secs(150);

fn name(text: &str) -> InstrumentName {
    let (venue, symbol) = text.split_once(':').unwrap();
    InstrumentName::new(venue, symbol).unwrap()
}

/// Markets whose minute is set by hand.
#[derive(Clone)]
struct Markets {
    names: Vec<InstrumentName>,
    minute: Arc<AtomicI64>,
}

impl Markets {
    fn of(names: &[&str]) -> Self {
        let names = names.iter().map(|n| name(n)).collect();
        Self { names, minute: Arc::new(AtomicI64::new(1)) }
    }
    fn minute(&self) -> i64 {
        self.minute.load(Ordering::Relaxed)
    }
}

impl MirrorSource for Markets {
    fn newest(&self) -> Vec<(InstrumentName, Ts)> {
        self.names.iter().map(|n| (n.clone(), Ts::from_secs(60 * self.minute()))).collect()
    }
    fn snapshot(&self, instrument: &InstrumentName) -> Option<Mirrored> {
        let json = Bytes::from(format!("{{\"of\":\"{instrument}\",\"minute\":{}}}", self.minute()));
        Some(Mirrored { json, for_time: LIFE })
    }
    fn rows(&self, of: &[InstrumentName]) -> Vec<(InstrumentName, Bytes)> {
        of.iter().map(|name| (name.clone(), Bytes::from(format!("[{}]", self.minute())))).collect()
    }
    fn now(&self) -> Ts {
        Ts::from_secs(60 * self.minute())
    }
    fn version(&self) -> Bytes {
        Bytes::from_static(b"{\"program\":\"x\"}")
    }
}

/// A mirror under test, and what it reported.
struct Bench {
    mirror: Option<Mirror>,
    stats: Arc<MirrorStats>,
    lines: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
}

impl Bench {
    fn start(address: &str, markets: &Markets) -> Self {
        let (stats, lines, stop) = (Arc::new(MirrorStats::default()), Arc::default(), Arc::new(AtomicBool::new(false)));
        let kept: Arc<Mutex<Vec<String>>> = Arc::clone(&lines);
        let report = Box::new(move |line| kept.lock().unwrap().push(line));
        let address = MirrorAddress::parse(address).unwrap();
        let source = Box::new(markets.clone());
        let mirror = Mirror::start(address, source, Arc::clone(&stats), report, Arc::clone(&stop)).unwrap();
        Self { mirror: Some(mirror), stats, lines, stop }
    }
    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let begun = Instant::now();
        self.mirror.take().unwrap().close();
        assert!(begun.elapsed() < Duration::from_secs(4), "the end took {:?}", begun.elapsed());
    }
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn each_minute_is_written_with_an_end_and_only_the_newest_is_there() {
    let Some(server) = Server::start(None) else { return };
    let markets = Markets::of(&["x:A", "x:B"]);
    let bench = Bench::start(&server.address(), &markets);
    until("the first minute", || server.keys().len() == 5);
    assert_eq!(
        server.keys(),
        [
            board_key(&name("x:A")),
            board_key(&name("x:B")),
            snapshot_key(&name("x:A")),
            snapshot_key(&name("x:B")),
            VERSION_KEY.to_owned()
        ]
    );
    assert_eq!(server.cli(&["GET", &snapshot_key(&name("x:A"))]), "{\"of\":\"x:A\",\"minute\":1}");
    markets.minute.store(2, Ordering::Relaxed);
    until("the second", || server.cli(&["GET", &snapshot_key(&name("x:B"))]) == "{\"of\":\"x:B\",\"minute\":2}");
    assert_eq!(server.cli(&["GET", &board_key(&name("x:A"))]), "[2]", "rows go with the minute");
    let ms = |d: Duration| i64::try_from(d.as_millis()).unwrap();
    for (key, most) in [
        (snapshot_key(&name("x:A")), ms(LIFE)),
        (board_key(&name("x:A")), ms(BOARD_FOR)),
        (VERSION_KEY.to_owned(), 86_400_000),
    ] {
        let left = server.left_ms(&key);
        assert!((most - 10_000..=most).contains(&left), "{key}: {left} of {most}");
    }
    assert_eq!(bench.stats.state(), MirrorState::Written);
    assert_eq!(bench.stats.written_at(), Some(Ts::from_secs(120)));
    assert_eq!((bench.stats.failures(), bench.stats.connections()), (0, 1));
    let port = server.port();
    assert_eq!(bench.lines(), [format!("the weather is mirrored to redis://127.0.0.1:{port}")]);
}

#[test]
fn a_server_that_dies_and_comes_back_has_everything_again() {
    let Some(mut server) = Server::start(None) else { return };
    let many: Vec<String> = (0..150).map(|n| format!("x:M{n}")).collect();
    let markets = Markets::of(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let bench = Bench::start(&server.address(), &markets);
    until("all of them", || server.keys().len() == 301);
    server.kill();
    markets.minute.store(7, Ordering::Relaxed);
    until("the loss", || matches!(bench.stats.state(), MirrorState::Lost(_)));
    until("further attempts", || bench.stats.failures() >= 3);
    server.up();
    until("all of them again", || server.keys().len() == 301);
    assert_eq!(server.cli(&["GET", &snapshot_key(&name("x:M149"))]), "{\"of\":\"x:M149\",\"minute\":7}");
    until("the count", || bench.stats.state() == MirrorState::Written);
    let lines = bench.lines();
    assert_eq!(lines.len(), 3, "once lost, once back: {lines:?}");
    assert!(lines[1].starts_with("nothing is mirrored to redis://127.0.0.1:"), "{lines:?}");
    assert!(lines[2].ends_with("takes the weather again"), "{lines:?}");
}

#[test]
fn a_password_is_used_and_shown_nowhere() {
    let Some(server) = Server::start(Some("s3cret-of-the-cache")) else { return };
    let markets = Markets::of(&["x:A"]);
    let bench = Bench::start(&format!("{}/3", server.address()), &markets);
    until("its keys", || server.cli(&["-n", "3", "GET", &snapshot_key(&name("x:A"))]).contains("minute"));
    assert_eq!(server.keys(), Vec::<String>::new(), "the others are left alone");
    let port = server.port();
    assert_eq!(bench.lines(), [format!("the weather is mirrored to redis://:***@127.0.0.1:{port}/3")]);
    let bad = server.address().replace("s3cret", "wr0ng");
    for (address, why) in [
        (bad, "it refuses the user or the password of the setting redis"),
        (format!("redis://127.0.0.1:{port}"), "it wants a password; write it into the setting redis"),
    ] {
        let refused = Bench::start(&address, &markets);
        until("the refusal", || !refused.lines().is_empty());
        assert_eq!(refused.stats.state(), MirrorState::Lost(why.to_owned()));
        let line = &refused.lines()[0];
        assert!(line.contains(why) && !line.contains("cret") && !line.contains("wr0ng"), "{line}");
    }
}

#[test]
fn a_socket_of_this_machine_does_as_well() {
    let Some(server) = Server::start(None) else { return };
    let _bench = Bench::start(&format!("unix://{}", server.socket().display()), &Markets::of(&["x:A"]));
    until("its keys", || server.keys().len() == 3);
}

#[test]
fn two_mirrors_with_markets_of_their_own_leave_each_other_alone() {
    let Some(server) = Server::start(None) else { return };
    let one = Bench::start(&server.address(), &Markets::of(&["x:A", "x:B"]));
    let two = Bench::start(&server.address(), &Markets::of(&["y:A"]));
    until("the keys of both", || server.keys().len() == 7);
    assert_eq!((one.stats.failures(), two.stats.failures()), (0, 0));
}

/// One that answers nothing must not hold back the end, and is tried for no longer than the limit.
#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("redis://{}", silent.local_addr().unwrap());
    let begun = Instant::now();
    let why = probe(&MirrorAddress::parse(&address).unwrap()).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(why.to_string(), "it does not answer in time");
    let bench = Bench::start(&address, &Markets::of(&["x:A"]));
    until("the failure", || bench.stats.failures() > 0);
}

/// What refuses writes is connected to and lost all the same: once, not with each attempt.
#[test]
fn a_server_that_takes_nothing_is_lost_once() {
    let Some(server) = Server::start(None) else { return };
    let was = server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(was, "OK");
    let bench = Bench::start(&server.address(), &Markets::of(&["x:A"]));
    until("two failures", || bench.stats.failures() >= 2);
    let lines = bench.lines();
    assert!(lines.len() == 1 && lines[0].contains("OOM"), "{lines:?}");
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    until("its keys", || server.keys().len() == 3);
}
