//! `up` against the built-in venue server: markets come and go with the configuration, a killed process goes on, and the journal
//! makes the published snapshots again.

use crate::support::Place;
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
