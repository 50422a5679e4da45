//! The HTTP surface of the real process over a real data folder: every route once, what must hold between routes and
//! between HTTP and the command line, the event stream beside a writer, and the end.

use crate::support::data::{Mood, STORED_FROM, STORED_UNTIL, market, now, slice, stored};
use crate::support::http::Server;
use crate::support::{Place, json_lines, keys};
use barograph_domain::Span;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

const BTC: &str = "/api/v1/markets/binance-usdm:BTCUSDT";
const MOMENT: &str = "2026-02-05T14:35:00Z";

fn strings<'a>(items: &'a Value, field: &str) -> Vec<&'a str> {
    items.as_array().unwrap().iter().map(|i| i[field].as_str().unwrap()).collect()
}

/// Follows cursors to the end; all items, and how many pages there were.
fn walk(server: &Server, path: &str) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = server.json(&format!("{path}{cursor}"));
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (items, pages),
        }
        assert!(pages < 1_000, "{path} does not end");
    }
}

#[test]
fn the_server_says_that_it_is_there() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    for (path, content, words) in [
        ("/healthz", "application/json", "\"status\":\"ok\""),
        ("/readyz", "application/json", "\"status\":\"ok\""),
        ("/metrics", "text/plain", "barograph_snapshot_age_seconds{instrument=\"binance-usdm:ETHUSDT\"} "),
        ("/", "text/html", "barograph"),
        ("/docs", "text/html", "openapi.json"),
        ("/openapi.json", "application/json", "\"3.1."),
    ] {
        let reply = server.get(path);
        assert_eq!(reply.status, 200, "{path}");
        assert!(
            reply.header("content-type").unwrap().starts_with(content),
            "{path}: {:?}",
            reply.header("content-type")
        );
        assert!(reply.text().contains(words), "{path}: {}", reply.text());
        assert!(reply.header("access-control-allow-origin").is_none(), "{path}: no other page may read this");
    }
    // Requests are counted where an operator looks for them.
    let counted = server.get("/metrics").text();
    assert!(counted.contains("barograph_http_requests_total{route=\"/healthz\",status=\"200\"} 1\n"), "{counted}");
}

#[test]
fn an_empty_store_is_served_as_one() {
    let place = Place::new();
    place.ok("db migrate --data data");
    let server = Server::start(&place, "data");
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.json("/api/v1/markets")["items"], serde_json::json!([]));
    for path in ["/api/v1/markets/BTCUSDT/context", "/api/market-context/snapshot/?symbol=BTCUSDT"] {
        let reply = server.get(path);
        assert_eq!((reply.status, reply.problem().as_str()), (404, "unknown-symbol"), "{path}");
    }
}

#[test]
fn markets_are_those_of_the_folder_now_and_then() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let now = server.json("/api/v1/markets");
    assert_eq!(strings(&now["items"], "instrument"), ["binance-usdm:BTCUSDT", "binance-usdm:ETHUSDT"]);
    let market = &now["items"][0];
    assert_eq!(strings(&market["streams"], "metric"), ["bar", "funding_rate_settled", "open_interest_usd"]);
    assert_eq!(strings(&market["streams"], "kind"), ["measured", "measured", "proxy"]);
    assert!(market["last_minute"].as_str().unwrap().starts_with(STORED_UNTIL));
    assert!(market["first_minute"].as_str().unwrap().starts_with(STORED_FROM));
    let then = server.json(&format!("/api/v1/markets?as_of={MOMENT}"));
    let market = &then["items"][0];
    assert_eq!((market["last_minute"].as_str(), market["age_s"].as_i64()), (Some("2026-02-05T14:34:00Z"), Some(60)));
    assert_eq!(server.json("/api/v1/markets?as_of=2020-01-01")["items"], serde_json::json!([]));
}

/// Fields of a context that the ledger of forecasts fills, in part or whole.
const STATED: [&str; 8] =
    ["calls", "calibration", "event_id", "explanation", "horizon", "not_available", "probability", "regimes"];

#[test]
fn a_context_reads_the_same_over_http_and_on_the_command_line() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let replayed = stored.place.ok("replay in --json --from 2026-02-05T14:34:00Z --until 2026-02-05T14:35:00Z");
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let cli = stored.place.ok(&format!("context {symbol} --as-of {MOMENT} --json --data data"));
        for name in [
            format!("binance-usdm:{symbol}"),
            symbol.to_owned(),
            symbol.to_lowercase(),
            symbol.replace("USDT", "%2FUSDT"),
        ] {
            let reply = server.get(&format!("/api/v1/markets/{name}/context?as_of={MOMENT}"));
            assert_eq!(reply.text(), cli.trim_end(), "{name}");
        }
        // And in the replay that stores nothing, but for what comes from the ledger.
        let snapshot: Value = serde_json::from_str(&cli).unwrap();
        let line = json_lines(&replayed);
        let line = line.iter().find(|l| l["type"] == "snapshot" && l["instrument"] == snapshot["instrument"]).unwrap();
        for (field, value) in
            snapshot.as_object().unwrap().iter().filter(|(field, _)| !STATED.contains(&field.as_str()))
        {
            assert_eq!(line[field], *value, "{field}");
        }
        assert_eq!(line["explanation"]["trace"], snapshot["explanation"]["trace"]);
        for (axis, view) in snapshot["regimes"].as_object().unwrap() {
            assert_eq!(
                (&line["regimes"][axis]["label"], &line["regimes"][axis]["margin"]),
                (&view["label"], &view["margin"])
            );
        }
    }
    // Now: nothing confident about data from long ago, and how old it is.
    let now = server.json(&format!("{BTC}/context"));
    assert_eq!(
        (&now["guidance"]["risk_bias"], &now["regimes"]["risk"]["label"]),
        (&"CONSERVATIVE".into(), &"UNKNOWN".into())
    );
    assert!(now["age_s"].as_i64().unwrap() > 86_400, "{}", now["age_s"]);
    let cli: Value = serde_json::from_str(&stored.place.ok("context BTCUSDT --json --data data")).unwrap();
    assert_eq!(keys(&now), keys(&cli));
    assert_eq!(now["snapshot_id"], cli["snapshot_id"]);
}

#[test]
fn history_is_walked_once_and_whole() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let range = "start=2026-02-05T12:00:00Z&end=2026-02-05T18:00:00Z";
    let minute = |m: usize| format!("2026-02-05T{:02}:{:02}:00Z", 12 + m / 60, m % 60);
    for (options, step, pages) in [
        ("&limit=1000", 1, 1),
        ("&limit=100", 1, 4),
        ("", 1, 4),
        ("&limit=7&every=5m", 5, 11),
        ("&limit=3&every=1h", 60, 2),
        ("&limit=1&every=3h", 180, 2),
    ] {
        let (items, seen) = walk(&server, &format!("{BTC}/context/history?{range}{options}"));
        let times: Vec<&str> = items.iter().map(|i| i["timestamp"].as_str().unwrap()).collect();
        let want: Vec<String> = (0..360).step_by(step).map(minute).collect();
        assert_eq!(times, want, "{options}");
        assert_eq!(seen, pages, "{options}");
        let (rows, _) = walk(&server, &format!("{BTC}/features?{range}{options}"));
        let times: Vec<&str> = rows.iter().map(|i| i["ts"].as_str().unwrap()).collect();
        assert_eq!(times, want, "features{options}");
    }
    // A page shows what was published then, "what changed" included, however it was asked for.
    let (all, _) = walk(&server, &format!("{BTC}/context/history?{range}&limit=1000"));
    let (few, _) = walk(&server, &format!("{BTC}/context/history?{range}&limit=2&every=1h"));
    for snapshot in &few {
        assert!(all.contains(snapshot), "{}", snapshot["timestamp"]);
        let known = snapshot["known_ts"].as_str().unwrap();
        assert_eq!(server.json(&format!("{BTC}/context?as_of={known}")), *snapshot);
    }
    // Beyond the data there is an empty page, not an error.
    let none = server.json(&format!("{BTC}/context/history?start=2026-03-01&end=2026-03-02"));
    assert_eq!(none, serde_json::json!({ "items": [], "next_cursor": null }));
    // What was not known then is not there.
    let (known, _) = walk(&server, &format!("{BTC}/context/history?{range}&as_of=2026-02-05T15:00:00Z&limit=1000"));
    assert_eq!(known.last().unwrap()["timestamp"], "2026-02-05T14:59:00Z");
}

#[test]
fn features_metrics_and_catalogue_agree_with_the_files_and_the_command_line() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let catalogue = server.json("/api/v1/catalogue");
    let cli = json_lines(&stored.place.ok("features --json"));
    assert_eq!(catalogue["items"].as_array().unwrap(), &cli);
    let ids: BTreeSet<&str> = strings(&catalogue["items"], "id").into_iter().collect();
    let row = server.json(&format!("{BTC}/features?as_of={MOMENT}"));
    let values = row["items"][0]["values"].as_object().unwrap();
    assert!(values.keys().map(String::as_str).eq(ids.iter().copied()));
    let some = server.json(&format!("{BTC}/features?as_of={MOMENT}&ids=oi_delta_4h,realized_vol_1h"));
    assert_eq!(keys(&some["items"][0]["values"]), ["oi_delta_4h", "realized_vol_1h"]);
    assert_eq!(some["items"][0]["values"]["oi_delta_4h"], values["oi_delta_4h"]);
    // Every settlement of the file, with the value in the file.
    let file = std::fs::read_to_string(stored.place.path("in/binance-usdm/BTCUSDT/funding_8h.csv")).unwrap();
    let (points, pages) = walk(&server, &format!("{BTC}/metrics?metric_name=funding_rate_settled&limit=10"));
    assert_eq!(points.len(), file.lines().count() - 1);
    assert!(pages > 5);
    for (point, line) in points.iter().zip(file.lines().skip(1)) {
        let (stamp, rate) = line.split_once(',').unwrap();
        assert_eq!((point["timestamp"].as_str().unwrap(), point["value"].as_f64()), (stamp, rate.parse().ok()));
        assert_eq!(point["tags"], serde_json::json!({ "contract": "perpetual", "interval": "8h" }));
        assert_eq!((&point["symbol"], &point["source"]), (&"BTCUSDT".into(), &"binance_futures".into()));
        assert!(point["known_ts"].as_str() > point["timestamp"].as_str());
    }
    let (known, _) = walk(&server, &format!("{BTC}/metrics?metric_name=funding_rate_settled&as_of={MOMENT}"));
    assert!(known.len() < points.len());
    assert_eq!(known.last().unwrap()["timestamp"], "2026-02-05T08:00:00Z");
}

/// Fields of the original snapshot (payloads §2), those that are there only sometimes left out.
const SNAPSHOT: [&str; 9] = [
    "explanation_payload",
    "market_regime",
    "recommended_posture",
    "risk_bias",
    "snapshot_id",
    "sources_used",
    "stop_vulnerability",
    "symbol",
    "timestamp",
];
const PAYLOAD: [&str; 5] = ["funding_zscore_24h", "logic_version", "oi_delta_4h", "realized_vol_1h", "reasoning"];
const SOMETIMES: [&str; 5] =
    ["defaults_used", "freshness_warning", "funding_zscore_24h_reason", "oi_delta_4h_reason", "realized_vol_1h_reason"];

fn original(snapshot: &Value) {
    assert_eq!(keys(snapshot), SNAPSHOT);
    let payload = &snapshot["explanation_payload"];
    assert!(PAYLOAD.iter().all(|f| payload.get(*f).is_some()), "{payload}");
    assert!(keys(payload).iter().all(|k| PAYLOAD.contains(k) || SOMETIMES.contains(k)), "{payload}");
    for number in ["funding_zscore_24h", "oi_delta_4h", "realized_vol_1h"] {
        let reason = payload.get(format!("{number}_reason"));
        assert_eq!(payload[number].is_null(), reason.is_some(), "{number}: {payload}");
    }
    for (field, words) in [
        ("market_regime", &["NORMAL", "CHOP_RISK", "SQUEEZE_RISK", "HIGH_VOL"][..]),
        ("risk_bias", &["CONSERVATIVE", "NEUTRAL", "AGGRESSIVE"]),
        ("stop_vulnerability", &["LOW", "MEDIUM", "HIGH"]),
        ("recommended_posture", &["REDUCE", "HOLD", "NORMAL", "AGGRESSIVE"]),
    ] {
        assert!(words.contains(&snapshot[field].as_str().unwrap()), "{field}: {snapshot}");
    }
    let id = snapshot["snapshot_id"].as_str().unwrap();
    assert!(id.len() == 36 && id.bytes().filter(|b| *b == b'-').count() == 4, "no UUID: {id}");
}

#[test]
fn the_original_paths_have_the_original_fields() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    for slash in ["", "/"] {
        let then = server.json(&format!("/api/market-context/snapshot{slash}?symbol=BTCUSDT&as_of={MOMENT}"));
        original(&then);
        assert!(then["explanation_payload"].get("freshness_warning").is_none());
        let canonical = server.json(&format!("{BTC}/context?as_of={MOMENT}"));
        for (theirs, ours) in [
            (&then["snapshot_id"], &canonical["snapshot_id"]),
            (&then["timestamp"], &canonical["timestamp"]),
            (&then["market_regime"], &canonical["regimes"]["risk"]["label"]),
            (&then["risk_bias"], &canonical["guidance"]["risk_bias"]),
            (&then["recommended_posture"], &canonical["guidance"]["posture"]),
            (&then["stop_vulnerability"], &canonical["stop_vulnerability"]["worst"]),
            (
                &then["explanation_payload"]["oi_delta_4h"],
                &canonical["explanation"]["features"]["oi_delta_4h"]["value"],
            ),
            (&then["explanation_payload"]["logic_version"], &canonical["logic_version"]),
        ] {
            assert_eq!(theirs, ours);
        }
        // Stale: UNKNOWN has no word of its own there.
        let now = server.json(&format!("/api/market-context/snapshot{slash}?symbol=BTC/USDT"));
        original(&now);
        assert_eq!((&now["market_regime"], &now["risk_bias"]), (&"NORMAL".into(), &"CONSERVATIVE".into()));
        let warning = now["explanation_payload"]["freshness_warning"].as_str().unwrap();
        assert!(warning.starts_with("Data stale (") && warning.contains(" minutes old)"), "{warning}");
        let path = format!("/api/market-context/history{slash}?symbol=BTCUSDT");
        let history = server.json(&format!("{path}&start=2026-02-05T00:00:00Z&end=2026-02-05T20:00:00Z"));
        let history = history.as_array().unwrap();
        history.iter().for_each(original);
        let times: Vec<&str> = history.iter().map(|s| s["timestamp"].as_str().unwrap()).collect();
        assert_eq!((times.len(), times[0], times[1_199]), (1_200, "2026-02-05T00:00:00Z", "2026-02-05T19:59:00Z"));
        assert!(times.is_sorted());
        let path = format!("/api/market-context/metrics{slash}?symbol=BTCUSDT&metric_name=funding_rate_settled");
        let points = server.json(&format!("{path}&start=2026-02-05&end=2026-02-06"));
        assert_eq!(
            points,
            serde_json::json!([
                { "timestamp": "2026-02-05T00:00:00.011Z", "value": 0.000_091_73, "source": "binance_futures" },
                { "timestamp": "2026-02-05T08:00:00Z", "value": 0.000_002_98, "source": "binance_futures" },
                { "timestamp": "2026-02-05T16:00:00.007Z", "value": -0.000_049_57, "source": "binance_futures" },
            ])
        );
        let open = server.json(&format!("{path}&start=2026-02-05"));
        assert_eq!(open.as_array().unwrap().len(), 6, "without an end to the newest");
    }
}

/// What is asked wrongly, the status, and the kind of problem.
const PROBLEMS: &[(&str, u16, &str)] = &[
    ("/nowhere", 404, "unknown-route"),
    ("/api/v1/markets/XRPUSDT/context", 404, "unknown-symbol"),
    ("/api/v1/markets/bybit:BTCUSDT/context", 404, "unknown-symbol"),
    ("/api/v1/markets/BTCUSDT/context?as_of=yesterday", 400, "bad-time"),
    ("/api/v1/markets/BTCUSDT/context?as_of=2020-01-01", 404, "nothing-yet"),
    ("/api/v1/markets/BTCUSDT/context?book=absolute", 404, "unknown-book"),
    ("/api/v1/markets/BTCUSDT/context?asof=2026-02-05", 400, "unknown-parameter"),
    ("/api/v1/markets/BTCUSDT/context?as_of=1&as_of=2", 400, "repeated-parameter"),
    ("/api/v1/markets/BTCUSDT/context/history?limit=0", 400, "bad-number"),
    ("/api/v1/markets/BTCUSDT/context/history?limit=1001", 400, "bad-number"),
    ("/api/v1/markets/BTCUSDT/context/history?every=90s", 400, "bad-number"),
    ("/api/v1/markets/BTCUSDT/context/history?start=2026-02-05&end=2026-02-05", 400, "bad-range"),
    ("/api/v1/markets/BTCUSDT/context/history?cursor=abc", 400, "bad-cursor"),
    ("/api/v1/markets/BTCUSDT/metrics?metric_name=tvl", 404, "unknown-metric"),
    ("/api/v1/markets/BTCUSDT/metrics?metric_name=mark_price", 404, "unknown-metric"),
    ("/api/v1/markets/BTCUSDT/features?ids=oi_delta_4", 404, "unknown-feature"),
    ("/api/market-context/snapshot/", 400, "missing-parameter"),
    ("/api/market-context/snapshot/?symbol=XRPUSDT", 404, "unknown-symbol"),
    ("/api/market-context/history/?symbol=BTCUSDT&start=2026-02-05", 400, "missing-parameter"),
    ("/api/market-context/history/?symbol=BTCUSDT&start=now&end=2026-02-05", 400, "bad-time"),
    ("/api/market-context/metrics/?symbol=BTCUSDT&metric_name=tvl&start=2026-02-05", 404, "unknown-metric"),
    ("/api/v1/stream?markets=XRPUSDT", 404, "unknown-symbol"),
];

#[test]
fn problems_are_documents() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    for (path, status, kind) in PROBLEMS {
        let reply = server.get(path);
        assert_eq!((reply.status, reply.problem().as_str()), (*status, *kind), "{path}: {}", reply.text());
        assert!(reply.json()["hint"].is_string(), "{path}: {}", reply.text());
    }
    let first = server.json(&format!("{BTC}/context/history?limit=5"));
    let cursor = first["next_cursor"].as_str().unwrap();
    let elsewhere = server.get(&format!("{BTC}/features?limit=5&cursor={cursor}"));
    assert_eq!((elsewhere.status, elsewhere.problem().as_str()), (400, "bad-cursor"), "a cursor of another route");
}

#[test]
fn only_our_own_names_are_answered() {
    let stored = stored();
    let named = Place::new();
    named.write("barograph.toml", "host_names = [\"weather.example\"]\n");
    let source = stored.place.path("data").display().to_string();
    let server = Server::start(&named, &source);
    let port = server.addr.port();
    for (host, status) in [
        ("localhost".to_owned(), 200),
        (format!("127.0.0.1:{port}"), 200),
        (format!("[::1]:{port}"), 200),
        ("weather.example".to_owned(), 200),
        ("evil.example".to_owned(), 421),
        ("localhost.evil.example".to_owned(), 421),
        ("192.168.0.1".to_owned(), 421),
    ] {
        let reply = server.request(&format!("{BTC}/context"), &[("Host", &host)]);
        assert_eq!(reply.status, status, "{host}");
        if status == 421 {
            assert_eq!(reply.problem(), "wrong-host");
        }
    }
    let bare = Server::start(&stored.place, "data");
    assert_eq!(bare.request("/api/v1/markets", &[("Host", "weather.example")]).status, 421, "not configured there");
}

#[test]
fn an_answer_that_is_held_is_not_sent_again() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    for path in [
        format!("{BTC}/context?as_of={MOMENT}"),
        format!("{BTC}/context/history?start=2026-02-05&limit=3"),
        format!("{BTC}/features?as_of={MOMENT}"),
        format!("{BTC}/metrics?metric_name=bar&limit=3"),
        "/api/v1/catalogue".to_owned(),
    ] {
        let first = server.get(&path);
        let etag = first.header("etag").unwrap_or_else(|| panic!("{path} has no validator")).to_owned();
        assert!(etag.starts_with('"'), "{path}: what never changes has a strong one, not {etag}");
        for (held, status) in [(etag.as_str(), 304), (&format!("\"x\", {etag}"), 304), ("*", 304), ("\"x\"", 200)] {
            let again = server.request(&path, &[("If-None-Match", held)]);
            assert_eq!((again.status, again.header("etag")), (status, Some(etag.as_str())), "{path} {held}");
            assert_eq!(again.body.is_empty(), status == 304, "{path} {held}");
        }
    }
    let other = server.get(&format!("{BTC}/context?as_of=2026-02-05T14:36:00Z"));
    assert_ne!(other.header("etag"), server.get(&format!("{BTC}/context?as_of={MOMENT}")).header("etag"));
}

#[test]
fn the_present_context_is_held_while_only_its_age_changes() {
    let place = Place::new();
    // Minutes ago, so that its newest minute is over; not so long that it turns stale meanwhile.
    let end = now() - Span::mins(3);
    market(&place.path("in"), "BTCUSDT", Mood::Calm, (end - Span::hours(6), end));
    place.ok("collect --source in --data data");
    let server = Server::start(&place, "data");
    let path = format!("{BTC}/context");
    let first = server.get(&path);
    let etag = first.header("etag").unwrap().to_owned();
    assert!(etag.starts_with("W/\""), "{etag}");
    let age = |json: &Value| json["age_s"].as_i64().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let again = server.get(&path);
        assert_eq!(again.header("etag"), Some(etag.as_str()), "{}\n{}", first.text(), again.text());
        if age(&again.json()) > age(&first.json()) {
            break;
        }
        assert!(Instant::now() < deadline, "time stands still");
    }
    assert_eq!(server.request(&path, &[("If-None-Match", &etag)]).status, 304);
}

#[test]
fn a_stale_context_is_held_too() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    let path = format!("{BTC}/context");
    let age = |json: &Value| json["age_s"].as_i64().unwrap();
    let deadline = Instant::now() + Duration::from_secs(150);
    let mut first = server.get(&path);
    loop {
        let again = server.get(&path);
        let (was, is) = (first.json(), again.json());
        assert_eq!(was["regimes"]["risk"]["since"], is["regimes"]["risk"]["since"]);
        if was["explanation"]["freshness_warning"] != is["explanation"]["freshness_warning"] {
            // Another minute has begun; its texts say so.
            first = again;
        } else if age(&is) > age(&was) {
            assert_eq!(first.header("etag"), again.header("etag"), "{was}\n{is}");
            break;
        }
        assert!(Instant::now() < deadline, "time stands still");
    }
    // Two hours after the last hourly candle had passed its limit of two hours twice.
    let since = first.json()["regimes"]["risk"]["since"].as_str().unwrap().to_owned();
    assert!(since.starts_with("2026-02-07T04:0"), "{since}");
}

#[test]
fn the_stream_tells_what_another_process_collects() {
    let place = Place::new();
    slice(&place.path("a"), &["BTCUSDT"], "2026-02-03", "2026-02-05");
    slice(&place.path("b"), &["BTCUSDT"], "2026-02-05", "2026-02-07");
    slice(&place.path("c"), &["ETHUSDT"], "2026-02-03", "2026-02-07");
    place.ok("collect --source a --data data");
    let server = Server::start(&place, "data");
    let mut stream = server.stream("/api/v1/stream");
    let mut other = server.stream("/api/v1/stream?markets=BTCUSDT");
    assert_eq!((stream.status, other.status), (200, 200));
    for stream in [&mut stream, &mut other] {
        let first = stream.next().unwrap();
        assert_eq!(first.event, "snapshot");
        assert_eq!(first.json()["timestamp"], "2026-02-05T00:01:00Z", "the newest comes first");
        assert_eq!(first.id.as_deref(), first.json()["snapshot_id"].as_str());
    }
    place.ok("collect --source b --data data");
    for stream in [&mut stream, &mut other] {
        let news = stream.snapshot();
        assert_eq!(
            (news.event.as_str(), news.json()["timestamp"].as_str()),
            ("snapshot", Some("2026-02-07T00:01:00Z"))
        );
        let known = news.json()["known_ts"].as_str().unwrap().to_owned();
        assert_eq!(
            server.json(&format!("{BTC}/context?as_of={known}")),
            news.json(),
            "what was sent is what is stored"
        );
    }
    // A market that was not there before is news to those who asked for all.
    place.ok("collect --source c --data data");
    let news = stream.snapshot();
    assert_eq!((news.event.as_str(), news.json()["instrument"].as_str()), ("snapshot", Some("binance-usdm:ETHUSDT")));
    assert_eq!(strings(&server.json("/api/v1/markets")["items"], "instrument").len(), 2);
    // Who comes back with the last id does not receive the same again, but what came after it.
    let mut back = server.stream_after("/api/v1/stream?markets=ETHUSDT", &news.id.unwrap());
    slice(&place.path("d"), &["ETHUSDT"], "2026-02-07", "2026-02-08");
    place.ok("collect --source d --data data");
    assert_eq!(back.snapshot().json()["timestamp"], "2026-02-08T00:01:00Z");
}

#[test]
fn a_newest_minute_that_is_computed_again_is_served_as_it_is_now() {
    let place = Place::new();
    slice(&place.path("in"), &["BTCUSDT"], "2026-02-03", "2026-02-05");
    let late = place.path("in/binance-usdm/BTCUSDT/open_interest_usd_1h.hyperliquid.csv");
    let whole = std::fs::read_to_string(&late).unwrap();
    let (early, _last) = whole.trim_end().rsplit_once('\n').unwrap();
    std::fs::write(&late, format!("{early}\n")).unwrap();
    place.ok("collect --source in --data data");
    let newest = || -> Value {
        serde_json::from_str(&place.ok("context BTCUSDT --as-of 2026-02-05T00:01:00.200Z --json --data data")).unwrap()
    };
    let server = Server::start(&place, "data");
    let mut stream = server.stream("/api/v1/stream");
    let before = newest();
    assert_eq!(stream.next().unwrap().json()["timestamp"], before["timestamp"]);
    // A row that was known in that very minute.
    std::fs::write(&late, whole).unwrap();
    place.ok("collect --source in --data data");
    let after = newest();
    assert_eq!(after["timestamp"], before["timestamp"]);
    assert_ne!(after["snapshot_id"], before["snapshot_id"]);
    assert_eq!(stream.next().unwrap().json(), after);
    let cli: Value = serde_json::from_str(&place.ok("context BTCUSDT --json --data data")).unwrap();
    assert_eq!(server.json(&format!("{BTC}/context"))["snapshot_id"], cli["snapshot_id"]);
}

#[test]
fn stream_clients_are_bounded() {
    let stored = stored();
    let place = Place::new();
    place.write("barograph.toml", "stream_clients_max = 2\n");
    let server = Server::start(&place, &stored.place.path("data").display().to_string());
    let mut held: Vec<_> = (0..2).map(|_| server.stream("/api/v1/stream")).collect();
    assert!(held.iter_mut().all(|s| s.next().is_some()));
    let refused = server.get("/api/v1/stream");
    assert_eq!((refused.status, refused.problem().as_str()), (503, "busy"));
    // A place that becomes free is given away.
    drop(held.pop());
    let deadline = Instant::now() + Duration::from_secs(30);
    while server.stream("/api/v1/stream").status != 200 {
        assert!(Instant::now() < deadline, "the place never became free");
    }
}

#[test]
fn asked_to_stop_it_says_goodbye_and_ends_well() {
    let stored = stored();
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&stored.place, "data");
        let mut stream = server.stream("/api/v1/stream");
        assert_eq!(stream.next().unwrap().event, "snapshot");
        // A connection that asks for nothing must not hold it up either.
        let _idle = server.connect();
        let asked = Instant::now();
        server.process.signal(signal);
        let mut last = stream.next();
        while let Some(sent) = stream.next() {
            last = Some(sent);
        }
        assert_eq!(last.unwrap().event, "closing", "SIG{signal}");
        assert_eq!(server.process.wait(Duration::from_secs(20)), Some(0), "{}", server.process.err.text());
        assert!(asked.elapsed() < Duration::from_secs(8), "SIG{signal}: {:?}", asked.elapsed());
    }
}

#[test]
fn a_port_that_is_taken_is_one_error() {
    let stored = stored();
    let server = Server::start(&stored.place, "data");
    for command in ["serve", "demo"] {
        let done = stored.place.run(&format!("{command} --data data --listen {}", server.addr)).exits(3);
        let words = format!("barograph: cannot listen on {}", server.addr);
        assert!(done.err.lines().last().unwrap().starts_with(&words), "{}", done.err);
        assert!(done.out.is_empty(), "no work is done first: {}", done.out);
    }
}
