//! What a live process does to its store beside writing: order books as often as asked for, and retention.

use crate::support::data::{Mood, market, now};
use crate::support::http::Server;
use crate::support::postgres::{Server as Postgres, shared};
use crate::support::sim::Sim;
use crate::support::{Place, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::Value;
use std::time::{Duration, Instant};

/// Counts of `db check`, which must find nothing wrong.
fn counts(place: &Place, env: &[(&str, &str)]) -> Value {
    let out = place.run_with("db check --json --data data", env).exits(0).out;
    json_lines(&out).remove(0)["counts"].clone()
}

#[test]
fn order_books_are_stored_as_often_as_the_original_setting_says() {
    let stored = |interval: u32| {
        let place = Place::new();
        let sim = Sim::start(&place);
        place.write(
            "barograph.yaml",
            &format!("market_monitoring:\n  futures_data_collection:\n    orderbook_snapshot_interval: {interval}\n"),
        );
        let line = format!("up --symbols BTCUSDT --backfill 0 --no-serve --data data --endpoint {}", sim.endpoint);
        let mut up = place.start(&line);
        up.err.wait_for("listening to 1 of 3 markets");
        std::thread::sleep(Duration::from_secs(12));
        up.signal("TERM");
        assert_eq!(up.wait(Duration::from_secs(30)), Some(0), "{}", up.err.text());
        counts(&place, &[])["order books"].as_u64().unwrap()
    };
    // One at the end, and one per interval: none or one within twelve seconds of a quarter of an hour.
    let (often, seldom) = (stored(2), stored(900));
    assert!(often >= 5 && (1..=2).contains(&seldom), "{often} {seldom}");
}

fn numbers_of(line: &str) -> Vec<u64> {
    line.split(' ').filter_map(|w| w.parse().ok()).collect()
}

/// Imports a piece of the past, listens past a minute with a month of history, and starts again: its first deed is to remove what
/// has been kept long enough.
fn retention(place: &Place, env: &[(&str, &str)], meanwhile: impl FnOnce()) {
    let sim = Sim::start(place);
    let past = now().floor(Span::hours(1)) - Span::days(200);
    market(&place.path("in"), "BTCUSDT", Mood::Calm, (past, past + Span::hours(3)));
    place.run_with("collect --source in --data data", env).exits(0);
    let line =
        format!("up --symbols BTCUSDT --backfill 30d --listen 127.0.0.1:0 --data data --endpoint {}", sim.endpoint);
    let mut up = Server::of(place.start_with(&line, env));
    // Until there is a new row to count from.
    let path = format!("/api/v1/markets/binance-usdm:BTCUSDT/context/history?start={}", now() - Span::mins(10));
    let begun = Instant::now();
    while up.get(&path).status != 200 || up.json(&path)["items"].as_array().is_none_or(Vec::is_empty) {
        assert!(begun.elapsed() < Duration::from_secs(400), "{}", up.process.err.text());
        std::thread::sleep(Duration::from_millis(500));
    }
    up.process.signal("TERM");
    assert_eq!(up.process.wait(Duration::from_secs(60)), Some(0), "{}", up.process.err.text());
    // Where the store was busy at first, the first process has looked late enough to find the old rows already.
    let first = up.process.err.text();
    let earlier = first.lines().filter(|l| l.contains("retention removed ")).map(|l| numbers_of(l)[0]).sum::<u64>();
    let before = counts(place, env);
    meanwhile();
    let mut again = place.start_with(&line, env);
    let said = again.err.wait_for("retention removed ");
    std::thread::sleep(Duration::from_secs(1));
    again.signal("TERM");
    assert_eq!(again.wait(Duration::from_secs(30)), Some(0), "{}", again.err.text());
    let numbers = numbers_of(&said);
    // Three hours of minutes, of which every fifth stays, and changes of the label; points of a month, of which a week stays.
    assert!((120..=144).contains(&(numbers[0] + earlier)) && numbers[1] > 1_000, "{said}");
    let after = counts(place, env);
    let removed = |what: &str| before[what].as_i64().unwrap() - after[what].as_i64().unwrap();
    // The second process has added a little meanwhile.
    let rows = removed("rows") + i64::try_from(earlier).unwrap();
    assert!((110..=144).contains(&rows) && removed("points") > 1_000, "{before} {after}");
}

#[test]
fn retention_runs_in_a_live_process_on_a_file() {
    retention(&Place::new(), &[], || {});
}

#[test]
fn retention_runs_in_a_live_process_on_a_server_and_its_partitions_follow() {
    let Some(server) = shared() else { return };
    let (place, url) = (Place::new(), server.schema());
    let env = [("DB_URL", url.as_str())];
    // Someone reads the points while they are removed: a month that is empty by then goes with a later removal.
    let reader = {
        let url = url.clone();
        move || Postgres::ask(&url, "LOCK TABLE points IN ACCESS SHARE MODE; SELECT pg_sleep(15)")
    };
    let mut reading = None;
    retention(&place, &env, || reading = Some(std::thread::spawn(reader)));
    reading.unwrap().join().unwrap();
    let ask = |sql: &str| -> Vec<String> {
        Postgres::ask(&url, sql).into_iter().map(|r| r[0].clone().unwrap_or_default()).collect()
    };
    // Settlements come hours apart, and the last one before the time that is fetched comes with it.
    let oldest = |which: &str| {
        let found = ask(&format!("SELECT min(event_ts) FROM metric_points WHERE provenance <> 'import' AND {which}"));
        now() - Ts(found[0].parse().unwrap())
    };
    let ages = ["metric <> 'funding_rate_settled'", "metric = 'funding_rate_settled'"].map(oldest);
    assert!(ages[0] <= Span::days(7) + Span::mins(10), "{}", ages[0].spoken());
    assert!(ages[1] <= Span::days(7) + Span::hours(9), "{}", ages[1].spoken());
    // What was imported is kept for ever.
    assert_eq!(ask("SELECT count(*) > 100 FROM metric_points WHERE provenance = 'import'"), ["t"]);
    // Every month that holds something has its partition; emptied months have none any more once a removal found nobody reading.
    let held = || {
        ask(
            "SELECT DISTINCT to_char(event_time AT TIME ZONE 'UTC', '\"points_y\"YYYY\"m\"MM') FROM metric_points ORDER BY 1",
        )
    };
    let partitions =
        || ask("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'points'::regclass ORDER BY 1");
    let empty = || partitions().split_last().unwrap().1.iter().any(|month| !held().contains(month));
    let begun = Instant::now();
    while empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?} {:?}", partitions(), held());
        place.run_with("collect --source in --data data", &env).exits(0);
    }
    assert!(held().iter().all(|month| partitions().contains(month)), "{:?} {:?}", partitions(), held());
}
