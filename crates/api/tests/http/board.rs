//! The board: one table for all, its changes as they happen, and what becomes of those who read slowly.

use super::client::{Server, wait_for};
use super::stream::{Event, Listener};
use super::world::{EMPTY, LIVING, MINUTES, minute, name};
use barograph_api::ServeConfig;
use barograph_api::board::{ChangeView, Column, Hub, Value, WIDTH};
use barograph_domain::{Axis, Span};
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};

/// Sets the price of the markets, the `n`-th turn.
fn turn(hub: &Hub, markets: &[&str], n: i64) {
    hub.update(minute(MINUTES) + Span::millis(200 * n), |table| {
        for (at, market) in (0_i64..).zip(markets) {
            let i = table.admit(&name(market));
            table.set(i, Column::Price, Value::Whole(100 + n + at));
            table.set(i, Column::RowTs, Value::Whole(1_770_000_000 + 60 * (n / 3)));
        }
    });
}

/// What a client holds that follows the format and nothing else.
fn follow(events: &[Event]) -> (u64, Vec<Vec<Json>>) {
    let (mut n, mut rows) = (0, Vec::new());
    for event in events {
        match event.kind.as_str() {
            "board" => {
                n = event.data["n"].as_u64().unwrap();
                let cells = |row: &Json| row["cells"].as_array().unwrap().clone();
                rows = event.data["rows"].as_array().unwrap().iter().map(cells).collect();
            }
            "rows" => {
                for row in event.data.as_array().unwrap() {
                    assert_eq!(row["i"], rows.len(), "numbers are given in order");
                    rows.push(row["cells"].as_array().unwrap().clone());
                }
            }
            "cells" => {
                n = event.data["n"].as_u64().unwrap();
                apply(&event.data, &mut rows);
            }
            _ => {}
        }
    }
    (n, rows)
}

fn apply(batch: &Json, rows: &mut [Vec<Json>]) {
    let from = batch["r"].as_i64().unwrap_or(0);
    for change in batch["c"].as_array().unwrap() {
        let i = usize::try_from(change[0].as_u64().unwrap()).unwrap();
        let mask = change[1].as_u64().unwrap();
        let set = (0..WIDTH).filter(|column| mask & (1 << column) != 0);
        for (value, column) in change.as_array().unwrap()[2..].iter().zip(set) {
            let epoch = [Column::RiskSince as usize, Column::RowTs as usize].contains(&column);
            rows[i][column] = value.as_i64().filter(|_| epoch).map_or_else(|| value.clone(), |v| json!(from + v));
        }
    }
}

#[test]
fn who_follows_holds_what_a_fresh_answer_says() {
    let server = Server::start();
    let hub = &server.world.hub;
    turn(hub, &LIVING[..2], 0);
    let mut early = Listener::open(&server, "/api/v1/board/stream", "");
    early.until(|l| l.events().iter().any(|e| e.kind == "board"));
    for n in 1..8 {
        // A market comes while they listen.
        turn(hub, if n < 4 { &LIVING[..2] } else { &LIVING[..] }, n);
    }
    let mut late = Listener::open(&server, "/api/v1/board/stream", "");
    for n in 8..12 {
        turn(hub, &LIVING, n);
    }
    let fresh = server.json("/api/v1/board");
    let want: Vec<Json> = fresh["rows"].as_array().unwrap().iter().map(|r| r["cells"].clone()).collect();
    for (who, listener) in [("early", &mut early), ("late", &mut late)] {
        listener.until(|l| follow(&l.events()).0 == fresh["n"].as_u64().unwrap());
        let (_, held) = follow(&listener.events());
        assert_eq!(held.into_iter().map(Json::from).collect::<Vec<_>>(), want, "{who}");
    }
    assert_eq!(want[2][0], json!(100 + 11 + 2));
    assert_eq!(fresh["columns"].as_array().unwrap().len(), WIDTH);
    assert!(early.events().iter().any(|e| e.kind == "tick" && e.data["t"].is_i64()));
}

#[test]
fn one_market_and_the_feeds_are_told_to_those_who_ask() {
    let server = Server::start();
    turn(&server.world.hub, &LIVING, 0);
    let mut plain = Listener::open(&server, "/api/v1/board/stream", "");
    let mut one = Listener::open(&server, "/api/v1/board/stream?market=bybit:BTCUSDT&feeds=1", "");
    one.until(|l| l.events().iter().any(|e| e.kind == "snapshot"));
    let first = one.events();
    let snapshot = first.iter().find(|e| e.kind == "snapshot").unwrap();
    assert_eq!(snapshot.data["instrument"], "bybit:BTCUSDT");
    assert_eq!(snapshot.id, snapshot.data["snapshot_id"].as_str().unwrap());
    server.world.hub.feeds(b"[[\"bybit:BTCUSDT\",\"trade\",\"GAP\",\"disconnected\",1200]]");
    server.world.hub.venues(b"{\"t\":5}");
    server.world.hub.alert(b"{\"alert_id\":\"x\"}");
    server.world.hub.deliveries_moved();
    turn(&server.world.hub, &LIVING, 5);
    let told = |l: &Listener| ["alerts", "deliveries"].iter().all(|kind| l.events().iter().any(|e| e.kind == *kind));
    one.until(told);
    plain.until(told);
    let count = |l: &Listener, kind: &str| l.events().iter().filter(|e| e.kind == kind).count();
    assert_eq!([count(&one, "feeds"), count(&one, "venues")], [1, 1]);
    assert_eq!([count(&plain, "feeds"), count(&plain, "venues"), count(&plain, "snapshot")], [0, 0, 0]);
    let alerts = plain.events().into_iter().find(|e| e.kind == "alerts").unwrap();
    assert_eq!(alerts.data, json!([{"alert_id": "x"}]));
    // A new minute of it is a new snapshot; one of another market is not.
    turn(&server.world.hub, &LIVING[..1], 6);
    turn(&server.world.hub, &LIVING, 7);
    one.until(|l| count(l, "snapshot") >= 2);
}

#[test]
fn a_market_without_a_minute_is_not_looked_for_again_and_again() {
    let server = Server::start();
    turn(&server.world.hub, &[EMPTY], 0);
    let mut one = Listener::open(&server, &format!("/api/v1/board/stream?market={EMPTY}"), "");
    one.until(|l| l.events().iter().any(|e| e.kind == "board"));
    std::thread::sleep(Duration::from_millis(700));
    let looked = server.world.contexts();
    assert!(looked <= 2, "{looked} times in 0.7 s");
}

#[test]
fn a_storm_of_alerts_and_changes_drops_nobody() {
    let server = Server::start();
    let hub = &server.world.hub;
    turn(hub, &LIVING, 0);
    let mut all: Vec<Listener> = (0..8).map(|_| Listener::open(&server, "/api/v1/board/stream", "")).collect();
    for listener in &mut all {
        listener.until(|l| l.events().iter().any(|e| e.kind == "board"));
    }
    for n in 0..2_000 {
        hub.alert(format!("{{\"alert_id\":\"{n}\"}}").as_bytes());
    }
    hub.update(minute(MINUTES) + Span::millis(200), |table| {
        for n in 0..2_000 {
            table.changed(ChangeView {
                instrument: name(LIVING[n % 3]),
                axis: Axis::Risk,
                from: "NORMAL",
                to: "CHOP_RISK",
                at: minute(i64::try_from(n).unwrap()),
            });
        }
    });
    for n in 2..10 {
        turn(hub, &LIVING, n);
    }
    let many = |l: &Listener, kind: &str| -> usize {
        let events = l.events();
        events.iter().filter(|e| e.kind == kind).map(|e| e.data.as_array().unwrap().len()).sum()
    };
    let last = server.json("/api/v1/board")["n"].as_u64().unwrap();
    for listener in &mut all {
        listener.until(|l| follow(&l.events()).0 == last);
        assert_eq!([many(listener, "alerts"), many(listener, "changes")], [2_000, 2_000]);
        let kinds: Vec<String> = listener.events().into_iter().map(|e| e.kind).collect();
        assert!(!kinds.iter().any(|k| k == "lagged" || k == "closing"), "{kinds:?}");
    }
    let text = server.get("/metrics").text();
    for reason in ["lagged", "stalled"] {
        assert!(text.contains(&format!("barograph_http_stream_dropped_total{{reason=\"{reason}\"}} 0\n")), "{reason}");
    }
}

#[test]
fn wrong_questions_are_told_what_is_right() {
    let server = Server::start();
    for (path, status, problem) in [
        ("/api/v1/board?as_of=yesterday", 400, "bad-time"),
        ("/api/v1/board?asof=1", 400, "unknown-parameter"),
        ("/api/v1/board/stream?market=DOGE", 404, "unknown-symbol"),
        ("/api/v1/board/stream?feeds=maybe", 400, "bad-request"),
        ("/api/v1/board/stream?markets=BTCUSDT", 400, "unknown-parameter"),
    ] {
        let reply = server.get(path);
        assert_eq!((reply.status, reply.problem().as_str()), (status, problem), "{path}");
    }
    let past = server.json("/api/v1/board?as_of=2026-02-05T06:00:00Z");
    assert_eq!((&past["ts"], &past["n"]), (&json!("2026-02-05T06:00:00Z"), &json!(0)));
    let held = server.get("/api/v1/board");
    let etag = held.header("etag").unwrap().to_owned();
    assert_eq!(server.request("GET", "/api/v1/board", &[("If-None-Match", &etag)]).status, 304);
    turn(&server.world.hub, &[EMPTY], 1);
    assert_eq!(server.request("GET", "/api/v1/board", &[("If-None-Match", &etag)]).status, 200);
}

const WIDE: [Column; 12] = [
    Column::Price,
    Column::Change24h,
    Column::Margin,
    Column::Vol,
    Column::Funding8h,
    Column::Oi4h,
    Column::Flags,
    Column::Confidence,
    Column::LongBias,
    Column::RiskMultiplier,
    Column::Squeeze,
    Column::OpenAlerts,
];

/// A thousand markets, so that a batch is some ten kilobytes.
fn thousand() -> Vec<String> {
    (0..1_000).map(|m| format!("okx:M{m:03}-USDT-SWAP")).collect()
}

#[test]
fn a_client_that_never_reads_is_dropped_and_counted() {
    let server = Server::with(ServeConfig { write_stall: Duration::from_millis(600), ..ServeConfig::default() });
    let markets = thousand();
    let markets: Vec<&str> = markets.iter().map(String::as_str).collect();
    turn(&server.world.hub, &markets, 0);
    let dead = Listener::open(&server, "/api/v1/board/stream", "");
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut n = 1;
    while server.world.hub.heard() {
        assert!(Instant::now() < deadline, "still followed after {n} batches");
        turn(&server.world.hub, &markets, n);
        n += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    let dropped = |reason: &str| format!("barograph_http_stream_dropped_total{{reason=\"{reason}\"}} 1\n");
    wait_for("it is counted", || {
        let text = server.get("/metrics").text();
        text.contains(&dropped("stalled")) || text.contains(&dropped("lagged"))
    });
    drop(dead);
}

#[test]
fn who_falls_behind_gets_the_table_instead_of_what_it_missed() {
    let server = Server::start();
    let markets = thousand();
    let markets: Vec<&str> = markets.iter().map(String::as_str).collect();
    turn(&server.world.hub, &markets, 0);
    let mut slow = Listener::open(&server, "/api/v1/board/stream", "");
    slow.until(|l| l.events().iter().any(|e| e.kind == "board"));
    // All at once, some 200 kB each, faster and more than any socket takes.
    for n in 1..100 {
        server.world.hub.update(minute(MINUTES) + Span::millis(200 * n), |table| {
            for (i, column) in (0..1_000).flat_map(|i| WIDE.map(|column| (i, column))) {
                table.set(i, column, Value::Whole(1_000_000_000_000_000 + n));
            }
        });
    }
    server.world.hub.alert(b"{\"alert_id\":\"kept\"}");
    server.world.hub.update(minute(MINUTES) + Span::millis(200 * 99), |_| ());
    slow.until(|l| follow(&l.events()).0 == 99 && l.events().iter().any(|e| e.kind == "alerts"));
    let events = slow.events();
    let boards = events.iter().filter(|e| e.kind == "board").count();
    let batches = events.iter().filter(|e| e.kind == "cells").count();
    assert!(boards >= 2 && batches < 99, "{boards} tables, {batches} batches");
    assert_eq!(follow(&events).1[7][0], json!(1_000_000_000_000_099_i64));
    assert_eq!(server.get("/metrics").text().matches("reason=\"lagged\"} 0").count(), 1, "nobody was let go");
}

/// Of a part the worst risk label comes first, and what fits is counted.
#[test]
fn a_part_of_the_board_has_those_at_risk_first() {
    let server = Server::start();
    server.world.hub.update(minute(MINUTES), |table| {
        for (market, risk, oi) in [(LIVING[0], 1, 5e6), (LIVING[1], 4, 2e6), (EMPTY, 3, 9e6)] {
            let i = table.admit(&name(market));
            table.set(i, Column::Risk, Value::Whole(risk));
            table.set(i, Column::OiUsd, Value::full(oi));
        }
    });
    for (asked, want, found) in [
        ("top=2", &[LIVING[1], EMPTY][..], 3),
        ("top=1&min_oi_usd=3000000", &[EMPTY], 2),
        ("label=high_vol", &[LIVING[1]], 1),
        ("label=CHOP_RISK", &[], 0),
        ("venue=nowhere", &[], 0),
        ("text=zzz", &[], 0),
    ] {
        let board = server.json(&format!("/api/v1/board?{asked}"));
        let rows: Vec<&str> =
            board["rows"].as_array().unwrap().iter().filter_map(|r| r["instrument"].as_str()).collect();
        assert_eq!((rows.as_slice(), &board["found"]), (want, &json!(found)), "{asked}");
    }
    assert!(server.json("/api/v1/board")["found"].is_null(), "the whole is not counted");
    for (asked, problem) in [
        ("top=0", "bad-number"),
        ("top=1001", "bad-number"),
        ("min_oi_usd=much", "bad-number"),
        ("label=HIGHVOL", "bad-word"),
    ] {
        assert_eq!(server.get(&format!("/api/v1/board?{asked}")).problem(), problem, "{asked}");
    }
}
