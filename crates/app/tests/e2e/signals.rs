//! Signals of one's own: brought from files and over HTTP, revised, taken back, and known as of each moment.

use crate::support::http::{Reply, Server};
use crate::support::{Place, data, json_lines};
use serde_json::{Value, json};

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
