//! Signals over HTTP: as documented, brought in each of the forms, refused with a problem document.

use super::advice::{JSON, send};
use super::brought::NAME;
use super::client::Server;
use super::schema::{differences, document};
use serde_json::json;

const BTC: &str = "/api/v1/markets/binance-usdm:BTCUSDT";

#[test]
fn signals_and_their_values_are_as_documented() {
    let server = Server::start();
    let api = document();
    let schema = |path: &str| api["paths"][path]["get"]["responses"]["200"]["content"][JSON]["schema"].clone();
    let list = server.json(&format!("{BTC}/signals"));
    assert_eq!(differences(&api, &schema("/api/v1/markets/{id}/signals"), &list, "signals"), Vec::<String>::new());
    assert_eq!(
        (&list["items"][0]["z_7d"], &list["items"][0]["reasons"]),
        (&json!(1.0), &json!({"delta_24h": "warming"}))
    );
    let first = server.json(&format!("{BTC}/metrics?metric_name={NAME}&limit=2"));
    assert_eq!(differences(&api, &schema("/api/v1/markets/{id}/metrics"), &first, "metrics"), Vec::<String>::new());
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = server.json(&format!("{BTC}/metrics?metric_name={NAME}&limit=2&cursor={cursor}"));
    assert_eq!((&rest["items"][0]["value"], &rest["next_cursor"]), (&json!(2.0), &json!(null)));
    for (name, candidates) in [("x.other", json!([NAME])), ("x.NO", json!(null))] {
        let problem = server.get(&format!("{BTC}/metrics?metric_name={name}"));
        assert_eq!((problem.status, problem.problem().as_str()), (404, "unknown-metric"));
        assert_eq!(problem.json().get("candidates").unwrap_or(&json!(null)), &candidates);
    }
}

#[test]
fn values_are_brought_in_each_form_or_refused() {
    let server = Server::start();
    let path = format!("{BTC}/metrics");
    for kind in ["application/json", "application/x-ndjson; charset=utf-8", "text/csv"] {
        let reply = send(&server, "POST", &path, kind, "a\nb");
        assert_eq!(
            (reply.status, reply.json()),
            (200, json!({"new": 2, "revised": 0, "same": 0, "empty": 0})),
            "{kind}"
        );
    }
    let long = "x".repeat(1024 * 1024 + 1);
    for (kind, body, status, problem) in [
        ("text/plain", "a", 415, "unsupported-media-type"),
        ("text/csv", long.as_str(), 413, "body-refused"),
        (JSON, "bad", 400, "bad-field"),
    ] {
        let reply = send(&server, "POST", &path, kind, body);
        assert_eq!((reply.status, reply.problem().as_str()), (status, problem), "{kind}: {}", reply.text());
    }
    let put = server.request("PUT", &path, &[]);
    assert_eq!((put.status, put.header("allow")), (405, Some("GET, HEAD, POST")));
    let alias = server.request("POST", "/api/market-context/metrics/", &[]).text();
    assert!(alias.contains("POST /api/v1/markets/{id}/metrics"), "{alias}");
}

#[test]
fn candles_of_signals_are_asked_for_strictly() {
    let server = Server::start();
    let bars = server.json(&format!("{BTC}/signals/bars?names=x.other,{NAME}&interval=4h"));
    assert_eq!((&bars["interval_s"], &bars["items"][0]["v"]), (&json!(14_400), &json!([null, 2.0])));
    assert_eq!((&bars["items"][1], &bars["offered"]), (&json!(null), &json!([])));
    assert_eq!(server.json(&format!("{BTC}/signals/bars"))["offered"][0]["name"], json!(NAME));
    let nine = ["x.a"; 9].join(",");
    for (query, problem, words) in [
        ("names=funding_rate", "bad-request", "names begin with"),
        (&*format!("names={nine}"), "bad-request", "at most 8"),
        ("interval=2h", "bad-request", "no candles of '2h'"),
        ("bars=2001", "bad-number", "between 1 and 2000"),
        ("name=x.a", "unknown-parameter", "name"),
    ] {
        let reply = server.get(&format!("{BTC}/signals/bars?{query}"));
        assert_eq!(reply.problem(), problem, "{query}");
        assert!(reply.text().contains(words), "{query}: {}", reply.text());
    }
}
