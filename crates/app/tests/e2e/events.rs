//! Events: what detectors found, the same from a replay, the store, HTTP and the command line; nothing before it was known.
//!
//! The market is made up: candles, funding that jumps tenfold in its last minutes, and two bursts of liquidations.

use crate::support::data::{Mood, market, shipped};
use crate::support::http::Server;
use crate::support::{Outcome, Place, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Write as _;

const END: Ts = Ts::from_civil(2026, 2, 5, 12, 0, 0);
/// Liquidations of each burst, their price and size: 60 BTC of longs, then 20 of shorts.
const BURSTS: [(i64, &str, f64); 2] = [(90, "sell", 10.0), (20, "buy", 2.0)];
const PRICE: f64 = 60_000.0;

/// Writes the market and its synthetic liquidations into `in`; what was closed in quote units, longs and shorts.
fn written(place: &Place) -> (f64, f64) {
    let folder = place.path("in");
    market(&folder, "BTCUSDT", Mood::Crowded, (END - Span::hours(36), END));
    market(&folder, "ETHUSDT", Mood::Calm, (END - Span::hours(36), END));
    let mut tape = String::from("exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n");
    let (mut longs, mut shorts) = (0.0, 0.0);
    for (before, side, amount) in BURSTS {
        for n in 0..8 {
            let at = END - Span::mins(before) + Span::secs(5 * n + 3);
            let micros = at.0 / 1_000;
            writeln!(tape, "binance-futures,BTCUSDT,{micros},{},,{side},{PRICE},{amount}", micros + 20_000).unwrap();
            *(if side == "sell" { &mut longs } else { &mut shorts }) += PRICE * amount;
        }
    }
    place.write("in/tape/binance-futures_liquidations_2026-02-05_BTCUSDT.csv", &tape);
    (longs, shorts)
}

/// What makes a record the same wherever it is read.
fn key(event: &Value) -> String {
    ["known_at", "instrument", "pattern_type", "trigger", "change", "revision", "severity", "description", "data"]
        .map(|field| event[field].to_string())
        .join(" ")
}

fn keys(events: &[Value]) -> Vec<String> {
    let mut found: Vec<String> = events.iter().map(key).collect();
    found.sort();
    found
}

fn of<'a>(events: &'a [Value], pattern: &str, change: &str) -> Vec<&'a Value> {
    events.iter().filter(|e| e["pattern_type"] == pattern && e["change"] == change).collect()
}

/// Events of all markets are found without asking those that were quiet: the same as those known at a moment behind them.
#[test]
fn events_of_all_markets_are_those_of_any_moment_behind_them() {
    let place = Place::new();
    written(&place);
    place.ok("collect --source in --data data");
    let server = Server::start(&place, "data");
    for asked in [
        "limit=5",
        "limit=3&pattern=FUNDING_ANOMALY",
        "limit=1000",
        "limit=4&open=true",
        "limit=4&severity=LOW",
        "limit=6&order=desc",
        "limit=1000&order=desc",
        "limit=5&order=desc&start=2026-02-05T06:00:00Z",
        "limit=5&start=2026-02-05T06:00:00Z",
    ] {
        let (now, then) =
            (server.json(&format!("/api/v1/events?{asked}")), format!("&as_of={}", (END + Span::hours(1)).iso()));
        let then = server.json(&format!("/api/v1/events?{asked}{then}"));
        let of = |page: &Value| page["items"].as_array().unwrap().iter().map(key).collect::<Vec<_>>();
        assert!(!of(&now).is_empty() && of(&now) == of(&then), "{asked}: {:#?}\n{:#?}", of(&now), of(&then));
        assert_eq!(now["next_cursor"].is_string(), then["next_cursor"].is_string(), "{asked}");
    }
}

/// What followed an alert is known once it has happened, and the one before is the most like it.
#[test]
fn one_alert_has_what_followed_and_the_one_before_it() {
    let place = Place::new();
    written(&place);
    place.ok("collect --source in --data data");
    let stored = json_lines(&place.ok("events --json --limit 100000 --data data"));
    let opened = of(&stored, "LIQUIDATION_CASCADE", "OPENED");
    let bursts: Vec<&Value> = opened.into_iter().filter(|e| e["trigger"] == "burst").collect();
    let [first, second] = [0, 1].map(|n| bursts[n]["alert_id"].as_str().unwrap());
    let asked = |id: &str, rest: &str| {
        json_lines(&place.ok(&format!("events --id {id} --json {rest} --data data"))).remove(0)["evidence"].clone()
    };
    let spans = |evidence: &Value| -> Vec<(bool, Option<String>)> {
        let all = evidence["outcome"]["spans"].as_array().unwrap().clone();
        all.iter().map(|s| (s["max_move_atr"].is_number(), s["reason"].as_str().map(str::to_owned))).collect()
    };
    let word = |text: &str| Some(text.to_owned());
    let late = asked(second, "");
    assert_eq!(spans(&late), [(true, None), (false, word("gap")), (false, word("gap"))], "{late}");
    assert_eq!(late["similar"][0]["alert_id"], first);
    let early = asked(first, "");
    assert_eq!(spans(&early), [(true, None), (true, None), (false, word("gap"))], "{early}");
    assert!(early["outcome"]["liquidated_usd_1h"].as_f64().unwrap() > 0.0, "{early}");
    assert_eq!(early["similar"].as_array().unwrap().len(), 0);
    let known_at = bursts[0]["known_at"].as_str().unwrap();
    let then = asked(first, &format!("--as-of {known_at}"));
    assert!(spans(&then).iter().all(|s| *s == (false, word("not_over"))), "{then}");

    let text = place.ok(&format!("events --id {} --data data", &second[..18]));
    assert!(text.contains("what followed") && text.contains(&first[..8]), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let none = place.command("events --id ffffffff --data data".split(' '));
    Outcome::of("events --id ffffffff", none).exits(2).says("there is no alert 'ffffffff'");
    let short = place.command(["events", "--id", &first[..7], "--data", "data"]);
    Outcome::of("events --id of 7", short).exits(2).says("is too short; write at least 8 characters");
    let server = Server::start(&place, "data");
    assert_eq!(server.json(&format!("/api/v1/events/{first}"))["evidence"], early);
}

#[test]
fn events_agree_wherever_they_are_read() {
    let place = Place::new();
    let (longs, shorts) = written(&place);
    let replayed: Vec<Value> =
        json_lines(&place.ok("replay in --json --every 1h")).into_iter().filter(|l| l["type"] == "event").collect();
    place.ok("collect --source in --data data");
    let stored = json_lines(&place.ok("events --json --limit 100000 --data data"));
    // What is between markets follows from stored minutes; a replay has none.
    let own: Vec<Value> = stored.iter().filter(|e| e["pattern_type"] != "CORRELATION_BREAK").cloned().collect();
    assert_eq!(keys(&own), keys(&replayed), "from files and from the store");
    let known: Vec<&str> = stored.iter().map(|e| e["known_at"].as_str().unwrap()).collect();
    assert!(known.is_sorted(), "the newest last");

    let bursts: Vec<&Value> = of(&stored, "LIQUIDATION_CASCADE", "OPENED");
    let bursts: Vec<&&Value> = bursts.iter().filter(|e| e["trigger"] == "burst").collect();
    assert_eq!(bursts.len(), 2, "{bursts:#?}");
    // Nothing of this market's liquidations was known before: the burst is its own closes, and they are lower bounds.
    let data = &bursts[0]["data"];
    assert_eq!((&data["count"], &data["lower_bound"]), (&5.0.into(), &true.into()));
    assert!(data["total_liquidated_usd"].as_f64().unwrap() > 0.0 && data["severity"].as_f64().unwrap() > 0.0, "{data}");
    assert_ne!(data["side_bias"], Value::Null);
    // Liquidations have been heard for an hour: what is rare here nobody knows yet (verification §5).
    let severities = |e: &Value| [&e["severity"], &e["data"]["severity_before_rarity"]].map(Value::to_string);
    assert_eq!(
        (severities(bursts[0]), &data["count_60s"]),
        (["\"MEDIUM\"", "\"HIGH\""].map(str::to_owned), &5.0.into())
    );
    assert!(bursts[0]["description"].as_str().unwrap().contains("Less than a week of data here, so MEDIUM at most."));
    let sustained = of(&stored, "LIQUIDATION_CASCADE", "OPENED");
    let sustained = sustained.iter().find(|e| e["trigger"] == "sustained").unwrap();
    assert_eq!(sustained["data"]["side_bias"], "LONG");
    assert_eq!(severities(sustained), ["\"MEDIUM\"", "\"CRITICAL\""]);
    let fifth = END - Span::mins(90) + Span::secs(23) + Span::millis(20);
    assert_eq!(bursts[0]["known_at"], fifth.iso(), "with the fifth liquidation, not at the end of the minute");
    assert!(!of(&stored, "FUNDING_MANIPULATION", "OPENED").is_empty());
    assert!(!of(&stored, "FUNDING_ANOMALY", "OPENED").is_empty());
    assert!(stored.iter().all(|e| e["symbol"] == "BTC/USDT" || e["symbol"] == "ETH/USDT"));

    let server = Server::start(&place, "data");
    let all = server.json("/api/v1/events?limit=1000")["items"].as_array().unwrap().clone();
    assert_eq!(all, stored, "over HTTP");
    for (path, line) in [
        ("/api/v1/markets/binance-usdm:BTCUSDT/events?limit=1000", "events BTCUSDT"),
        ("/api/v1/events?limit=1000&open=true", "events --open"),
        ("/api/v1/events?limit=1000&pattern=CASCADE&severity=MEDIUM", "events --pattern CASCADE --severity MEDIUM"),
        ("/api/v1/events?limit=1000&as_of=2026-02-05T10:40:00Z", "events --as-of 2026-02-05T10:40:00Z"),
        (
            "/api/v1/events?limit=1000&start=2026-02-05T10:00:00Z&end=2026-02-05T11:00:00Z",
            "events --from 2026-02-05T10:00:00Z --to 2026-02-05T11:00:00Z",
        ),
    ] {
        let told = json_lines(&place.ok(&format!("{line} --json --limit 100000 --data data")));
        assert_eq!(server.json(path)["items"].as_array().unwrap(), &told, "{path}");
    }
    let early = server.json(&format!("/api/v1/events?pattern=CASCADE&as_of={}", (fifth - Span(1)).iso()));
    assert_eq!(early["items"], serde_json::json!([]), "nothing before it was known");

    let cascades = server.json(&format!("/api/cascades?hours=24&as_of={}", END.iso()));
    let told = server.json(&format!("/api/v1/events?pattern=CASCADE&format=seed4&order=desc&as_of={}", END.iso()));
    let told = told["items"].as_array().unwrap();
    let events = cascades["events"].as_array().unwrap();
    let same = |a: &Value, b: &Value| ["timestamp", "symbol", "severity", "title"].iter().all(|key| a[key] == b[key]);
    assert!(events.len() >= 2 && events.iter().all(|e| told.iter().any(|t| same(t, e))), "{events:#?}");
    // Facts and sentence of a burst are those of its end.
    let ends = of(&stored, "LIQUIDATION_CASCADE", "CLOSED").into_iter().filter(|e| e["trigger"] == "burst");
    for end in ends {
        let usd = |e: &Value| e["data"]["total_liquidated_usd"].clone();
        let whole = |e: &Value| e["description"] == end["description"] && usd(e) == usd(end);
        assert!(events.iter().any(whole), "{end}: {events:#?}");
    }
    assert_eq!(cascades["count"], events.len());
    assert_eq!(events[0]["source"], "CASCADE");
    let sum =
        |side: &str| -> f64 { cascades["series"].as_array().unwrap().iter().filter_map(|h| h[side].as_f64()).sum() };
    assert_eq!((sum("long_usd"), sum("short_usd")), (longs, shorts));
    // The tape has its first liquidation at 10:30 and its last at 11:40: of the hours before nothing is known.
    let series = cascades["series"].as_array().unwrap();
    let known: Vec<&str> =
        series.iter().filter(|h| h["long_usd"].is_f64()).map(|h| h["timestamp"].as_str().unwrap()).collect();
    assert_eq!((series.len(), known), (24, vec!["2026-02-05T10:00:00Z", "2026-02-05T11:00:00Z"]));
    assert_eq!((&series[0]["long_usd"], &series[0]["long_usd_reason"]), (&Value::Null, &"missing_input".into()));
}

/// What the table has of a health.
#[expect(clippy::cast_possible_truncation, reason = "0 to 100")]
fn whole(health: &Value) -> Option<i64> {
    health["band"].is_string().then(|| health["score"].as_f64().unwrap().floor() as i64)
}

/// The only market's health as the table has it.
#[track_caller]
fn board_health(server: &Server, query: &str) -> Option<i64> {
    let board = server.json(&format!("/api/v1/board{query}"));
    let column = board["columns"].as_array().unwrap().iter().position(|name| name == "health").unwrap();
    let row = &board["rows"][0];
    let score = row["cells"][column].as_i64();
    assert_eq!(score.is_none(), row["reasons"]["health"] == "few_patterns_judged", "{row}");
    score
}

/// R3.27, R3.28: the same answer in the terminal and over HTTP, whose score follows from its parts and whose alerts are those of `events`.
#[test]
fn a_market_checked_reads_alike_everywhere_and_adds_up() {
    let place = Place::new();
    written(&place);
    place.ok("collect --source in --data data");
    let server = Server::start(&place, "data");
    let mut scores = Vec::new();
    let mut bursts = Vec::new();
    // Before the first burst of liquidations, within it, half an hour after it, and at the end.
    for before in [100, 88, 55, 0] {
        let moment = (END - Span::mins(before)).iso();
        let line = format!("analyze BTCUSDT --data data --json --as-of {moment}");
        let told = json_lines(&place.ok(&line)).remove(0);
        let path = "/api/v1/markets/binance-usdm:BTCUSDT";
        assert_eq!(server.json(&format!("{path}/analysis?as_of={moment}")), told, "{moment}");

        let health = &told["health"];
        let number = |v: &Value, field: &str| v[field].as_f64().unwrap_or_else(|| panic!("no {field} in {v}"));
        let all = |field: &str| health[field].as_array().unwrap().clone();
        let left: f64 = all("alerts").iter().map(|a| 1.0 - number(a, "weight")).product();
        let lost: f64 = all("streams").iter().map(|s| number(s, "points")).sum();
        assert!((number(health, "alert_points") - 70.0 * (1.0 - left)).abs() < 1e-9, "{moment}: {health}");
        assert!((number(health, "data_points") - lost).abs() < 1e-9, "{moment}: {health}");
        let score = (100.0 - number(health, "alert_points") - lost).clamp(0.0, 100.0);
        assert!((number(health, "score") - score).abs() < 1e-9, "{moment}: {health}");
        scores.push(score);
        let weighs = |a: &Value| (a["trigger"] == "burst" && a["severity"] == "MEDIUM").then(|| number(a, "weight"));
        bursts.push(all("alerts").iter().find_map(weighs).unwrap_or_default());
        assert_eq!(board_health(&server, &format!("?as_of={moment}")), whole(health), "{moment}");

        let open = server.json(&format!("{path}/events?open=true&as_of={moment}"));
        let ids = |events: &Value| {
            let of = |e: &Value| e["alert_id"].as_str().unwrap().to_owned();
            events.as_array().unwrap().iter().map(of).collect::<BTreeSet<String>>()
        };
        assert_eq!(ids(&told["alerts"]), ids(&open["items"]), "{moment}");
        for check in told["patterns"].as_array().unwrap() {
            let statistics = check["statistics"].as_array().unwrap();
            assert_eq!(check["state"] == "ALERTS_ONLY", statistics.is_empty(), "{moment}: {check}");
        }
    }
    // Of the present, which is the end of the recording, the table remembers what the others read.
    let checked = server.json("/api/v1/markets/BTCUSDT/analysis")["health"].clone();
    assert_eq!(board_health(&server, ""), whole(&checked));
    assert_eq!(server.json("/api/v1/markets/BTCUSDT/context")["health"], checked);
    assert_eq!(json_lines(&place.ok("context BTCUSDT --json --data data")).remove(0)["health"], checked);
    assert!(scores[1] < scores[0] - 10.0, "a burst of liquidations is seen: {scores:?}");
    let [_, open, later, latest] = bursts[..] else { panic!("{bursts:?}") };
    assert!(open > later && later > latest && latest > 0.0, "and passes, by half in an hour: {bursts:?}");
    let text = place.ok("analyze BTCUSDT --data data");
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
}

#[test]
fn alerts_are_told_once_and_never_rewritten() {
    let place = Place::new();
    written(&place);
    place.ok("collect --source in --data data");
    let before = place.hash("data");
    place.ok("replay in --data data");
    assert_eq!(place.hash("data"), before, "a second import tells nothing twice");
    let check = place.ok("db check --data data");
    assert!(check.contains("alerts"), "{check}");
    let causality = place.ok("verify causality in --points 12");
    assert!(causality.contains("rewritten readings: 0 of"), "{causality}");
    place.ok("verify determinism in");
}

#[test]
fn the_table_is_calm_and_says_what_to_ask() {
    let place = Place::new();
    written(&place);
    place.ok("collect --source in --data data");
    let shown = place.ok("events BTCUSDT --pattern LIQUIDATION_CASCADE --data data");
    for words in ["MEDIUM", "opened", "Burst of liquidations", "BTC/USDT  Burst"] {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
    let long = place.ok("events BTCUSDT --pattern LIQUIDATION_CASCADE --long --data data");
    assert!(long.contains("liquidations in"), "{long}");
    assert!(shown.lines().all(|l| l.chars().count() <= 80), "{shown}");
    assert!(place.ok("events ETHUSDT --pattern CASCADE --data data").contains("no event is stored of ETHUSDT"));
    assert!(place.ok("events --limit 1 --data data").contains("ask with --limit"));
    place.run("events --pattern CASCADES --data data").exits(2).says("there is no pattern 'CASCADES'");
    place.run("events --severity LOUD --data data").exits(2).says("write one of INFO, LOW");
    place.run("events --from 2026-02-05 --to 2026-02-04 --data data").exits(2).says("is not later than");
    place.run("events DOGEUSDT --data data").exits(2).says("'DOGEUSDT' is not in the data folder");
}

/// Bursts that were opened, and the logic that saw them.
fn bursts(place: &Place, flags: &str) -> (usize, String) {
    let lines = json_lines(&place.ok(&format!("replay in --json --every 1h {flags}")));
    let events: Vec<Value> = lines.into_iter().filter(|l| l["type"] == "event").collect();
    let opened = of(&events, "LIQUIDATION_CASCADE", "OPENED");
    let logic = events[0]["logic_version"].as_str().unwrap().to_owned();
    (opened.iter().filter(|e| e["trigger"] == "burst").count(), logic)
}

#[test]
fn thresholds_of_the_original_settings_are_those_of_the_detectors() {
    let place = Place::new();
    written(&place);
    let (usual, logic) = bursts(&place, "");
    assert_eq!(usual, 2);
    place.write("mine.yaml", "detection:\n  thresholds:\n    liquidation_cascade_threshold: 9\n");
    let (none, other) = bursts(&place, "--config mine.yaml");
    assert_eq!(none, 0, "each burst has eight liquidations");
    assert_ne!(other, logic);
    // A book that says so is the same logic, and the settings show it.
    let book = place.ok("rules show --config mine.yaml");
    assert!(book.contains("burst_count = 9.0"), "{book}");
    place.write("mine.toml", &book);
    assert_eq!(bursts(&place, "--book mine.toml"), (0, other.clone()));
    place.write("same.yaml", "detection:\n  thresholds:\n    liquidation_cascade_threshold: 5\n");
    assert_eq!(bursts(&place, "--config same.yaml"), (2, logic), "the number that holds anyway");
    // What was stored under them is found under them.
    place.ok("collect --source in --data data --config mine.yaml");
    let stored = json_lines(&place.ok("events --json --limit 100000 --data data --config mine.yaml"));
    assert!(!stored.is_empty() && stored.iter().all(|e| e["logic_version"] == other.as_str()), "{other}");
    place.write("odd.yaml", "detection:\n  thresholds:\n    basis_anomaly_threshold: 0.05\n");
    place.run("replay in --config odd.yaml").exits(2).says(
        "odd.yaml:3: `detection.thresholds.basis_anomaly_threshold`: 'basis_high' is 0.03, below 'basis' of 0.05",
    );
}

/// Every change of a label on a day when all of them changed says why, at which price, and what would turn or clear it.
#[test]
fn a_changed_label_of_a_real_day_carries_the_why_the_price_and_the_way_back() {
    let place = Place::new();
    place.ok(&format!("collect --source {} --data data", shipped().display()));
    let asked = "events --pattern REGIME_CHANGE,VOLATILITY_REGIME_CHANGE --from 2026-02-05 --to 2026-02-07 --json --limit 1000 --data data";
    let told = json_lines(&place.ok(asked));
    let (mut axes, mut ways) = (BTreeSet::new(), 0);
    for event in &told {
        axes.insert(event["data"]["axis"].as_str().unwrap().to_owned());
        let (to, moment) = (&event["data"]["to"], &event["moment"]);
        let text = event["description"].as_str().unwrap();
        assert!(moment["price"].as_f64().is_some_and(|p| p > 0.0) && text.contains("Price "), "{event:#}");
        assert!(moment["why"].as_str().is_some_and(|why| !why.is_empty() && text.contains(why)), "{event:#}");
        assert!(moment.as_object().unwrap().contains_key("side"), "{event:#}");
        let context =
            place.ok(&format!("context {} --as-of {} --json --data data", event["instrument"], event["known_at"])
                .replace('"', ""));
        let context: Value = serde_json::from_str(&context).unwrap();
        assert_eq!(context["price"], moment["price"], "the price of its minute: {event:#}");
        for way in [&moment["flip"], &moment["exit"]].into_iter().filter(|w| !w.is_null()) {
            ways += 1;
            let number = |key: &str| way[key].as_f64().unwrap();
            let (value, limit) = (number("value"), number("threshold"));
            match way["direction"].as_str().unwrap() {
                "above" => assert!(value <= limit, "{event:#}"),
                "below" => assert!(value >= limit, "{event:#}"),
                other => panic!("{other}"),
            }
            assert!(way["label"] != *to && way["readings"].as_u64().is_some_and(|n| n >= 1), "{event:#}");
        }
    }
    let all: Vec<&str> = axes.iter().map(String::as_str).collect();
    assert_eq!(all, ["heat", "risk", "trend", "volatility"]);
    assert!(told.len() > 15 && ways > told.len(), "{ways} ways of {}", told.len());
}
