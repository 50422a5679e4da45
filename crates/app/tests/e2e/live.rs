//! `up` against the built-in venue server: markets come and go with the configuration, a killed process goes on, and the journal
//! makes the published snapshots again.

use crate::support::Place;
use crate::support::http::{Server, address};
use crate::support::sim::Sim;
use std::time::{Duration, Instant};

/// SIGTERM until the end, as promised.
const STOP_MAX: Duration = Duration::from_secs(5);

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
