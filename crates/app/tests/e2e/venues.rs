//! Against a venue that answers: `collect` from venues, `doctor`, `markets` as the venue lists them.

use crate::support::sim::Sim;
use crate::support::{Outcome, Place, json_lines};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// State of each stream of one market, by metric.
fn states(out: &str) -> BTreeMap<String, Value> {
    json_lines(out).into_iter().map(|l| (l["metric"].as_str().unwrap().to_owned(), l)).collect()
}

#[test]
fn one_run_takes_every_stream_of_a_market_and_stores_it() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line = format!("--symbol BTCUSDT --no-context --backfill 0 --endpoint {} --data data", sim.endpoint);
    let done = place.run(&format!("collect_derivatives_metrics {line} --json")).exits(0);
    let lines = states(&done.out);
    for metric in ["mark_price", "index_price", "funding_rate", "open_interest", "trade", "best_bid_ask", "order_book"]
    {
        let found = &lines[metric];
        assert_eq!(found["state"], "collected", "{found}");
        assert_eq!((&found["instrument"], &found["source"]), (&"binance-usdm:BTCUSDT".into(), &"synthetic".into()));
        assert!(found["value"].as_f64().unwrap().is_finite() && found["stored"].as_u64().unwrap() > 0, "{found}");
        assert!((0..120).contains(&found["age_s"].as_i64().unwrap()), "{found}");
    }
    // What comes only when it happens is no failure, and nothing is claimed about it.
    for metric in ["liquidation_usd", "funding_rate_settled", "bar"] {
        let found = &lines[metric];
        assert!(found["state"] == "none_yet" || found["stored"].as_u64().unwrap() > 0, "{found}");
    }
    // It is in the store, and `markets` reports how each stream does.
    let stored = json_lines(&place.ok("markets --json --data data"));
    let streams = stored[0]["streams"].as_array().unwrap();
    let mark = streams.iter().find(|s| s["metric"] == "mark_price").unwrap();
    assert_eq!(mark["points"], lines["mark_price"]["stored"]);
    assert!(mark["age_s"].as_i64().unwrap() < mark["max_age_s"].as_i64().unwrap() && mark["stale"] == false, "{mark}");
}

#[test]
fn s7_an_interval_of_one_metric_is_that_of_its_stream_alone() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line = "collect --symbol BTCUSDT --once --no-context --backfill 0 --metrics open_interest,long_short_ratio --books off";
    let cadences = |data: &str, env: &[(&str, &str)]| {
        place.run_with(&format!("{line} --data {data} --endpoint {}", sim.endpoint), env).exits(0);
        let stored = json_lines(&place.ok(&format!("markets --json --data {data}")));
        let all = stored[0]["streams"].as_array().unwrap().clone();
        let of = |metric: &str| all.iter().find(|s| s["metric"] == metric).map(|s| s["cadence_s"].clone());
        (of("open_interest"), of("long_short_ratio"))
    };
    let (interest, ratio) = cadences("one", &[]);
    assert_eq!(interest, Some(60.into()), "the interval of all");
    let set = [("BAROGRAPH_POLL_INTERVALS", "open_interest=20s")];
    assert_eq!(cadences("two", &set), (Some(20.into()), ratio));
}

#[test]
fn a_continuous_run_tells_how_it_does_and_ends_in_order() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let flags = format!("--backfill 0 --data data --endpoint {}", sim.endpoint);
    let once = place.run(&format!("collect --symbol BTCUSDT --once --no-context {flags}")).exits(0);
    assert!(once.out.lines().any(|l| l.contains("mark_price") && l.contains("1 stored")), "{}", once.out);
    // The same folder goes on, now with a second market.
    // Nobody listens any more, and only what was asked for is there.
    let one = Place::new();
    one.run(&format!("collect --symbol BTCUSDT --no-context --metrics mark_price --books off {flags}")).exits(0);
    let markets = one.run("markets --data data").exits(0).out;
    assert!(markets.contains("mark_price") && !markets.contains("open_interest"), "{markets}");
    assert!(markets.contains("was LIVE, nothing is listening now") && !markets.contains(" LIVE since"), "{markets}");
    let line = "collect --symbol BTCUSDT,ETHUSDT --continuous --interval 1";
    let mut collect = place.start(&format!("{line} {flags}"));
    collect.err.wait_for("going on from");
    let said = collect.out.wait_for("2 markets, ");
    assert!(said.contains("streams live") && said.contains("oldest value"), "{said}");
    collect.out.wait_for("2 markets, ");
    collect.signal("TERM");
    assert_eq!(collect.wait(Duration::from_secs(30)), Some(0), "{}", collect.err.text());
    assert!(place.ok("markets --data data").contains("binance-usdm:ETHUSDT"));
}

/// Flags of a collect from venues that cannot work, its code and its words. Nothing is reachable, nothing is made.
const REFUSED: &[(&str, i32, &str)] = &[
    ("--columns time=t,value=v,metric=open_interest", 2, "--columns is about files; name them with --source PATH"),
    ("--stamp open", 2, "--stamp is about files"),
    ("--source in --all", 2, "cannot be used with"),
    ("--once --continuous", 2, "cannot be used with"),
    ("--venue nasdaq", 2, "there is no live venue 'nasdaq'"),
    ("--market-type options --all", 2, "write spot, futures or both"),
    ("--symbol BTCUSDT --all", 2, "cannot be used with"),
    ("--endpoint binance-usdm=ftp://x", 2, "begins with http:// or https://"),
];

#[test]
fn what_cannot_be_collected_is_refused_before_anything_is_made() {
    let place = Place::new();
    for (flags, code, words) in REFUSED {
        place.run(&format!("collect --data data {flags}")).exits(*code).says(words);
        assert!(!place.path("data").exists(), "{flags}");
    }
    place.write("barograph.toml", "[market_monitoring]\nenabled = false\n");
    for command in ["collect", "up --no-serve"] {
        let done = place.run(&format!("{command} --data data")).exits(2).says("monitoring (barograph.toml:2)");
        assert!(done.err.contains("no venue is recorded") && !place.path("data").exists(), "{}", done.err);
    }
    // Files are no venue.
    place.run("collect --source nowhere --data data").exits(2).says("there is no file or folder nowhere");
}

fn findings(done: &Outcome) -> BTreeMap<String, Value> {
    let key = |l: &Value| l["check"].as_str().unwrap().to_owned();
    json_lines(&done.out).into_iter().map(|l| (key(&l), l)).collect()
}

#[test]
fn the_doctor_finds_a_sound_venue_sound_and_says_what_to_do_about_a_dead_one() {
    let place = Place::new();
    // A small budget, so that the disk of the machine does not decide.
    place.write("barograph.toml", "keep_journal_gb = 1\n");
    let sim = Sim::start(&place);
    let line = format!("doctor --json --data data --endpoint {}", sim.endpoint);
    let done = place.run(&line).exits(0);
    let found = findings(&done);
    for check in ["settings", "rule book", "data folder", "database", "http", "clock", "markets", "websocket", "limits"]
    {
        assert_eq!(found[check]["verdict"], "ok", "{check}: {}", done.out);
    }
    assert!(found["markets"]["text"].as_str().unwrap().starts_with("3 of "), "{}", done.out);
    assert!(found["disk"]["text"].as_str().unwrap().contains("of its budget of 1.0 GB"), "{}", done.out);
    assert!(!place.path("data").exists(), "looking makes nothing");
    let people = place.run(&line.replace(" --json", "")).exits(0);
    assert!(people.out.contains("ok    binance-usdm websocket"), "{}", people.out);
    // A market that is not there, and a folder in which somebody writes.
    place.ok("db migrate --data data");
    let found = findings(&place.run(&format!("{line} --symbols BTCUSD")).exits(1));
    assert_eq!(found["markets"]["verdict"], "bad");
    assert!(found["markets"]["text"].as_str().unwrap().contains("did you mean BTCUSDT"), "{}", found["markets"]);
    assert!(found["database"]["text"].as_str().unwrap().contains("markets in it: 0"), "{}", found["database"]);
    // The venue is gone.
    let endpoint = sim.stop();
    let done = place.run(&format!("doctor --json --data data --endpoint {endpoint}")).exits(1);
    let found = findings(&done);
    assert_eq!(found["http"]["verdict"], "bad", "{}", done.out);
    assert!(found["http"]["do"].as_str().unwrap().contains("network"), "{}", done.out);
    assert!(!found.contains_key("websocket"), "{}", done.out);
}

#[test]
fn a_venue_lists_what_would_be_listened_to() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let line = format!("markets --venue binance-usdm --endpoint {}", sim.endpoint);
    let all = json_lines(&place.ok(&format!("{line} --quote USDT --min-volume-24h 0 --json")));
    let names: Vec<&str> = all.iter().map(|l| l["instrument"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    assert!(names.contains(&"binance-usdm:BTCUSDT"), "{names:?}");
    let volumes: Vec<f64> = all.iter().map(|l| l["volume_24h_quote"].as_f64().unwrap()).collect();
    assert!(volumes.is_sorted_by(|a, b| a >= b) && all.iter().all(|l| l["listened"] == true), "{all:?}");
    // The filter lies between the busiest and the others.
    let least = f64::midpoint(volumes[0], volumes[1]);
    let few = json_lines(&place.ok(&format!("{line} --min-volume-24h {least} --json")));
    assert_eq!(few.len(), 1);
    assert_eq!(few[0]["instrument"], all[0]["instrument"]);
    let marked = json_lines(&place.ok(&format!("{line} --min-volume-24h {least} --all --json")));
    let listened = marked.iter().filter(|l| l["listened"] == true).count();
    assert!(marked.len() >= 3 && listened == 1, "{marked:?}");
    place.run(&format!("{line} --quote EUR")).exits(2).says("passes the filter");
    place.run(&format!("{line} --quote USDT")).exits(0).says("3 of ").prints("recorded");
}

#[test]
fn h13_a_collectors_file_can_be_listened_to() {
    let place = Place::new();
    let sim = Sim::falling(&place);
    let line = "up --symbols BTCUSDT --backfill 0 --books off --no-serve --for 12s --data data";
    place.run(&format!("{line} --endpoint {}", sim.endpoint)).exits(0).says("listening to 1 of 1 market");
    let stored = json_lines(&place.ok("markets --json --data data"));
    let closes = stored[0]["streams"].as_array().unwrap().iter().find(|s| s["metric"] == "liquidation_usd");
    assert!(closes.is_some_and(|s| s["points"].as_u64() > Some(0)), "{}", stored[0]);
}
