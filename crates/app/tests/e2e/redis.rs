//! A live process and a Redis server: what the documents promise of its keys, and that the loss of it changes nothing else.

use crate::support::http::Server;
use crate::support::redis::Server as Redis;
use crate::support::sim::Sim;
use crate::support::{Place, until};
use barograph_domain::{Span, Ts};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

const PASSWORD: &str = "pw-of-the-cache";
const MARKET: &str = "binance-usdm:BTCUSDT";

fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn snapshot(redis: &Redis) -> Option<(String, Value)> {
    let text = redis.cli(&["GET", &format!("barograph:v1:snapshot:{MARKET}")]);
    let value = json(&text)?;
    Some((text, value))
}

/// The lines that docs/live.md prints, each with what it prints here.
fn printed(redis: &Redis) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/live.md");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("redis-cli "));
    lines
        .map(|line| {
            let command = line.split(" #").next().unwrap().trim();
            let words: Vec<&str> = command.split_whitespace().map(|word| word.trim_matches('\'')).collect();
            (command.to_owned(), redis.cli(&words))
        })
        .collect()
}

/// What is in the server is what the API has, for as long as the documents say.
fn keys_are_as_documented(redis: &Redis, up: &Server) {
    let (text, value) = until("the first snapshot", || snapshot(redis));
    let minute = Ts::parse(value["timestamp"].as_str().unwrap()).unwrap();
    let as_of = minute + Span::millis(200);
    let path = format!("/api/v1/markets/{MARKET}/context?as_of={as_of}");
    until("the same bytes over HTTP", || {
        Some(up.get(&path)).filter(|reply| reply.status == 200 && reply.text() == text)
    });
    let lines = printed(redis);
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert_eq!(json(&lines[0].1).unwrap()["instrument"], MARKET, "{lines:?}");
    let row = json(&lines[1].1).unwrap();
    assert_eq!((&row["instrument"], &row["symbol"]), (&MARKET.into(), &"BTC/USDT".into()), "{row}");
    assert!(row["cells"]["price"].as_f64().is_some_and(|price| price > 0.0), "{row}");
    assert!(
        row["cells"]["risk"].is_string() && row["cells"]["row_ts"].as_i64() >= Some(minute.0 / 1_000_000_000),
        "{row}"
    );
    let left: i64 = lines[2].1.parse().unwrap();
    assert!((60_000..=180_200).contains(&left), "{left} ms of 3 minutes");
    let mut rows: Vec<&str> = lines[3].1.lines().collect();
    rows.sort_unstable();
    assert_eq!(rows, [format!("barograph:v1:board:{MARKET}"), "barograph:v1:board:binance-usdm:ETHUSDT".to_owned()]);
    let version = json(&lines[4].1).unwrap();
    assert_eq!(
        (&version["program"], &version["logic_version"]),
        (&"0.1.0".into(), &value["logic_version"]),
        "{version}"
    );
    let written = Ts::parse(version["written_at"].as_str().unwrap()).unwrap();
    assert!(written >= as_of, "{version}");
    let left = redis.left_ms(&format!("barograph:v1:board:{MARKET}"));
    assert!((1..=30_000).contains(&left), "{left} ms of 30 s");
    assert!(redis.keys().iter().all(|key| redis.left_ms(key) > 0), "every key has an end: {:?}", redis.keys());
}

fn mirror(up: &Server) -> Value {
    up.json("/api/v1/feeds?limit=1")["mirror"].clone()
}

#[test]
fn the_newest_weather_is_mirrored_and_the_loss_of_the_mirror_changes_nothing_else() {
    let Some(mut redis) = Redis::start(Some(PASSWORD)) else { return };
    let place = Place::new();
    let sim = Sim::start(&place);
    let address = redis.address();
    let env = [("BAROGRAPH_REDIS", address.as_str())];
    let symbols = "up --symbols BTCUSDT,ETHUSDT --backfill 0 --data data --listen 127.0.0.1:0";
    let mut up = Server::of(place.start_with(&format!("{symbols} --endpoint {}", sim.endpoint), &env));
    let shown = format!("redis://:***@127.0.0.1:{}", redis.port());
    keys_are_as_documented(&redis, &up);
    let view = mirror(&up);
    assert_eq!(
        (&view["address"], &view["connected"], &view["failures"]),
        (&shown.as_str().into(), &true.into(), &0.into())
    );
    let doctor = format!("doctor --symbols BTCUSDT --data data --endpoint {}", sim.endpoint);
    let healthy = place.run_with(&doctor, &env);
    assert!(healthy.out.contains(&format!("redis: {shown} answers")), "{}", healthy.out);

    // The server dies: a minute is made, shown and stored without it.
    redis.kill();
    let lost = until("the loss", || Some(mirror(&up)).filter(|m| m["connected"] == false));
    assert!(lost["last_error"].is_string(), "{lost}");
    let metrics = up.get("/metrics").text();
    assert!(metrics.contains("\nbarograph_mirror_connected 0\n"), "{metrics}");
    let sick = place.run_with(&doctor, &env);
    assert!(sick.out.contains("mirror nothing until the server is back"), "{}", sick.out);
    assert_eq!(up.get("/readyz").status, 200, "what is served does not depend on it");
    let seconds = |ts: &Value| Ts::parse(ts.as_str().unwrap()).unwrap();
    let path = format!("/api/v1/markets/{MARKET}/context");
    let before = seconds(&up.json(&path)["timestamp"]);
    let after = until("a minute without it", || Some(seconds(&up.json(&path)["timestamp"])).filter(|ts| *ts > before));
    let history = format!("/api/v1/markets/{MARKET}/context/history");
    until("the minute in the store", || {
        up.json(&history)["items"].as_array().unwrap().iter().any(|i| seconds(&i["timestamp"]) == after).then_some(())
    });

    // It is back, empty: everything is there again.
    redis.up();
    let (_, again) = until("the snapshot again", || snapshot(&redis));
    assert!(seconds(&again["timestamp"]) >= after, "{again}");
    until("both rows", || (redis.keys().len() == 5).then_some(()));
    let view = until("the state", || Some(mirror(&up)).filter(|m| m["connected"] == true));
    assert!(view["failures"].as_u64() > Some(0) && view["last_error"].is_null(), "{view}");

    up.process.signal("TERM");
    assert_eq!(up.process.wait(Duration::from_secs(30)), Some(0), "{}", up.process.err.text());
    let log = up.process.err.text();
    for line in ["the weather is mirrored to", "nothing is mirrored to", "takes the weather again"] {
        let found: Vec<&str> = log.lines().filter(|l| l.contains(line)).collect();
        assert!(found.len() == 1 && found[0].starts_with("barograph: [MKT] ") && found[0].contains(&shown), "{log}");
    }
    let verified = place.ok("verify determinism data");
    assert!(verified.starts_with("equal: ") && !verified.starts_with("equal: 0 "), "{verified}");
    let config = place.run_with("config show", &env).exits(0).out;
    for text in [&log, &healthy.out, &sick.out, &metrics, &config, &view.to_string(), &lost.to_string()] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[test]
fn without_the_setting_there_is_no_mirror_and_an_address_that_cannot_be_meant_stops_the_start() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line =
        format!("up --symbols BTCUSDT --backfill 0 --data data --listen 127.0.0.1:0 --endpoint {}", sim.endpoint);
    let up = Server::of(place.start(&line));
    assert!(mirror(&up).is_null());
    assert!(!up.get("/metrics").text().contains("barograph_mirror"));
    drop(up);
    for (bad, why) in [
        ("rediss://:pw-of-the-cache@cache", "TLS to Redis is not built in"),
        ("redis://:pw-of-the-cache@cache/main", "it cannot be read; write redis://host:6379"),
    ] {
        let done = place.run_with(&line, &[("BAROGRAPH_REDIS", bad)]).exits(2).says(why);
        assert!(done.err.contains("BAROGRAPH_REDIS") && !done.err.contains(PASSWORD), "{}", done.err);
    }
}
