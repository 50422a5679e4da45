//! Signals of one's own: brought from files and over HTTP, revised, taken back, and known as of each moment.

use crate::support::http::{Reply, Server};
use crate::support::receiver::Receiver;
use crate::support::sim::Sim;
use crate::support::{Place, data, json_lines};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CSV: &str = "timestamp,symbol,metric_name,value,source,unit\n\
                   2026-02-05T10:00:00Z,BTCUSDT,x.desk_flow,1.5,desk,USD\n\
                   2026-02-05T11:00:00Z,BTCUSDT,x.desk_flow,-2,desk,USD\n\
                   2026-02-05T11:00:00Z,*,x.mood,61,desk,\n";

/// A folder with a day of one market.
fn stored(place: &Place) {
    let from = data::slice(&place.path("in"), &["BTCUSDT"], "2026-02-05", "2026-02-06");
    assert!(from > 0);
    place.ok("collect --source in --data data");
}

fn values(place: &Place, line: &str) -> Vec<Value> {
    json_lines(&place.ok(&format!("signals show {line} --data data --json")))
        .iter()
        .map(|p| p["value"].clone())
        .collect()
}

#[test]
fn files_are_imported_once_and_history_states_when_it_was_known() {
    let place = Place::new();
    stored(&place);
    let before = place.hash("data");
    place.write("own.csv", CSV);
    let import = "signals import own.csv --known-after 5m --data data";
    assert_eq!(place.ok(import), "own.csv: 3 new, 0 revised, 0 there already\n");
    assert_eq!(place.ok(import), "own.csv: 0 new, 0 revised, 3 there already\n");
    assert_eq!(place.hash("data"), before, "what is computed does not depend on them");
    for (as_of, expected) in [
        ("2026-02-05T10:04:59Z", vec![]),
        ("2026-02-05T10:05:00Z", vec![json!(1.5)]),
        ("2026-02-05T11:05:00Z", vec![json!(1.5), json!(-2.0)]),
    ] {
        let line = format!("signals show x.desk_flow BTCUSDT --as-of {as_of} --data data --json");
        let found = place.run(&line);
        if expected.is_empty() {
            found.exits(2).says("x.desk_flow does not speak of binance-usdm:BTCUSDT; there is no signal");
        } else {
            assert_eq!(values(&place, &format!("x.desk_flow BTCUSDT --as-of {as_of}")), expected, "{as_of}");
        }
    }
    // A correction that arrives now is known since now, and what was known before stays.
    place.write("fix.jsonl", r#"{"timestamp":"2026-02-05T10:00:00Z","symbol":"BTCUSDT","metric_name":"x.desk_flow","value":9,"source":"desk"}"#);
    assert_eq!(place.ok("signals import fix.jsonl --data data"), "fix.jsonl: 0 new, 1 revised, 0 there already\n");
    assert_eq!(values(&place, "x.desk_flow BTCUSDT"), [json!(9.0), json!(-2.0)]);
    assert_eq!(values(&place, "x.desk_flow BTCUSDT --as-of 2026-02-06"), [json!(1.5), json!(-2.0)]);
    assert_eq!(values(&place, "x.desk_flow BTCUSDT --revisions").len(), 3);
    assert_eq!(values(&place, "x.mood BTCUSDT"), [json!(61.0)], "a signal of every market speaks of each");
    assert_eq!(values(&place, "x.mood"), [json!(61.0)]);
    let text = place.ok("signals ls --data data");
    assert!(text.contains("x.desk_flow  binance-usdm:BTCUSDT  from desk") && text.contains("1 revised"), "{text}");
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
    assert_eq!(json_lines(&place.ok("signals ls BTCUSDT --data data --json")).len(), 2);
    assert!(place.ok("db check --data data").contains("signal values"));
}

#[test]
fn a_file_with_a_mistake_stores_nothing() {
    let place = Place::new();
    stored(&place);
    let wrong = format!("{CSV}2026-02-05T12:00:00Z,ETHUSDT,x.mood,1,desk,\nyesterday,*,x.mood,1,desk,\n");
    place.write("own.csv", &wrong);
    let refused = place.run("signals import own.csv --data data").exits(2);
    let refused = refused.says("point 5: 'ETHUSDT' is not in the data folder");
    refused.says("point 6: 'yesterday' is not a time").says("nothing was stored; --skip-refused stores the others");
    assert_eq!(place.ok("signals ls --data data"), "no signals; bring some with: barograph signals import FILE\n");
    assert_eq!(
        place.ok("signals import own.csv --skip-refused --data data"),
        "own.csv: 3 new, 0 revised, 0 there already, 2 left out\n"
    );
    for (text, line, why) in [
        (CSV, "signals import none.csv", "none.csv: No such file"),
        ("", "signals import x.csv", "x.csv: there is nothing in it"),
        ("a,b\n", "signals import x.csv", "the first line must name the columns"),
        (
            "ts,value\n2199-01-01,1\n",
            "signals import x.csv --market * --name x.a --source s",
            "lies ahead of the clock",
        ),
        (
            "ts,value\n2026-02-05,1\n",
            "signals import x.csv --market * --source s",
            "the field 'metric_name' is missing",
        ),
        ("ts,value\n2026-02-05,1\n", "signals import x.csv --name funding_rate", "names begin with 'x.'"),
        ("ts,value\n2026-02-05,1\n", "signals import x.csv --known-after often", "'often' is not a length of time"),
    ] {
        place.write("x.csv", text);
        place.run(&format!("{line} --data data")).exits(2).says(why);
    }
}

#[test]
fn values_are_posted_beside_a_process_that_serves() {
    let place = Place::new();
    stored(&place);
    let server = Server::start(&place, "data");
    let path = "/api/v1/markets/binance-usdm:BTCUSDT";
    let point = |value: Value| json!({"timestamp": "2026-02-05T10:00:00Z", "metric_name": "x.a", "value": value, "source": "bot"});
    let post = |body: &Value| server.send("POST", &format!("{path}/metrics"), body);
    let taken = |reply: Reply| {
        let json = reply.json();
        ["new", "revised", "same"].map(|field| json[field].as_u64().unwrap_or_else(|| panic!("{json}")))
    };
    assert_eq!(taken(post(&point(json!(1.0)))), [1, 0, 0]);
    assert_eq!(taken(post(&json!([point(json!(1.0)), point(json!(1.0))]))), [0, 0, 2]);
    assert_eq!(taken(post(&point(json!(2.0)))), [0, 1, 0]);
    // What another process brings meanwhile is seen at once.
    place.write("own.csv", CSV);
    place.ok("signals import own.csv --known-after 0s --data data");
    let list = server.json(&format!("{path}/signals"));
    let names: Vec<&str> = list["items"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["x.a", "x.desk_flow", "x.mood"]);
    let read = server.json(&format!("{path}/metrics?metric_name=x.a"));
    assert_eq!((&read["items"][0]["value"], &read["items"][0]["symbol"]), (&json!(2.0), &json!("BTCUSDT")));
    assert_eq!(taken(post(&point(Value::Null))), [0, 1, 0]);
    assert_eq!(server.json(&format!("{path}/metrics?metric_name=x.a"))["items"], json!([]));
    for (body, kind, words) in [
        (json!([point(json!(3.0)), point(json!("3"))]), "bad-field", "point 2: the value \\\"3\\\" is not a number"),
        (json!({"value": 1}), "bad-field", "the field 'timestamp' is missing"),
        (json!(vec![point(json!(3.0)); 5_001]), "too-much", "at most 5000"),
    ] {
        let reply = post(&body);
        assert_eq!(reply.problem(), kind, "{}", reply.text());
        assert!(reply.text().contains(words), "{}", reply.text());
    }
    assert_eq!(
        server.json(&format!("{path}/metrics?metric_name=x.a"))["items"],
        json!([]),
        "nothing of a refused list is stored"
    );
}

#[test]
fn a_watch_on_a_signal_is_tried_over_what_is_stored_and_states_of_which_values_that_is() {
    let place = Place::new();
    stored(&place);
    place.write("own.csv", CSV);
    place.ok("signals import own.csv --known-after 5m --data data");
    let watch = |rest: &str| format!("alerts watch BTCUSDT {rest} --data data");
    let text = place.ok(&watch("x.desk_flow below 0 --try"));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "x.desk_flow falls below 0: once in the last",
        "2026-02-05 11:05",
        "its values are in USD",
        "not of market data alone: x.desk_flow from desk (binance-usdm:BTCUSDT)",
        "2 values; when they became known is stated by their owner for 2 of 2; digest",
    ] {
        assert!(words.contains(part), "'{part}' is not in\n{text}");
    }
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
    let past = &json_lines(&place.ok(&watch("x.desk_flow below 0 --try --json")))[0];
    assert_eq!((&past["turns"], &past["recent"][0]), (&json!(1), &json!("2026-02-05T11:05:00Z")));
    assert_eq!((&past["signals"][0]["stated"], &past["signals"][0]["assumed"]), (&json!(2), &json!(0)));
    for (rest, why) in [
        ("x.desk_flo below 0", "did you mean 'x.desk_flow'?"),
        ("x.desk_flow below 5 %", "is not written in percent"),
        ("signal x.desk_flow from me; x.desk_flow below 0", "it has those of desk"),
    ] {
        place.run(&watch(&format!("{rest} --try"))).exits(2).says(why);
    }
    assert_eq!(place.ok("alerts watches --data data --json"), "");
    // Nothing listens: it is kept for the next process that does.
    let made = place.ok(&watch("x.later above 1"));
    for part in
        ["x.later rises above 1, once", "no reading: no value of x.later is known yet", "from the next barograph up on"]
    {
        assert!(made.split_whitespace().collect::<Vec<_>>().join(" ").contains(part), "'{part}' is not in\n{made}");
    }
    let listed = place.ok("alerts watches --data data");
    assert!(listed.contains("no reading: no value of x.later is known yet"), "{listed}");
    let server = Server::start(&place, "data");
    let past = server
        .json("/api/v1/watches/past?market=BTCUSDT&when=signal%20x.desk_flow%20within%201h%3B%20x.desk_flow%20%3C%200");
    assert_eq!(
        (&past["when"], &past["unit"]),
        (&json!("signal x.desk_flow within 1h; x.desk_flow below 0"), &json!("USD"))
    );
    assert_eq!(past["minutes"], json!(110), "of each value an hour, less the five minutes until it was known");
    assert_eq!(server.json("/api/v1/watches")["items"][0]["why_not_now"], json!("no value of x.later is known yet"));
}

#[test]
fn a_live_process_reports_a_signal_that_turned_with_its_unit_age_and_source() {
    let place = Place::new();
    let sim = Sim::start(&place);
    let receiver = Receiver::start();
    place.write("barograph.toml", &receiver.table("desk", "json", ""));
    let line = format!("up --backfill 0 --books off --listen 127.0.0.1:0 --data data --endpoint {}", sim.endpoint);
    let server = Server::of(place.start(&line));
    let until = Instant::now() + Duration::from_secs(300);
    // Refused until the market is listened to.
    let post = |path: &str, body: &Value| loop {
        let reply = server.send("POST", path, body);
        if reply.status < 300 {
            break reply;
        }
        assert!(Instant::now() < until, "{path}: {}", reply.text());
        std::thread::sleep(Duration::from_millis(300));
    };
    let bring = |ago: Duration, value: f64| {
        let at = std::time::SystemTime::now() - ago;
        let at = at.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let tags = json!({"unit": "points"});
        let body = json!({"timestamp": at, "metric_name": "x.mood", "value": value, "source": "news", "tags": tags});
        post("/api/v1/markets/binance-usdm:BTCUSDT/metrics", &body);
    };
    let wait = |what: &str, is: &dyn Fn(&Value) -> bool| loop {
        let found = server.json("/api/v1/watches")["items"][0].clone();
        if is(&found) {
            break found;
        }
        assert!(Instant::now() < until, "{what}: {found}");
        std::thread::sleep(Duration::from_millis(300));
    };
    bring(Duration::from_secs(1), 50.0);
    post("/api/v1/watches", &json!({"market": "BTCUSDT", "when": "x.mood above 60"}));
    wait("a reading", &|w| w["now"].as_str().is_some_and(|now| now.starts_with("x.mood is 50 points")));
    bring(Duration::ZERO, 61.0);
    let view = wait("it came true", &|w| !w["watch"]["ended_at"].is_null());
    let text = view["watch"]["fired"][0]["text"].as_str().unwrap();
    let begins = "x.mood rose above 60 points: it is 61 points, ";
    assert!(text.starts_with(begins) && text.contains(" old, from news."), "{text}");
    while !receiver.taken().iter().any(|taken| taken.body.contains(begins)) {
        assert!(Instant::now() < until, "nothing came: {:?}", receiver.taken());
        std::thread::sleep(Duration::from_millis(200));
    }
    let id = view["watch"]["id"].as_str().unwrap();
    assert_eq!(server.send("DELETE", &format!("/api/v1/watches/{id}"), &Value::Null).status, 204);
}
