//! Every refusal: its status, its kind, what it names, and what it keeps to itself.

use super::client::{Server, wait_for};
use super::world::Trouble;
use serde_json::json;

const BTC: &str = "/api/v1/markets/binance-usdm:BTCUSDT";

/// Wherever a market is named: what is no part of a name is not read as if it were not there.
#[test]
fn a_name_with_odd_characters_is_no_market() {
    let server = Server::start();
    let document = server.json("/openapi.json");
    let of_one = document["paths"].as_object().unwrap().keys().filter(|path| path.contains("/markets/{id}"));
    let mut paths: Vec<String> = of_one.map(|path| path.replace("{id}", "NAME")).collect();
    assert!(paths.len() > 6, "{paths:?}");
    paths.extend(["/api/market-context/snapshot/?symbol=NAME", "/api/v1/events?market=NAME"].map(str::to_owned));
    for odd in ["ETHUSDT%00", "ETH%20USDT", "%0AETHUSDT", "ETHUSDT%E2%80%AE", "ETHU%C5%BFDT", "binance-usdm:ETHUSDT%7F"]
    {
        for path in &paths {
            let reply = server.get(&path.replace("NAME", odd));
            assert!([400, 404].contains(&reply.status), "{path} with {odd}: {} {}", reply.status, reply.text());
        }
        let reply = server.get(&format!("/api/v1/markets/{odd}/context"));
        assert_eq!((reply.status, reply.problem().as_str()), (404, "unknown-symbol"), "{odd}");
        assert!(reply.text().contains("did you mean") && !reply.text().contains(char::is_control), "{}", reply.text());
    }
}

#[test]
fn bad_questions_get_problem_documents() {
    let server = Server::start();
    let alias = "/api/market-context";
    let cases: &[(&str, u16, &str, &str)] = &[
        ("/api/v1/markets/BTCUSDX/context", 404, "unknown-symbol", "did you mean BTCUSDT"),
        ("/api/v1/markets/okx:BTCUSDT/context", 404, "unknown-symbol", "binance-usdm:BTCUSDT"),
        ("/api/v1/markets/BTCUSDT/context", 409, "ambiguous-symbol", "say the venue, as in binance-usdm:BTCUSDT"),
        ("/api/v1/markets/coinbase:BTC-USD/context", 404, "nothing-yet", "import or collect"),
        ("/api/v1/markets/coinbase:BTC-USD/features", 404, "nothing-yet", "import or collect"),
        ("/api/v1/markets/%FF/context", 400, "bad-request", "binance-usdm:BTCUSDT"),
        ("{BTC}/context?as_of=2020-01-01", 404, "nothing-yet", "later as_of"),
        ("{BTC}/context?as_of=yesterday", 400, "bad-time", "2026-02-05T14:35:00Z"),
        ("{BTC}/context?as_of=2199-01-01", 400, "bad-time", "up to now"),
        ("{BTC}/context?as-of=2026-02-05", 400, "unknown-parameter", "did you mean 'as_of'?"),
        ("{BTC}/context?book=mine", 404, "unknown-book", "candidates"),
        ("{BTC}/context?book=default&book=default", 400, "repeated-parameter", "once"),
        ("{BTC}/context/history?book=mine", 404, "unknown-book", "candidates"),
        ("{BTC}/context/history?start=2026-02-06&end=2026-02-05", 400, "bad-range", "start ≤ timestamp < end"),
        ("{BTC}/context/history?limit=1001", 400, "bad-number", "at most 1000"),
        ("{BTC}/context/history?limit=0", 400, "bad-number", "at most 1000"),
        ("{BTC}/context/history?every=90s", 400, "bad-number", "whole number of minutes"),
        ("{BTC}/context/history?cursor=abc", 400, "bad-cursor", "next_cursor"),
        ("{BTC}/metrics?metric_name=funding", 404, "unknown-metric", "candidates"),
        ("{BTC}/metrics?metric_name=mark_price", 404, "unknown-metric", "candidates"),
        ("{BTC}/metrics?limit=5", 400, "missing-parameter", "metric_name"),
        ("{BTC}/features?ids=funding_zscore,oi_delta_4h", 404, "unknown-feature", "did you mean funding_zscore_24h"),
        ("{BTC}/levels?type=EQUAL_LOW", 400, "bad-request", "did you mean EQUAL_LOWS?"),
        ("{BTC}/levels?timeframe=4h", 400, "bad-request", "15m and 1h"),
        ("{BTC}/levels?active=1", 400, "bad-request", "active=true"),
        ("{BTC}/levels?every=5m", 400, "unknown-parameter", "takes"),
        ("{BTC}/events?pattern=FUNDING_ANOMALI", 400, "bad-request", "did you mean FUNDING_ANOMALY?"),
        ("{BTC}/events?severity=9", 400, "bad-request", "CRITICAL"),
        ("/api/v1/events?format=seed3", 400, "bad-request", "format=seed4"),
        ("/api/v1/events?market=nowhere:X", 404, "unknown-symbol", ""),
        ("/api/cascades?hours=721", 400, "bad-number", "hours=24"),
        ("/api/v1/catalogue?as_of=now", 400, "unknown-parameter", "takes no parameters"),
        ("/api/v1/stream?markets=BTCUSDT", 409, "ambiguous-symbol", "say the venue"),
        ("/api/v1/market", 404, "unknown-route", "did you mean /api/v1/markets?"),
        ("/api/v1/markets/", 404, "unknown-route", "did you mean /api/v1/markets?"),
        ("/docs/secret.txt", 404, "unknown-route", "/docs"),
        ("{alias}/snapshot/", 400, "missing-parameter", "symbol=BTCUSDT"),
        ("{alias}/snapshot/?symbol=", 400, "missing-parameter", "symbol=BTCUSDT"),
        ("{alias}/snapshot/?symbol=XYZ", 404, "unknown-symbol", "/api/v1/markets"),
        ("{alias}/snapshot/?symbol=BTCUSDT&book=default", 400, "unknown-parameter", "symbol"),
        ("{alias}/history/?symbol=BTCUSDT&start=2026-02-05", 400, "missing-parameter", "end="),
        ("{alias}/history/?symbol=BTCUSDT&start=2026-02-05&end=2026-02-05", 400, "bad-range", "start ≤"),
        ("{alias}/metrics/?symbol=BTCUSDT&metric_name=x&start=2026-02-05", 404, "unknown-metric", "candidates"),
        ("{alias}/metrics/?symbol=BTCUSDT&start=2026-02-05", 400, "missing-parameter", "metric_name="),
        ("{alias}/metrics/?symbol=BTCUSDT&metric_name=funding_rate", 400, "missing-parameter", "start="),
        ("{alias}/metrics/?symbol=BTCUSDT&metric_name=funding_rate&start=then", 400, "bad-time", "1970"),
    ];
    for (path, status, kind, hint) in cases {
        let path = path.replace("{BTC}", BTC).replace("{alias}", alias);
        let reply = server.get(&path);
        assert_eq!((reply.status, reply.problem().as_str()), (*status, *kind), "{path}: {}", reply.text());
        assert!(reply.json()["hint"].as_str().unwrap().contains(hint), "{path}: {}", reply.text());
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn a_problem_names_the_value_and_what_would_have_worked() {
    let server = Server::start();
    assert_eq!(
        server.get("/api/v1/markets/BTCUSDT/context").json(),
        json!({
            "type": "urn:barograph:problem:ambiguous-symbol",
            "title": "ambiguous symbol",
            "status": 409,
            "detail": "'BTCUSDT' is traded on 2 venues: binance-usdm:BTCUSDT, bybit:BTCUSDT; say one",
            "value": "BTCUSDT",
            "hint": "say the venue, as in binance-usdm:BTCUSDT",
            "candidates": ["binance-usdm:BTCUSDT", "bybit:BTCUSDT"]
        })
    );
    let metric = server.get(&format!("{BTC}/metrics?metric_name=funding")).json();
    assert_eq!(metric["candidates"], json!(["funding_rate", "open_interest"]));
    let early = server.get(&format!("{BTC}/context?as_of=2026-02-05T00:00:00Z")).json();
    assert_eq!(
        early["detail"],
        "binance-usdm:BTCUSDT had no snapshot at 2026-02-05T00:00:00Z; its first was known at 2026-02-05T00:00:00.200Z"
    );
}

#[test]
fn a_cursor_keeps_to_its_query() {
    let server = Server::start();
    let path = format!("{BTC}/context/history?start=2026-02-05T01:00:00Z&limit=5");
    let next = server.json(&path)["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(server.get(&format!("{path}&cursor={next}")).status, 200);
    assert_eq!(server.get(&format!("{path}0&cursor={next}")).status, 200, "another page size is fine");
    for other in [
        format!("{BTC}/context/history?start=2026-02-05T02:00:00Z&cursor={next}"),
        format!("{BTC}/context/history?start=2026-02-05T01:00:00Z&book=seed1-strict&cursor={next}"),
        format!("{BTC}/features?start=2026-02-05T01:00:00Z&cursor={next}"),
        format!("/api/v1/markets/ETHUSDT/context/history?start=2026-02-05T01:00:00Z&cursor={next}"),
    ] {
        assert_eq!(server.get(&other).problem(), "bad-cursor", "{other}");
    }
}

#[test]
fn everything_else_is_a_read() {
    let server = Server::start();
    for (method, path) in
        [("POST", "/api/v1/markets"), ("DELETE", "/healthz"), ("OPTIONS", "/api/v1/markets"), ("PUT", "/")]
    {
        let reply = server.request(method, path, &[]);
        assert_eq!((reply.status, reply.problem().as_str()), (405, "method-not-allowed"), "{method}");
        assert_eq!(reply.header("allow"), Some("GET, HEAD"), "{method}");
        assert!(reply.json()["detail"].as_str().unwrap().contains(method));
    }
}

#[test]
fn inner_failures_are_for_the_operator_only() {
    let server = Server::start();
    for (trouble, said) in [(Trouble::Broken, "secret path is gone"), (Trouble::Panics, "a planted panic")] {
        server.world.set_trouble(trouble);
        let reply = server.get("/api/v1/markets");
        assert_eq!((reply.status, reply.problem().as_str()), (500, "internal"));
        assert!(!reply.text().contains(said));
        let incident = server.incidents.lock().unwrap().pop().unwrap();
        assert_eq!(incident.route, "markets");
        assert!(incident.detail.contains(said), "{incident:?}");
    }
    server.world.set_trouble(Trouble::MemoryPanics);
    assert_eq!(server.get(&format!("{BTC}/context")).problem(), "internal");
    let incident = server.incidents.lock().unwrap().pop().unwrap();
    assert_eq!((incident.route, incident.detail.as_str()), ("request", "the request panicked: a planted panic"));
    let stream = server.get("/api/v1/stream");
    assert_eq!((stream.status, stream.text().as_str()), (200, "retry: 5000\n\n"), "the stream ends");
    wait_for("the operator has heard", || server.incidents.lock().unwrap().iter().any(|i| i.route == "stream"));

    server.world.set_trouble(Trouble::None);
    assert_eq!(server.get("/api/v1/markets").status, 200, "a panic in one read harms no other");
    assert_eq!(server.get(&format!("{BTC}/context")).status, 200);
    assert!(server.get("/metrics").text().contains("barograph_http_incidents_total 4"));
}

#[test]
fn a_database_that_is_away_says_when_to_ask_again() {
    let server = Server::start();
    for (said, header) in [(Some(7), "7"), (Some(0), "1"), (None, "2")] {
        server.world.set_trouble(Trouble::Away(said));
        for path in [format!("{BTC}/context/history"), format!("{BTC}/metrics?metric_name=funding_rate")] {
            let refused = server.get(&path);
            assert_eq!((refused.status, refused.problem().as_str()), (503, "not-ready"), "{path}");
            assert_eq!(refused.header("retry-after"), Some(header), "{path}");
            assert_eq!(refused.json()["detail"], "the database is restarting");
        }
        assert_eq!(server.get(&format!("{BTC}/context")).status, 200, "the present comes from memory meanwhile");
    }
    assert!(server.incidents.lock().unwrap().is_empty(), "it is no failure");
    server.world.set_trouble(Trouble::None);
    assert_eq!(server.get(&format!("{BTC}/context/history")).status, 200);
}

#[test]
fn no_header_invites_other_origins() {
    let server = Server::start();
    for path in ["/api/v1/markets", "/openapi.json", "/nowhere"] {
        let reply = server.request("GET", path, &[("Origin", "https://evil.example")]);
        assert!(reply.headers.iter().all(|(n, _)| !n.starts_with("access-control")), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}
