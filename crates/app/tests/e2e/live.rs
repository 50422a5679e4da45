//! `up` against the built-in venue server: markets come and go with the configuration, a killed process goes on, and the journal
//! makes the published snapshots again.

use crate::support::Place;
use crate::support::http::{Server, address};
use crate::support::sim::Sim;
use barograph_domain::{Span, Ts};
use std::time::{Duration, Instant};

/// SIGTERM until the end: 5 s are promised (`live.stop_s` of `make bench`); a busy machine may take longer.
const STOP_MAX: Duration = Duration::from_secs(15);

#[test]
fn markets_come_and_go_with_the_configuration_and_the_end_is_quick() {
    let place = Place::new();
    let sim = Sim::start(&place);
    place.write("barograph.toml", "symbols = [\"BTCUSDT\"]\n");
    let line = format!("up --backfill 0 --books off --no-serve --data data --endpoint {}", sim.endpoint);
    let mut up = place.start(&line);
    up.err.wait_for("listening to 1 of 3 markets");
    // Written anew, with another time stamp than the one before.
    std::thread::sleep(Duration::from_millis(1_200));
    place.write("barograph.toml", "symbols = [\"BTCUSDT\", \"SOLUSDT\"]\n");
    up.err.wait_for("listening to 2 of 3 markets");
    std::thread::sleep(Duration::from_millis(1_500));
    place.write("barograph.toml", "symbols = [\"BTCUSDX\"]\n");
    up.err.wait_for("the change is not taken up");
    std::thread::sleep(Duration::from_secs(3));
    let begun = Instant::now();
    up.signal("TERM");
    assert_eq!(up.wait(Duration::from_secs(30)), Some(0), "{}", up.err.text());
    assert!(begun.elapsed() < STOP_MAX, "it took {:?}", begun.elapsed());
    let markets = place.ok("markets --data data");
    assert!(markets.contains("binance-usdm:SOLUSDT"), "{markets}");
}

#[test]
fn a_killed_process_goes_on_and_its_journal_makes_the_snapshots_again() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line = format!("up --symbols BTCUSDT,ETHUSDT --backfill 0 --no-serve --data data --endpoint {}", sim.endpoint);
    let mut up = place.start(&line);
    up.err.wait_for("listening to 2 of 3 markets");
    // Past the end of a minute, so that snapshots have been published.
    std::thread::sleep(Duration::from_secs(62));
    up.signal("KILL");
    up.wait(Duration::from_secs(10));
    let mut again = place.start(&line);
    again.err.wait_for("listening to 2 of 3 markets");
    std::thread::sleep(Duration::from_secs(3));
    again.signal("TERM");
    assert_eq!(again.wait(Duration::from_secs(30)), Some(0), "{}", again.err.text());
    let said = place.ok("verify determinism data");
    assert!(said.starts_with("equal: ") && !said.starts_with("equal: 0 "), "{said}");
    assert!(said.contains(" snapshot ids, hash "), "{said}");
}

#[test]
fn every_connection_says_what_it_carries() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line =
        format!("up --symbols BTCUSDT --backfill 0 --data data --listen 127.0.0.1:0 --endpoint {}", sim.endpoint);
    let mut process = place.start(&line);
    let addr = address(&process.err.wait_for("http://"));
    let server = Server { process, addr };
    let until = Instant::now() + Duration::from_secs(30);
    let connections = loop {
        let feeds = server.json("/api/v1/feeds");
        let all = feeds["venues"][0]["connections"].as_array().unwrap().clone();
        if !all.is_empty() && all.iter().all(|c| c["state"] == "open" && c["frames"].as_u64() > Some(0)) {
            break all;
        }
        assert!(Instant::now() < until, "{feeds}");
        std::thread::sleep(Duration::from_millis(200));
    };
    let urls: Vec<&str> = connections.iter().map(|c| c["url"].as_str().unwrap()).collect();
    assert!(urls.len() == 2 && urls[0].ends_with("/market/stream") && urls[1].ends_with("/public/stream"), "{urls:?}");
    for c in &connections {
        assert!(c["streams"].as_u64() > Some(0) && c["bytes"].as_u64() > c["frames"].as_u64(), "{c}");
        assert!(c["last_frame_age_s"].as_f64().is_some_and(|age| (0.0..30.0).contains(&age)), "{c}");
        assert!(c["since"].is_string() && c["replaced_at"].is_string(), "ahead of the cut after a day: {c}");
        assert_eq!((&c["compressed"], &c["reconnects"], &c["lost"]), (&false.into(), &0.into(), &0.into()), "{c}");
    }
    let metrics = server.get("/metrics").text();
    assert!(metrics.contains("barograph_link_open{venue=\"binance-usdm\",link=\"0\"} 1\n"), "{metrics}");
}

#[test]
fn another_venue_in_the_settings_is_refused_and_listening_goes_on() {
    let place = Place::new();
    let sim = Sim::start(&place);
    place.write("barograph.toml", "venues = \"binance-usdm\"\nsymbols = [\"BTCUSDT\"]\n");
    let line = format!("up --backfill 0 --books off --no-serve --data data --endpoint {}", sim.endpoint);
    let mut up = place.start(&line);
    up.err.wait_for("listening to 1 of 3 markets");
    std::thread::sleep(Duration::from_millis(1_200));
    place.write("barograph.toml", "venues = \"bybit,binance-usdm\"\nsymbols = [\"BTCUSDT\", \"SOLUSDT\"]\n");
    up.err.wait_for("the change is not taken up: bybit is not connected");
    up.err.wait_for("listening to 2 of 3 markets");
    std::thread::sleep(Duration::from_millis(1_200));
    place.write("barograph.toml", "venues = \"bybit\"\nsymbols = [\"BTCUSDT\"]\n");
    up.err.wait_for("bybit is not connected");
    up.err.wait_for("binance-usdm stays connected until the process ends");
    std::thread::sleep(Duration::from_secs(2));
    up.signal("TERM");
    assert_eq!(up.wait(Duration::from_secs(30)), Some(0), "{}", up.err.text());
}

#[test]
fn a_start_that_waits_for_a_venue_ends_when_it_is_told_to() {
    let place = Place::new();
    // Takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("binance-usdm=http://{}", silent.local_addr().unwrap());
    let mut up = place.start(&format!("up --symbols BTCUSDT --no-serve --data data --endpoint {endpoint}"));
    let asked = silent.accept().unwrap();
    let begun = Instant::now();
    up.signal("TERM");
    assert_eq!(up.wait(Duration::from_secs(30)), Some(0), "{}", up.err.text());
    assert!(begun.elapsed() < STOP_MAX, "it took {:?}", begun.elapsed());
    drop(asked);
}

/// Close of every stored candle, oldest first.
fn candles(server: &Server, symbol: &str) -> Vec<Ts> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let query = format!("metric_name=bar&start=2020-01-01&limit=10000{cursor}");
        let page = server.json(&format!("/api/v1/markets/binance-usdm:{symbol}/metrics?{query}"));
        let items = page["items"].as_array().unwrap();
        all.extend(items.iter().map(|i| Ts::parse(i["timestamp"].as_str().unwrap()).unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// What people get who give no flags: a month of history, killed while it comes in, and started again.
#[test]
fn a_process_killed_while_history_comes_in_ends_with_all_of_it_and_publishes_what_its_journal_says() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line = format!("up --symbols BTCUSDT,ETHUSDT --no-serve --data data --endpoint {}", sim.endpoint);
    let mut up = place.start(&line);
    up.err.wait_for("listening to 2 of 3 markets");
    // History is given up waiting for 20 s after its last piece at the earliest.
    std::thread::sleep(Duration::from_secs(8));
    up.signal("KILL");
    up.wait(Duration::from_secs(10));
    let mut again = place.start(&line);
    again.err.wait_for("going on from");
    // Past the end of two minutes, and of the catching up.
    std::thread::sleep(Duration::from_secs(125));
    again.signal("TERM");
    assert_eq!(again.wait(Duration::from_secs(30)), Some(0), "{}", again.err.text());
    let said = place.ok("verify determinism data");
    let equal: usize = said.strip_prefix("equal: ").and_then(|s| s.split(' ').next()).unwrap().parse().unwrap();
    assert!(equal >= 4 && said.contains(" snapshot ids, hash "), "{said}");
    let server = Server::start(&place, "data");
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let closes = candles(&server, symbol);
        let (first, last) = (closes[0], closes[closes.len() - 1]);
        assert!(last - first > Span::days(6), "{symbol}: from {first} to {last}");
        let hole = closes.windows(2).find(|w| w[1] - w[0] != Span::mins(1));
        assert_eq!(hole, None, "{symbol}: every minute once");
    }
}
