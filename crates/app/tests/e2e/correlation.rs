//! Two synthetic markets that go together, part for a day and go together again: reported over files, HTTP and on the command line,
//! the same however the files came in.

use crate::support::http::Server;
use crate::support::{Place, Random, json_lines};
use barograph_domain::{Span, Ts};
use serde_json::{Value, json};
use std::fmt::Write as _;

const START: Ts = Ts::from_civil(2026, 1, 5, 0, 0, 0);
const HOURS: i64 = 140;
/// Hours in which ETH goes against BTC.
const APART: core::ops::Range<i64> = 60..90;

/// Hourly candles `from ≤ hour < until` of a made-up market, with their manifest, in a folder of their own.
fn candles(place: &Place, folder: &str, symbol: &str, from: i64, until: i64) {
    let (mut random, mut price) = (Random::new(20_260_105), 1_000.0_f64);
    let mut text = "timestamp,open,high,low,close,volume\n".to_owned();
    for hour in 0..until {
        let up = random.below(2) == 0;
        let own = f64::from(u8::from(random.below(2) == 0)) * 0.000_5;
        let against = symbol == "ETHUSDT" && APART.contains(&hour);
        let step = 1.005 + if symbol == "ETHUSDT" { own } else { 0.0 };
        let next = if up == against { price / step } else { price * step };
        if hour >= from {
            let (high, low) = (price.max(next), price.min(next));
            writeln!(text, "{},{price:.4},{high:.4},{low:.4},{next:.4},10", (START + Span::hours(hour)).iso()).unwrap();
        }
        price = next;
    }
    place.write(&format!("{folder}/candles.csv"), &text);
    let manifest = format!(
        "version = 1\n[[file]]\npath = \"candles.csv\"\nvenue = \"binance-usdm\"\nsymbol = \"{symbol}\"\nmetric = \"bar\"\n\
         stamp = \"open\"\ncadence = \"1h\"\ndelay = \"2s\"\ncolumns = {{ time = \"timestamp\", open = \"open\", \
         high = \"high\", low = \"low\", close = \"close\", volume = \"volume\" }}\n"
    );
    place.write(&format!("{folder}/import.toml"), &manifest);
}

fn hash(place: &Place) -> String {
    place.ok("db check --hash --data data").lines().last().unwrap().to_owned()
}

const LIST: &str = "events --pattern CORRELATION_BREAK --json --limit 1000 --data data";

#[test]
fn synthetic_markets_that_part_are_told_with_their_hours() {
    let place = Place::new();
    candles(&place, "in/btc", "BTCUSDT", 0, HOURS);
    candles(&place, "in/eth", "ETHUSDT", 0, HOURS);
    place.ok("collect --source in --data data");
    let told = json_lines(&place.ok(LIST));
    let changes: Vec<(&str, &str)> =
        told.iter().map(|e| (e["change"].as_str().unwrap(), e["severity"].as_str().unwrap())).collect();
    let want =
        [("OPENED", "INFO"), ("UPDATED", "INFO"), ("UPDATED", "INFO"), ("UPDATED", "MEDIUM"), ("CLOSED", "MEDIUM")];
    assert_eq!(changes, want, "below the band, twice worse by ten points, a break, over");
    for event in &told {
        assert_eq!(event["alert_id"], told[0]["alert_id"], "one episode");
        assert_eq!(
            (&event["instrument"], &event["asset_pair"]),
            (&json!("binance-usdm:BTCUSDT"), &json!("BTC/USDT/ETH/USDT"))
        );
        // It says what the hour says, known with it.
        let at = event["timestamp"].as_str().unwrap();
        let hour = &json_lines(&place.ok(&format!("universe --at {at} --json --data data")))[0];
        assert_eq!((&hour["timestamp"], &hour["known_ts"]), (&event["timestamp"], &event["known_at"]));
        let reading = &hour["pairs"][0]["reading"];
        assert_eq!(reading["corr_20"]["value"], event["data"]["return_correlation"]);
        assert_eq!(reading["divergence_strength"], event["data"]["divergence_strength"]);
        let apart = event["data"]["return_correlation"].as_f64().unwrap() < -0.5;
        assert_eq!(event["data"]["signal"] == "POTENTIAL_PAIR_TRADE", apart, "{event}");
    }
    let broken = &told[3];
    assert!(broken["data"]["return_correlation"].as_f64().unwrap() < -0.5, "{broken}");
    assert!(broken["description"].as_str().unwrap().contains("usual for the pair is 0.70 or more"), "{broken}");
    let shown = place.ok("events --pattern CORRELATION_BREAK --data data");
    assert!(shown.contains("Correlation break") && shown.contains("BTC/USDT/ETH/USDT"), "{shown}");

    let server = Server::start(&place, "data");
    let asked = |path: &str| server.json(path)["items"].clone();
    assert_eq!(asked("/api/v1/events?pattern=CORRELATION_BREAK&limit=1000"), Value::from(told.clone()));
    assert_eq!(asked("/api/v1/markets/binance-usdm:ETHUSDT/events?pattern=CORRELATION_BREAK"), json!([]));
    let before = format!("/api/v1/events?pattern=CORRELATION_BREAK&as_of={}", told[0]["timestamp"].as_str().unwrap());
    assert_eq!(asked(&before), json!([]), "not before it is known");
    let open = "/api/v1/events?pattern=CORRELATION_BREAK&open=true";
    assert_eq!(asked(open), json!([]));
    let during = asked(&format!("{open}&as_of={}", broken["known_at"].as_str().unwrap()));
    assert_eq!(during, json!([broken]));
    let alias = asked("/api/v1/events?pattern=CORRELATION_BREAK&format=seed4");
    // The fourth original knows one kind: below −0.5.
    assert_eq!(alias.as_array().map(Vec::len), Some(1), "{alias}");
    let envelope = &alias[0];
    assert_eq!((&envelope["asset_pair"], envelope.get("symbol")), (&json!("BTC/USDT/ETH/USDT"), None), "{alias}");
    assert_eq!((&envelope["source"], &envelope["severity"]), (&json!("CORRELATION"), &json!("WARNING")));
    let data = &broken["data"];
    let facts = ["return_correlation", "divergence_strength", "signal"].map(|f| (f.to_owned(), data[f].clone()));
    assert_eq!(envelope["data"], Value::Object(facts.into_iter().collect()));
}

#[test]
fn however_synthetic_files_came_in_the_pair_is_told_the_same() {
    let whole = Place::new();
    candles(&whole, "in/btc", "BTCUSDT", 0, HOURS);
    candles(&whole, "in/eth", "ETHUSDT", 0, HOURS);
    whole.ok("collect --source in --data data");
    let (want, told) = (hash(&whole), whole.ok(LIST));
    let parts = Place::new();
    candles(&parts, "one", "ETHUSDT", 0, HOURS);
    candles(&parts, "two", "BTCUSDT", 0, APART.start + 15);
    candles(&parts, "three", "BTCUSDT", APART.start + 15, HOURS);
    // While the days that close the episode are missing, nobody can say how it goes on.
    for (folder, newest) in [("one", None), ("two", Some("SUSPENDED")), ("three", Some("CLOSED"))] {
        parts.ok(&format!("collect --source {folder} --data data"));
        let told = json_lines(&parts.ok(LIST));
        assert_eq!(told.last().map(|e| e["change"].as_str().unwrap()), newest, "after {folder}");
    }
    assert_eq!((hash(&parts), parts.ok(LIST)), (want.clone(), told.clone()));
    // Again, by another command: nothing is reported twice.
    parts.ok("collect --source two --data data");
    parts.ok("replay three --data data");
    assert_eq!((hash(&parts), parts.ok(LIST)), (want, told));
    // One market compared with nothing: what was reported of the pair goes with its hours.
    parts.write("barograph.toml", "watch = \"off\"\n");
    parts.ok("collect --source two --data data");
    assert_eq!(json_lines(&parts.ok(LIST)), [] as [Value; 0]);
}
