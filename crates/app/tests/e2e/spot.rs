//! A contract and its spot markets, from files and live: the basis is of the one on the same exchange, or of the one that is declared.

use crate::support::Place;
use crate::support::http::Server;
use crate::support::sim::Sim;
use barograph_domain::{Span, Ts};
use serde_json::Value;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

const START: Ts = Ts::from_civil(2026, 1, 5, 0, 0, 0);
const HOURS: i64 = 48;

/// Hourly candles at one price from an hour on, with their manifest, in a folder of their own.
fn candles(place: &Place, folder: &str, venue: &str, symbol: &str, price: f64, from: i64) {
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    for hour in from..HOURS {
        writeln!(text, "{},{price},{price},{price},{price},10", (START + Span::hours(hour)).iso()).unwrap();
    }
    place.write(&format!("{folder}/candles.csv"), &text);
    let manifest = format!(
        "version = 1\n[[file]]\npath = \"candles.csv\"\nvenue = \"{venue}\"\nsymbol = \"{symbol}\"\nmetric = \"bar\"\n\
         stamp = \"open\"\ncadence = \"1h\"\ndelay = \"2s\"\ncolumns = {{ time = \"timestamp\", open = \"open\", \
         high = \"high\", low = \"low\", close = \"close\", volume = \"volume\" }}\n"
    );
    place.write(&format!("{folder}/import.toml"), &manifest);
}

/// Value of the basis at a moment, and what else is said of it where it is no plain measurement.
fn basis(server: &Server, at: &str) -> (Option<f64>, Value) {
    let row =
        server.json(&format!("/api/v1/markets/binance-usdm:BTCUSDT/features?as_of={at}&ids=basis"))["items"][0].clone();
    (row["values"]["basis"].as_f64(), row["readings"]["basis"].clone())
}

/// Rows of the table people ask, where `sqlite3` is.
fn table(place: &Place, sql: &str) -> Option<String> {
    let mut command = std::process::Command::new("sqlite3");
    let done = command.arg("-readonly").arg(place.path("data/barograph.db")).arg(sql).output().ok()?;
    Some(String::from_utf8(done.stdout).unwrap().trim().to_owned())
}

#[test]
fn the_basis_is_of_the_spot_market_that_is_recorded_or_declared() {
    for (declared, spot) in [("", 50_000.0), ("spot_pairs = \"binance-usdm:BTCUSDT=coinbase:BTC-USD\"\n", 49_000.0)] {
        let place = Place::new();
        place.write("barograph.toml", declared);
        candles(&place, "in/perp", "binance-usdm", "BTCUSDT", 50_500.0, 0);
        candles(&place, "in/spot", "binance-spot", "BTCUSDT", 50_000.0, 24);
        candles(&place, "in/far", "coinbase", "BTC-USD", 49_000.0, 24);
        place.ok("collect --source in --data data");
        let server = Server::start(&place, "data");
        let before = basis(&server, "2026-01-05T12:00:00Z");
        assert_eq!(before, (None, Value::from("not_offered")), "before any spot market is heard");
        let (now, kind) = basis(&server, "2026-01-06T12:00:00Z");
        assert!((now.unwrap() - (50_500.0 / spot - 1.0)).abs() < 1e-12 && kind.is_null(), "{now:?} {kind}");
        let sql = "SELECT spot_price || ' ' || spot_source FROM futures_basis_history WHERE symbol = 'BTCUSDT' ORDER BY ts DESC LIMIT 1";
        if let Some(row) = table(&place, sql) {
            assert_eq!(row, format!("{spot:.1} spot"));
        }
        let said = place.ok("verify determinism in");
        assert!(said.lines().last().unwrap().starts_with("equal: "), "{said}");
    }
    let place = Place::new();
    place.write("barograph.toml", "spot_pairs = \"BTCUSDT\"\n");
    let refused = place.run("markets --data data").exits(2).says("spot_pairs");
    assert!(refused.err.contains("'BTCUSDT' is no pair; write venue:CONTRACT=venue:SPOT"), "{}", refused.err);
}

#[test]
fn a_live_spot_market_is_the_leg_of_its_contract() {
    let place = Place::new();
    let (contracts, spot) =
        (Sim::of(&place, 3), Sim::with(&place, "--venue binance-spot --markets 3 --messages-per-s 300"));
    let up = Server::of(place.start(&format!(
        "up --venue binance-usdm,binance-spot --symbols BTCUSDT --backfill 0 --books off --data data --listen 127.0.0.1:0 \
         --endpoint {},{}",
        contracts.endpoint, spot.endpoint
    )));
    let begun = Instant::now();
    let (value, said) = loop {
        let rows = up.get("/api/v1/markets/binance-usdm:BTCUSDT/features?ids=basis");
        let row = if rows.status == 200 { rows.json()["items"][0].clone() } else { Value::Null };
        // In the first minute the spot market may not have spoken yet.
        match row["values"]["basis"].as_f64() {
            Some(value) if row["readings"]["basis"].is_null() => break (value, row),
            _ => assert!(begun.elapsed() < Duration::from_secs(200), "no measured basis: {row}"),
        }
        std::thread::sleep(Duration::from_millis(500));
    };
    assert!(value.abs() < 0.05, "{said}");
    let sql = "SELECT spot_source || ' ' || (abs(basis_fraction - (futures_price / spot_price - 1)) < 1e-12)
               FROM futures_basis_history WHERE symbol = 'BTCUSDT' ORDER BY ts DESC LIMIT 1";
    let begun = Instant::now();
    while table(&place, sql).is_some_and(|row| row != "spot 1") {
        assert!(begun.elapsed() < Duration::from_secs(100), "{:?}", table(&place, sql));
        std::thread::sleep(Duration::from_millis(500));
    }
}
