//! All streams with what carries them: filters, pages, venues, readiness and counters.

use super::client::Server;
use super::exposition;
use super::listening::Listening;
use super::world::name;
use barograph_api::{AskMarkets as _, QueryError};
use barograph_domain::{GapReason, Metric, StatusState};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn listening() -> Server {
    let server = Server::start();
    *server.world.listening.lock().unwrap() = Some(Listening::new(server.world.now()));
    server
}

/// Instrument and metric of each item.
fn shown(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|i| format!("{} {}", i["instrument"].as_str().unwrap(), i["metric"].as_str().unwrap())).collect()
}

#[test]
fn streams_are_chosen_by_venue_state_and_market() {
    let server = listening();
    let change = |id, metric, state, reason| {
        server.world.listening.lock().unwrap().as_mut().unwrap().set(id, metric, state, reason);
    };
    change("bybit:BTCUSDT", Metric::Trade, StatusState::Gap, GapReason::SequenceJump);
    let count = |query: &str| server.json(&format!("/api/v1/feeds?{query}"))["items"].as_array().unwrap().len();
    for (query, want) in [
        ("", 15),
        ("venue=binance-usdm", 10),
        ("market=ETHUSDT", 5),
        ("state=LIVE", 8),
        ("state=NOT_OFFERED", 3),
        ("state=not_offered&venue=bybit", 1),
        ("state=RESYNC", 0),
        ("venue=bybit&market=ETHUSDT", 0),
    ] {
        assert_eq!(count(query), want, "{query}");
    }
    let lost = server.json("/api/v1/feeds?state=GAP");
    assert_eq!(shown(&lost), ["bybit:BTCUSDT trade"]);
    assert_eq!(lost["items"][0]["reason"], json!({"word": "sequence_jump", "text": "the venue's sequence jumped"}));
    let all = json!({"live": 8, "gap": 1, "resync": 0, "stale": 3, "not_offered": 3});
    assert_eq!(lost["counts"], all, "of every state, also where one is asked for");
}

#[test]
fn venues_say_how_they_are_reached() {
    let server = listening();
    let all = server.json("/api/v1/feeds");
    assert_eq!(all["origin"], "synthetic");
    let venues = all["venues"].as_array().unwrap();
    assert_eq!(venues.iter().map(|v| v["venue"].as_str().unwrap()).collect::<Vec<_>>(), ["binance-usdm", "bybit"]);
    assert_eq!(venues[0]["lag"], json!({"p50_ms": 12.0, "p95_ms": 30.0, "p99_ms": 45.5, "count": 900}));
    assert_eq!((&venues[1]["lag"], &venues[1]["clock_skew_ms"]), (&Value::Null, &json!(-1_400.0)), "a clock is no lag");
    let link = json!({
        "link": "0", "url": "wss://binance-usdm.example/stream", "state": "open", "since": "2026-02-05T00:00:00Z",
        "streams": 5, "frames": 7, "bytes": 900, "last_frame_age_s": 0.25, "reconnects": 1, "lost": 0,
        "compressed": true, "replaced_at": "2026-02-05T23:00:00Z"
    });
    assert_eq!(venues[0]["connections"], json!([link]));
    assert_eq!(venues[0]["budgets"][0]["left"], 2_360);
    assert_eq!(all["journal"], json!({"bytes_raw": 5_000, "bytes_written": 700, "files_open": 2, "queue": 0}));
    assert!(all.get("next").is_none(), "the inner position stays inside");
    let one = server.json("/api/v1/feeds?venue=bybit");
    assert_eq!(one["venues"].as_array().unwrap().len(), 1);
}

#[test]
fn a_thousand_markets_are_walked_in_bounded_pages() {
    let server = Server::start();
    let markets: Vec<_> = (0..1_000).map(|n| name(&format!("okx:M{n:03}-USDT"))).collect();
    *server.world.listening.lock().unwrap() = Some(Listening::with(markets, server.world.now()));
    for (query, limit, total) in
        [("", 200, 5_000), ("&limit=1000", 1_000, 5_000), ("&limit=300&state=STALE", 300, 1_000)]
    {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = server.json(&format!("/api/v1/feeds?{}{cursor}", query.trim_start_matches('&')));
            let items = shown(&page);
            assert!(items.len() <= limit, "{query}");
            seen.extend(items);
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (total, total), "{query}");
    }
    let next = server.json("/api/v1/feeds?state=LIVE&limit=5")["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(server.get(&format!("/api/v1/feeds?state=GAP&cursor={next}")).problem(), "bad-cursor");
}

#[test]
fn bad_filters_are_refused_by_name() {
    let server = listening();
    for (query, kind, candidate) in [
        ("venue=binance", "unknown-venue", Some("binance-usdm")),
        ("state=lost", "bad-word", Some("GAP")),
        ("market=BTCUSDT", "ambiguous-symbol", Some("bybit:BTCUSDT")),
        ("market=nothing", "unknown-symbol", None),
        ("limit=1001", "bad-number", None),
        ("limit=0", "bad-number", None),
        ("cursor=x", "bad-cursor", None),
        ("as_of=2026-02-05", "unknown-parameter", Some("state")),
    ] {
        let refused = server.get(&format!("/api/v1/feeds?{query}"));
        assert_eq!(refused.problem(), kind, "{query}");
        let candidates = refused.json()["candidates"].as_array().cloned().unwrap_or_default();
        assert!(candidate.is_none_or(|c| candidates.contains(&json!(c))), "{query}: {candidates:?}");
    }
}

#[test]
fn readiness_counts_what_is_lost_and_stays() {
    let server = listening();
    assert_eq!(server.json("/readyz")["notes"], json!(["3 of 12 streams are not live"]));
    for listening in server.world.listening.lock().unwrap().iter_mut() {
        for heard in &mut listening.streams {
            (heard.state, heard.reason) = (StatusState::Gap, GapReason::Disconnected);
        }
    }
    let ready = server.get("/readyz");
    assert_eq!((ready.status, &ready.json()["notes"]), (200, &json!(["15 of 15 streams are not live"])));
    *server.world.listening.lock().unwrap() = None;
    assert!(server.json("/readyz").get("notes").is_none(), "recorded history loses no streams");
}

#[test]
fn counters_of_both_sides_make_one_page_that_scrapers_accept() {
    let server = listening();
    server.json("/api/v1/feeds");
    let page = server.get("/metrics").text();
    let alone = exposition::check(&page).unwrap_or_else(|flaw| panic!("{flaw}\n{page}"));
    assert!(page.ends_with("barograph_feed_messages_total{venue=\"bybit\"} 7\n"), "{page}");
    assert!(page.contains("barograph_http_requests_total{route=\"/api/v1/feeds\",status=\"200\"} 1"), "{page}");
    // A name that is taken already would cost the whole page; the check sees it.
    if let Some(listening) = server.world.listening.lock().unwrap().as_mut() {
        listening.metrics_text = "# HELP barograph_http_connections x\n# TYPE barograph_http_connections gauge\n\
                                  barograph_http_connections 1\n"
            .to_owned();
    }
    let flaw = exposition::check(&server.get("/metrics").text()).unwrap_err();
    assert!(flaw.what.contains("'barograph_http_connections' begins twice"), "{flaw}");
    *server.world.listening.lock().unwrap() = None;
    let fewer = exposition::check(&server.get("/metrics").text()).unwrap();
    assert!(fewer > 10 && fewer + 2 >= alone, "{fewer} without the other side, {alone} with it");
}

#[test]
fn errors_keep_their_own_words() {
    assert_eq!(QueryError::NotLive { instrument: None }.to_string(), "this process is connected to no venue");
    let not_offered = QueryError::NotOffered { metric: Metric::Book, venue: "binance-us".to_owned() };
    assert_eq!(not_offered.to_string(), "'order_book' is not offered by binance-us");
}
