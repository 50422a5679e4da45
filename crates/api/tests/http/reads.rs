//! The canonical reads: what they answer, at which moment, in which pages, with which validator.

use super::client::{Server, wait_for};
use super::weather::snapshot;
use super::world::{EMPTY, MINUTES, Trouble, minute, name, points};
use barograph_api::{Rendered, ServeConfig};
use barograph_domain::{Metric, Span};
use serde_json::{Value, json};
use std::sync::Arc;

const BTC: &str = "/api/v1/markets/binance-usdm:BTCUSDT";

fn published(n: i64, book: &str) -> Value {
    serde_json::to_value(snapshot(&name("binance-usdm:BTCUSDT"), book, n)).unwrap()
}

/// Every item of a series, page by page, with the number of pages.
fn walk(server: &Server, path: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let mut page = server.json(&format!("{path}{cursor}"));
        items.append(page["items"].as_array_mut().unwrap());
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, pages),
        }
    }
}

#[test]
fn markets_list_labels_ages_and_streams() {
    let server = Server::start();
    let list = server.json("/api/v1/markets");
    let names: Vec<&str> =
        list["items"].as_array().unwrap().iter().map(|m| m["instrument"].as_str().unwrap()).collect();
    assert_eq!(names, ["binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT", "bybit:BTCUSDT", EMPTY]);
    let btc = &list["items"][0];
    assert_eq!(btc["kind"], "perpetual");
    assert_eq!(btc["label"], "CHOP_RISK");
    assert_eq!((&btc["first_minute"], &btc["age_s"]), (&json!("2026-02-05T00:00:00Z"), &json!(30)));
    assert_eq!(btc["streams"][0]["metric"], "funding_rate");
    assert_eq!(list["items"][3]["label"], Value::Null);
    let then = server.json("/api/v1/markets?as_of=2026-02-05T00:30:00Z");
    assert_eq!(then["items"][0]["last_minute"], "2026-02-05T00:29:00Z");
    assert_eq!(then["items"][0]["label"], "NORMAL");
}

#[test]
fn markets_come_in_pages_and_are_sent_again_only_when_they_say_something_new() {
    let server = Server::start();
    let whole = server.json("/api/v1/markets");
    assert_eq!(whole["next_cursor"], Value::Null);
    for limit in [1, 3, 4, 5] {
        let (items, pages) = walk(&server, &format!("/api/v1/markets?limit={limit}"));
        assert_eq!((items.len(), pages), (4, 4_usize.div_ceil(limit)), "{limit}");
        let names = |items: &[Value]| items.iter().map(|m| m["instrument"].clone()).collect::<Vec<_>>();
        assert_eq!(names(&items), names(whole["items"].as_array().unwrap()), "{limit}");
    }
    let first = server.json("/api/v1/markets?limit=2");
    let cursor = first["next_cursor"].as_str().unwrap();
    let other = server.get(&format!("/api/v1/markets?limit=2&as_of=2026-02-05T00:30:00Z&cursor={cursor}"));
    assert_eq!((other.status, other.problem()), (400, "bad-cursor".to_owned()));

    let start = minute(MINUTES - 1) + Span::secs(30);
    for path in ["/api/v1/markets", "/api/v1/markets?as_of=2026-02-05T00:30:00Z"] {
        server.world.set_now(start);
        let first = server.get(path);
        let held = first.header("etag").unwrap().to_owned();
        assert_eq!(held.starts_with("W/"), !path.contains("as_of"), "{held}");
        let again = |tag: &str| server.request("GET", path, &[("If-None-Match", tag)]).status;
        assert_eq!(again(&held), 304, "{path}");
        server.world.set_now(start + Span::secs(7));
        assert_eq!(server.get(path).body == first.body, path.contains("as_of"), "the age has moved");
        assert_eq!(again(&held), 304, "{path}: only seconds have passed");
        assert_eq!(again("\"other\""), 200, "{path}");
    }
}

#[test]
fn context_is_the_present_view_or_that_moment() {
    let server = Server::start();
    let now = server.json(&format!("{BTC}/context"));
    assert_eq!(now["age_s"], 30);
    let mut expected = published(MINUTES - 1, "default");
    expected["age_s"] = json!(30);
    expected["regimes"]["risk"]["age_s"] = now["regimes"]["risk"]["age_s"].clone();
    for n in 0..2 {
        expected["explanation"]["inputs"][n]["age_s"] = json!(30);
    }
    assert_eq!(now, expected);

    for (as_of, n) in [("2026-02-05T01:00:00Z", 59), ("2026-02-05T01:00:00.200Z", 60)] {
        let then = server.json(&format!("{BTC}/context?as_of={as_of}"));
        assert_eq!(then, published(n, "default"), "{as_of}");
    }
    let strict = server.json(&format!("{BTC}/context?book=seed1-strict&as_of=2026-02-05T01:00:01Z"));
    assert_eq!(strict, published(60, "seed1-strict"));
    assert_eq!(server.json("/api/v1/markets/ETHUSDT/context")["instrument"], "binance-usdm:ETHUSDT");
    assert_eq!(server.json("/api/v1/markets/bybit%3Abtc%2Fusdt/context")["instrument"], "bybit:BTCUSDT");
}

#[test]
fn validators_are_strong_for_moments_and_ignore_only_seconds_for_the_present() {
    let server = Server::start();
    let start = minute(MINUTES - 1) + Span::secs(30);
    let path = format!("{BTC}/context");
    let first = server.get(&path);
    let etag = first.header("etag").unwrap().to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    let held = [("If-None-Match", etag.as_str())];
    let same = server.request("GET", &path, &held);
    assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, Some(etag.as_str())));

    server.world.set_now(start + Span::secs(7));
    assert_ne!(server.get(&path).body, first.body, "the age has moved");
    assert_eq!(server.request("GET", &path, &held).status, 304, "nothing but seconds has moved");
    server.world.set_now(start + Span::mins(6));
    let stale = server.request("GET", &path, &held);
    assert_eq!(stale.status, 200, "staleness is news");
    assert_eq!(stale.json()["explanation"]["freshness_warning"], "Data stale (6 minutes old)");
    assert_eq!(stale.json()["guidance"]["risk_bias"], "CONSERVATIVE");

    for path in [
        format!("{BTC}/context?as_of=2026-02-05T01:00:00Z"),
        format!("{BTC}/context/history?start=2026-02-05&limit=3"),
        format!("{BTC}/features?start=2026-02-05&limit=3"),
        format!("{BTC}/metrics?metric_name=funding_rate&limit=3"),
        "/api/v1/catalogue".to_owned(),
        "/openapi.json".to_owned(),
    ] {
        let first = server.get(&path);
        let etag = first.header("etag").unwrap_or_else(|| panic!("{path}")).to_owned();
        assert!(etag.starts_with('"'), "{path} {etag}");
        server.world.set_now(start + Span::mins(30));
        let again = server.request("GET", &path, &[("If-None-Match", &format!("\"other\", {etag}"))]);
        assert_eq!(again.status, 304, "{path}");
        assert_eq!(server.request("GET", &path, &[("If-None-Match", "\"other\"")]).body, first.body, "{path}");
    }
}

#[test]
fn the_weak_validator_covers_everything_that_is_not_a_counted_second() {
    let base = snapshot(&name("bybit:BTCUSDT"), "default", 5);
    let tag = |s: &barograph_domain::Snapshot| Rendered::present(Arc::new(s.clone())).unwrap().etag;
    let mut older = base.clone();
    older.age_s = Some(99);
    older.regimes.risk.age_s += 60;
    older.explanation.inputs[1].age_s = Some(77);
    assert_eq!(tag(&base), tag(&older));
    let mut changed = base.clone();
    changed.explanation.reasoning.push('!');
    assert_ne!(tag(&base), tag(&changed));
    let mut changed = base.clone();
    changed.explanation.inputs[1].age_s = None;
    assert_ne!(tag(&base), tag(&changed), "an input that vanished is not an older one");
}

#[test]
fn history_pages_join_to_the_whole() {
    let server = Server::start();
    let all: Vec<Value> = (0..MINUTES).map(|n| published(n, "default")).collect();
    let (items, pages) = walk(&server, &format!("{BTC}/context/history?limit=100"));
    assert_eq!((items.len(), pages), (all.len(), 8));
    assert!(items == all);
    let (items, pages) = walk(&server, &format!("{BTC}/context/history?limit=720&book=seed1-strict"));
    assert_eq!((items.len(), pages, &items[9]), (720, 1, &published(9, "seed1-strict")));

    let stamps = |path: &str| -> Vec<String> {
        let (items, _) = walk(&server, path);
        items.iter().map(|s| s["timestamp"].as_str().unwrap()[11..16].to_owned()).collect()
    };
    let range = format!("{BTC}/context/history?start=2026-02-05T01:00:00Z&end=2026-02-05T02:00:00Z");
    assert_eq!(stamps(&format!("{range}&every=15m&limit=3")), ["01:00", "01:15", "01:30", "01:45"]);
    assert_eq!(stamps(&format!("{range}&every=15m&limit=4&as_of=2026-02-05T01:30:00Z")), ["01:00", "01:15"]);
    assert_eq!(stamps(&format!("{BTC}/context/history?start=2026-02-05T11:58:00Z&limit=5")), ["11:58", "11:59"]);
    assert_eq!(
        server.json(&format!("{BTC}/context/history?start=2027-01-01")),
        json!({"items": [], "next_cursor": null})
    );
    assert_eq!(server.json(&format!("{BTC}/context/history"))["items"].as_array().unwrap().len(), 100);
}

#[test]
fn features_are_the_newest_row_or_a_stretch() {
    let server = Server::start();
    let newest = server.json(&format!("{BTC}/features"));
    assert_eq!(newest["items"].as_array().unwrap().len(), 1);
    assert_eq!(newest["items"][0]["ts"], "2026-02-05T11:59:00Z");
    // Hour 4 has no funding: null in values, its reason in readings, and nothing in readings for what is there.
    let row = server.json(&format!("{BTC}/features?as_of=2026-02-05T04:00:01Z"))["items"][0].clone();
    assert_eq!(
        row,
        json!({
            "ts": "2026-02-05T04:00:00Z",
            "values": {
                "funding_extreme_flag": true, "funding_zscore_24h": null, "oi_delta_4h": 0.1 + 0.24,
                "realized_vol_1h": null, "squeeze_direction": "LONG_SQUEEZE"
            },
            "computation_version": row["computation_version"],
            "source_metrics": ["mark_price"],
            "readings": {"funding_zscore_24h": "missing_input", "realized_vol_1h": "warming"}
        })
    );
    assert!(row["computation_version"].as_str().is_some_and(|v| v.starts_with('v')), "{row}");
    let some = format!(
        "{BTC}/features?ids=oi_delta_4h,funding_zscore_24h&start=2026-02-05T04:00:00Z&end=2026-02-05T05:00:00Z"
    );
    let (rows, pages) = walk(&server, &format!("{some}&limit=25"));
    assert_eq!((rows.len(), pages), (60, 3));
    assert!(rows.iter().all(|r| r["values"].as_object().unwrap().len() == 2));
    assert!(rows.iter().all(|r| r["readings"] == json!({"funding_zscore_24h": "missing_input"})));
    assert_eq!(walk(&server, &format!("{BTC}/features?every=1h")).0.len(), 12);
}

#[test]
fn features_of_all_markets_are_those_of_each() {
    let server = Server::start();
    let question = "ids=oi_delta_4h,funding_zscore_24h&as_of=2026-02-05T04:00:01Z";
    let all = server.json(&format!("/api/v1/features?{question}"));
    let markets = all["items"].as_array().unwrap();
    assert!(markets.len() > 1, "{all}");
    for market in markets {
        let id = market["instrument"].as_str().unwrap();
        let alone = server.json(&format!("/api/v1/markets/{id}/features?{question}"));
        assert_eq!(market["row"], alone["items"][0], "{id}");
    }
    // A market without a row is left out, as on the original path.
    let original = server.json("/api/volatility?as_of=2026-02-05T04:00:01Z");
    let names =
        |items: &Value| -> Vec<Value> { items.as_array().unwrap().iter().map(|m| m["instrument"].clone()).collect() };
    assert_eq!(names(&all["items"]), names(&original["symbols"]));
    // The original's markets say how old they are, seen from the moment asked about.
    for path in ["/api/volatility", "/api/features"] {
        let old = server.json(&format!("{path}?as_of=2026-02-05T04:00:01Z"))["symbols"][0].clone();
        assert_eq!(old["age_s"].as_i64().unwrap() % 60, 1, "{old}");
        assert!(old["stale"].is_boolean(), "{old}");
    }
    let stranger = server.get("/api/v1/features?ids=funding_zscore");
    assert_eq!((stranger.status, stranger.problem().as_str()), (404, "unknown-feature"));
}

#[test]
fn metrics_are_points_with_the_moment_they_were_known() {
    let server = Server::start();
    let id = name("binance-usdm:BTCUSDT");
    let streams = server.json(&format!("{BTC}/metrics"));
    let names: Vec<&str> = streams["items"].as_array().unwrap().iter().map(|s| s["metric"].as_str().unwrap()).collect();
    assert_eq!(names, ["funding_rate", "open_interest", "open_interest"]);

    let first = server.json(&format!("{BTC}/metrics?metric_name=funding_rate&start=2026-02-05T00:01:00Z&limit=1"));
    assert_eq!(
        first["items"][0],
        json!({
            "timestamp": "2026-02-05T00:01:00Z", "symbol": "BTCUSDT", "metric_name": "funding_rate", "value": 1e-6,
            "source": "binance_futures", "tags": {"contract": "perpetual"}, "known_ts": "2026-02-05T00:01:05Z"
        })
    );
    let value = |as_of: &str| {
        let path = format!("{BTC}/metrics?metric_name=funding_rate&start=2026-02-05T00:10:00Z&limit=1{as_of}");
        server.json(&path)["items"][0]["value"].as_f64().unwrap()
    };
    assert!((value("") - 1.000_01).abs() < 1e-12, "the newest revision");
    assert!((value("&as_of=2026-02-05T01:09:59Z") - 0.000_01).abs() < 1e-12, "what was known before it was revised");

    // Two sources at equal stamps and odd page sizes: nothing lost, nothing doubled.
    let expected = points(&id, Metric::OpenInterest, None);
    for limit in [1, 3, 7, 10_000] {
        let end = if limit == 1 { "&end=2026-02-05T01:00:00Z" } else { "" };
        let (items, _) = walk(&server, &format!("{BTC}/metrics?metric_name=open_interest&limit={limit}{end}"));
        let wanted = expected.iter().filter(|p| limit > 1 || p.timestamp < minute(60));
        let wanted: Vec<f64> = wanted.map(|p| p.value.unwrap()).collect();
        let got: Vec<f64> = items.iter().map(|p| p["value"].as_f64().unwrap()).collect();
        assert_eq!(got, wanted, "{limit}");
    }
}

#[test]
fn catalogue_and_head() {
    let server = Server::start();
    let catalogue = server.json("/api/v1/catalogue");
    assert_eq!(catalogue["items"].as_array().unwrap().len(), 5);
    assert_eq!(catalogue["items"][4]["words"], json!(["LONG_SQUEEZE", "SHORT_SQUEEZE"]));
    for path in [&format!("{BTC}/context?as_of=2026-02-05T01:00:00Z"), "/healthz", "/api/v1/markets", "/nowhere"] {
        let get = server.get(path);
        let head = server.request("HEAD", path, &[]);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()), "{path}");
        assert_eq!(head.header("etag"), get.header("etag"), "{path}");
    }
}

#[test]
fn health_readiness_and_counters() {
    let server = Server::start();
    assert_eq!(server.json("/healthz")["status"], "ok");
    assert_eq!(server.json("/readyz")["status"], "ok");
    server.get("/api/v1/markets/nothing/context");
    server.json("/api/market-context/snapshot?symbol=BTCUSDT");
    let counters = server.get("/metrics");
    assert!(counters.header("content-type").unwrap().starts_with("text/plain"));
    for line in [
        "barograph_http_requests_total{route=\"/healthz\",status=\"200\"} 1",
        "barograph_http_requests_total{route=\"/api/v1/markets/{id}/context\",status=\"404\"} 1",
        "barograph_http_requests_total{route=\"/api/market-context/snapshot/\",status=\"200\"} 1",
        "barograph_http_request_duration_seconds_count{route=\"/healthz\"} 1",
        "barograph_snapshot_age_seconds{instrument=\"bybit:BTCUSDT\"} 30",
    ] {
        assert!(counters.text().lines().any(|l| l == line), "{line}\n{}", counters.text());
    }
    wait_for("closed connections are no longer counted", || {
        server.get("/metrics").text().contains("barograph_http_connections 1\n")
    });
    server.world.set_now(minute(MINUTES - 1) + Span::hours(3));
    let late = server.get("/readyz");
    assert_eq!((late.status, late.problem().as_str()), (503, "not-ready"));
    assert!(late.json()["detail"].as_str().unwrap().contains("bybit:BTCUSDT is 3 h old (limit 2 h)"));
    assert!(late.header("retry-after").is_some());
    assert_eq!(server.json("/healthz")["status"], "ok", "alive although not ready");
}

#[test]
fn the_present_comes_from_memory_also_while_the_disk_is_slow() {
    let server = Server::with(ServeConfig { reads_max: 1, ..ServeConfig::default() });
    server.world.set_trouble(Trouble::Held);
    std::thread::scope(|s| {
        let slow = s.spawn(|| server.get("/api/v1/markets"));
        wait_for("the only place for reads is taken", || server.world.reads() == 1);
        server.json(&format!("{BTC}/context"));
        server.json("/api/market-context/snapshot/?symbol=BTCUSDT");
        server.world.set_trouble(Trouble::None);
        assert_eq!(slow.join().unwrap().status, 200);
    });
}

#[test]
fn a_bare_symbol_is_told_what_it_means() {
    let server = Server::start();
    let market = server.json("/api/v1/markets/ETHUSDT");
    assert_eq!(market["instrument"], "binance-usdm:ETHUSDT");
    let listed = server.json("/api/v1/markets");
    assert!(listed["items"].as_array().unwrap().contains(&market), "as in the list");
    for (path, status, problem) in [
        ("/api/v1/markets/BTCUSDT", 409, "ambiguous-symbol"),
        ("/api/v1/markets/DOGE", 404, "unknown-symbol"),
        ("/api/v1/markets/ETHUSDT?asof=1", 400, "unknown-parameter"),
    ] {
        let reply = server.get(path);
        assert_eq!((reply.status, reply.problem().as_str()), (status, problem), "{path}");
    }
    let ambiguous = server.get("/api/v1/markets/BTCUSDT").json();
    assert!(ambiguous["candidates"].as_array().unwrap().iter().any(|c| c == "bybit:BTCUSDT"), "{ambiguous}");
}
